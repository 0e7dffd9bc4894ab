// The entry of a weight's gradient, which brings that of the bias along. Joined behind matmul_register.wgsl, and behind what it
// sums: lib/row_sums.wgsl or lib/channel_sums.wgsl.

@compute @workgroup_size(8)
fn product_sums(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    let tile = multiply(p, vec4f(), vec4f());
    store_product(p.part, p.row, p.column, tile.top_left);
    store_product(p.part, p.row, p.column + 4u, tile.top_right);
    store_product(p.part, p.row + 4u, p.column, tile.bottom_left);
    store_product(p.part, p.row + 4u, p.column + 4u, tile.bottom_right);
    // The first two lanes of the workgroups on the left have four rows each.
    if p.column == lane * 8u && lane < 2u {
        store_row_sums(p.part, p.row + lane * 4u, sum_rows(p.part, p.row + lane * 4u, 0u, 1u));
    }
}
