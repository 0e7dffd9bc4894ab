// The numbers of chosen images, four neighbours at a time. Its shader's Params has `pixels`, the numbers of an image.

// How the numbers of `images` lie in its words, low part first:
//     ROWS 0   four bytes a word, each as byte / 255
//     ROWS 1   two 16-bit floats a word
//     ROWS 2   a 32-bit float a word
override ROWS: u32 = 0u;

/// [count, pixels] numbers; fewer than 2^32.
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

// A finite 16-bit float, by integers alone: naga takes unpack2x16float to need a capability.
fn half_float(bits: u32) -> f32 {
    let magnitude = bits & 0x7fffu;
    let normal = bitcast<f32>((magnitude << 13u) + 0x38000000u);
    let size = select(normal, f32(magnitude) * 0x1p-24f, magnitude < 0x400u);
    return select(size, -size, (bits & 0x8000u) > 0u);
}

// What lies behind the last number of all images is read as one of the last word's.
fn float_at(at: u32) -> f32 {
    let last = arrayLength(&images) - 1u;
    if ROWS == 1u {
        return half_float(images[min(at / 2u, last)] >> (at % 2u * 16u));
    }
    return bitcast<f32>(images[min(at, last)]);
}

// Four bytes, each by 255, to the last bit on every implementation: WGSL leaves a division, and unpack4x8unorm, two units in
// the last place. A byte repeated three times is 2^24 / 255 of it but for a fraction, and that is the byte by 255.
fn shares_of_255(four: u32) -> vec4f {
    let bytes = vec4u(four, four >> 8u, four >> 16u, four >> 24u) & vec4u(255u);
    return (vec4f(bytes * 0x010101u) + vec4f(bytes) * (1.0 / 255.0)) * 0x1p-24f;
}

// Number `at` of all images.
fn number_at(at: u32) -> f32 {
    if ROWS > 0u {
        return float_at(at);
    }
    return shares_of_255(images[at / 4u] >> (at % 4u * 8u)).x;
}

// Numbers `at` and the three behind it.
fn pixels_at(at: u32) -> vec4f {
    if ROWS > 0u {
        return vec4f(float_at(at), float_at(at + 1u), float_at(at + 2u), float_at(at + 3u));
    }
    return four_bytes(at);
}

fn pixels_of(q: Quad) -> vec4f {
    return pixels_at(chosen[q.row] * params.pixels + q.pixel);
}

fn four_bytes(byte: u32) -> vec4f {
    let shift = byte % 4u * 8u;
    var four = images[byte / 4u] >> shift;
    if shift > 0u {
        let behind = min(byte / 4u + 1u, arrayLength(&images) - 1u);
        four |= images[behind] << (32u - shift);
    }
    return shares_of_255(four);
}

// The mean image at the same pixels; what lies behind its last pixel is that one again.
fn means_of(q: Quad) -> vec4f {
    let at = min(vec4u(q.pixel) + vec4u(0u, 1u, 2u, 3u), vec4u(params.pixels - 1u));
    return vec4f(center[at.x], center[at.y], center[at.z], center[at.w]);
}
