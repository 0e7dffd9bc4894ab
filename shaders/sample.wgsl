// The sample of a Gaussian code with what else a training step makes of the code at once: what the sample's gradient is to
// be multiplied with, and the divergence from the prior with its gradient.
//
//     sample         z = mu + e^(logvar/2) · eps,  eps ~ N(0, 1);  spread = dz/dlogvar = e^(logvar/2) · eps / 2        =
//     sample_and_kl  the same, and value = Σ kl_j,  kl_j = (mu_j² + e^logvar_j - 1 - logvar_j) / 2,
//                    dmu = scale · mu,  dlogvar = scale · (e^logvar - 1) / 2                                           =
//
// stats and dstats are [rows, 2 latent]: mu in the first half of a row, logvar in the second. z and spread are
// [rows, latent], value is [rows]. One workgroup takes a row, and a lane the numbers of it that share a block of noise.
// logvar counts as the nearest within its bounds. Joined behind lib/finite.wgsl, lib/logvar.wgsl, lib/stable.wgsl,
// lib/kl.wgsl, lib/row_sum.wgsl, lib/row_value.wgsl, lib/log.wgsl, lib/philox.wgsl, lib/state.wgsl and lib/noise.wgsl.

struct Params {
    rows: u32,
    /// Columns of z.
    latent: u32,
    /// The counter's fourth word, which tells the draws of a model apart.
    instance: u32,
    /// The weight of the gradient; value stays unweighted.
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
/// The sample, [rows, latent].
@group(0) @binding(3) var<storage, read_write> z: array<f32>;
/// Its slopes by logvar, [rows, latent].
@group(0) @binding(4) var<storage, read_write> spread: array<f32>;
/// Nats of each row, [rows].
@group(0) @binding(5) var<storage, read_write> value: array<f32>;
/// The gradient of stats, [rows, 2 latent].
@group(0) @binding(6) var<storage, read_write> dstats: array<f32>;

// Makes the numbers of a row that share a block of noise, which may reach into its neighbours.
fn draw(row: u32, block: u32) {
    let eps = noise(block);
    for (var i = 0u; i < 4u; i++) {
        let e = block * 4u + i;
        if e / params.latent == row {
            let at = mu_at(e);
            let part = exp(0.5 * held(stats[at + params.latent])) * eps[i];
            z[e] = stats[at] + part;
            spread[e] = 0.5 * part;
        }
    }
}

// Makes a row's numbers, a block of noise to a lane.
fn draw_row(row: u32, lane: u32) {
    let end = (row + 1u) * params.latent;
    for (var block = row * params.latent / 4u + lane; block * 4u < end; block += 64u) {
        draw(row, block);
    }
}

@compute @workgroup_size(64)
fn sample(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
          @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row < params.rows {
        draw_row(row, lane);
    }
}

@compute @workgroup_size(64)
fn sample_and_kl(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    draw_row(row, lane);
    var partial = 0.0;
    for (var column = lane; column < params.latent; column += 64u) {
        let at = row * 2u * params.latent + column;
        let d = divergence(at);
        dstats[at] = params.scale * d.y;
        dstats[at + params.latent] = params.scale * d.z;
        partial += d.x;
    }
    finish(row, lane, partial);
}
