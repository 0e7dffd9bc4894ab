// Matrix product, variant `shuffle`: one subgroup of exactly 8 lanes makes 32 rows x 32 columns.
//
// For CPU drivers, where each load is a loop over the lanes and a shuffle by a constant lane is one
// instruction: a lane loads its share of A once and the others read it out of its registers, so that 8
// vec4 loads feed 512 multiply-adds. No workgroup memory, no barrier.
//
// Joined behind lib/stable.wgsl, lib/finite.wgsl, lib/activation.wgsl, lib/matmul.wgsl, the operands and
// lib/epilogue.wgsl. The operands are lib/dense.wgsl; or lib/conv.wgsl with lib/conv_down.wgsl,
// lib/conv_up.wgsl or lib/conv_weight.wgsl. What is summed beside a product is in lib/row_sums.wgsl, or with the last in
// lib/channel_sums.wgsl; the way out through a sample is lib/through_sample.wgsl, behind lib/logvar.wgsl.

// What is known of the rows of A that a lane loads. They are `lane`, `lane` + 8, `lane` + 16 and `lane` + 24;
// or, where A's lines run along depth, from each line the vec4 of rows 4 lane..4 lane + 4.
struct Rows {
    first: Row,
    second: Row,
    third: Row,
    fourth: Row,
}

fn rows_at(part: Part, row: u32, lane: u32) -> Rows {
    if TRANSPOSE_A {
        let four = row_at(part, row + 4u * lane);
        return Rows(four, four, four, four);
    }
    let at = row + lane;
    return Rows(row_at(part, at), row_at(part, at + 8u), row_at(part, at + 16u), row_at(part, at + 24u));
}

// A lane's share of the workgroup's 32 rows of A, for four steps of depth.
fn load_share(rows: Rows, k: u32) -> mat4x4f {
    if TRANSPOSE_A {
        let row = rows.first;
        return mat4x4f(load_a(row, k), load_a(row, k + 1u), load_a(row, k + 2u), load_a(row, k + 3u));
    }
    return mat4x4f(load_a(rows.first, k), load_a(rows.second, k), load_a(rows.third, k), load_a(rows.fourth, k));
}

// Rows 4q..4q+4 of the workgroup's 32, each as its vec4 along depth, gathered from the lanes that hold them.
fn rows_of(share: mat4x4f, q: u32) -> mat4x4f {
    if TRANSPOSE_A {
        return transpose(mat4x4f(subgroupShuffle(share[0], q), subgroupShuffle(share[1], q),
                                 subgroupShuffle(share[2], q), subgroupShuffle(share[3], q)));
    }
    let held = share[q / 2u];
    let l = q % 2u * 4u;
    return mat4x4f(subgroupShuffle(held, l), subgroupShuffle(held, l + 1u),
                   subgroupShuffle(held, l + 2u), subgroupShuffle(held, l + 3u));
}

fn position(group: vec3u, groups: vec3u, lane: u32) -> Corner {
    let at = corner(group, groups, 32u, 32u);
    return Corner(at.part, at.row, at.column + lane * 4u);
}

alias Tile = array<mat4x4f, 8>;

// Column j of the i-th matrix is row 4i + j of the result, at the lane's four columns. Each row starts
// from `start`.
fn multiply(p: Corner, lane: u32, start: vec4f) -> Tile {
    let rows = mat4x4f(start, start, start, start);
    var c = Tile(rows, rows, rows, rows, rows, rows, rows, rows);
    let rows_of_a = rows_at(p.part, p.row, lane);
    let column = column_at(p.part, p.column);
    let depth = depth(p.part);
    for (var k = 0u; k < depth; k += 4u) {
        let share = load_share(rows_of_a, k);
        let block = block_b(k, column);
        c[0] = multiply_add(c[0], block, rows_of(share, 0u));
        c[1] = multiply_add(c[1], block, rows_of(share, 1u));
        c[2] = multiply_add(c[2], block, rows_of(share, 2u));
        c[3] = multiply_add(c[3], block, rows_of(share, 3u));
        c[4] = multiply_add(c[4], block, rows_of(share, 4u));
        c[5] = multiply_add(c[5], block, rows_of(share, 5u));
        c[6] = multiply_add(c[6], block, rows_of(share, 6u));
        c[7] = multiply_add(c[7], block, rows_of(share, 7u));
    }
    return c;
}

// The tile moved up by four rows. A loop that stores tile[0] and moves up is compiled once, where eight
// stores in a row take a CPU driver most of a second, and a varying index takes twice the time to run.
fn moved_up(tile: Tile) -> Tile {
    return Tile(tile[1], tile[2], tile[3], tile[4], tile[5], tile[6], tile[7], tile[7]);
}

@compute @workgroup_size(8)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(subgroup_invocation_id) lane: u32) {
    let p = position(group, groups, lane);
    var tile = multiply(p, lane, vec4f());
    for (var row = p.row; row < p.row + 32u; row += 4u) {
        store_product(p.part, row, p.column, tile[0]);
        tile = moved_up(tile);
    }
}

@compute @workgroup_size(8)
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(subgroup_invocation_id) lane: u32) {
    let p = position(group, groups, lane);
    var tile = multiply(p, lane, biases(p.column));
    for (var row = p.row; row < p.row + 32u; row += 4u) {
        store_dense(p.part, row, p.column, tile[0]);
        tile = moved_up(tile);
    }
}

@compute @workgroup_size(8)
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(subgroup_invocation_id) lane: u32) {
    let p = position(group, groups, lane);
    var tile = multiply(p, lane, biases(p.column));
    for (var row = p.row; row < p.row + 32u; row += 4u) {
        store_dense_keep(p.part, row, p.column, tile[0]);
        tile = moved_up(tile);
    }
}

@compute @workgroup_size(8)
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(subgroup_invocation_id) lane: u32) {
    let p = position(group, groups, lane);
    var tile = multiply(p, lane, vec4f());
    for (var row = p.row; row < p.row + 32u; row += 4u) {
        store_slope(p.part, row, p.column, tile[0]);
        tile = moved_up(tile);
    }
}

@compute @workgroup_size(8)
fn product_sums(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(subgroup_invocation_id) lane: u32) {
    let p = position(group, groups, lane);
    var tile = multiply(p, lane, vec4f());
    for (var row = p.row; row < p.row + 32u; row += 4u) {
        store_product(p.part, row, p.column, tile[0]);
        tile = moved_up(tile);
    }
    if p.column == lane * 4u {
        store_row_sums(p.part, p.row + lane * 4u, sum_rows(p.part, p.row + lane * 4u, 0u, 1u));
    }
}

@compute @workgroup_size(8)
fn product_sample(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                  @builtin(subgroup_invocation_id) lane: u32) {
    let p = position(group, groups, lane);
    var tile = multiply(p, lane, vec4f());
    for (var row = p.row; row < p.row + 32u; row += 4u) {
        store_sample(p.part, row, p.column, tile[0]);
        tile = moved_up(tile);
    }
}
