// The operands that make the gradient of a convolution's weight, for the matrix-product variants. Joined
// behind lib/matmul.wgsl and lib/conv.wgsl.
//
//     C[o, (u, v, c)] = sum over pixels (n, y, x) of
//                           features[n, y, x, o] · image[n, y * stride_y + u - top, x * stride_x + v - left, c]
//
//     rows  channels of features     columns  elements of a filter     depth  pixels of features
//
// `features` is the gradient of the features, or for a transposed convolution its input, and `image` the
// other way about. Pixels are many and C is small, so C is made in parts, each the sum over `chunk` pixels:
// [parts, rows, columns], to be summed down its columns. TRANSPOSE_A = true, TRANSPOSE_B = false: both are
// contiguous along channels. ALIGNED: channels and out_channels are multiples of four.

/// The features, [images, out_height, out_width, out_channels].
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
/// The image, [images, height, width, channels].
@group(0) @binding(2) var<storage, read> b: array<vec4f>;

struct Row {
    row: u32,
    first_pixel: u32,
}

// Of four neighbouring columns: how far from a patch's first pixel each lies. Where ALIGNED, the first speaks
// for all.
struct Column {
    y: vec4u,
    x: vec4u,
    offset: vec4u,
    first_pixel: u32,
}

fn part_and_tile(number: u32, tiles: u32) -> vec2u {
    return vec2u(number / tiles, number % tiles);
}

fn depth(part: u32) -> u32 {
    return min(params.chunk, params.pixels - min(part * params.chunk, params.pixels));
}

fn place(part: u32, row: u32) -> Place {
    return Place((part * params.rows + row) * params.columns, row < params.rows && depth(part) > 0u);
}

fn row_at(part: u32, row: u32) -> Row {
    return Row(row, part * params.chunk);
}

fn column_at(part: u32, column: u32) -> Column {
    var found = Column(vec4u(), vec4u(), vec4u(), part * params.chunk);
    for (var i = 0u; i < 4u; i++) {
        let in_tap = divide(min(column + i, params.columns), params.channels);
        let tap = divide(in_tap.x, params.kernel_width);
        let y = tap.x - params.top;
        let x = tap.y - params.left;
        found.y[i] = select(OUTSIDE, y, column + i < params.columns);
        found.x[i] = x;
        found.offset[i] = (y * params.width + x) * params.channels + in_tap.y;
    }
    return found;
}

fn load_a(row: Row, k: u32) -> vec4f {
    let pixel = row.first_pixel + k;
    let first = pixel * params.rows + row.row;
    let inside = k < params.chunk && pixel < params.pixels;
    if ALIGNED {
        let whole = inside && row.row < params.rows;
        return select(vec4f(), a[select(0u, first / 4u, whole)], whole);
    }
    var v = vec4f();
    for (var i = 0u; i < 4u; i++) {
        if inside && row.row + i < params.rows {
            v[i] = a[(first + i) / 4u][(first + i) % 4u];
        }
    }
    return v;
}

fn load_b(k: u32, column: Column) -> vec4f {
    let pixel = column.first_pixel + k;
    let line = divide(min(pixel, params.pixels), params.out_width);
    let image = divide(line.x, params.out_height);
    let y = image.y * params.stride_y;
    let x = line.y * params.stride_x;
    let first = ((image.x * params.height + y) * params.width + x) * params.channels;
    let inside = k < params.chunk && pixel < params.pixels;
    if ALIGNED {
        let whole = inside && y + column.y.x < params.height && x + column.x.x < params.width;
        return select(vec4f(), b[select(0u, (first + column.offset.x) / 4u, whole)], whole);
    }
    var v = vec4f();
    for (var i = 0u; i < 4u; i++) {
        if inside && y + column.y[i] < params.height && x + column.x[i] < params.width {
            let at = first + column.offset[i];
            v[i] = b[at / 4u][at % 4u];
        }
    }
    return v;
}

fn block_b(k: u32, column: Column) -> mat4x4f {
    return mat4x4f(load_b(k, column), load_b(k + 1u, column), load_b(k + 2u, column), load_b(k + 3u, column));
}
