// The operands that make the gradient of a convolution's weight, for the matrix-product variants. Joined
// behind lib/matmul.wgsl and lib/conv.wgsl.
//
//     C[o, (u, v, c)] = sum over pixels (n, y, x) of
//                           features[n, y, x, o] · image[n, y * stride_y + u - top, x * stride_x + v - left, c]
//
//     rows     channels of features     A = features     depth  pixels of features
//     columns  elements of a filter     B = image
//
// `features` is the gradient of the features, or for a transposed convolution its input, and `image` the
// other way about. Pixels are many and C is small, so C is made in parts, each the sum over `chunk` pixels:
// [parts, rows, columns], to be summed down its columns. TRANSPOSE_A = true, TRANSPOSE_B = false: both are
// contiguous along channels. ALIGNED_A: out_channels are a multiple of four; ALIGNED_B: channels are.

// Its number.
alias Part = u32;

fn part_at(number: u32) -> Part {
    return number;
}

struct Row {
    row: u32,
    first_pixel: u32,
}

// Of four neighbouring columns: how far from a patch's first pixel each lies. Where ALIGNED_B, the first speaks
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

fn first_step(part: Part) -> u32 {
    return 0u;
}

fn depth(part: Part) -> u32 {
    return min(params.chunk, params.pixels - min(part * params.chunk, params.pixels));
}

fn place(part: Part, row: u32) -> Place {
    return Place((part * params.rows + row) * params.columns, row < params.rows && depth(part) > 0u);
}

fn row_at(part: Part, row: u32) -> Row {
    return Row(row, part * params.chunk);
}

fn column_at(part: Part, column: u32) -> Column {
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
    let counts = k < params.chunk && pixel < params.pixels;
    if ALIGNED_A {
        return four_of_a(Place(first, counts && row.row < params.rows));
    }
    var v = vec4f();
    for (var i = 0u; i < 4u; i++) {
        v[i] = one_of_a(Place(first + i, row.row + i < params.rows), counts);
    }
    return v;
}

// A pixel of features: its number, its image, and where in that image its patch begins, the padding aside.
struct Pixel {
    number: u32,
    image: u32,
    y: u32,
    x: u32,
}

fn pixel_at(number: u32) -> Pixel {
    let line = divide(min(number, params.pixels), params.out_width);
    let image = divide(line.x, params.out_height);
    return Pixel(number, image.x, image.y * params.stride_y, line.y * params.stride_x);
}

// The next one, for less than by division.
fn after(pixel: Pixel) -> Pixel {
    let in_line = pixel.x + params.stride_x < params.out_width * params.stride_x;
    let in_image = in_line || pixel.y + params.stride_y < params.out_height * params.stride_y;
    let y = select(pixel.y + params.stride_y, pixel.y, in_line);
    return Pixel(pixel.number + 1u, pixel.image + select(1u, 0u, in_image), select(0u, y, in_image),
                 select(0u, pixel.x + params.stride_x, in_line));
}

fn load_pixel(pixel: Pixel, column: Column) -> vec4f {
    let first = ((pixel.image * params.height + pixel.y) * params.width + pixel.x) * params.channels;
    let counts = pixel.number < min(column.first_pixel + params.chunk, params.pixels);
    if ALIGNED_B {
        let inside = counts && pixel.y + column.y.x < params.height && pixel.x + column.x.x < params.width;
        return four_of_b(Place(first + column.offset.x, inside));
    }
    var v = vec4f();
    for (var i = 0u; i < 4u; i++) {
        let inside = pixel.y + column.y[i] < params.height && pixel.x + column.x[i] < params.width;
        v[i] = one_of_b(Place(first + column.offset[i], inside), counts);
    }
    return v;
}

fn load_b(k: u32, column: Column) -> vec4f {
    return load_pixel(pixel_at(column.first_pixel + k), column);
}

fn block_b(k: u32, column: Column) -> mat4x4f {
    var pixel = pixel_at(column.first_pixel + k);
    var lines = mat4x4f();
    for (var i = 0u; i < 4u; i++) {
        lines[i] = load_pixel(pixel, column);
        pixel = after(pixel);
    }
    return lines;
}
