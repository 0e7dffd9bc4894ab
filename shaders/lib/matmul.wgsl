// What every matrix-product variant shares, whatever its operands are: where a workgroup's tile lies, and
// the arithmetic.
//
//     C[rows, columns] = A[rows, depth] · B[depth, columns]
//
// A variant sees A and B through a fragment of operands, which stands behind this one: lib/dense.wgsl has
// them in memory as they are; lib/conv_down.wgsl, lib/conv_up.wgsl and lib/conv_weight.wgsl see them in images.
// Such a fragment offers
//
//     Row, row_at, Column, column_at   what is known of a row or column before the loop over depth
//     load_a, load_b                   four neighbours along the axis that is contiguous in memory
//     block_b                          the 4 x 4 block B[k..k+4, column..column+4], whose column i is row k + i
//     first_step, depth, place         at which k the product begins, how deep it is, and where a row of C lies
//     part_and_tile                    which of its parts and tiles, where there are several such products
//     Part, part_at, number_of         what is known of a part
//
// Contiguous is depth where TRANSPOSE_A = false and TRANSPOSE_B = true, the rows or columns otherwise.
// ALIGNED_A and ALIGNED_B promise that what is contiguous comes in multiples of four; without it each component
// is fetched on its own. Everything outside a matrix reads as zero.

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override ALIGNED_A: bool = true;
override ALIGNED_B: bool = true;

struct Corner {
    part: Part,
    row: u32,
    column: u32,
}

// The first row and column of a workgroup's tile, which is `rows` x `columns`, in the product `part`.
fn corner(group: vec3u, groups: vec3u, rows: u32, columns: u32) -> Corner {
    let across = (params.columns + columns - 1u) / columns;
    let down = (params.rows + rows - 1u) / rows;
    let found = part_and_tile(group.x + group.y * groups.x, across * down);
    return Corner(part_at(found.x), found.y / across * rows, found.y % across * columns);
}

// A row of C in memory: its first element, and whether there is such a row.
struct Place {
    first: u32,
    inside: bool,
}

// What is known of four rows of A.
struct Rows {
    first: Row,
    second: Row,
    third: Row,
    fourth: Row,
}

fn rows_at(part: Part, row: u32) -> Rows {
    return Rows(row_at(part, row), row_at(part, row + 1u), row_at(part, row + 2u), row_at(part, row + 3u));
}

// Four rows of A, each as its vec4 along depth.
fn load_rows(rows: Rows, k: u32) -> mat4x4f {
    if TRANSPOSE_A {
        let row = rows.first;
        return transpose(mat4x4f(load_a(row, k), load_a(row, k + 1u), load_a(row, k + 2u), load_a(row, k + 3u)));
    }
    return mat4x4f(load_a(rows.first, k), load_a(rows.second, k), load_a(rows.third, k), load_a(rows.fourth, k));
}

// The 4 x 4 block A[rows, k..k+4]: column i is what the rows have at k + i.
fn block_a(rows: Rows, k: u32) -> mat4x4f {
    if TRANSPOSE_A {
        let row = rows.first;
        return mat4x4f(load_a(row, k), load_a(row, k + 1u), load_a(row, k + 2u), load_a(row, k + 3u));
    }
    return transpose(load_rows(rows, k));
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

// c + a b, the outer product: column i of the result is row i.
fn add_outer(c: mat4x4f, a: vec4f, b: vec4f) -> mat4x4f {
    return mat4x4f(fma(a.xxxx, b, c[0]), fma(a.yyyy, b, c[1]), fma(a.zzzz, b, c[2]), fma(a.wwww, b, c[3]));
}
