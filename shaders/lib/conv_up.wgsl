// The operands that make an image of features, for the matrix-product variants: a transposed convolution, or
// the input gradient of a convolution. Joined behind lib/matmul.wgsl and lib/conv.wgsl.
//
//     image[n, i, j, c] = sum over u, v, o of weight[o, u, v, c] · features[n, y, x, o]
//                         where y * stride_y = i + top - u and x * stride_x = j + left - v
//
// Which taps u meet a row i of the image depends on (i + top) % stride_y alone, so the image comes in
// stride_y * stride_x parts, and in each every tap counts: u = offset, offset + stride_y, ... In a part,
//
//     rows     pixels of the image (n, i / stride_y, j / stride_x)     columns  channels of the image
//
// and A's patches are read from the last tap to the first, as features go up where taps go down.
// TRANSPOSE_B = false: weight is contiguous along columns. ALIGNED: channels and out_channels are multiples of
// four.

/// The features, [images, out_height, out_width, out_channels].
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
/// The weight, [out_channels, kernel_height, kernel_width, channels].
@group(0) @binding(2) var<storage, read> b: array<vec4f>;

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

fn taps_down(part: u32) -> Taps {
    return taps(part / params.stride_x, params.top, params.stride_y, params.kernel_height);
}

fn taps_across(part: u32) -> Taps {
    return taps(part % params.stride_x, params.left, params.stride_x, params.kernel_width);
}

// Parts are dealt out in turn: they differ in depth, and a CPU driver gives each processor one half.
fn part_and_tile(number: u32, tiles: u32) -> vec2u {
    let parts = params.stride_y * params.stride_x;
    return vec2u(number % parts, number / parts);
}

fn depth(part: u32) -> u32 {
    return taps_down(part).count * taps_across(part).count * whole(params.out_channels);
}

// n, i / stride_y and j / stride_x.
fn pixel_at(row: u32) -> vec3u {
    let line = divide(min(row, params.rows), (params.width + params.stride_x - 1u) / params.stride_x);
    let image = divide(line.x, (params.height + params.stride_y - 1u) / params.stride_y);
    return vec3u(image, line.y);
}

fn place(part: u32, row: u32) -> Place {
    let at = pixel_at(row);
    let i = at.y * params.stride_y + part / params.stride_x;
    let j = at.z * params.stride_x + part % params.stride_x;
    let first = ((at.x * params.height + i) * params.width + j) * params.channels;
    return Place(first, row < params.rows && i < params.height && j < params.width);
}

fn row_at(part: u32, row: u32) -> Row {
    let at = pixel_at(row);
    let down = taps_down(part);
    let across = taps_across(part);
    let y = at.y + down.feature + 1u - down.count;
    let x = at.z + across.feature + 1u - across.count;
    let first = ((at.x * params.out_height + y) * params.out_width + x) * params.out_channels;
    return Row(Patch(select(OUTSIDE, y, row < params.rows), x, first), down.count, across.count);
}

fn column_at(part: u32, column: u32) -> Column {
    return Column(column, taps_down(part), taps_across(part));
}

fn load_a(row: Row, k: u32) -> vec4f {
    let tap = tap_at(k, params.out_channels, row.taps_across);
    let y = row.start.y + tap.y;
    let x = row.start.x + tap.x;
    let inside = tap.y < row.taps_down && y < params.out_height && x < params.out_width;
    let first = row.start.first + (tap.y * params.out_width + tap.x) * params.out_channels + tap.channel;
    if ALIGNED {
        return select(vec4f(), a[select(0u, first / 4u, inside)], inside);
    }
    var v = vec4f();
    for (var i = 0u; i < 4u; i++) {
        if inside && tap.channel + i < params.out_channels {
            v[i] = a[(first + i) / 4u][(first + i) % 4u];
        }
    }
    return v;
}

// Four neighbours of the weight at `tap`, whose channel is that of features.
fn load_tap(tap: Tap, column: Column) -> vec4f {
    let u = column.down.offset + (column.down.count - 1u - tap.y) * params.stride_y;
    let v = column.across.offset + (column.across.count - 1u - tap.x) * params.stride_x;
    let inside = tap.y < column.down.count && tap.channel < params.out_channels;
    let line = (tap.channel * params.kernel_height + u) * params.kernel_width + v;
    let first = line * params.channels + column.column;
    if ALIGNED {
        let whole = inside && column.column < params.channels;
        return select(vec4f(), b[select(0u, first / 4u, whole)], whole);
    }
    var four = vec4f();
    for (var i = 0u; i < 4u; i++) {
        if inside && column.column + i < params.channels {
            four[i] = b[(first + i) / 4u][(first + i) % 4u];
        }
    }
    return four;
}

fn load_b(k: u32, column: Column) -> vec4f {
    return load_tap(tap_at(k, params.out_channels, column.across.count), column);
}

fn block_b(k: u32, column: Column) -> mat4x4f {
    let tap = tap_at(k, params.out_channels, column.across.count);
    let next = tap.channel;
    return mat4x4f(load_tap(tap, column), load_tap(Tap(tap.y, tap.x, next + 1u), column),
                   load_tap(Tap(tap.y, tap.x, next + 2u), column), load_tap(Tap(tap.y, tap.x, next + 3u), column));
}
