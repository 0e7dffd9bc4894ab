// The images of a step twice: as they are, and as a denoising autoencoder sees them (Vincent et al. 2008,
// "Extracting and composing robust features with denoising autoencoders").
//
//     p = byte / 255 of the images chosen, q = p corrupted, each pixel by itself:
//         CORRUPTION 0   q = p + amount · n, n ~ N(0, 1); not clipped
//         CORRUPTION 1   q = 0 where u < amount, else scale · p;  u uniform in (0, 1)
//         CORRUPTION 2   q = 0 where u < amount / 2, 1 where u < amount, else p
//
//     corrupt           x[batch, pixels] = p,         seen[batch, pixels] = q
//     corrupt_centered  x = p - mean image,           seen = q - mean image
//
// Both write (=). Element e of x takes number e % 4 of the noise's block e / 4.
// Joined behind lib/philox.wgsl and lib/state.wgsl.

override CORRUPTION: u32 = 0u;

struct Params {
    batch: u32,
    /// Bytes an image.
    pixels: u32,
    /// Standard deviation of the noise, or the probability that a pixel is lost.
    amount: f32,
    /// CORRUPTION 1: what the pixels that are kept are multiplied by.
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Seed and step, which key the noise.
@group(0) @binding(1) var<storage, read> state: State;
/// [count, pixels] bytes, four to a word, low byte first; at most 4 GiB.
@group(0) @binding(2) var<storage, read> images: array<u32>;
/// The images of the batch, [batch].
@group(0) @binding(3) var<storage, read> chosen: array<u32>;
/// The mean image, [pixels].
@group(0) @binding(4) var<storage, read> center: array<f32>;
/// Clean pixels, [batch, pixels].
@group(0) @binding(5) var<storage, read_write> x: array<f32>;
/// Corrupted pixels, [batch, pixels].
@group(0) @binding(6) var<storage, read_write> seen: array<f32>;

// One lane takes the four neighbours of x that share a block of noise; they may span images.
struct Quad {
    clean: vec4f,
    seen: vec4f,
}

fn clean_pixel(e: u32) -> f32 {
    let byte = chosen[e / params.pixels] * params.pixels + e % params.pixels;
    return unpack4x8unorm(images[byte / 4u] >> (byte % 4u * 8u)).x;
}

fn corrupted(p: vec4f, block: u32) -> vec4f {
    let key = vec2u(state.seed_low, state.seed_high);
    let bits = philox(vec4u(block, state.step, STREAM_CORRUPTION, 0u), key);
    if CORRUPTION == 0u {
        return p + params.amount * normals(bits);
    }
    let u = uniforms(bits);
    if CORRUPTION == 1u {
        return select(params.scale * p, vec4f(), u < vec4f(params.amount));
    }
    let salt_or_pepper = select(vec4f(1.0), vec4f(), u < vec4f(0.5 * params.amount));
    return select(p, salt_or_pepper, u < vec4f(params.amount));
}

// How many of the block's pixels there are.
fn pixels_in(block: u32) -> u32 {
    let count = params.batch * params.pixels;
    return min(count, block * 4u + 4u) - min(count, block * 4u);
}

fn quad(block: u32) -> Quad {
    var clean = vec4f();
    for (var i = 0u; i < pixels_in(block); i++) {
        clean[i] = clean_pixel(block * 4u + i);
    }
    return Quad(clean, corrupted(clean, block));
}

@compute @workgroup_size(64)
fn corrupt(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let block = (group.x + group.y * groups.x) * 64u + lane;
    let q = quad(block);
    for (var i = 0u; i < pixels_in(block); i++) {
        x[block * 4u + i] = q.clean[i];
        seen[block * 4u + i] = q.seen[i];
    }
}

@compute @workgroup_size(64)
fn corrupt_centered(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                    @builtin(local_invocation_index) lane: u32) {
    let block = (group.x + group.y * groups.x) * 64u + lane;
    let q = quad(block);
    for (var i = 0u; i < pixels_in(block); i++) {
        let mean = center[(block * 4u + i) % params.pixels];
        x[block * 4u + i] = q.clean[i] - mean;
        seen[block * 4u + i] = q.seen[i] - mean;
    }
}
