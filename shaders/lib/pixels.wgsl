// The bytes of chosen images as pixels, four neighbours at a time. Its shader's Params has `pixels`, the bytes
// an image.

/// [count, pixels] bytes, four to a word, low byte first; at most 4 GiB.
@group(0) @binding(2) var<storage, read> images: array<u32>;
/// The images of the batch, [batch].
@group(0) @binding(3) var<storage, read> chosen: array<u32>;
/// The mean image, [pixels].
@group(0) @binding(4) var<storage, read> center: array<f32>;

// One lane takes four neighbouring pixels of an image, which may lie across two words.
struct Quad {
    row: u32,
    pixel: u32,
}

fn quad(number: u32) -> Quad {
    let quads = (params.pixels + 3u) / 4u;
    return Quad(number / quads, number % quads * 4u);
}

fn pixels_of(q: Quad) -> vec4f {
    let byte = chosen[q.row] * params.pixels + q.pixel;
    let shift = byte % 4u * 8u;
    var four = images[byte / 4u] >> shift;
    if shift > 0u {
        let behind = min(byte / 4u + 1u, arrayLength(&images) - 1u);
        four |= images[behind] << (32u - shift);
    }
    return unpack4x8unorm(four);
}

// The mean image at the same pixels; what lies behind its last pixel is that one again.
fn means_of(q: Quad) -> vec4f {
    let at = min(vec4u(q.pixel) + vec4u(0u, 1u, 2u, 3u), vec4u(params.pixels - 1u));
    return vec4f(center[at.x], center[at.y], center[at.z], center[at.w]);
}
