// The Gaussian code q(z|x) = N(mu, e^logvar): its sample, and how likely that is.
//
//     reparameterize           z = mu + e^(logvar/2) · eps,  eps ~ N(0, 1)                                  =
//     reparameterize_backward  dmu = dz,  dlogvar = dz · eps · e^(logvar/2) / 2                        = or +=
//     log_ratio                value = log p(z) - log q(z|x) = Σ (eps² - z² + logvar) / 2 of that sample        =
//     log_ratio_gradient       the same, and dmu = -scale · z,
//                              dlogvar = scale · (1 - z · eps · e^(logvar/2)) / 2                      = or +=
//
// stats and dstats are [rows, 2 latent]: mu in the first half of a row, logvar in the second. z and dz are
// [rows, latent], value is [rows]. += where ACCUMULATE is set. p is the prior N(0, 1). eps is drawn again by all
// that need it. logvar counts as the nearest within its bounds, and gradients by it are those there; dz follows only
// what does not lead further out, and the gradient of the ratio leads back by itself. Joined behind lib/finite.wgsl,
// lib/logvar.wgsl, lib/row_sum.wgsl, lib/row_value.wgsl, lib/log.wgsl, lib/philox.wgsl, lib/state.wgsl,
// lib/noise.wgsl and lib/accumulate.wgsl.

struct Params {
    rows: u32,
    /// Columns of z.
    latent: u32,
    /// The counter's fourth word, which tells the draws of a model apart.
    instance: u32,
    /// log_ratio_gradient: the weight of the gradient; value stays unweighted.
    scale: f32,
    /// Elements after which eps begins again, so that all images have the same; 0 where no two draw alike.
    period: u32,
    /// The counter's first word for elements 0 to 3.
    first_block: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Seed and step, which key eps.
@group(0) @binding(1) var<storage, read> state: State;
/// mu and logvar, [rows, 2 latent].
@group(0) @binding(2) var<storage, read> stats: array<f32>;
/// The gradient of the sample, [rows, latent].
@group(0) @binding(3) var<storage, read> dz: array<f32>;
/// The sample, [rows, latent].
@group(0) @binding(4) var<storage, read_write> z: array<f32>;
/// The logarithm of each row's ratio of densities, [rows].
@group(0) @binding(5) var<storage, read_write> value: array<f32>;
/// The gradient of stats, [rows, 2 latent].
@group(0) @binding(6) var<storage, read_write> dstats: array<f32>;

// Stores the gradients of the mu at `at` and of its logvar.
fn put_both(at: u32, dmu: f32, dlogvar: f32) {
    dstats[at] = put(dstats[at], dmu);
    let logvar_at = at + params.latent;
    dstats[logvar_at] = put(dstats[logvar_at], dlogvar);
}

// An invocation takes the four neighbours of z that share a block of noise; they may span rows.
@compute @workgroup_size(64)
fn reparameterize(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                  @builtin(local_invocation_index) lane: u32) {
    let block = (group.x + group.y * groups.x) * 64u + lane;
    let eps = noise(block);
    for (var i = 0u; i < 4u; i++) {
        let e = block * 4u + i;
        if e < params.rows * params.latent {
            let at = mu_at(e);
            z[e] = stats[at] + exp(0.5 * held(stats[at + params.latent])) * eps[i];
        }
    }
}

@compute @workgroup_size(64)
fn reparameterize_backward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                           @builtin(local_invocation_index) lane: u32) {
    let block = (group.x + group.y * groups.x) * 64u + lane;
    let eps = noise(block);
    for (var i = 0u; i < 4u; i++) {
        let e = block * 4u + i;
        if e < params.rows * params.latent {
            let at = mu_at(e);
            let logvar = stats[at + params.latent];
            put_both(at, dz[e], followed(logvar, dz[e] * eps[i] * 0.5 * exp(0.5 * held(logvar))));
        }
    }
}

// Of element e its part of a row's value, the sample, and the noise times its deviation.
fn ratio(e: u32) -> vec3f {
    let at = mu_at(e);
    let logvar = held(stats[at + params.latent]);
    let eps = noise(e / 4u)[e % 4u];
    let spread = exp(0.5 * logvar) * eps;
    let sample = stats[at] + spread;
    return vec3f(0.5 * ((eps - sample) * (eps + sample) + logvar), sample, spread);
}

// One workgroup sums one row.
@compute @workgroup_size(64)
fn log_ratio(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
             @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.latent; column += 64u) {
        partial += ratio(row * params.latent + column).x;
    }
    finish(row, lane, partial);
}

@compute @workgroup_size(64)
fn log_ratio_gradient(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                      @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.latent; column += 64u) {
        let e = row * params.latent + column;
        let r = ratio(e);
        partial += r.x;
        put_both(mu_at(e), -params.scale * r.y, params.scale * 0.5 * (1.0 - r.y * r.z));
    }
    finish(row, lane, partial);
}
