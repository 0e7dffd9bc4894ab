// What neighbouring pixels of the features meet of a line of an image of at most four channels. Joined behind
// lib/conv_sides.wgsl. A shader offers four_of_image, which is vec4 `i` of the image, or any where there is none.
//
// It is contiguous, so it is read as vec4s, each of them once, and every number serves all of them. Shapes are known when the
// pipeline is made, so that a driver unrolls the loops and keeps the line in registers.

// Neighbouring pixels: four to eight.
override PIXELS: u32 = 4u;
// How far into a vec4 the lane's part of a line begins; 4 where that differs from lane to lane.
override SHIFT: u32 = 4u;

// A lane's part of a line of the image: ((PIXELS - 1) STRIDE + KERNEL_WIDTH) CHANNELS numbers, at most 64. What is outside is zero.
alias Line = array<vec4f, 18>;

// Where a lane's pixels are.
struct Lane {
    // The first one's number; lines of features follow each other.
    row: u32,
    // How many there are.
    count: u32,
    // The first one's patch.
    start: Patch,
}

// Four numbers from `shift` on of eight.
fn shifted(low: vec4f, high: vec4f, shift: u32) -> vec4f {
    let even = select(low, vec4f(low.zw, high.xy), shift > 1u);
    let odd = select(vec4f(low.yzw, high.x), vec4f(low.w, high.xyz), shift > 1u);
    return select(even, odd, shift % 2u > 0u);
}

fn number(line: ptr<function, Line>, i: u32) -> f32 {
    return (*line)[i / 4u][i % 4u];
}

// The first `count` of PIXELS pixels in a line of features, from pixel x of that line on.
fn lane_at(line: u32, x: u32, count: u32) -> Lane {
    let side = sides();
    let in_image = divide(line, side.out_height);
    let y = in_image.y * params.stride_y - side.top;
    let left = x * STRIDE - side.left;
    let first = ((in_image.x * side.height + y) * side.width + left) * CHANNELS;
    return Lane(line * side.out_width + x, count, Patch(y, left, first));
}

// What the pixels meet of line y of their patches.
fn line_at(lane: Lane, y: u32) -> Line {
    let side = sides();
    let numbers = ((PIXELS - 1u) * STRIDE + KERNEL_WIDTH) * CHANNELS;
    let vectors = (numbers + 3u) / 4u;
    let loaded = select((numbers + SHIFT + 3u) / 4u, vectors + 1u, SHIFT > 3u);
    let first = i32(lane.start.first + y * side.width * CHANNELS);
    let shift = select(SHIFT, u32(first) % 4u, SHIFT > 3u);
    var line: Line;
    for (var i = 0u; i < loaded; i++) {
        line[i] = four_of_image((first >> 2u) + i32(i));
    }
    // Of a line of numbers, those that count.
    let end = select(0u, side.width * CHANNELS, lane.count > 0u && lane.start.y + y < side.height);
    let number = vec4u(lane.start.x * CHANNELS) + vec4u(0u, 1u, 2u, 3u);
    for (var i = 0u; i < vectors; i++) {
        let four = shifted(line[i], line[i + 1u], shift);
        line[i] = select(vec4f(), four, number + vec4u(4u * i) < vec4u(end));
    }
    return line;
}
