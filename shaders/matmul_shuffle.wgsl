// Matrix product, variant `shuffle`: one subgroup of exactly 8 lanes makes 32 rows x 32 columns.
//
// For CPU drivers, where each load is a loop over the lanes and a shuffle by a constant lane is one
// instruction: a lane loads its share of A once and the others read it out of its registers, so that 8
// vec4 loads feed 512 multiply-adds. No workgroup memory, no barrier.
//
// Joined behind lib/stable.wgsl, lib/finite.wgsl, lib/activation.wgsl, lib/matmul.wgsl, the operands and
// lib/epilogue.wgsl. The operands are lib/dense.wgsl; or lib/conv.wgsl with lib/conv_down.wgsl, lib/conv_up.wgsl or
// lib/conv_weight.wgsl. Further entries follow where they are of use: those of layers, lib/shuffle_layer.wgsl; that of
// a gradient of weights, lib/shuffle_sums.wgsl, which wants lib/sums_beside.wgsl, and lib/row_sums.wgsl or
// lib/channel_sums.wgsl; and that which leads back through a sample, lib/shuffle_sample.wgsl, which wants
// lib/logvar.wgsl and lib/through_sample.wgsl.

// 32 rows each: with two, a load of B feeds twice as many multiply-adds, and the code is twice as long.
override HALVES: u32 = 1u;

// What is known of the rows of A that a lane loads. They are `lane`, `lane` + 8, `lane` + 16 and `lane` + 24;
// or, where A's lines run along depth, from each line the vec4 of rows 4 lane..4 lane + 4.
struct SharedRows {
    first: Row,
    second: Row,
    third: Row,
    fourth: Row,
}

fn shared_rows_at(part: Part, row: u32, lane: u32) -> SharedRows {
    if TRANSPOSE_A {
        let four = row_at(part, row + 4u * lane);
        return SharedRows(four, four, four, four);
    }
    let at = row + lane;
    return SharedRows(row_at(part, at), row_at(part, at + 8u), row_at(part, at + 16u), row_at(part, at + 24u));
}

// A lane's share of the workgroup's 32 rows of A, for four steps of depth.
fn load_share(rows: SharedRows, k: u32) -> mat4x4f {
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

// Where a lane's own part of C lies.
fn own(at: Corner, lane: u32) -> Corner {
    return Corner(at.part, at.row, at.column + lane * 4u);
}

// 32 rows: column j of the i-th matrix is row 4i + j, at the lane's four columns.
alias Tile = array<mat4x4f, 8>;

// The rows of C, and 32 more behind them where HALVES is 2.
struct Halves {
    top: Tile,
    bottom: Tile,
}

fn add(tile: Tile, block: mat4x4f, share: mat4x4f) -> Tile {
    return Tile(multiply_add(tile[0], block, rows_of(share, 0u)), multiply_add(tile[1], block, rows_of(share, 1u)),
                multiply_add(tile[2], block, rows_of(share, 2u)), multiply_add(tile[3], block, rows_of(share, 3u)),
                multiply_add(tile[4], block, rows_of(share, 4u)), multiply_add(tile[5], block, rows_of(share, 5u)),
                multiply_add(tile[6], block, rows_of(share, 6u)), multiply_add(tile[7], block, rows_of(share, 7u)));
}

// Each row of C starts from `start`. All lanes have the same corner: what depends on the lane must not bound the loop, as a
// shuffle asks for all lanes.
fn multiply(at: Corner, lane: u32, start: vec4f) -> Halves {
    let rows = mat4x4f(start, start, start, start);
    let tile = Tile(rows, rows, rows, rows, rows, rows, rows, rows);
    var c = Halves(tile, tile);
    let top_rows = shared_rows_at(at.part, at.row, lane);
    let bottom_rows = shared_rows_at(at.part, at.row + 32u, lane);
    let column = column_at(at.part, at.column + lane * 4u);
    let begin = first_step(at.part);
    let end = begin + depth(at.part);
    for (var k = begin; k < end; k += 4u) {
        // All loads come first: between sums a CPU driver would move those out of its registers and back.
        let top = load_share(top_rows, k);
        var bottom = mat4x4f();
        if HALVES > 1u {
            bottom = load_share(bottom_rows, k);
        }
        let block = block_b(k, column);
        c.top = add(c.top, block, top);
        if HALVES > 1u {
            c.bottom = add(c.bottom, block, bottom);
        }
    }
    return c;
}

// All rows moved up by four. A loop that stores the first four and moves up is compiled once, where eight stores in a row
// take a CPU driver most of a second, and a varying index takes twice the time to run.
fn moved_up(c: Halves) -> Halves {
    let top = c.top;
    let bottom = c.bottom;
    return Halves(Tile(top[1], top[2], top[3], top[4], top[5], top[6], top[7], bottom[0]),
                  Tile(bottom[1], bottom[2], bottom[3], bottom[4], bottom[5], bottom[6], bottom[7], bottom[7]));
}

@compute @workgroup_size(8)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(subgroup_invocation_id) lane: u32) {
    let at = corner(group, groups, 32u * HALVES, 32u);
    let p = own(at, lane);
    var c = multiply(at, lane, vec4f());
    for (var row = p.row; row < p.row + 32u * HALVES; row += 4u) {
        store_product(p.part, row, p.column, c.top[0]);
        c = moved_up(c);
    }
}
