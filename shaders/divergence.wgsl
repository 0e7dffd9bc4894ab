// How far the Gaussian code q(z|x) = N(mu, e^logvar) is from its prior N(0, 1), in nats.
//
//     gaussian_kl        value = Σ kl_j,  kl_j = (mu_j² + e^logvar_j - 1 - logvar_j) / 2                        =
//                        dmu = s · mu,  dlogvar = s · (e^logvar - 1) / 2,  s = scale                     = or +=
//     gaussian_kl_free   the same, but without gradient in each dimension j whose mean of kl_j over the batch,
//                        sums[j] / rows, is not above free_bits: that of Σ_j max(free_bits, mean of kl_j)
//     gaussian_kl_value  the same value, without gradient                                                      =
//     kl_by_dimension    each = kl_j                                                                            =
//
// stats and dstats are [rows, 2 latent]: mu in the first half of a row, logvar in the second. each is
// [rows, latent], value is [rows], sums is [latent]. += where ACCUMULATE is set. value is the divergence itself,
// whatever share of it is free. logvar counts as the nearest within its bounds, where its gradient leads back. Joined
// behind lib/finite.wgsl, lib/logvar.wgsl, lib/stable.wgsl, lib/kl.wgsl, lib/row_sum.wgsl,
// lib/row_value.wgsl and lib/accumulate.wgsl.

struct Params {
    rows: u32,
    /// Numbers in a code.
    latent: u32,
    /// The weight of the gradient; value stays unweighted.
    scale: f32,
    /// gaussian_kl_free: nats that are not penalised in each dimension, on average over a batch.
    free_bits: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// mu and logvar, [rows, 2 latent].
@group(0) @binding(1) var<storage, read> stats: array<f32>;
/// gaussian_kl_free: each dimension's nats, summed over the batch, [latent].
@group(0) @binding(2) var<storage, read> sums: array<f32>;
/// Nats of each row, [rows].
@group(0) @binding(3) var<storage, read_write> value: array<f32>;
/// The gradient of stats, [rows, 2 latent].
@group(0) @binding(4) var<storage, read_write> dstats: array<f32>;
/// kl_by_dimension: nats of each dimension of each row, [rows, latent].
@group(0) @binding(5) var<storage, read_write> each: array<f32>;

// Writes the gradient of the kl_j whose mu stands at `at`, and returns kl_j.
fn with_gradient(at: u32, scale: f32) -> f32 {
    let d = divergence(at);
    dstats[at] = put(dstats[at], scale * d.y);
    let logvar_at = at + params.latent;
    dstats[logvar_at] = put(dstats[logvar_at], scale * d.z);
    return d.x;
}

// One workgroup sums one row.
@compute @workgroup_size(64)
fn gaussian_kl(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
               @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.latent; column += 64u) {
        partial += with_gradient(row * 2u * params.latent + column, params.scale);
    }
    finish(row, lane, partial);
}

@compute @workgroup_size(64)
fn gaussian_kl_free(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                    @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.latent; column += 64u) {
        let free = sums[column] <= params.free_bits * f32(params.rows);
        partial += with_gradient(row * 2u * params.latent + column, select(params.scale, 0.0, free));
    }
    finish(row, lane, partial);
}

@compute @workgroup_size(64)
fn gaussian_kl_value(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                     @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.latent; column += 64u) {
        partial += divergence(row * 2u * params.latent + column).x;
    }
    finish(row, lane, partial);
}

@compute @workgroup_size(64)
fn kl_by_dimension(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                   @builtin(local_invocation_index) lane: u32) {
    let e = (group.x + group.y * groups.x) * 64u + lane;
    if e < params.rows * params.latent {
        each[e] = divergence(e / params.latent * 2u * params.latent + e % params.latent).x;
    }
}
