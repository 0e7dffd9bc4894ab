// Matrix product, variant `tile`: a workgroup makes TILE x TILE of C from tiles in workgroup memory.
//
// For GPUs, in sizes. With HALVES = 1 an invocation makes 4 x 4 of C: of each step of depth it reads two vec4 of
// workgroup memory and makes 16 multiply-adds of them. With HALVES = 2 it makes 8 x 8, and four vec4 feed 64; its rows
// and columns come in two halves of four, TILE / 2 apart, so that the vec4s which neighbouring invocations read lie side
// by side and meet no conflict.
//
//     TILE  HALVES  invocations  depth of a stage  workgroup memory
//      128       2          256                 8             8 KiB
//       64       2           64                 8             4 KiB
//       64       1          256                16             8 KiB
//       32       1           64                16             4 KiB
//
// Some invocations stage the tile of A and as many that of B, a block of 4 x 4 each. Both lie in workgroup memory as
// [k][four rows, or columns], so that a step of depth is the sum of an outer product. Joined behind lib/stable.wgsl,
// lib/finite.wgsl, lib/activation.wgsl, lib/matmul.wgsl, the operands and lib/epilogue.wgsl. The operands are
// lib/dense.wgsl; or lib/conv.wgsl with lib/conv_down.wgsl, lib/conv_up.wgsl or lib/conv_weight.wgsl. Further entries
// follow where they are of use: those of layers, lib/tile_layer.wgsl; that of a gradient of weights,
// lib/tile_sums.wgsl, which wants lib/sums_beside.wgsl, and lib/row_sums.wgsl or lib/channel_sums.wgsl; and that which
// leads back through a sample, lib/tile_sample.wgsl, which wants lib/logvar.wgsl and lib/through_sample.wgsl.

override TILE: u32 = 64u;
override HALVES: u32 = 1u;

// Vec4s across a tile.
fn across() -> u32 {
    return TILE / 4u;
}

// Invocations along an edge of the workgroup, which is as far as a second half lies from the first, in vec4s.
fn edge() -> u32 {
    return across() / HALVES;
}

// Steps of depth to a stage.
fn stage() -> u32 {
    return 16u / HALVES;
}

// Invocations that stage one of the two.
fn staging() -> u32 {
    return across() * stage() / 4u;
}

var<workgroup> tile_a: array<vec4f, TILE / 4u * (16u / HALVES)>;
var<workgroup> tile_b: array<vec4f, TILE / 4u * (16u / HALVES)>;

// Which block an invocation stages: the vec4 across the tile, and four steps of depth. What lies side by side in memory,
// along depth or across, is what neighbouring invocations fetch.
fn staged_block(lane: u32, along_depth: bool) -> vec2u {
    let number = lane % staging();
    if along_depth {
        return vec2u(number / (stage() / 4u), number % (stage() / 4u));
    }
    return vec2u(number % across(), number / across());
}

// The quarters of an invocation's part of C: column j of each is its row j. With HALVES = 1 the first is all there is.
struct Tile {
    top_left: mat4x4f,
    top_right: mat4x4f,
    bottom_left: mat4x4f,
    bottom_right: mat4x4f,
}

// The tile after one more step of depth.
fn add_step(tile: Tile, step: u32, lane: u32) -> Tile {
    let a_at = step * across() + lane / edge();
    let b_at = step * across() + lane % edge();
    let a_top = tile_a[a_at];
    let b_left = tile_b[b_at];
    var sum = tile;
    sum.top_left = add_outer(tile.top_left, a_top, b_left);
    if HALVES > 1u {
        let a_bottom = tile_a[a_at + edge()];
        let b_right = tile_b[b_at + edge()];
        sum.top_right = add_outer(tile.top_right, a_top, b_right);
        sum.bottom_left = add_outer(tile.bottom_left, a_bottom, b_left);
        sum.bottom_right = add_outer(tile.bottom_right, a_bottom, b_right);
    }
    return sum;
}

// Each row of C starts from `left` and `right`.
fn multiply(at: Corner, lane: u32, left: vec4f, right: vec4f) -> Tile {
    let a_block = staged_block(lane, !TRANSPOSE_A);
    let b_block = staged_block(lane, TRANSPOSE_B);
    let rows = rows_at(at.part, at.row + 4u * a_block.x);
    let column = column_at(at.part, at.column + 4u * b_block.x);
    let begin = first_step(at.part);
    let end = begin + depth(at.part);
    var tile = Tile(mat4x4f(left, left, left, left), mat4x4f(right, right, right, right),
                    mat4x4f(left, left, left, left), mat4x4f(right, right, right, right));
    for (var k = begin; k < end; k += stage()) {
        if lane < staging() {
            let block = block_a(rows, k + 4u * a_block.y);
            let first = 4u * a_block.y * across() + a_block.x;
            tile_a[first] = block[0];
            tile_a[first + across()] = block[1];
            tile_a[first + 2u * across()] = block[2];
            tile_a[first + 3u * across()] = block[3];
        } else if lane < 2u * staging() {
            let block = block_b(k + 4u * b_block.y, column);
            let first = 4u * b_block.y * across() + b_block.x;
            tile_b[first] = block[0];
            tile_b[first + across()] = block[1];
            tile_b[first + 2u * across()] = block[2];
            tile_b[first + 3u * across()] = block[3];
        }
        workgroupBarrier();
        for (var step = 0u; step < stage(); step++) {
            tile = add_step(tile, step, lane);
        }
        workgroupBarrier();
    }
    return tile;
}

// Where an invocation's own part of C lies.
fn own(at: Corner, lane: u32) -> Corner {
    return Corner(at.part, at.row + lane / edge() * 4u, at.column + lane % edge() * 4u);
}

@compute @workgroup_size(TILE / (4u * HALVES) * (TILE / (4u * HALVES)))
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let at = corner(group, groups, TILE, TILE);
    let p = own(at, lane);
    let tile = multiply(at, lane, vec4f(), vec4f());
    store_product(p.part, p.row, p.column, tile.top_left);
    if HALVES > 1u {
        store_product(p.part, p.row, p.column + 4u * edge(), tile.top_right);
        store_product(p.part, p.row + 4u * edge(), p.column, tile.bottom_left);
        store_product(p.part, p.row + 4u * edge(), p.column + 4u * edge(), tile.bottom_right);
    }
}
