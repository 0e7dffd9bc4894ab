// The operands that make an image of features, for the matrix-product variants: a transposed convolution, or
// the input gradient of a convolution. Joined behind lib/matmul.wgsl and lib/conv.wgsl.
//
//     image[n, i, j, c] = sum over u, v, o of weight[o, u, v, c] · features[n, y, x, o]
//                         where y * stride_y = i + top - u and x * stride_x = j + left - v
//
// Which taps u meet a row i of the image depends on (i + top) % stride_y alone, so the image comes in
// stride_y * stride_x parts, and in each every tap counts: u = offset, offset + stride_y, ... In a part,
//
//     rows     pixels of the image (n, i / stride_y, j / stride_x)     A = features
//     columns  channels of the image                                   B = weight
//
// and A's patches are read from the last tap to the first, as features go up where taps go down.
// TRANSPOSE_B = false: weight is contiguous along columns. ALIGNED_A: out_channels are a multiple of four;
// ALIGNED_B: channels are.

struct Row {
    start: Patch,
    taps_down: u32,
    taps_across: u32,
}

struct Column {
    column: u32,
    down: Taps,
    across: Taps,
}

// The taps along one axis that meet every stride-th pixel of the image from `from` on.
struct Taps {
    // The first tap; the others follow by the stride.
    offset: u32,
    count: u32,
    // The feature that meets the first pixel at the first tap.
    feature: u32,
}

fn taps(pixel: u32, pad: u32, stride: u32, kernel: u32) -> Taps {
    let offset = (pixel + pad) % stride;
    return Taps(offset, (kernel + stride - 1u - offset) / stride, (pixel + pad) / stride);
}

// The pixels of the image that begin at [y, x] and are a stride apart, and the taps that meet them.
struct Part {
    y: u32,
    x: u32,
    down: Taps,
    across: Taps,
}

fn number_of(part: Part) -> u32 {
    return part.y * params.stride_x + part.x;
}

fn part_at(number: u32) -> Part {
    let y = number / params.stride_x;
    let x = number % params.stride_x;
    return Part(y, x, taps(y, params.top, params.stride_y, params.kernel_height),
                taps(x, params.left, params.stride_x, params.kernel_width));
}

// Parts are dealt out in turn: they differ in depth, and a CPU driver gives each processor one half.
fn part_and_tile(number: u32, tiles: u32) -> vec2u {
    let parts = params.stride_y * params.stride_x;
    return vec2u(number % parts, number / parts);
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
    return vec3u(part.down.count, part.across.count, params.out_channels);
}

// n, i / stride_y and j / stride_x.
fn pixel_at(row: u32) -> vec3u {
    let line = divide(min(row, params.rows), (params.width + params.stride_x - 1u) / params.stride_x);
    let image = divide(line.x, (params.height + params.stride_y - 1u) / params.stride_y);
    return vec3u(image, line.y);
}

fn place(part: Part, row: u32) -> Place {
    let at = pixel_at(row);
    let i = at.y * params.stride_y + part.y;
    let j = at.z * params.stride_x + part.x;
    let first = ((at.x * params.height + i) * params.width + j) * params.channels;
    return Place(first, row < params.rows && i < params.height && j < params.width);
}

fn row_at(part: Part, row: u32) -> Row {
    let at = pixel_at(row);
    let y = at.y + part.down.feature + 1u - part.down.count;
    let x = at.z + part.across.feature + 1u - part.across.count;
    let first = ((at.x * params.out_height + y) * params.out_width + x) * params.out_channels;
    return Row(Patch(select(OUTSIDE, y, row < params.rows), x, first), part.down.count, part.across.count);
}

fn column_at(part: Part, column: u32) -> Column {
    return Column(column, part.down, part.across);
}

// Where a tap of a row lies, and whether it lies in the features.
fn place_in_features(row: Row, tap: Tap) -> Place {
    let y = row.start.y + tap.y;
    let x = row.start.x + tap.x;
    let inside = tap.y < row.taps_down && y < params.out_height && x < params.out_width;
    let first = row.start.first + (tap.y * params.out_width + tap.x) * params.out_channels + tap.channel;
    return Place(first, inside);
}

fn place_in_weight(tap: Tap, column: Column) -> Place {
    let u = column.down.offset + (column.down.count - 1u - tap.y) * params.stride_y;
    let v = column.across.offset + (column.across.count - 1u - tap.x) * params.stride_x;
    let line = (tap.channel * params.kernel_height + u) * params.kernel_width + v;
    let inside = tap.y < column.down.count && tap.channel < params.out_channels;
    return Place(line * params.channels + column.column, inside && column.column < params.channels);
}

fn a_at(row: Row, tap: Tap) -> f32 {
    return one_of_a(place_in_features(row, tap), tap.channel < params.out_channels);
}

fn b_at(tap: Tap, column: Column) -> f32 {
    return one_of_b(place_in_weight(tap, column), true);
}

fn load_a(row: Row, k: u32) -> vec4f {
    let tap = tap_at(k, params.out_channels, row.taps_across);
    if ALIGNED_A {
        return four_of_a(place_in_features(row, tap));
    }
    var four = vec4f();
    for (var i = 0u; i < 4u; i++) {
        four[i] = a_at(row, ahead(tap, i));
    }
    return four;
}

fn load_tap(tap: Tap, column: Column) -> vec4f {
    if ALIGNED_B {
        return four_of_b(place_in_weight(tap, column));
    }
    var four = vec4f();
    for (var i = 0u; i < COLUMNS; i++) {
        four[i] = b_at(tap, Column(column.column + i, column.down, column.across));
    }
    return four;
}

fn load_b(k: u32, column: Column) -> vec4f {
    return load_tap(tap_at(k, params.out_channels, column.across.count), column);
}

fn block_b(k: u32, column: Column) -> mat4x4f {
    let tap = tap_at(k, params.out_channels, column.across.count);
    var lines = mat4x4f();
    for (var i = 0u; i < 4u; i++) {
        lines[i] = load_tap(ahead(tap, i), column);
    }
    return lines;
}
