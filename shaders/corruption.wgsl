// The images of a step twice: as they are, and as a denoising autoencoder sees them (Vincent et al. 2008,
// "Extracting and composing robust features with denoising autoencoders").
//
//     p = the images chosen, q = p corrupted, each pixel by itself:
//         CORRUPTION 0   q = p + amount · n, n ~ N(0, 1); not clipped
//         CORRUPTION 1   q = 0 where u < amount, else scale · p;  u uniform in (0, 1)
//         CORRUPTION 2   q = 0 where u < amount / 2, 1 where u < amount, else p
//
//     corrupt           x[batch, pixels] = p,         seen[batch, pixels] = q
//     corrupt_centered  x = p - mean image,           seen = q - mean image
//
// Both write (=). n or u come four to a block, a block for four neighbouring pixels of an image.
// Joined behind lib/log.wgsl, lib/philox.wgsl, lib/state.wgsl and lib/pixels.wgsl.

override CORRUPTION: u32 = 0u;

struct Params {
    batch: u32,
    /// Numbers per image.
    pixels: u32,
    /// Standard deviation of the noise, or the probability that a pixel is lost.
    amount: f32,
    /// CORRUPTION 1: what the pixels that are kept are multiplied by.
    scale: f32,
    /// The counter's fourth word, which tells the draws of a model apart.
    instance: u32,
    /// The place of image 0 in the whole batch.
    first_place: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Seed and step, which key the noise.
@group(0) @binding(1) var<storage, read> state: State;
/// Clean pixels, [batch, pixels].
@group(0) @binding(5) var<storage, read_write> x: array<f32>;
/// Corrupted pixels, [batch, pixels].
@group(0) @binding(6) var<storage, read_write> seen: array<f32>;

// Four pixels under the noise of a block.
fn corrupted(p: vec4f, own_block: u32) -> vec4f {
    let block = params.first_place * ((params.pixels + 3u) / 4u) + own_block;
    let key = vec2u(state.seed_low, state.seed_high);
    let bits = philox(vec4u(block, state.step, STREAM_CORRUPTION, params.instance), key);
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

fn write(q: Quad, block: u32, mean: vec4f) {
    let clean = pixels_of(q);
    let noisy = corrupted(clean, block);
    for (var i = 0u; i < 4u && q.pixel + i < params.pixels; i++) {
        let at = q.row * params.pixels + q.pixel + i;
        x[at] = clean[i] - mean[i];
        seen[at] = noisy[i] - mean[i];
    }
}

@compute @workgroup_size(64)
fn corrupt(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let block = (group.x + group.y * groups.x) * 64u + lane;
    let q = quad(block);
    if q.row < params.batch {
        write(q, block, vec4f());
    }
}

@compute @workgroup_size(64)
fn corrupt_centered(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                    @builtin(local_invocation_index) lane: u32) {
    let block = (group.x + group.y * groups.x) * 64u + lane;
    let q = quad(block);
    if q.row < params.batch {
        write(q, block, means_of(q));
    }
}
