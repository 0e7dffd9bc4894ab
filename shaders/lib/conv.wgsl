// What the operands of the convolutions share. Joined behind lib/matmul.wgsl.
//
//     features[n, y, x, o] = sum over u, v, c of weight[o, u, v, c]
//                                · image[n, y * stride_y + u - top, x * stride_x + v - left, c]
//
//     image [images, height, width, channels]      features [images, out_height, out_width, out_channels]
//     weight [out_channels, kernel_height, kernel_width, channels]
//
// Outside of the image lie zeros. Three products come of it, none of which lays patches out in memory:
// lib/conv_down.wgsl makes features of an image, lib/conv_up.wgsl is its adjoint and makes an image of
// features, and lib/conv_weight.wgsl is the gradient of the weight. A transposed convolution is conv_up.
//
// Depth runs over the taps of the kernel, and for each over its channels, filled up with zeros to whole vec4s
// so that four neighbours always belong to one tap.

struct Params {
    /// Rows and columns of C, of one part.
    rows: u32,
    columns: u32,
    height: u32,
    width: u32,
    channels: u32,
    out_height: u32,
    out_width: u32,
    out_channels: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_y: u32,
    stride_x: u32,
    /// Zeros above and to the left of the image.
    top: u32,
    left: u32,
    /// images * out_height * out_width
    pixels: u32,
    /// Pixels to a part of the weight's gradient, or rows of cells to a workgroup (lib/conv_cells.wgsl).
    chunk: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// The first of what is multiplied: image or features.
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
/// The second: weight or image.
@group(0) @binding(2) var<storage, read> b: array<vec4f>;

fn four_of_a(at: Place) -> vec4f {
    return select(vec4f(), a[select(0u, at.first / 4u, at.inside)], at.inside);
}

fn four_of_b(at: Place) -> vec4f {
    return select(vec4f(), b[select(0u, at.first / 4u, at.inside)], at.inside);
}

fn one_of_a(at: Place, counts: bool) -> f32 {
    let first = select(0u, at.first, at.inside && counts);
    return select(0.0, a[first / 4u][first % 4u], at.inside && counts);
}

fn one_of_b(at: Place, counts: bool) -> f32 {
    let first = select(0u, at.first, at.inside && counts);
    return select(0.0, b[first / 4u][first % 4u], at.inside && counts);
}

// Columns of C, where they are fewer than four: what there is not costs nothing.
override COLUMNS: u32 = 4u;

// As a coordinate: outside, whatever a tap adds.
const OUTSIDE = 0x40000000u;

// a / b and a % b for a < 2^24 and a / b < 2^20, which the host sees to. A device divides floats in a few
// instructions and integers in dozens, a CPU driver lane by lane. The factor keeps the quotient from being too
// large by rounding; it is too small by at most one.
fn divide(a: u32, b: u32) -> vec2u {
    let quotient = u32(f32(a) * (0.9999995 / f32(b)));
    let rest = a - quotient * b;
    return select(vec2u(quotient, rest), vec2u(quotient + 1u, rest - b), rest >= b);
}

// Where a patch begins: its first pixel, which may lie outside (and then wraps), and that pixel's first element.
struct Patch {
    y: u32,
    x: u32,
    first: u32,
}

// A step of depth: a tap and a channel.
struct Tap {
    y: u32,
    x: u32,
    channel: u32,
}

fn ahead(tap: Tap, channels: u32) -> Tap {
    return Tap(tap.y, tap.x, tap.channel + channels);
}

fn tap_at(k: u32, channels: u32, taps_across: u32) -> Tap {
    let in_tap = divide(k, whole(channels));
    let tap = divide(in_tap.x, taps_across);
    return Tap(tap.x, tap.y, in_tap.y);
}

// `channels` filled up to whole vec4s.
fn whole(channels: u32) -> u32 {
    return (channels + 3u) / 4u * 4u;
}
