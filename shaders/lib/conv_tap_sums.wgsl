// What pixels give for each tap of a kernel: sums of the gradient of a convolution's weight, where the image has at most four
// channels. Joined behind lib/conv_line.wgsl.
//
// All sums stay in registers, or in what a CPU driver has for them. Drivers do not unroll large loops, so rows of the kernel,
// its columns and four rows of C at a time are written out.

// Rows of C to a lane: four, eight or sixteen.
override ROWS: u32 = 16u;
// Rows of the kernel to a lane, a divisor of them: all, or KERNEL_WIDTH CHANNELS is a multiple of four.
override TAPS_DOWN: u32 = 3u;
// Whether lines and parts are whole PIXELS.
override EVEN: bool = false;

// Of each row of the kernel: four rows of C, fours following each other, for each element.
alias Sums = array<array<vec4f, 80>, 5>;
// Of each pixel all fours of its features.
alias Features = array<vec4f, 32>;

fn four_of_image(i: i32) -> vec4f {
    return b[clamp(i, 0, i32(arrayLength(&b)) - 1)];
}

// Adds what the pixels give for a tap, for four rows of C.
fn add_tap(sums: ptr<function, Sums>, line: ptr<function, Line>, features: ptr<function, Features>, u: u32, v: u32, four: u32) {
    for (var channel = 0u; channel < CHANNELS; channel++) {
        let at = v * CHANNELS + channel;
        var sum = (*sums)[u][at * 4u + four];
        for (var i = 0u; i < PIXELS; i++) {
            sum = fma(vec4f(number(line, at + i * STRIDE * CHANNELS)), (*features)[4u * i + four], sum);
        }
        (*sums)[u][at * 4u + four] = sum;
    }
}

fn add_taps(sums: ptr<function, Sums>, line: ptr<function, Line>, features: ptr<function, Features>, u: u32, four: u32) {
    add_tap(sums, line, features, u, 0u, four);
    if KERNEL_WIDTH > 1u {
        add_tap(sums, line, features, u, 1u, four);
    }
    if KERNEL_WIDTH > 2u {
        add_tap(sums, line, features, u, 2u, four);
    }
    if KERNEL_WIDTH > 3u {
        add_tap(sums, line, features, u, 3u, four);
    }
    if KERNEL_WIDTH > 4u {
        add_tap(sums, line, features, u, 4u, four);
    }
}

// Row u of those that the lane has of the kernel, the first of which is row `down`.
fn add_row_of_kernel(sums: ptr<function, Sums>, lane: Lane, features: ptr<function, Features>, down: u32, u: u32) {
    if u >= TAPS_DOWN {
        return;
    }
    var line = line_at(lane, down + u);
    add_taps(sums, &line, features, u, 0u);
    if ROWS > 4u {
        add_taps(sums, &line, features, u, 1u);
    }
    if ROWS > 8u {
        add_taps(sums, &line, features, u, 2u);
        add_taps(sums, &line, features, u, 3u);
    }
}
