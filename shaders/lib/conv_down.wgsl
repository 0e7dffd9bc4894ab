// The operands that make features of an image, for the matrix-product variants: a convolution, or the input
// gradient of a transposed one. Joined behind lib/matmul.wgsl and lib/conv.wgsl.
//
//     rows     pixels of features (n, y, x)       A[row, (u, v, c)] = image[n, y * stride_y + u - top, ..]
//     columns  channels of features               B[(u, v, c), o] = weight[o, u, v, c]
//
// TRANSPOSE_B = true: weight is contiguous along depth. ALIGNED: channels, and for product_slope out_channels,
// are multiples of four.

/// The image, [images, height, width, channels].
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
/// The weight, [out_channels, kernel_height, kernel_width, channels].
@group(0) @binding(2) var<storage, read> b: array<vec4f>;

alias Row = Patch;
alias Column = u32;

fn part_and_tile(number: u32, tiles: u32) -> vec2u {
    return vec2u(0u, number);
}

fn depth(part: u32) -> u32 {
    return params.kernel_height * params.kernel_width * whole(params.channels);
}

fn place(part: u32, row: u32) -> Place {
    return Place(row * params.columns, row < params.rows);
}

fn row_at(part: u32, row: u32) -> Row {
    let line = divide(min(row, params.rows), params.out_width);
    let image = divide(line.x, params.out_height);
    let y = image.y * params.stride_y - params.top;
    let x = line.y * params.stride_x - params.left;
    let first = ((image.x * params.height + y) * params.width + x) * params.channels;
    return Patch(select(OUTSIDE, y, row < params.rows), x, first);
}

fn column_at(part: u32, column: u32) -> Column {
    return column;
}

fn load_a(row: Row, k: u32) -> vec4f {
    let tap = tap_at(k, params.channels, params.kernel_width);
    let inside = tap.y < params.kernel_height && row.y + tap.y < params.height && row.x + tap.x < params.width;
    let first = row.first + (tap.y * params.width + tap.x) * params.channels + tap.channel;
    if ALIGNED {
        return select(vec4f(), a[select(0u, first / 4u, inside)], inside);
    }
    var v = vec4f();
    for (var i = 0u; i < 4u; i++) {
        if inside && tap.channel + i < params.channels {
            v[i] = a[(first + i) / 4u][(first + i) % 4u];
        }
    }
    return v;
}

fn load_b(k: u32, column: Column) -> vec4f {
    let tap = tap_at(k, params.channels, params.kernel_width);
    let inside = tap.y < params.kernel_height && column < params.columns;
    let line = (column * params.kernel_height + tap.y) * params.kernel_width + tap.x;
    let first = line * params.channels + tap.channel;
    if ALIGNED {
        return select(vec4f(), b[select(0u, first / 4u, inside)], inside);
    }
    var v = vec4f();
    for (var i = 0u; i < 4u; i++) {
        if inside && tap.channel + i < params.channels {
            v[i] = b[(first + i) / 4u][(first + i) % 4u];
        }
    }
    return v;
}

fn block_b(k: u32, column: Column) -> mat4x4f {
    return transpose(mat4x4f(load_b(k, column), load_b(k, column + 1u),
                             load_b(k, column + 2u), load_b(k, column + 3u)));
}
