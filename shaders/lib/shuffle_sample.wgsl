// The entry that leads back through a sample. Joined behind matmul_shuffle.wgsl and lib/through_sample.wgsl.

@compute @workgroup_size(8)
fn product_sample(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                  @builtin(subgroup_invocation_id) lane: u32) {
    let at = corner(group, groups, 32u * HALVES, 32u);
    let p = own(at, lane);
    var c = multiply(at, lane, vec4f());
    for (var row = p.row; row < p.row + 32u * HALVES; row += 4u) {
        store_sample(p.part, row, p.column, c.top[0]);
        c = moved_up(c);
    }
}
