// Philox4x32-10, the counter-based generator of Salmon et al. 2011 ("Parallel random numbers: as easy as
// 1, 2, 3"): ten rounds turn a counter and a key into four random words. Nothing is stored, so the
// backward pass and a resumed run draw the same numbers again.
//
// narrows counts [block, step, stream, instance], four elements a block, under the key of the run's seed. The instance
// is the number of what draws among all in a model that draw from the stream. Joined behind lib/log.wgsl.

// The stream each use draws from.
const STREAM_PERMUTATION = 1u;
const STREAM_LATENT = 2u;
const STREAM_PRIOR = 4u;
const STREAM_CORRUPTION = 5u;
const STREAM_DROPOUT = 6u;
const STREAM_AUGMENTATION = 10u;

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

// cos and sin of `turns` full turns, turns in [0, 1), to f32's precision: WGSL allows an error of 2^-11.
fn cos_sin(turns: f32) -> vec2f {
    // The nearest quarter, and what is left of it: at most an eighth of a turn either way.
    let quarter = floor(4.0 * turns + 0.5);
    let x = 1.5707963267948966 * (4.0 * turns - quarter);
    let q = x * x;
    let c = 1.0 - q * (0.5 - q * (1.0 / 24.0 - q * (1.0 / 720.0 - q / 40320.0)));
    let s = x * (1.0 - q * (1.0 / 6.0 - q * (1.0 / 120.0 - q * (1.0 / 5040.0 - q / 362880.0))));
    let turned = select(vec2f(c, s), vec2f(-s, c), u32(quarter) % 2u == 1u);
    return select(turned, -turned, u32(quarter) % 4u >= 2u);
}

// Four standard normals by Box and Muller's transform: the pairs (x, y) and (z, w) of the uniforms.
fn normals(bits: vec4u) -> vec4f {
    let u = uniforms(bits);
    let radius = sqrt(-2.0 * precise_log(u.xz));
    return vec4f(radius.x * cos_sin(u.y), radius.y * cos_sin(u.w));
}
