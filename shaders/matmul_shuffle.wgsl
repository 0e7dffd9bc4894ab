// Matrix product, variant `shuffle`: one subgroup of exactly 8 lanes makes 16 rows x 32 columns.
//
// For CPU drivers, where each load is a loop over the lanes and a shuffle by a constant lane is one
// instruction: a lane loads its share of A once and the others read it out of its registers, so that 6
// vec4 loads feed 256 multiply-adds. No workgroup memory, no barrier. Joined behind lib/activation.wgsl
// and lib/matmul.wgsl.

// A lane's share of A for four steps of depth.
struct Share {
    low: vec4f,
    high: vec4f,
}

fn load_share(row: u32, k: u32, lane: u32) -> Share {
    if TRANSPOSE_A {
        // A's lines run along depth: lanes 0-3 take line k, lanes 4-7 line k + 1, four rows each.
        let at = row + 4u * (lane % 4u);
        return Share(load_a(k + lane / 4u, at), load_a(k + 2u + lane / 4u, at));
    }
    return Share(load_a(row + lane, k), load_a(row + 8u + lane, k));
}

// Rows 4q..4q+4 of the workgroup's 16, each as its vec4 along depth, gathered from the lanes that hold them.
fn rows_of(share: Share, q: u32) -> mat4x4f {
    if TRANSPOSE_A {
        return transpose(mat4x4f(subgroupShuffle(share.low, q), subgroupShuffle(share.low, q + 4u),
                                 subgroupShuffle(share.high, q), subgroupShuffle(share.high, q + 4u)));
    }
    if q < 2u {
        let l = 4u * q;
        return mat4x4f(subgroupShuffle(share.low, l), subgroupShuffle(share.low, l + 1u),
                       subgroupShuffle(share.low, l + 2u), subgroupShuffle(share.low, l + 3u));
    }
    let l = 4u * (q - 2u);
    return mat4x4f(subgroupShuffle(share.high, l), subgroupShuffle(share.high, l + 1u),
                   subgroupShuffle(share.high, l + 2u), subgroupShuffle(share.high, l + 3u));
}

struct Position {
    row: u32,
    column: u32,
    lane: u32,
}

fn position(group: vec3u, groups: vec3u, lane: u32) -> Position {
    let tile = group.x + group.y * groups.x;
    let across = (params.columns + 31u) / 32u;
    return Position(tile / across * 16u, tile % across * 32u + lane * 4u, lane);
}

// Column j of the i-th matrix is row 4i + j of the result, at the lane's four columns.
fn multiply(p: Position) -> array<mat4x4f, 4> {
    var c0 = mat4x4f();
    var c1 = mat4x4f();
    var c2 = mat4x4f();
    var c3 = mat4x4f();
    for (var k = 0u; k < params.depth; k += 4u) {
        let share = load_share(p.row, k, p.lane);
        let block = block_b(k, p.column);
        c0 += block * rows_of(share, 0u);
        c1 += block * rows_of(share, 1u);
        c2 += block * rows_of(share, 2u);
        c3 += block * rows_of(share, 3u);
    }
    return array<mat4x4f, 4>(c0, c1, c2, c3);
}

@compute @workgroup_size(8)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(subgroup_invocation_id) lane: u32) {
    let p = position(group, groups, lane);
    let tile = multiply(p);
    store_product(p.row, p.column, tile[0]);
    store_product(p.row + 4u, p.column, tile[1]);
    store_product(p.row + 8u, p.column, tile[2]);
    store_product(p.row + 12u, p.column, tile[3]);
}

@compute @workgroup_size(8)
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(subgroup_invocation_id) lane: u32) {
    let p = position(group, groups, lane);
    let tile = multiply(p);
    store_dense(p.row, p.column, tile[0]);
    store_dense(p.row + 4u, p.column, tile[1]);
    store_dense(p.row + 8u, p.column, tile[2]);
    store_dense(p.row + 12u, p.column, tile[3]);
}

@compute @workgroup_size(8)
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(subgroup_invocation_id) lane: u32) {
    let p = position(group, groups, lane);
    let tile = multiply(p);
    store_dense_keep(p.row, p.column, tile[0]);
    store_dense_keep(p.row + 4u, p.column, tile[1]);
    store_dense_keep(p.row + 8u, p.column, tile[2]);
    store_dense_keep(p.row + 12u, p.column, tile[3]);
}

@compute @workgroup_size(8)
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(subgroup_invocation_id) lane: u32) {
    let p = position(group, groups, lane);
    let tile = multiply(p);
    store_slope(p.row, p.column, tile[0]);
    store_slope(p.row + 4u, p.column, tile[1]);
    store_slope(p.row + 8u, p.column, tile[2]);
    store_slope(p.row + 12u, p.column, tile[3]);
}
