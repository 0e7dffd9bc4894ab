// Matrix product, variant `register`: a lane makes 8 x 8 of C out of registers alone.
//
// No workgroup memory, no barrier, no feature: runs everywhere and suits CPU drivers, where 16 vec4 loads
// feed 256 multiply-adds. A workgroup of 8 lanes covers 8 rows x 64 columns. Joined behind lib/stable.wgsl,
// lib/activation.wgsl, lib/matmul.wgsl and lib/epilogue.wgsl.

struct Position {
    row: u32,
    column: u32,
}

fn position(group: vec3u, groups: vec3u, lane: u32) -> Position {
    let tile = group.x + group.y * groups.x;
    let across = (params.columns + 63u) / 64u;
    return Position(tile / across * 8u, tile % across * 64u + lane * 8u);
}

// Four rows of A from `row`, each as its vec4 along depth.
fn rows_of(row: u32, k: u32) -> mat4x4f {
    if TRANSPOSE_A {
        return transpose(mat4x4f(load_a(k, row), load_a(k + 1u, row), load_a(k + 2u, row), load_a(k + 3u, row)));
    }
    return mat4x4f(load_a(row, k), load_a(row + 1u, k), load_a(row + 2u, k), load_a(row + 3u, k));
}

// The four 4 x 4 quarters; column j of a quarter is row j of its part of C.
struct Tile {
    top_left: mat4x4f,
    top_right: mat4x4f,
    bottom_left: mat4x4f,
    bottom_right: mat4x4f,
}

// The rows of C start from `left_start` and `right_start`.
fn multiply(p: Position, left_start: vec4f, right_start: vec4f) -> Tile {
    let left_rows = mat4x4f(left_start, left_start, left_start, left_start);
    let right_rows = mat4x4f(right_start, right_start, right_start, right_start);
    var tile = Tile(left_rows, right_rows, left_rows, right_rows);
    for (var k = 0u; k < params.depth; k += 4u) {
        let left = block_b(k, p.column);
        let right = block_b(k, p.column + 4u);
        let top = rows_of(p.row, k);
        tile.top_left = multiply_add(tile.top_left, left, top);
        tile.top_right = multiply_add(tile.top_right, right, top);
        let bottom = rows_of(p.row + 4u, k);
        tile.bottom_left = multiply_add(tile.bottom_left, left, bottom);
        tile.bottom_right = multiply_add(tile.bottom_right, right, bottom);
    }
    return tile;
}

@compute @workgroup_size(8)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    let tile = multiply(p, vec4f(), vec4f());
    store_product(p.row, p.column, tile.top_left);
    store_product(p.row, p.column + 4u, tile.top_right);
    store_product(p.row + 4u, p.column, tile.bottom_left);
    store_product(p.row + 4u, p.column + 4u, tile.bottom_right);
}

@compute @workgroup_size(8)
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    let tile = multiply(p, biases(p.column), biases(p.column + 4u));
    store_dense(p.row, p.column, tile.top_left);
    store_dense(p.row, p.column + 4u, tile.top_right);
    store_dense(p.row + 4u, p.column, tile.bottom_left);
    store_dense(p.row + 4u, p.column + 4u, tile.bottom_right);
}

@compute @workgroup_size(8)
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    let tile = multiply(p, biases(p.column), biases(p.column + 4u));
    store_dense_keep(p.row, p.column, tile.top_left);
    store_dense_keep(p.row, p.column + 4u, tile.top_right);
    store_dense_keep(p.row + 4u, p.column, tile.bottom_left);
    store_dense_keep(p.row + 4u, p.column + 4u, tile.bottom_right);
}

@compute @workgroup_size(8)
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    let tile = multiply(p, vec4f(), vec4f());
    store_slope(p.row, p.column, tile.top_left);
    store_slope(p.row, p.column + 4u, tile.top_right);
    store_slope(p.row + 4u, p.column, tile.bottom_left);
    store_slope(p.row + 4u, p.column + 4u, tile.bottom_right);
}
