// The entry that leads back through a sample. Joined behind matmul_register.wgsl and lib/through_sample.wgsl.

@compute @workgroup_size(8)
fn product_sample(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                  @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    let tile = multiply(p, vec4f(), vec4f());
    store_sample(p.part, p.row, p.column, tile.top_left);
    store_sample(p.part, p.row, p.column + 4u, tile.top_right);
    store_sample(p.part, p.row + 4u, p.column, tile.bottom_left);
    store_sample(p.part, p.row + 4u, p.column + 4u, tile.bottom_right);
}
