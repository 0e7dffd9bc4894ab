// What the gradient of a convolution's weight brings along, for the entry `product_sums` of its variants: the gradient of
// the bias, which is the sum of each channel of the result's gradient over its pixels. Joined behind lib/conv_weight.wgsl.
//
//     row_sums[part, channel] = sum over the part's pixels of features, or of image where SUMS_OF_IMAGE is set
//
// A part has an equal share of the image's pixels, as of the features'. The sums are made by the workgroups of the first
// columns, four channels by the lane that has four rows of C; so an image must not have more channels than there are
// rows. Of several parts each has a line of whole vec4s.

override SUMS_OF_IMAGE: bool = false;

// Four neighbouring channels of a pixel of the image.
fn channels_at(pixel: u32, channel: u32) -> vec4f {
    let first = pixel * params.channels + channel;
    if ALIGNED_B {
        return four_of_b(Place(first, channel < params.channels));
    }
    var v = vec4f();
    for (var i = 0u; i < 4u; i++) {
        v[i] = one_of_b(Place(first + i, channel + i < params.channels), true);
    }
    return v;
}

// Four neighbouring channels, summed over the part's pixels from `first` on, `step` apart.
fn sum_rows(part: Part, row: u32, first: u32, step: u32) -> vec4f {
    var sums = vec4f();
    if SUMS_OF_IMAGE {
        let images = params.pixels / (params.out_height * params.out_width);
        let pixels = images * params.height * params.width;
        let parts = (params.pixels + params.chunk - 1u) / params.chunk;
        let share = (pixels + parts - 1u) / parts;
        let end = min((part + 1u) * share, pixels);
        // Lanes without channels have nothing to add up.
        let begin = select(end, part * share + first, row < params.channels);
        for (var pixel = begin; pixel < end; pixel += step) {
            sums += channels_at(pixel, row);
        }
    } else {
        let four = row_at(part, row);
        let depth = select(0u, depth(part), row < params.rows);
        for (var k = first; k < depth; k += step) {
            sums += load_a(four, k);
        }
    }
    return sums;
}

fn store_row_sums(part: Part, row: u32, sums: vec4f) {
    let channels = select(params.rows, params.channels, SUMS_OF_IMAGE);
    let line = select(channels, whole(channels), params.chunk < params.pixels);
    let left = line - min(row, line);
    store_sums(part * line + row, select(0u, left, depth(part) > 0u), sums);
}
