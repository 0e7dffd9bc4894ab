// Matrix product, variant `shuffle`: one subgroup of exactly 8 lanes makes 32 rows x 32 columns.
//
// For CPU drivers, where each load is a loop over the lanes and a shuffle by a constant lane is one
// instruction: a lane loads its share of A once and the others read it out of its registers, so that 8
// vec4 loads feed 512 multiply-adds. No workgroup memory, no barrier. Joined behind lib/stable.wgsl,
// lib/activation.wgsl, lib/matmul.wgsl and lib/epilogue.wgsl.

// A lane's share of the workgroup's 32 rows of A, for four steps of depth.
fn load_share(row: u32, k: u32, lane: u32) -> mat4x4f {
    if TRANSPOSE_A {
        // A's lines run along depth: from each of the four, the lane takes rows 4 lane..4 lane + 4.
        let at = row + 4u * lane;
        return mat4x4f(load_a(k, at), load_a(k + 1u, at), load_a(k + 2u, at), load_a(k + 3u, at));
    }
    // Rows lane, lane + 8, lane + 16, lane + 24.
    let at = row + lane;
    return mat4x4f(load_a(at, k), load_a(at + 8u, k), load_a(at + 16u, k), load_a(at + 24u, k));
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

struct Position {
    row: u32,
    column: u32,
    lane: u32,
}

fn position(group: vec3u, groups: vec3u, lane: u32) -> Position {
    let tile = group.x + group.y * groups.x;
    let across = (params.columns + 31u) / 32u;
    return Position(tile / across * 32u, tile % across * 32u + lane * 4u, lane);
}

alias Tile = array<mat4x4f, 8>;

// Column j of the i-th matrix is row 4i + j of the result, at the lane's four columns. Each row starts
// from `start`.
fn multiply(p: Position, start: vec4f) -> Tile {
    let rows = mat4x4f(start, start, start, start);
    var c = Tile(rows, rows, rows, rows, rows, rows, rows, rows);
    for (var k = 0u; k < params.depth; k += 4u) {
        let share = load_share(p.row, k, p.lane);
        let block = block_b(k, p.column);
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
    var tile = multiply(p, vec4f());
    for (var row = p.row; row < p.row + 32u; row += 4u) {
        store_product(row, p.column, tile[0]);
        tile = moved_up(tile);
    }
}

@compute @workgroup_size(8)
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(subgroup_invocation_id) lane: u32) {
    let p = position(group, groups, lane);
    var tile = multiply(p, biases(p.column));
    for (var row = p.row; row < p.row + 32u; row += 4u) {
        store_dense(row, p.column, tile[0]);
        tile = moved_up(tile);
    }
}

@compute @workgroup_size(8)
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(subgroup_invocation_id) lane: u32) {
    let p = position(group, groups, lane);
    var tile = multiply(p, biases(p.column));
    for (var row = p.row; row < p.row + 32u; row += 4u) {
        store_dense_keep(row, p.column, tile[0]);
        tile = moved_up(tile);
    }
}

@compute @workgroup_size(8)
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(subgroup_invocation_id) lane: u32) {
    let p = position(group, groups, lane);
    var tile = multiply(p, vec4f());
    for (var row = p.row; row < p.row + 32u; row += 4u) {
        store_slope(row, p.column, tile[0]);
        tile = moved_up(tile);
    }
}
