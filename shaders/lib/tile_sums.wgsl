// The entry of a weight's gradient, which brings that of the bias along. Joined behind matmul_tile.wgsl, and behind what it
// sums: lib/row_sums.wgsl or lib/channel_sums.wgsl.

// The workgroups on the left sum the rows of A: the invocations for each four rows share the depth, and one of them adds
// up what they found, in order.
@compute @workgroup_size(TILE / (4u * HALVES) * (TILE / (4u * HALVES)))
fn product_sums(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
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
    if at.column == 0u {
        let row = at.row + lane % across() * 4u;
        tile_a[lane] = sum_rows(at.part, row, lane / across(), edge() * edge() / across());
        workgroupBarrier();
        if lane < across() {
            var sums = vec4f();
            for (var share = lane; share < edge() * edge(); share += across()) {
                sums += tile_a[share];
            }
            store_row_sums(at.part, row, sums);
        }
    }
}
