// A codebook: the vector of it that is nearest to each row, and the moving averages that move it
// (van den Oord et al. 2017, section 3.1 and appendix A.1).
//
//     nearest  chosen[r] = argmin |x[r] - e[k]|² over k            the lowest k of several
//     look_up  y[r] = e[chosen[r]]
//     count    sizes[k] = decay sizes[k] + (1 - decay) n           n rows chose k
//     sum      sums[k] = decay sums[k] + (1 - decay) Σ x[r]        over those rows
//     renew    e[k] = sums[k] / ((sizes[k] + ε) N / (N + K ε))     N = Σ sizes, Laplace smoothing
//
// x is [rows, width], e [entries, width]. Whatever is summed is summed in one order, so that the same inputs give the
// same bits: over rows by one invocation, without atomics.

/// ε: what a vector counts that no row has chosen for long.
const SMOOTHING = 1e-5;
const LARGEST = 3.4028234e38;

struct Params {
    /// Of x.
    rows: u32,
    width: u32,
    entries: u32,
    /// count, sum: what is kept of the averages.
    decay: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// [rows, width]
@group(0) @binding(1) var<storage, read> x: array<f32>;
/// [entries, width]
@group(0) @binding(2) var<storage, read> codebook: array<f32>;
/// [rows]
@group(0) @binding(3) var<storage, read> chosen: array<u32>;
/// [entries]
@group(0) @binding(4) var<storage, read> sizes: array<f32>;
/// [entries, width]
@group(0) @binding(5) var<storage, read> sums: array<f32>;
/// The same three to be written.
@group(0) @binding(6) var<storage, read_write> new_chosen: array<u32>;
@group(0) @binding(7) var<storage, read_write> new_sizes: array<f32>;
@group(0) @binding(8) var<storage, read_write> new_sums: array<f32>;
/// [rows, width] of look_up, [entries, width] of renew.
@group(0) @binding(9) var<storage, read_write> vectors: array<f32>;

var<workgroup> numbers: array<f32, 64>;
var<workgroup> places: array<u32, 64>;

// One workgroup chooses for one row.
@compute @workgroup_size(64)
fn nearest(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    // Where nothing is nearer, because x is not a number, lane 0 has the lowest place, which there is.
    var least = LARGEST;
    var place = lane;
    for (var k = lane; k < params.entries; k += 64u) {
        var squared = 0.0;
        for (var c = 0u; c < params.width; c++) {
            let apart = x[row * params.width + c] - codebook[k * params.width + c];
            squared += apart * apart;
        }
        if squared < least {
            least = squared;
            place = k;
        }
    }
    numbers[lane] = least;
    places[lane] = place;
    for (var stride = 32u; stride > 0u; stride /= 2u) {
        workgroupBarrier();
        if lane < stride {
            let other = lane + stride;
            let equal = numbers[other] == numbers[lane];
            if numbers[other] < numbers[lane] || (equal && places[other] < places[lane]) {
                numbers[lane] = numbers[other];
                places[lane] = places[other];
            }
        }
    }
    if lane == 0u {
        new_chosen[row] = places[0];
    }
}

@compute @workgroup_size(64)
fn look_up(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.rows * params.width {
        vectors[i] = codebook[chosen[i / params.width] * params.width + i % params.width];
    }
}

@compute @workgroup_size(64)
fn count(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let k = (group.x + group.y * groups.x) * 64u + lane;
    if k >= params.entries {
        return;
    }
    var rows = 0u;
    for (var r = 0u; r < params.rows; r++) {
        rows += u32(chosen[r] == k);
    }
    new_sizes[k] = params.decay * new_sizes[k] + (1.0 - params.decay) * f32(rows);
}

@compute @workgroup_size(64)
fn sum(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
       @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i >= params.entries * params.width {
        return;
    }
    let k = i / params.width;
    let c = i % params.width;
    var total = 0.0;
    for (var r = 0u; r < params.rows; r++) {
        if chosen[r] == k {
            total += x[r * params.width + c];
        }
    }
    new_sums[i] = params.decay * new_sums[i] + (1.0 - params.decay) * total;
}

// One workgroup renews one vector.
@compute @workgroup_size(64)
fn renew(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let k = group.x + group.y * groups.x;
    if k >= params.entries {
        return;
    }
    var partial = 0.0;
    for (var other = lane; other < params.entries; other += 64u) {
        partial += sizes[other];
    }
    numbers[lane] = partial;
    for (var stride = 32u; stride > 0u; stride /= 2u) {
        workgroupBarrier();
        if lane < stride {
            numbers[lane] += numbers[lane + stride];
        }
    }
    workgroupBarrier();
    let whole = numbers[0];
    let size = (sizes[k] + SMOOTHING) * (whole / (whole + f32(params.entries) * SMOOTHING));
    for (var c = lane; c < params.width; c += 64u) {
        vectors[k * params.width + c] = sums[k * params.width + c] / size;
    }
}
