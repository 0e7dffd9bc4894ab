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
    /// Steps of depth to a part: `depth` where there is one part. Of several, a multiple of 64; each is a product of its
    /// own, [rows, columns] of C behind those of the part before.
    chunk: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// A, [rows, depth] or [depth, rows].
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
/// B, [depth, columns] or [columns, depth].
@group(0) @binding(2) var<storage, read> b: array<vec4f>;

// A row of A, and where A has it: its first number, or the place in a line that is its.
struct Row {
    row: u32,
    first: u32,
}

// A column of B, alike.
struct Column {
    column: u32,
    first: u32,
}

// Its number.
alias Part = u32;

fn number_of(part: Part) -> u32 {
    return part;
}

fn part_at(number: u32) -> Part {
    return number;
}

fn row_at(part: Part, row: u32) -> Row {
    return Row(row, select(row * params.a_line, row, TRANSPOSE_A));
}

fn column_at(part: Part, column: u32) -> Column {
    return Column(column, select(column, column * params.b_line, TRANSPOSE_B));
}

fn part_and_tile(number: u32, tiles: u32) -> vec2u {
    return vec2u(number / tiles, number % tiles);
}

fn first_step(part: Part) -> u32 {
    return part * params.chunk;
}

fn depth(part: Part) -> u32 {
    return min(params.chunk, params.depth - min(part * params.chunk, params.depth));
}

fn place(part: Part, row: u32) -> Place {
    return Place((part * params.rows + row) * params.c_line, row < params.rows && depth(part) > 0u);
}

fn load_a(row: Row, k: u32) -> vec4f {
    let first = row.first + select(k, k * params.a_line, TRANSPOSE_A);
    if ALIGNED_A {
        let inside = row.row < params.rows && k < params.depth;
        return select(vec4f(), a[select(0u, first / 4u, inside)], inside);
    }
    let across = select(0u, 1u, TRANSPOSE_A);
    var v = vec4f();
    for (var i = 0u; i < 4u; i++) {
        if row.row + i * across < params.rows && k + i * (1u - across) < params.depth {
            v[i] = a[(first + i) / 4u][(first + i) % 4u];
        }
    }
    return v;
}

fn load_b(k: u32, column: Column) -> vec4f {
    let first = column.first + select(k * params.b_line, k, TRANSPOSE_B);
    if ALIGNED_B {
        let inside = column.column < params.columns && k < params.depth;
        return select(vec4f(), b[select(0u, first / 4u, inside)], inside);
    }
    let across = select(1u, 0u, TRANSPOSE_B);
    var v = vec4f();
    for (var i = 0u; i < 4u; i++) {
        if column.column + i * across < params.columns && k + i * (1u - across) < params.depth {
            v[i] = b[(first + i) / 4u][(first + i) % 4u];
        }
    }
    return v;
}

// The column `by` further right, where lines of B run along depth.
fn further(column: Column, by: u32) -> Column {
    return Column(column.column + by, column.first + by * params.b_line);
}

fn block_b(k: u32, column: Column) -> mat4x4f {
    if TRANSPOSE_B {
        return transpose(mat4x4f(load_b(k, column), load_b(k, further(column, 1u)),
                                 load_b(k, further(column, 2u)), load_b(k, further(column, 3u))));
    }
    return mat4x4f(load_b(k, column), load_b(k + 1u, column),
                   load_b(k + 2u, column), load_b(k + 3u, column));
}
