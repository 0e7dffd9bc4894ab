// Cells of an image of at most four channels, as sums of all taps that meet them. Joined behind lib/conv_cells.wgsl.
//
// A line of features adds to KERNEL_HEIGHT rows of the image. Drivers do not unroll large loops, so rows of the kernel and its
// columns are written out.

// Fours of channels of the features, at most eight, where all weights are held, at most 1024; zero where they are not.
override FOURS_HELD: u32 = 0u;

// Weights as they follow each other, four to a lane.
alias Weights = array<vec4f, 32>;
// Pixels of the image.
alias Line = array<vec4f, 8>;
alias Sums = array<Line, 5>;

// Weights from vec4 `first` on, `step` apart.
fn weights_at(first: u32, fours: u32, step: u32, lane: u32) -> Weights {
    var w: Weights;
    for (var i = 0u; i < (fours + 7u) / 8u; i++) {
        w[i] = b[first + min(i * 8u + lane, fours - 1u) * step];
    }
    return w;
}

// Weight `i`, for all lanes.
fn weight(w: ptr<function, Weights>, i: u32) -> f32 {
    return subgroupShuffle((*w)[i / 32u], i / 4u % 8u)[i % 4u];
}

fn add_dot(sum: f32, a: vec4f, b: vec4f) -> f32 {
    return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}

// Adds what a tap gives for the four channels of the features that are number `held` of those in `w`.
fn add_tap(sums: ptr<function, Sums>, window: ptr<function, Window>, w: ptr<function, Weights>, held: u32, u: u32, v: u32) {
    let features = 4u * max(FOURS_HELD, 1u);
    for (var channel = 0u; channel < CHANNELS; channel++) {
        let at = place_of_weight(4u * held, u, v, channel, features);
        let next = place_of_weight(4u * held + 1u, u, v, channel, features) - at;
        let four = vec4f(weight(w, at), weight(w, at + next), weight(w, at + 2u * next), weight(w, at + 3u * next));
        for (var i = 0u; i < SLOTS; i++) {
            let j = i * STRIDE + v % STRIDE;
            let pixel = (*window)[i + taps_across() - 1u - v / STRIDE];
            (*sums)[u][j][channel] = add_dot((*sums)[u][j][channel], pixel, four);
        }
    }
}

fn add_taps(sums: ptr<function, Sums>, window: ptr<function, Window>, w: ptr<function, Weights>, held: u32, u: u32) {
    add_tap(sums, window, w, held, u, 0u);
    if KERNEL_WIDTH > 1u {
        add_tap(sums, window, w, held, u, 1u);
    }
    if KERNEL_WIDTH > 2u {
        add_tap(sums, window, w, held, u, 2u);
    }
    if KERNEL_WIDTH > 3u {
        add_tap(sums, window, w, held, u, 3u);
    }
    if KERNEL_WIDTH > 4u {
        add_tap(sums, window, w, held, u, 4u);
    }
}

// Adds what four channels of a line of features give.
fn add_four(sums: ptr<function, Sums>, lane: ptr<function, Lane>, w: ptr<function, Weights>, held: u32, y: u32, four: u32) {
    var window = window_at(lane, y, four);
    add_taps(sums, &window, w, held, 0u);
    if KERNEL_HEIGHT > 1u {
        add_taps(sums, &window, w, held, 1u);
    }
    if KERNEL_HEIGHT > 2u {
        add_taps(sums, &window, w, held, 2u);
    }
    if KERNEL_HEIGHT > 3u {
        add_taps(sums, &window, w, held, 3u);
    }
    if KERNEL_HEIGHT > 4u {
        add_taps(sums, &window, w, held, 4u);
    }
}

// Adds what a line of features gives. Weights that are not held are loaded for each line anew.
fn add_line(sums: ptr<function, Sums>, lane: ptr<function, Lane>, held: ptr<function, Weights>, y: u32) {
    if FOURS_HELD == 0u {
        let filters = KERNEL_HEIGHT * KERNEL_WIDTH * CHANNELS;
        let fours = sides().out_channels / 4u;
        for (var four = 0u; four < fours; four++) {
            var w = weights_at(select(four * filters, four, MIRRORED), filters, select(1u, fours, MIRRORED), (*lane).number);
            add_four(sums, lane, &w, 0u, y, four);
        }
        return;
    }
    add_four(sums, lane, held, 0u, y, 0u);
    if FOURS_HELD > 1u {
        add_four(sums, lane, held, 1u, y, 1u);
    }
    if FOURS_HELD > 2u {
        add_four(sums, lane, held, 2u, y, 2u);
    }
    if FOURS_HELD > 3u {
        add_four(sums, lane, held, 3u, y, 3u);
    }
    if FOURS_HELD > 4u {
        add_four(sums, lane, held, 4u, y, 4u);
    }
    if FOURS_HELD > 5u {
        add_four(sums, lane, held, 5u, y, 5u);
    }
    if FOURS_HELD > 6u {
        add_four(sums, lane, held, 6u, y, 6u);
    }
    if FOURS_HELD > 7u {
        add_four(sums, lane, held, 7u, y, 7u);
    }
}

// The rows that are done leave, and others begin.
fn moved_up(sums: Sums, start: Line) -> Sums {
    return Sums(sums[1], sums[2], sums[3], sums[4], start);
}

// Weights that are held.
fn held_weights(lane: u32) -> Weights {
    return weights_at(0u, FOURS_HELD * KERNEL_HEIGHT * KERNEL_WIDTH * CHANNELS, 1u, lane);
}

// Eight pixels of the same.
fn line_of(four: vec4f) -> Line {
    return Line(four, four, four, four, four, four, four, four);
}
