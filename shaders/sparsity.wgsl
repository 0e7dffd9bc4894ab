// What keeps a code sparse: how large its units are, or how active each of them is over a batch.
//
//     l1   value[row] = Σ |z[row, k]|                                                dz = scale · sign(z)
//     kl   value[row] = Σ p log(p / q_k) + (1 - p) log((1 - p) / (1 - q_k)), in nats, the same of every row
//          dz[row, k] = scale · (q_k - p) / (q_k (1 - q_k))              q_k = sums[k] / rows, in [1e-6, 1 - 1e-6]
//
// z and dz are [rows, columns], sums is [columns], value is [rows] and always written (=). dz is written (=), or
// added to (+=) where ACCUMULATE is set; l1_value and kl_value leave it out. dz is scale times the gradient of the sum
// of value over all rows, so kl's has no 1 / rows. The sign of zero is zero. A unit that is always off, or on, is held
// back from the poles of kl, where its gradient stays finite. One workgroup sums one row. Joined behind
// lib/log.wgsl, lib/finite.wgsl, lib/row_sum.wgsl, lib/row_value.wgsl and lib/accumulate.wgsl.

const LEAST_ACTIVE = 1e-6;

struct Params {
    rows: u32,
    columns: u32,
    /// The weight of the gradient; value stays unweighted.
    scale: f32,
    /// kl: p, the mean activation to have, within (0, 1).
    wanted: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// The code, [rows, columns].
@group(0) @binding(1) var<storage, read> z: array<f32>;
/// kl: each unit's sum over the batch, [columns].
@group(0) @binding(2) var<storage, read> sums: array<f32>;
/// The penalty of each row, [rows].
@group(0) @binding(3) var<storage, read_write> value: array<f32>;
/// The gradient of z, [rows, columns].
@group(0) @binding(4) var<storage, read_write> dz: array<f32>;

@compute @workgroup_size(64)
fn l1(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
      @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.columns; column += 64u) {
        let i = row * params.columns + column;
        partial += abs(z[i]);
        dz[i] = put(dz[i], params.scale * sign(z[i]));
    }
    finish(row, lane, partial);
}

@compute @workgroup_size(64)
fn l1_value(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.columns; column += 64u) {
        partial += abs(z[row * params.columns + column]);
    }
    finish(row, lane, partial);
}

// u - log(1 + u), which is never negative, given 1 + u too.
fn surplus(u: vec2f, one_more: vec2f) -> vec2f {
    // Near zero log(1 + u) = 2 atanh(s), and what u and the series' first term leave of each other is su.
    let s = u / (2.0 + u);
    let q = s * s;
    let series = s * u - 2.0 * s * q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q / 9.0)));
    return select(u - precise_log(one_more), series, abs(u) < vec2f(0.3));
}

// Nats of a unit, and their slope by its mean activation.
fn divergence(column: u32) -> vec2f {
    let p = vec2f(params.wanted, 1.0 - params.wanted);
    // q and 1 - q, each held by itself: the bound above is no f32 whose distance from one is right. Drivers make a
    // clamp of this, which would lose a NaN.
    let mean = sums[column] / f32(params.rows);
    var q = vec2f(mean, 1.0 - mean);
    q = select(q, vec2f(LEAST_ACTIVE, 1.0 - LEAST_ACTIVE), mean < LEAST_ACTIVE);
    q = select(q, vec2f(1.0 - LEAST_ACTIVE, LEAST_ACTIVE), 1.0 - mean < LEAST_ACTIVE);
    q = select(q, vec2f(mean), is_nan(mean));
    // Written with the surpluses alone nothing cancels: those of u = (q - p) / p, weighed by p, add up to zero.
    let difference = q.x - p.x;
    let nats = dot(p, surplus(vec2f(difference, -difference) / p, q / p));
    return vec2f(nats, difference / (q.x * q.y));
}

@compute @workgroup_size(64)
fn kl(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
      @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.columns; column += 64u) {
        let i = row * params.columns + column;
        let d = divergence(column);
        partial += d.x;
        dz[i] = put(dz[i], params.scale * d.y);
    }
    finish(row, lane, partial);
}

@compute @workgroup_size(64)
fn kl_value(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.columns; column += 64u) {
        partial += divergence(column).x;
    }
    finish(row, lane, partial);
}
