// The elementwise (Hadamard) product of p with rows of s that repeat.
//
//     multiply  y[r, k] = p[r, k] · s[r / repeat, k]                                        = or +=
//     gradient  dp[r, k] = dy[r, k] · s[r / repeat, k]                                      = or +=
//               ds[b, k] = Σ dy[r, k] · p[r, k] over r in b · repeat .. (b + 1) · repeat    = or +=
//
// With one column and repeat numbers to a row, p is a matrix whose rows are multiplied by the numbers of s, and
//     row_products  ds[b] alone, 64 lanes to its sum                                              = or +=
//
// p, y, dp and dy are [rows · repeat, columns], s and ds [rows, columns]. y and dp are added to (+=) where
// ACCUMULATE is set, ds where ACCUMULATE_S is. Joined behind lib/row_sum.wgsl and lib/accumulate.wgsl.

override ACCUMULATE_S: bool = false;

struct Params {
    /// Of s.
    rows: u32,
    columns: u32,
    /// Rows of p to each of s.
    repeat: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// [rows · repeat, columns]
@group(0) @binding(1) var<storage, read> p: array<f32>;
/// [rows, columns]
@group(0) @binding(2) var<storage, read> s: array<f32>;
/// The gradient of y, [rows · repeat, columns].
@group(0) @binding(3) var<storage, read> dy: array<f32>;
/// The product, [rows · repeat, columns].
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
/// The gradient of p, [rows · repeat, columns].
@group(0) @binding(5) var<storage, read_write> dp: array<f32>;
/// The gradient of s, [rows, columns].
@group(0) @binding(6) var<storage, read_write> ds: array<f32>;

@compute @workgroup_size(64)
fn multiply(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.rows * params.repeat * params.columns {
        let row = i / params.columns;
        y[i] = put(y[i], p[i] * s[row / params.repeat * params.columns + i % params.columns]);
    }
}

fn store_s(element: u32, sum: f32) {
    if ACCUMULATE_S {
        ds[element] += sum;
    } else {
        ds[element] = sum;
    }
}

// One invocation takes an element of s with all its repetitions.
@compute @workgroup_size(64)
fn gradient(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
    let element = (group.x + group.y * groups.x) * 64u + lane;
    if element < params.rows * params.columns {
        let first = element / params.columns * params.repeat * params.columns + element % params.columns;
        var sum = 0.0;
        for (var j = 0u; j < params.repeat; j++) {
            let i = first + j * params.columns;
            sum += dy[i] * p[i];
            dp[i] = put(dp[i], dy[i] * s[element]);
        }
        store_s(element, sum);
    }
}

@compute @workgroup_size(64)
fn row_products(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var j = lane; j < params.repeat; j += 64u) {
        let i = row * params.repeat + j;
        partial += dy[i] * p[i];
    }
    let sum = row_sum(lane, partial);
    if lane == 0u {
        store_s(row, sum);
    }
}
