// Sixteen channels of features of four pixels each. Joined behind lib/conv_line.wgsl and lib/epilogue_four.wgsl.
//
// Each weight is at a fixed place, the same for all lanes, where a lane makes all channels. Drivers do not unroll large
// loops, so rows of the kernel, its columns and four channels at a time are written out.

// Channels of the features, a multiple of four.
override OUT_CHANNELS: u32 = 16u;
// Sixteens of them that a lane makes, one or two: all there are, or one of more.
override SIXTEENS: u32 = 1u;

fn four_of_image(i: i32) -> vec4f {
    return a[clamp(i, 0, i32(arrayLength(&a)) - 1)];
}

// The columns of sixteens that C has, each in workgroups of its own.
fn columns() -> u32 {
    return select(1u, (OUT_CHANNELS + 15u) / 16u, OUT_CHANNELS > SIXTEENS * 16u);
}

fn four_pixels(group: vec3u, groups: vec3u, index: u32) -> Lane {
    let side = sides();
    let four = (group.x + group.y * groups.x) / columns() * 64u + index;
    let across = (side.out_width + 3u) / 4u;
    let lines = images() * side.out_height;
    let at = divide(min(four, lines * across), across);
    let x = at.y * 4u;
    return lane_at(at.x, x, select(0u, min(side.out_width - x, 4u), at.x < lines));
}

fn first_column(group: vec3u, groups: vec3u) -> u32 {
    return select(0u, (group.x + group.y * groups.x) % columns() * 16u, columns() > 1u);
}

// Four filters at a tap.
fn weights(column: u32, y: u32, x: u32, channel: u32) -> vec4f {
    var four = vec4f();
    for (var i = 0u; i < 4u; i++) {
        let at = place_of_weight(column + i, y, x, channel, OUT_CHANNELS);
        four[i] = b[at / 4u][at % 4u];
    }
    return four;
}

// Adds what a tap gives for four channels; column i is pixel i.
fn add_tap(sums: mat4x4f, line: ptr<function, Line>, y: u32, x: u32, column: u32) -> mat4x4f {
    var c = sums;
    for (var channel = 0u; channel < CHANNELS; channel++) {
        let w = weights(column, y, x, channel);
        let i = x * CHANNELS + channel;
        c[0] = fma(vec4f(number(line, i)), w, c[0]);
        c[1] = fma(vec4f(number(line, i + STRIDE * CHANNELS)), w, c[1]);
        c[2] = fma(vec4f(number(line, i + 2u * STRIDE * CHANNELS)), w, c[2]);
        c[3] = fma(vec4f(number(line, i + 3u * STRIDE * CHANNELS)), w, c[3]);
    }
    return c;
}

// Adds what a row of the kernel gives for four channels.
fn add_taps(sums: mat4x4f, line: ptr<function, Line>, y: u32, column: u32) -> mat4x4f {
    var c = add_tap(sums, line, y, 0u, column);
    if KERNEL_WIDTH > 1u {
        c = add_tap(c, line, y, 1u, column);
    }
    if KERNEL_WIDTH > 2u {
        c = add_tap(c, line, y, 2u, column);
    }
    if KERNEL_WIDTH > 3u {
        c = add_tap(c, line, y, 3u, column);
    }
    if KERNEL_WIDTH > 4u {
        c = add_tap(c, line, y, 4u, column);
    }
    return c;
}

// Sixteen channels of four pixels.
struct Sixteen {
    first: mat4x4f,
    second: mat4x4f,
    third: mat4x4f,
    fourth: mat4x4f,
}

fn add_row_of_kernel(sums: Sixteen, lane: Lane, y: u32, column: u32) -> Sixteen {
    var line = line_at(lane, y);
    var c = sums;
    c.first = add_taps(c.first, &line, y, column);
    if column + 4u < OUT_CHANNELS {
        c.second = add_taps(c.second, &line, y, column + 4u);
    }
    if column + 8u < OUT_CHANNELS {
        c.third = add_taps(c.third, &line, y, column + 8u);
    }
    if column + 12u < OUT_CHANNELS {
        c.fourth = add_taps(c.fourth, &line, y, column + 12u);
    }
    return c;
}

fn sixteen(lane: Lane, column: u32, start: Sixteen) -> Sixteen {
    var c = add_row_of_kernel(start, lane, 0u, column);
    if KERNEL_HEIGHT > 1u {
        c = add_row_of_kernel(c, lane, 1u, column);
    }
    if KERNEL_HEIGHT > 2u {
        c = add_row_of_kernel(c, lane, 2u, column);
    }
    if KERNEL_HEIGHT > 3u {
        c = add_row_of_kernel(c, lane, 3u, column);
    }
    if KERNEL_HEIGHT > 4u {
        c = add_row_of_kernel(c, lane, 4u, column);
    }
    return c;
}

// The bias of four channels, which four pixels start from.
fn biases(column: u32) -> mat4x4f {
    let four = bias[min(column, OUT_CHANNELS - 4u) / 4u];
    return mat4x4f(four, four, four, four);
}

fn all_biases(column: u32) -> Sixteen {
    return Sixteen(biases(column), biases(column + 4u), biases(column + 8u), biases(column + 12u));
}
