// Philox4x32-10, the counter-based generator of Salmon et al. 2011 ("Parallel random numbers: as easy as
// 1, 2, 3"): ten rounds turn a counter and a key into four random words. Nothing is stored, so the
// backward pass and a resumed run draw the same numbers again.
//
// narrows counts [block, step, stream, 0], four elements a block, under the key of the run's seed.

// The stream each use draws from.
const STREAM_PERMUTATION = 1u;
const STREAM_LATENT = 2u;
const STREAM_PRIOR = 4u;

// The two halves of a 32 x 32 bit product: x low, y high.
fn multiply_wide(a: u32, b: u32) -> vec2u {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let middle = a1 * b0 + ((a0 * b0) >> 16u);
    let carry = (middle & 0xffffu) + a0 * b1;
    return vec2u(a * b, a1 * b1 + (middle >> 16u) + (carry >> 16u));
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
    var c = counter;
    var k = key;
    for (var round = 0u; round < 10u; round++) {
        let p0 = multiply_wide(0xD2511F53u, c.x);
        let p1 = multiply_wide(0xCD9E8D57u, c.z);
        c = vec4u(p1.y ^ c.y ^ k.x, p1.x, p0.y ^ c.w ^ k.y, p0.x);
        k += vec2u(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

// Uniform in (0, 1): the 23 high bits, half a step off both ends. With 24 the sum would round up to 1.
fn uniforms(bits: vec4u) -> vec4f {
    return (vec4f(bits >> vec4u(9u)) + 0.5) * 0x1p-23;
}

// Four standard normals by Box and Muller's transform: the pairs (x, y) and (z, w) of the uniforms.
fn normals(bits: vec4u) -> vec4f {
    let u = uniforms(bits);
    // A driver's log may be off by 2^-21 near 1, and so positive.
    let radius = sqrt(max(-2.0 * log(u.xz), vec2f()));
    // WGSL bounds the error of cos and sin in [-pi, pi] only: half a turn back, both change their sign.
    let angle = 6.283185307179586 * (u.yw - 0.5);
    let c = -radius * cos(angle);
    let s = -radius * sin(angle);
    return vec4f(c.x, s.x, c.y, s.y);
}
