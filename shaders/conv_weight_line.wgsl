// The gradient of a convolution's weight where the image has at most four channels and the features whole vec4s, for CPU
// drivers: a lane makes up to 16 rows of a part of C, with all their columns.
//
// It goes through the pixels of a part four at a time, reads each number that they meet once, and keeps all sums in
// registers, or in what the driver has for them: a GPU has too few. Drivers do not unroll large loops, so rows of the
// kernel, its columns and four rows of C at a time are written out. Joined behind lib/stable.wgsl, lib/finite.wgsl,
// lib/activation.wgsl, lib/matmul.wgsl, lib/conv.wgsl, lib/conv_weight.wgsl, lib/channel_sums.wgsl, lib/conv_sides.wgsl,
// lib/conv_line.wgsl and lib/epilogue.wgsl.

// Rows of C to a lane: four, eight or sixteen.
override ROWS: u32 = 16u;

// Of a row of the kernel: four rows of C, fours following each other, for each element.
alias Sums = array<vec4f, 80>;
// Of four pixels, each with all fours of its features.
alias Features = array<vec4f, 16>;

fn four_of_image(i: i32) -> vec4f {
    return b[clamp(i, 0, i32(arrayLength(&b)) - 1)];
}

// Adds what four pixels give for a column of the kernel, for four rows of C.
fn add_tap(sums: ptr<function, Sums>, line: ptr<function, Line>, features: ptr<function, Features>, x: u32, four: u32) {
    for (var channel = 0u; channel < CHANNELS; channel++) {
        let i = x * CHANNELS + channel;
        var sum = (*sums)[i * 4u + four];
        sum = fma(vec4f(number(line, i)), (*features)[four], sum);
        sum = fma(vec4f(number(line, i + STRIDE * CHANNELS)), (*features)[4u + four], sum);
        sum = fma(vec4f(number(line, i + 2u * STRIDE * CHANNELS)), (*features)[8u + four], sum);
        sum = fma(vec4f(number(line, i + 3u * STRIDE * CHANNELS)), (*features)[12u + four], sum);
        (*sums)[i * 4u + four] = sum;
    }
}

fn add_taps(sums: ptr<function, Sums>, line: ptr<function, Line>, features: ptr<function, Features>, four: u32) {
    add_tap(sums, line, features, 0u, four);
    if KERNEL_WIDTH > 1u {
        add_tap(sums, line, features, 1u, four);
    }
    if KERNEL_WIDTH > 2u {
        add_tap(sums, line, features, 2u, four);
    }
    if KERNEL_WIDTH > 3u {
        add_tap(sums, line, features, 3u, four);
    }
    if KERNEL_WIDTH > 4u {
        add_tap(sums, line, features, 4u, four);
    }
}

fn add_row_of_kernel(sums: ptr<function, Sums>, lane: Lane, features: ptr<function, Features>, y: u32) {
    var line = line_at(lane, y);
    add_taps(sums, &line, features, 0u);
    if ROWS > 4u {
        add_taps(sums, &line, features, 1u);
    }
    if ROWS > 8u {
        add_taps(sums, &line, features, 2u);
        add_taps(sums, &line, features, 3u);
    }
}

// Four numbers of a column of C.
fn store_column(first: u32, v: vec4f) {
    store(first, v.x);
    store(first + params.columns, v.y);
    store(first + 2u * params.columns, v.z);
    store(first + 3u * params.columns, v.w);
}

// Four rows of C, as far as a column of the kernel makes them.
fn store_tap(first: u32, sums: ptr<function, Sums>, x: u32, four: u32) {
    for (var channel = 0u; channel < CHANNELS; channel++) {
        let i = x * CHANNELS + channel;
        store_column(first + i, (*sums)[i * 4u + four]);
    }
}

// Four rows of C from `row` on, as far as a row of the kernel makes them.
fn store_four(part: Part, row: u32, sums: ptr<function, Sums>, y: u32, four: u32) {
    if row >= params.rows || depth(part) == 0u {
        return;
    }
    let first = (part * params.rows + row) * params.columns + y * KERNEL_WIDTH * CHANNELS;
    store_tap(first, sums, 0u, four);
    if KERNEL_WIDTH > 1u {
        store_tap(first, sums, 1u, four);
    }
    if KERNEL_WIDTH > 2u {
        store_tap(first, sums, 2u, four);
    }
    if KERNEL_WIDTH > 3u {
        store_tap(first, sums, 3u, four);
    }
    if KERNEL_WIDTH > 4u {
        store_tap(first, sums, 4u, four);
    }
}

fn store_row_of_kernel(part: Part, row: u32, sums: ptr<function, Sums>, y: u32) {
    store_four(part, row, sums, y, 0u);
    if ROWS > 4u {
        store_four(part, row + 4u, sums, y, 1u);
    }
    if ROWS > 8u {
        store_four(part, row + 8u, sums, y, 2u);
        store_four(part, row + 12u, sums, y, 3u);
    }
}

// What a lane has made: its part, its first row, and the sums of its rows of A.
struct Made {
    part: Part,
    row: u32,
    sums: mat4x4f,
}

fn make(group: vec3u, groups: vec3u, index: u32) -> Made {
    let tiles = (params.rows + ROWS - 1u) / ROWS;
    let found = part_and_tile((group.x + group.y * groups.x) * 8u + index, tiles);
    let part = part_at(found.x);
    let row = found.y * ROWS;
    var first: Sums;
    var second: Sums;
    var third: Sums;
    var fourth: Sums;
    var fifth: Sums;
    var channels = mat4x4f();
    let end = part * params.chunk + depth(part);
    var pixel = select(end, part * params.chunk, depth(part) > 0u);
    while pixel < end {
        let at = divide(pixel, params.out_width);
        let count = min(min(params.out_width - at.y, end - pixel), 4u);
        var features: Features;
        for (var i = 0u; i < 4u; i++) {
            for (var four = 0u; four < ROWS / 4u; four++) {
                let inside = i < count && row + 4u * four < params.rows;
                let values = four_of_a(Place((pixel + i) * params.rows + row + 4u * four, inside));
                features[4u * i + four] = values;
                channels[four] += values;
            }
        }
        let lane = lane_at(at.x, at.y, count);
        add_row_of_kernel(&first, lane, &features, 0u);
        if KERNEL_HEIGHT > 1u {
            add_row_of_kernel(&second, lane, &features, 1u);
        }
        if KERNEL_HEIGHT > 2u {
            add_row_of_kernel(&third, lane, &features, 2u);
        }
        if KERNEL_HEIGHT > 3u {
            add_row_of_kernel(&fourth, lane, &features, 3u);
        }
        if KERNEL_HEIGHT > 4u {
            add_row_of_kernel(&fifth, lane, &features, 4u);
        }
        pixel += count;
    }
    store_row_of_kernel(part, row, &first, 0u);
    if KERNEL_HEIGHT > 1u {
        store_row_of_kernel(part, row, &second, 1u);
    }
    if KERNEL_HEIGHT > 2u {
        store_row_of_kernel(part, row, &third, 2u);
    }
    if KERNEL_HEIGHT > 3u {
        store_row_of_kernel(part, row, &fourth, 3u);
    }
    if KERNEL_HEIGHT > 4u {
        store_row_of_kernel(part, row, &fifth, 4u);
    }
    return Made(part, row, channels);
}

@compute @workgroup_size(8)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) index: u32) {
    make(group, groups, index);
}

@compute @workgroup_size(8)
fn product_sums(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(local_invocation_index) index: u32) {
    let made = make(group, groups, index);
    if SUMS_OF_IMAGE {
        store_row_sums(made.part, made.row, sum_rows(made.part, made.row, 0u, 1u));
        return;
    }
    for (var four = 0u; four < ROWS / 4u; four++) {
        store_row_sums(made.part, made.row + 4u * four, made.sums[four]);
    }
}
