// Matrix product, variant `tile`: 256 invocations make 64 x 64 of C from tiles in workgroup memory.
//
// For GPUs. Per 16 steps of depth the workgroup stages 64 x 16 of A and 16 x 64 of B (8 KiB in all), each
// invocation fetching one vec4 of either; then each multiplies its 4 x 4 of C out of 8 vec4 reads of
// workgroup memory per 4 steps.
//
// Joined behind lib/stable.wgsl, lib/finite.wgsl, lib/activation.wgsl, lib/matmul.wgsl, the operands and
// lib/epilogue.wgsl. The operands are lib/dense.wgsl; or lib/conv.wgsl with lib/conv_down.wgsl,
// lib/conv_up.wgsl or lib/conv_weight.wgsl. What is summed beside a product is in lib/row_sums.wgsl, or with the last in
// lib/channel_sums.wgsl; the way out through a sample is lib/through_sample.wgsl, behind lib/logvar.wgsl.

// A's tile as [row][k / 4]: a vec4 runs along depth. One spare vec4 per row keeps the 4 rows that
// neighbouring invocations read in different banks.
const A_STRIDE = 5u;
var<workgroup> tile_a: array<vec4f, 320>;
// B's tile as [k][column / 4]: a vec4 runs along columns.
var<workgroup> tile_b: array<vec4f, 256>;

// Stages tile_a[0..64][k..k+16] and tile_b[k..k+16][0..64]; what lies along the contiguous axis in memory
// is what neighbouring invocations fetch. `row` and `column` are those that the invocation fetches.
fn stage(row: Row, column: Column, k: u32, lane: u32) {
    if TRANSPOSE_A {
        // The fetched vec4 runs along rows and is scattered over four of them.
        let line = lane / 16u;
        let v = load_a(row, k + line);
        for (var i = 0u; i < 4u; i++) {
            tile_a[(lane % 16u * 4u + i) * A_STRIDE + line / 4u][line % 4u] = v[i];
        }
    } else {
        tile_a[lane / 4u * A_STRIDE + lane % 4u] = load_a(row, k + lane % 4u * 4u);
    }
    if TRANSPOSE_B {
        // The fetched vec4 runs along depth and is scattered over four lines.
        let line = lane % 4u * 4u;
        let v = load_b(k + line, column);
        for (var i = 0u; i < 4u; i++) {
            tile_b[(line + i) * 16u + lane / 16u][lane / 4u % 4u] = v[i];
        }
    } else {
        tile_b[lane] = load_b(k + lane / 16u, column);
    }
}

// The invocation's 4 x 4 of C: rows lane / 16 * 4 + 0..4, columns lane % 16 * 4 + 0..4. Column j of the
// result is row j. Each row starts from `start`.
fn multiply(at: Corner, lane: u32, start: vec4f) -> mat4x4f {
    let fetched_row = row_at(at.part, at.row + select(lane / 4u, lane % 16u * 4u, TRANSPOSE_A));
    let fetched_column = column_at(at.part, at.column + select(lane % 16u * 4u, lane / 4u, TRANSPOSE_B));
    let row = lane / 16u * 4u * A_STRIDE;
    let column = lane % 16u;
    var c = mat4x4f(start, start, start, start);
    let depth = depth(at.part);
    for (var k = 0u; k < depth; k += 16u) {
        stage(fetched_row, fetched_column, k, lane);
        workgroupBarrier();
        for (var q = 0u; q < 4u; q++) {
            let a4 = mat4x4f(tile_a[row + q], tile_a[row + A_STRIDE + q],
                             tile_a[row + 2u * A_STRIDE + q], tile_a[row + 3u * A_STRIDE + q]);
            let line = q * 64u + column;
            let b4 = mat4x4f(tile_b[line], tile_b[line + 16u], tile_b[line + 32u], tile_b[line + 48u]);
            c = multiply_add(c, b4, a4);
        }
        workgroupBarrier();
    }
    return c;
}

@compute @workgroup_size(256)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let at = corner(group, groups, 64u, 64u);
    store_product(at.part, at.row + lane / 16u * 4u, at.column + lane % 16u * 4u, multiply(at, lane, vec4f()));
}

@compute @workgroup_size(256)
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let at = corner(group, groups, 64u, 64u);
    store_dense(at.part, at.row + lane / 16u * 4u, at.column + lane % 16u * 4u, multiply(at, lane, biases(at.column + lane % 16u * 4u)));
}

@compute @workgroup_size(256)
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(local_invocation_index) lane: u32) {
    let at = corner(group, groups, 64u, 64u);
    store_dense_keep(at.part, at.row + lane / 16u * 4u, at.column + lane % 16u * 4u, multiply(at, lane, biases(at.column + lane % 16u * 4u)));
}

@compute @workgroup_size(256)
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) lane: u32) {
    let at = corner(group, groups, 64u, 64u);
    store_slope(at.part, at.row + lane / 16u * 4u, at.column + lane % 16u * 4u, multiply(at, lane, vec4f()));
}

// The workgroups on the left sum the rows of A: 16 invocations for each four rows share the depth, and one of them adds
// up what they found, in order.
@compute @workgroup_size(256)
fn product_sums(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(local_invocation_index) lane: u32) {
    let at = corner(group, groups, 64u, 64u);
    store_product(at.part, at.row + lane / 16u * 4u, at.column + lane % 16u * 4u, multiply(at, lane, vec4f()));
    if at.column == 0u {
        let row = at.row + lane % 16u * 4u;
        tile_a[lane] = sum_rows(at.part, row, lane / 16u, 16u);
        workgroupBarrier();
        if lane < 16u {
            var sums = vec4f();
            for (var share = 0u; share < 16u; share++) {
                sums += tile_a[share * 16u + lane];
            }
            store_row_sums(at.part, row, sums);
        }
    }
}

@compute @workgroup_size(256)
fn product_sample(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                  @builtin(local_invocation_index) lane: u32) {
    let at = corner(group, groups, 64u, 64u);
    store_sample(at.part, at.row + lane / 16u * 4u, at.column + lane % 16u * 4u, multiply(at, lane, vec4f()));
}
