// Sums down the columns of several matrices at once, each in a fixed order: the gradients that a step made in parts.
//
//     sums[to + column] = sum of parts[first + row · line + column] over the rows            of each matrix, = or +=
//
// The matrices lie in one buffer, each with lines of whole vec4s, in which its columns come first. A workgroup takes columns
// of one matrix, and each lane four neighbours. Where rows are many, several lanes share those of a column.

struct Matrix {
    /// Where it begins in `parts`, and how long its lines are, in vec4s.
    first: u32,
    line: u32,
    rows: u32,
    columns: u32,
    /// Where its sums begin.
    to: u32,
    /// Whether they are added to what is there.
    accumulate: u32,
    /// Lanes that share the rows of a column: 1 or 8.
    lanes: u32,
    /// Its first workgroup.
    workgroup: u32,
}

struct Params {
    /// How many there are.
    count: u32,
    padding0: u32,
    padding1: u32,
    padding2: u32,
    /// In the order of their workgroups.
    matrices: array<Matrix, 16>,
}

@group(0) @binding(0) var<uniform> params: Params;
/// All matrices, as vec4s.
@group(0) @binding(1) var<storage, read> parts: array<vec4f>;
/// The sums of all.
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

var<workgroup> partial: array<vec4f, 64>;

// The matrix that a workgroup belongs to: the last that begins before its end. The loop has a fixed end, so that a driver
// unrolls it and finds each matrix at a fixed place.
fn matrix_of(workgroup: u32) -> Matrix {
    var found = params.matrices[0];
    for (var number = 1u; number < 16u; number++) {
        if number < params.count && params.matrices[number].workgroup <= workgroup {
            found = params.matrices[number];
        }
    }
    return found;
}

fn store(m: Matrix, column: u32, sum: vec4f) {
    for (var i = 0u; i < 4u && column + i < m.columns; i++) {
        let at = m.to + column + i;
        if m.accumulate != 0u {
            sums[at] += sum[i];
        } else {
            sums[at] = sum[i];
        }
    }
}

@compute @workgroup_size(64)
fn column_sums(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
               @builtin(local_invocation_index) lane: u32) {
    let number = group.x + group.y * groups.x;
    let m = matrix_of(number);
    let across = 64u / m.lanes;
    let four = (number - m.workgroup) * across + lane % across;

    var sum = vec4f();
    if four * 4u < m.columns {
        for (var row = lane / across; row < m.rows; row += m.lanes) {
            sum += parts[m.first + row * m.line + four];
        }
    }
    partial[lane] = sum;
    workgroupBarrier();

    if lane < across {
        for (var other = 1u; other < m.lanes; other++) {
            sum += partial[other * across + lane];
        }
        store(m, four * 4u, sum);
    }
}
