// The entry of a weight's gradient, which brings that of the bias along. Joined behind matmul_register.wgsl, and behind what it
// sums: lib/row_sums.wgsl or lib/channel_sums.wgsl.

@compute @workgroup_size(8)
fn product_sums(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    var quarters = multiply(p, vec4f(), vec4f());
    for (var i = 0u; i < 4u; i++) {
        let at = quarter(p, i);
        store_product(at.part, at.row, at.column, quarters[i]);
    }
    // The first two lanes of the workgroups on the left have four rows each.
    if p.column == lane * 8u && lane < 2u {
        store_row_sums(p.part, p.row + lane * 4u, sum_rows(p.part, p.row + lane * 4u, 0u, 1u));
    }
}
