// Sums down the columns, in a fixed order: the bias gradient.
//
//     sums[c, column] = sum of a[row, column] over row in c * chunk .. min((c + 1) * chunk, rows)
//
// a is [rows, columns] and sums [ceil(rows / chunk), columns], written (=), or added to (+=) where
// ACCUMULATE is set. With chunk >= rows it is one line; a tall matrix is spread over a GPU by a smaller
// chunk, and a second pass over the lines. In column_sum a workgroup takes 32 columns; its 8 lines of lanes take
// every eighth row each. In column_sum_short, for chunks of a few rows, a lane makes a sum by itself. Those that end in
// _four are for columns that are a multiple of four: a lane takes four neighbours, by one load.

override ACCUMULATE: bool = false;

struct Params {
    rows: u32,
    columns: u32,
    chunk: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// [rows, columns]
@group(0) @binding(1) var<storage, read> a: array<f32>;
/// The same, [rows, columns / 4].
@group(0) @binding(2) var<storage, read> fours: array<vec4f>;
/// [ceil(rows / chunk), columns]
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;
/// The same, [ceil(rows / chunk), columns / 4].
@group(0) @binding(4) var<storage, read_write> sums_of_fours: array<vec4f>;

var<workgroup> partial: array<f32, 256>;
var<workgroup> partial_fours: array<vec4f, 64>;

fn store(at: u32, sum: f32) {
    if ACCUMULATE {
        sums[at] += sum;
    } else {
        sums[at] = sum;
    }
}

fn store_four(at: u32, sum: vec4f) {
    if ACCUMULATE {
        sums_of_fours[at] += sum;
    } else {
        sums_of_fours[at] = sum;
    }
}

@compute @workgroup_size(32, 8)
fn column_sum(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(local_invocation_id) lane: vec3u) {
    let across = (params.columns + 31u) / 32u;
    let number = group.x + group.y * groups.x;
    let line = number / across;
    let column = number % across * 32u + lane.x;
    let inside = column < params.columns && line * params.chunk < params.rows;

    var sum = 0.0;
    if inside {
        let first = line * params.chunk;
        let count = min(params.chunk, params.rows - first);
        for (var row = lane.y; row < count; row += 8u) {
            sum += a[(first + row) * params.columns + column];
        }
    }
    partial[lane.y * 32u + lane.x] = sum;
    workgroupBarrier();

    if inside && lane.y == 0u {
        for (var other = 1u; other < 8u; other++) {
            sum += partial[other * 32u + lane.x];
        }
        store(line * params.columns + column, sum);
    }
}

@compute @workgroup_size(64)
fn column_sum_short(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                    @builtin(local_invocation_index) lane: u32) {
    let across = (params.columns + 63u) / 64u;
    let number = group.x + group.y * groups.x;
    let first = number / across * params.chunk;
    let column = number % across * 64u + lane;
    if column < params.columns && first < params.rows {
        var sum = 0.0;
        for (var row = first; row < min(first + params.chunk, params.rows); row++) {
            sum += a[row * params.columns + column];
        }
        store(number / across * params.columns + column, sum);
    }
}

@compute @workgroup_size(8, 8)
fn column_sum_four(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                   @builtin(local_invocation_id) lane: vec3u) {
    let columns = params.columns / 4u;
    let across = (columns + 7u) / 8u;
    let number = group.x + group.y * groups.x;
    let line = number / across;
    let column = number % across * 8u + lane.x;
    let inside = column < columns && line * params.chunk < params.rows;

    var sum = vec4f();
    if inside {
        let first = line * params.chunk;
        let count = min(params.chunk, params.rows - first);
        for (var row = lane.y; row < count; row += 8u) {
            sum += fours[(first + row) * columns + column];
        }
    }
    partial_fours[lane.y * 8u + lane.x] = sum;
    workgroupBarrier();

    if inside && lane.y == 0u {
        for (var other = 1u; other < 8u; other++) {
            sum += partial_fours[other * 8u + lane.x];
        }
        store_four(line * columns + column, sum);
    }
}

@compute @workgroup_size(32)
fn column_sum_short_four(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                         @builtin(local_invocation_index) lane: u32) {
    let columns = params.columns / 4u;
    let across = (columns + 31u) / 32u;
    let number = group.x + group.y * groups.x;
    let first = number / across * params.chunk;
    let column = number % across * 32u + lane;
    if column < columns && first < params.rows {
        var sum = vec4f();
        for (var row = first; row < min(first + params.chunk, params.rows); row++) {
            sum += fours[row * columns + column];
        }
        store_four(number / across * columns + column, sum);
    }
}
