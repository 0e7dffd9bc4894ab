// The entries of a layer: an activation stands behind the product, or the slope of the one below. Joined behind
// matmul_tile.wgsl.

@compute @workgroup_size(TILE / (4u * HALVES) * (TILE / (4u * HALVES)))
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let at = corner(group, groups, TILE, TILE);
    let p = own(at, lane);
    let tile = multiply(at, lane, biases(p.column), biases(p.column + 4u * edge()));
    store_dense(p.part, p.row, p.column, tile.top_left);
    if HALVES > 1u {
        store_dense(p.part, p.row, p.column + 4u * edge(), tile.top_right);
        store_dense(p.part, p.row + 4u * edge(), p.column, tile.bottom_left);
        store_dense(p.part, p.row + 4u * edge(), p.column + 4u * edge(), tile.bottom_right);
    }
}

@compute @workgroup_size(TILE / (4u * HALVES) * (TILE / (4u * HALVES)))
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(local_invocation_index) lane: u32) {
    let at = corner(group, groups, TILE, TILE);
    let p = own(at, lane);
    let tile = multiply(at, lane, biases(p.column), biases(p.column + 4u * edge()));
    store_dense_keep(p.part, p.row, p.column, tile.top_left);
    if HALVES > 1u {
        store_dense_keep(p.part, p.row, p.column + 4u * edge(), tile.top_right);
        store_dense_keep(p.part, p.row + 4u * edge(), p.column, tile.bottom_left);
        store_dense_keep(p.part, p.row + 4u * edge(), p.column + 4u * edge(), tile.bottom_right);
    }
}

@compute @workgroup_size(TILE / (4u * HALVES) * (TILE / (4u * HALVES)))
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) lane: u32) {
    let at = corner(group, groups, TILE, TILE);
    let p = own(at, lane);
    let tile = multiply(at, lane, vec4f(), vec4f());
    store_slope(p.part, p.row, p.column, tile.top_left);
    if HALVES > 1u {
        store_slope(p.part, p.row, p.column + 4u * edge(), tile.top_right);
        store_slope(p.part, p.row + 4u * edge(), p.column, tile.bottom_left);
        store_slope(p.part, p.row + 4u * edge(), p.column + 4u * edge(), tile.bottom_right);
    }
}
