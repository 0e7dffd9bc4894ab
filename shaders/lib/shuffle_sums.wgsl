// The entry of a weight's gradient, which brings that of the bias along. Joined behind matmul_shuffle.wgsl, and behind what it
// sums: lib/row_sums.wgsl or lib/channel_sums.wgsl.

@compute @workgroup_size(8)
fn product_sums(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(subgroup_invocation_id) lane: u32) {
    let at = corner(group, groups, 32u * HALVES, 32u);
    let p = own(at, lane);
    var c = multiply(at, lane, vec4f());
    for (var row = p.row; row < p.row + 32u * HALVES; row += 4u) {
        store_product(p.part, row, p.column, c.top[0]);
        c = moved_up(c);
    }
    if p.column == lane * 4u {
        for (var row = p.row + lane * 4u; row < p.row + 32u * HALVES; row += 32u) {
            store_row_sums(p.part, row, sum_rows(p.part, row, 0u, 1u));
        }
    }
}
