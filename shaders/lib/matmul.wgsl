// What every matrix-product variant shares: operands, guarded loads, and the arithmetic.
//
//     C[rows, columns] = op(A) · op(B)          all row-major, f32
//
//     TRANSPOSE_A = false: A is [rows, depth]      true: A is [depth, rows]
//     TRANSPOSE_B = false: B is [depth, columns]   true: B is [columns, depth]
//
// Loads are vec4 along the contiguous axis. ALIGNED promises that both contiguous extents, and for
// product_slope the columns, are multiples of four; without it each component is fetched on its own.
// Everything outside a matrix reads as zero.

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override ALIGNED: bool = true;

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

// One row of c + b · a: a's four numbers weigh b's four rows. Written out, because matrix * matrix costs a
// GPU one addition in five that fma saves.
fn add_row(c: vec4f, b: mat4x4f, a: vec4f) -> vec4f {
    return fma(a.wwww, b[3], fma(a.zzzz, b[2], fma(a.yyyy, b[1], fma(a.xxxx, b[0], c))));
}

// c + b · a, each column i of which is row i of a 4 x 4 block of C.
fn multiply_add(c: mat4x4f, b: mat4x4f, a: mat4x4f) -> mat4x4f {
    return mat4x4f(add_row(c[0], b, a[0]), add_row(c[1], b, a[1]), add_row(c[2], b, a[2]), add_row(c[3], b, a[3]));
}
