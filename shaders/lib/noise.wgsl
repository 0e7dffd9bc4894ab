// The noise eps of the samples of a Gaussian code, and where their mu stands. The shader binds `state` and `stats`, and its
// Params has `latent`, `instance`, `period` and `first_block`. Joined behind lib/philox.wgsl and lib/state.wgsl.

// Where the mu of element e of z stands in stats; its logvar stands params.latent further.
fn mu_at(e: u32) -> u32 {
    return e / params.latent * 2u * params.latent + e % params.latent;
}

fn drawn(block: u32) -> vec4f {
    let key = vec2u(state.seed_low, state.seed_high);
    return normals(philox(vec4u(params.first_block + block, state.step, STREAM_LATENT, params.instance), key));
}

// eps of the elements 4 block + 0..4.
fn noise(block: u32) -> vec4f {
    if params.period == 0u {
        return drawn(block);
    }
    var eps = vec4f();
    for (var i = 0u; i < 4u; i++) {
        let e = (block * 4u + i) % params.period;
        eps[i] = drawn(e / 4u)[e % 4u];
    }
    return eps;
}
