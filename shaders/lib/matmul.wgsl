// What every matrix-product variant shares: operands, guarded loads, and the epilogues.
//
//     C[rows, columns] = op(A) · op(B)          all row-major, f32
//
//     TRANSPOSE_A = false: A is [rows, depth]      true: A is [depth, rows]
//     TRANSPOSE_B = false: B is [depth, columns]   true: B is [columns, depth]
//
// C is written (=), or added to (+=) where ACCUMULATE is set. Loads are vec4 along the contiguous axis.
// ALIGNED promises that both contiguous extents are multiples of four; without it each component is
// fetched on its own. Everything outside a matrix reads as zero.

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override ALIGNED: bool = true;
override ACCUMULATE: bool = false;

struct Params {
    rows: u32,
    columns: u32,
    depth: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// A, [rows, depth] or [depth, rows].
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
/// B, [depth, columns] or [columns, depth].
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
/// One number a column, added to every row (`dense`).
@group(0) @binding(3) var<storage, read> bias: array<f32>;
/// What the forward pass kept of the activation that C is the gradient of (`product_slope`).
@group(0) @binding(4) var<storage, read> kept: array<f32>;
/// C, [rows, columns].
@group(0) @binding(5) var<storage, read_write> c: array<f32>;
/// The pre-activation, [rows, columns], for activations whose slope needs it (`dense_keep`).
@group(0) @binding(6) var<storage, read_write> preactivation: array<f32>;

// Four neighbours A[line, at..at+4] along A's contiguous axis.
fn load_a(line: u32, at: u32) -> vec4f {
    let lines = select(params.rows, params.depth, TRANSPOSE_A);
    let width = select(params.depth, params.rows, TRANSPOSE_A);
    let first = line * width + at;
    if ALIGNED {
        let inside = line < lines && at < width;
        return select(vec4f(), a[select(0u, first / 4u, inside)], inside);
    }
    var v = vec4f();
    for (var i = 0u; i < 4u; i++) {
        if line < lines && at + i < width {
            v[i] = a[(first + i) / 4u][(first + i) % 4u];
        }
    }
    return v;
}

// Four neighbours B[line, at..at+4] along B's contiguous axis.
fn load_b(line: u32, at: u32) -> vec4f {
    let lines = select(params.depth, params.columns, TRANSPOSE_B);
    let width = select(params.columns, params.depth, TRANSPOSE_B);
    let first = line * width + at;
    if ALIGNED {
        let inside = line < lines && at < width;
        return select(vec4f(), b[select(0u, first / 4u, inside)], inside);
    }
    var v = vec4f();
    for (var i = 0u; i < 4u; i++) {
        if line < lines && at + i < width {
            v[i] = b[(first + i) / 4u][(first + i) % 4u];
        }
    }
    return v;
}

// The 4 x 4 block B[k..k+4, column..column+4]; column i of the result is B's row k + i.
fn block_b(k: u32, column: u32) -> mat4x4f {
    if TRANSPOSE_B {
        return transpose(mat4x4f(load_b(column, k), load_b(column + 1u, k),
                                 load_b(column + 2u, k), load_b(column + 3u, k)));
    }
    return mat4x4f(load_b(k, column), load_b(k + 1u, column),
                   load_b(k + 2u, column), load_b(k + 3u, column));
}

// The epilogues. Each takes the 4 x 4 block of the product at [row, column], whose column i is row
// row + i; rows are named one by one, because an index that varies would put the block into memory.

fn store(i: u32, value: f32) {
    if ACCUMULATE {
        c[i] += value;
    } else {
        c[i] = value;
    }
}

fn product_row(row: u32, column: u32, v: vec4f) {
    for (var i = 0u; i < 4u; i++) {
        if row < params.rows && column + i < params.columns {
            store(row * params.columns + column + i, v[i]);
        }
    }
}

fn store_product(row: u32, column: u32, block: mat4x4f) {
    product_row(row, column, block[0]);
    product_row(row + 1u, column, block[1]);
    product_row(row + 2u, column, block[2]);
    product_row(row + 3u, column, block[3]);
}

// C = f(A·B + bias)
fn dense_row(row: u32, column: u32, v: vec4f) {
    for (var i = 0u; i < 4u; i++) {
        if row < params.rows && column + i < params.columns {
            store(row * params.columns + column + i, activate(v[i] + bias[column + i]));
        }
    }
}

fn store_dense(row: u32, column: u32, block: mat4x4f) {
    dense_row(row, column, block[0]);
    dense_row(row + 1u, column, block[1]);
    dense_row(row + 2u, column, block[2]);
    dense_row(row + 3u, column, block[3]);
}

// As dense_row, keeping z = A·B + bias for the backward pass.
fn dense_keep_row(row: u32, column: u32, v: vec4f) {
    for (var i = 0u; i < 4u; i++) {
        if row < params.rows && column + i < params.columns {
            let z = v[i] + bias[column + i];
            preactivation[row * params.columns + column + i] = z;
            store(row * params.columns + column + i, activate(z));
        }
    }
}

fn store_dense_keep(row: u32, column: u32, block: mat4x4f) {
    dense_keep_row(row, column, block[0]);
    dense_keep_row(row + 1u, column, block[1]);
    dense_keep_row(row + 2u, column, block[2]);
    dense_keep_row(row + 3u, column, block[3]);
}

// C = (A·B) * f'(kept): the gradient passes the layer below's activation on the way out.
fn slope_row(row: u32, column: u32, v: vec4f) {
    for (var i = 0u; i < 4u; i++) {
        if row < params.rows && column + i < params.columns {
            let at = row * params.columns + column + i;
            store(at, v[i] * activation_slope(kept[at]));
        }
    }
}

fn store_slope(row: u32, column: u32, block: mat4x4f) {
    slope_row(row, column, block[0]);
    slope_row(row + 1u, column, block[1]);
    slope_row(row + 2u, column, block[2]);
    slope_row(row + 3u, column, block[3]);
}
