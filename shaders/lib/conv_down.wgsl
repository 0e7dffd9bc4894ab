// The operands that make features of an image, for the matrix-product variants: a convolution, or the input
// gradient of a transposed one. Joined behind lib/matmul.wgsl and lib/conv.wgsl.
//
//     rows     pixels of features (n, y, x)     A = image:  A[row, (u, v, c)] = image[n, y * stride_y + u - top, ..]
//     columns  channels of features             B = weight: B[(u, v, c), o] = weight[o, u, v, c]
//
// TRANSPOSE_B = true: weight is contiguous along depth. ALIGNED_A and ALIGNED_B: channels are a multiple of four.

alias Row = Patch;
alias Column = u32;
// There is but one.
alias Part = u32;

fn number_of(part: Part) -> u32 {
    return part;
}

fn part_at(number: u32) -> Part {
    return number;
}

fn part_and_tile(number: u32, tiles: u32) -> vec2u {
    return vec2u(0u, number);
}

fn first_step(part: Part) -> u32 {
    return 0u;
}

fn depth(part: Part) -> u32 {
    let extent = taps_and_channels(part);
    return extent.x * extent.y * whole(extent.z);
}

// Rows and columns of taps, and channels of each.
fn taps_and_channels(part: Part) -> vec3u {
    return vec3u(params.kernel_height, params.kernel_width, params.channels);
}

fn place(part: Part, row: u32) -> Place {
    return Place(row * params.columns, row < params.rows);
}

fn row_at(part: Part, row: u32) -> Row {
    let line = divide(min(row, params.rows), params.out_width);
    let image = divide(line.x, params.out_height);
    let y = image.y * params.stride_y - params.top;
    let x = line.y * params.stride_x - params.left;
    let first = ((image.x * params.height + y) * params.width + x) * params.channels;
    return Patch(select(OUTSIDE, y, row < params.rows), x, first);
}

fn column_at(part: Part, column: u32) -> Column {
    return column;
}

// Where a tap of a row lies, and whether it lies in the image.
fn place_in_image(row: Row, tap: Tap) -> Place {
    let inside = tap.y < params.kernel_height && row.y + tap.y < params.height && row.x + tap.x < params.width;
    return Place(row.first + (tap.y * params.width + tap.x) * params.channels + tap.channel, inside);
}

fn place_in_weight(tap: Tap, column: Column) -> Place {
    let line = (column * params.kernel_height + tap.y) * params.kernel_width + tap.x;
    return Place(line * params.channels + tap.channel, tap.y < params.kernel_height && column < params.columns);
}

fn a_at(row: Row, tap: Tap) -> f32 {
    return one_of_a(place_in_image(row, tap), tap.channel < params.channels);
}

fn b_at(tap: Tap, column: Column) -> f32 {
    return one_of_b(place_in_weight(tap, column), tap.channel < params.channels);
}

fn load_a(row: Row, k: u32) -> vec4f {
    let tap = tap_at(k, params.channels, params.kernel_width);
    if ALIGNED_A {
        return four_of_a(place_in_image(row, tap));
    }
    var four = vec4f();
    for (var i = 0u; i < 4u; i++) {
        four[i] = a_at(row, ahead(tap, i));
    }
    return four;
}

fn load_b(k: u32, column: Column) -> vec4f {
    let tap = tap_at(k, params.channels, params.kernel_width);
    if ALIGNED_B {
        return four_of_b(place_in_weight(tap, column));
    }
    var four = vec4f();
    for (var i = 0u; i < 4u; i++) {
        four[i] = b_at(ahead(tap, i), column);
    }
    return four;
}

fn block_b(k: u32, column: Column) -> mat4x4f {
    var lines = mat4x4f();
    for (var i = 0u; i < COLUMNS; i++) {
        lines[i] = load_b(k, column + i);
    }
    return transpose(lines);
}
