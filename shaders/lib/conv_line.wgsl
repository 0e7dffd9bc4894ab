// What four neighbouring pixels of the features meet of a line of an image of at most four channels. Joined behind
// lib/matmul.wgsl and lib/conv.wgsl.
//
// It is contiguous, so it is read as vec4s, each of them once, and every number serves all four. Shapes are known when the
// pipeline is made, so that a driver unrolls the loops and keeps the line in registers.

// At most five rows and columns, and (3 STRIDE + KERNEL_WIDTH) CHANNELS at most 64.
override KERNEL_HEIGHT: u32 = 3u;
override KERNEL_WIDTH: u32 = 3u;
override CHANNELS: u32 = 1u;
override STRIDE: u32 = 1u;
// Channels of the features, a multiple of four.
override OUT_CHANNELS: u32 = 16u;
// Sixteens of them that a lane makes, one or two: all there are, or one of more.
override SIXTEENS: u32 = 1u;
// How far into a vec4 the lane's part of a line begins; 4 where that differs from lane to lane.
override SHIFT: u32 = 4u;

// A lane's part of a line of the image: what is outside is zero.
alias Line = array<vec4f, 18>;

// Where a lane's pixels are.
struct Lane {
    // The first one's number; lines of features follow each other.
    row: u32,
    // How many there are.
    count: u32,
    // The first one's patch.
    start: Patch,
    // The first of its channels.
    column: u32,
}

fn lane_at(group: vec3u, groups: vec3u, index: u32) -> Lane {
    let columns = select(1u, (OUT_CHANNELS + 15u) / 16u, OUT_CHANNELS > SIXTEENS * 16u);
    let number = group.x + group.y * groups.x;
    let four = number / columns * 64u + index;
    let across = (params.out_width + 3u) / 4u;
    let lines = params.pixels / params.out_width;
    let at = divide(min(four, lines * across), across);
    let in_image = divide(at.x, params.out_height);
    let y = in_image.y * params.stride_y - params.top;
    let x = at.y * 4u * STRIDE - params.left;
    let count = select(0u, min(params.out_width - at.y * 4u, 4u), at.x < lines);
    let first = ((in_image.x * params.height + y) * params.width + x) * CHANNELS;
    return Lane(at.x * params.out_width + at.y * 4u, count, Patch(y, x, first),
                select(0u, number % columns * 16u, columns > 1u));
}

// Four numbers from `shift` on of eight.
fn shifted(low: vec4f, high: vec4f, shift: u32) -> vec4f {
    let even = select(low, vec4f(low.zw, high.xy), shift > 1u);
    let odd = select(vec4f(low.yzw, high.x), vec4f(low.w, high.xyz), shift > 1u);
    return select(even, odd, shift % 2u > 0u);
}

// What the pixels meet of line y of their patches.
fn line_at(lane: Lane, y: u32) -> Line {
    let vectors = ((3u * STRIDE + KERNEL_WIDTH) * CHANNELS + 3u) / 4u;
    let first = i32(lane.start.first + y * params.width * CHANNELS);
    let shift = select(SHIFT, u32(first) % 4u, SHIFT > 3u);
    let last = i32(arrayLength(&a)) - 1;
    var line: Line;
    for (var i = 0u; i < vectors; i++) {
        line[i] = a[clamp((first >> 2u) + i32(i), 0, last)];
    }
    if SHIFT > 0u {
        line[vectors] = a[clamp((first >> 2u) + i32(vectors), 0, last)];
    }
    // Of a line of numbers, those that count.
    let end = select(0u, params.width * CHANNELS, lane.count > 0u && lane.start.y + y < params.height);
    let number = vec4u(lane.start.x * CHANNELS) + vec4u(0u, 1u, 2u, 3u);
    for (var i = 0u; i < vectors; i++) {
        let four = shifted(line[i], line[i + 1u], shift);
        line[i] = select(vec4f(), four, number + vec4u(4u * i) < vec4u(end));
    }
    return line;
}
