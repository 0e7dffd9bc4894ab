// The entry that leads back through a sample. Joined behind matmul_tile.wgsl and lib/through_sample.wgsl.

@compute @workgroup_size(TILE / (4u * HALVES) * (TILE / (4u * HALVES)))
fn product_sample(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                  @builtin(local_invocation_index) lane: u32) {
    let at = corner(group, groups, TILE, TILE);
    let p = own(at, lane);
    let tile = multiply(at, lane, vec4f(), vec4f());
    store_sample(p.part, p.row, p.column, tile.top_left);
    if HALVES > 1u {
        store_sample(p.part, p.row, p.column + 4u * edge(), tile.top_right);
        store_sample(p.part, p.row + 4u * edge(), p.column, tile.bottom_left);
        store_sample(p.part, p.row + 4u * edge(), p.column + 4u * edge(), tile.bottom_right);
    }
}
