// The operands of a dense product, for the matrix-product variants. Joined behind lib/matmul.wgsl.
//
//     C[rows, columns] = op(A) · op(B)          all row-major, f32
//
//     TRANSPOSE_A = false: A is [rows, depth]      true: A is [depth, rows]
//     TRANSPOSE_B = false: B is [depth, columns]   true: B is [columns, depth]
//
// Each may be part of a larger matrix: then its lines begin further apart than they are long.

struct Params {
    rows: u32,
    columns: u32,
    depth: u32,
    /// Numbers from the beginning of a line of A to that of the next; of B; of C, and of what is kept beside C.
    a_line: u32,
    b_line: u32,
    c_line: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// A, [rows, depth] or [depth, rows].
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
/// B, [depth, columns] or [columns, depth].
@group(0) @binding(2) var<storage, read> b: array<vec4f>;

alias Row = u32;
alias Column = u32;
// There is but one.
alias Part = u32;

fn part_at(number: u32) -> Part {
    return number;
}

fn row_at(part: Part, row: u32) -> Row {
    return row;
}

fn column_at(part: Part, column: u32) -> Column {
    return column;
}

fn part_and_tile(number: u32, tiles: u32) -> vec2u {
    return vec2u(0u, number);
}

fn depth(part: Part) -> u32 {
    return params.depth;
}

fn place(part: Part, row: u32) -> Place {
    return Place(row * params.c_line, row < params.rows);
}

fn load_a(row: Row, k: u32) -> vec4f {
    let line = select(row, k, TRANSPOSE_A);
    let at = select(k, row, TRANSPOSE_A);
    let lines = select(params.rows, params.depth, TRANSPOSE_A);
    let width = select(params.depth, params.rows, TRANSPOSE_A);
    let first = line * params.a_line + at;
    if ALIGNED_A {
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

fn load_b(k: u32, column: Column) -> vec4f {
    let line = select(k, column, TRANSPOSE_B);
    let at = select(column, k, TRANSPOSE_B);
    let lines = select(params.depth, params.columns, TRANSPOSE_B);
    let width = select(params.columns, params.depth, TRANSPOSE_B);
    let first = line * params.b_line + at;
    if ALIGNED_B {
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

fn block_b(k: u32, column: Column) -> mat4x4f {
    if TRANSPOSE_B {
        return transpose(mat4x4f(load_b(k, column), load_b(k, column + 1u),
                                 load_b(k, column + 2u), load_b(k, column + 3u)));
    }
    return mat4x4f(load_b(k, column), load_b(k + 1u, column),
                   load_b(k + 2u, column), load_b(k + 3u, column));
}
