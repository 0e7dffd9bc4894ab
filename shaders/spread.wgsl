// Weights, scaled row by row for each image: what a layer's slopes make of its weights, diag(c) w.
//
//     spread         y[b, j, k] = c[b, j] w[j, k]
//     spread_scales  dc[b, j] = Σ dy[b, j, k] w[j, k] over k
//     spread_weight  dw[j, k] = Σ c[b, j] dy[b, j, k] over b
//
// c and dc are [rows, units], w and dw [units, columns], y and dy [rows, units, columns]. Results are written (=), or
// added to (+=) where ACCUMULATE is set. Joined behind lib/row_sum.wgsl and lib/accumulate.wgsl.

struct Params {
    rows: u32,
    units: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Scales, [rows, units].
@group(0) @binding(1) var<storage, read> c: array<f32>;
/// Weights, [units, columns].
@group(0) @binding(2) var<storage, read> w: array<f32>;
/// The gradient of y, [rows, units, columns].
@group(0) @binding(3) var<storage, read> dy: array<f32>;
/// The scaled weights, [rows, units, columns].
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
/// The gradient of c, [rows, units].
@group(0) @binding(5) var<storage, read_write> dc: array<f32>;
/// The gradient of w, [units, columns].
@group(0) @binding(6) var<storage, read_write> dw: array<f32>;

@compute @workgroup_size(64)
fn spread(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
          @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.rows * params.units * params.columns {
        y[i] = put(y[i], c[i / params.columns] * w[i % (params.units * params.columns)]);
    }
}

// One workgroup sums one row of one image.
@compute @workgroup_size(64)
fn spread_scales(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows * params.units {
        return;
    }
    let unit = row % params.units;
    var partial = 0.0;
    for (var k = lane; k < params.columns; k += 64u) {
        partial += dy[row * params.columns + k] * w[unit * params.columns + k];
    }
    let sum = row_sum(lane, partial);
    if lane == 0u {
        dc[row] = put(dc[row], sum);
    }
}

@compute @workgroup_size(64)
fn spread_weight(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) lane: u32) {
    let size = params.units * params.columns;
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < size {
        let unit = i / params.columns;
        var sum = 0.0;
        for (var row = 0u; row < params.rows; row++) {
            sum += c[row * params.units + unit] * dy[row * size + i];
        }
        dw[i] = put(dw[i], sum);
    }
}
