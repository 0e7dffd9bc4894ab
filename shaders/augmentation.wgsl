// The pictures of a training step as it sees them: each at random mirrored, shifted, and a part of it enlarged.
//
//     x[b, r, c, k] = the picture chosen, between its pixels by their bilinear mean, at
//         row     v height (1 - s) + s (r + 1/2) - 1/2 - d
//         column  w width (1 - s) + s (m(c) + 1/2) - 1/2 - e
//     m(c) = c, or width - 1 - c with probability 1/2 where FLIP is set
//     d, e = whole numbers, each as likely, from -shift to shift
//     s    = 1, or uniform in (crop, 1) where CROP is set;  v, w uniform in (0, 1)
//
// Beyond its edge a picture goes on with the pixels at the edge. Written (=). Draws are of the step and of the place b in
// the batch. Joined behind lib/log.wgsl, lib/philox.wgsl, lib/state.wgsl and lib/pixels.wgsl.

override FLIP: bool = false;
override CROP: bool = false;

struct Params {
    batch: u32,
    /// Numbers per picture: height * width * channels.
    pixels: u32,
    height: u32,
    width: u32,
    channels: u32,
    shift: u32,
    crop: f32,
    /// The counter's fourth word, which tells the draws of a model apart.
    instance: u32,
    /// The place of picture 0 in the whole batch.
    first_place: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Seed and step, which key the draws.
@group(0) @binding(1) var<storage, read> state: State;
/// [batch, height, width, channels]
@group(0) @binding(5) var<storage, read_write> x: array<f32>;
/// 0, 1, 2, ... [batch]: the images chosen, for kernels that take x for a data set.
@group(0) @binding(6) var<storage, read_write> places: array<u32>;

// Numbers of a picture that a workgroup takes: its lanes draw once for 16 of them.
const CHUNK = 1024u;

struct View {
    mirrored: bool,
    /// Row and column of the picture that the view's upper left corner lies at, in pixels.
    corner: vec2f,
    share: f32,
}

// From -shift to shift.
fn shifted(bits: u32) -> f32 {
    return f32(multiply_wide(bits, 2u * params.shift + 1u).y) - f32(params.shift);
}

fn view_of(place: u32) -> View {
    let key = vec2u(state.seed_low, state.seed_high);
    let bits = philox(vec4u(2u * place, state.step, STREAM_AUGMENTATION, params.instance), key);
    let mirrored = FLIP && bits.x >= 0x80000000u;
    let corner = -vec2f(shifted(bits.y), shifted(bits.z));
    if !CROP {
        return View(mirrored, corner, 1.0);
    }
    let u = uniforms(philox(vec4u(2u * place + 1u, state.step, STREAM_AUGMENTATION, params.instance), key));
    let share = params.crop + (1.0 - params.crop) * u.x;
    let left_out = (1.0 - share) * vec2f(f32(params.height), f32(params.width));
    return View(mirrored, corner + u.yz * left_out + 0.5 * share - 0.5, share);
}

// Where a place lies along an axis: between two pixels, the part of the way from the first.
struct Between {
    first: u32,
    second: u32,
    part: f32,
}

fn between(place: f32, extent: u32) -> Between {
    let inside = clamp(place, 0.0, f32(extent - 1u));
    let first = u32(inside);
    return Between(first, min(first + 1u, extent - 1u), inside - f32(first));
}

fn seen(image: u32, row: Between, column: Between, channel: u32) -> f32 {
    let upper = image + row.first * params.width;
    let lower = image + row.second * params.width;
    if !CROP {
        return number_at((upper + column.first) * params.channels + channel);
    }
    let above = mix(number_at((upper + column.first) * params.channels + channel),
                    number_at((upper + column.second) * params.channels + channel), column.part);
    let below = mix(number_at((lower + column.first) * params.channels + channel),
                    number_at((lower + column.second) * params.channels + channel), column.part);
    return mix(above, below, row.part);
}

@compute @workgroup_size(64)
fn augment(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let number = group.x + group.y * groups.x;
    let chunks = (params.pixels + CHUNK - 1u) / CHUNK;
    let row = number / chunks;
    if row >= params.batch {
        return;
    }
    let view = view_of(params.first_place + row);
    let first_pixel = chosen[row] * params.height * params.width;
    let begin = number % chunks * CHUNK;
    for (var e = begin + lane; e < min(begin + CHUNK, params.pixels); e += 64u) {
        let pixel = e / params.channels;
        let column = pixel % params.width;
        let from_left = select(column, params.width - 1u - column, view.mirrored);
        let down = between(view.corner.x + f32(pixel / params.width) * view.share, params.height);
        let across = between(view.corner.y + f32(from_left) * view.share, params.width);
        x[row * params.pixels + e] = seen(first_pixel, down, across, e % params.channels);
    }
    if number % chunks == 0u && lane == 0u {
        places[row] = row;
    }
}
