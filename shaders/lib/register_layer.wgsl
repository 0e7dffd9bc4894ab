// The entries of a layer: an activation stands behind the product, or the slope of the one below. Joined behind
// matmul_register.wgsl.

@compute @workgroup_size(8)
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    let tile = multiply(p, biases(p.column), biases(p.column + 4u));
    store_dense(p.part, p.row, p.column, tile.top_left);
    store_dense(p.part, p.row, p.column + 4u, tile.top_right);
    store_dense(p.part, p.row + 4u, p.column, tile.bottom_left);
    store_dense(p.part, p.row + 4u, p.column + 4u, tile.bottom_right);
}

@compute @workgroup_size(8)
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    let tile = multiply(p, biases(p.column), biases(p.column + 4u));
    store_dense_keep(p.part, p.row, p.column, tile.top_left);
    store_dense_keep(p.part, p.row, p.column + 4u, tile.top_right);
    store_dense_keep(p.part, p.row + 4u, p.column, tile.bottom_left);
    store_dense_keep(p.part, p.row + 4u, p.column + 4u, tile.bottom_right);
}

@compute @workgroup_size(8)
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    let tile = multiply(p, vec4f(), vec4f());
    store_slope(p.part, p.row, p.column, tile.top_left);
    store_slope(p.part, p.row, p.column + 4u, tile.top_right);
    store_slope(p.part, p.row + 4u, p.column, tile.bottom_left);
    store_slope(p.part, p.row + 4u, p.column + 4u, tile.bottom_right);
}
