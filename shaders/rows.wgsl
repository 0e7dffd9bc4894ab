// Rows that repeat, and sums along rows.
//
//     repeat  y[r · times + j, c] = scale · x[r, c],  j < times    = or +=
//     sum     y[r] = scale · Σ x[r, c] over c                      = or +=
//
// x is [rows, columns], y [rows · times, columns] or [rows]; += where ACCUMULATE is set. The gradient of repeat is
// reduce.wgsl's sum down the columns of each `times` rows; that of sum is repeat on x of one column, which spreads each
// row's number over a row. With scale 1 / columns sum is the mean. Joined behind lib/row_sum.wgsl and
// lib/accumulate.wgsl.

struct Params {
    /// Of x.
    rows: u32,
    columns: u32,
    /// repeat: rows of y to each of x.
    times: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// [rows, columns]
@group(0) @binding(1) var<storage, read> x: array<f32>;
/// [rows · times, columns], or [rows].
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn repeat(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
          @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.rows * params.times * params.columns {
        let row = i / (params.columns * params.times);
        y[i] = put(y[i], params.scale * x[row * params.columns + i % params.columns]);
    }
}

// One workgroup sums one row.
@compute @workgroup_size(64)
fn sum(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
       @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.columns; column += 64u) {
        partial += x[row * params.columns + column];
    }
    let whole = row_sum(lane, partial);
    if lane == 0u {
        y[row] = put(y[row], params.scale * whole);
    }
}
