// The divergence of one number of a Gaussian code from its prior. The shader binds `stats`, and its Params has `latent`.
// Joined behind lib/logvar.wgsl and lib/stable.wgsl.

// kl_j of the code whose mu stands at `at`, and its slopes by mu and logvar.
fn divergence(at: u32) -> vec3f {
    let mu = stats[at];
    let logvar = held(stats[at + params.latent]);
    // Close to the prior e^logvar - 1 would cancel to nothing.
    let excess = expm1(logvar);
    return vec3f(0.5 * (mu * mu + (excess - logvar)), mu, 0.5 * excess);
}
