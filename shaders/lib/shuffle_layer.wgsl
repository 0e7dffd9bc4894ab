// The entries of a layer: an activation stands behind the product, or the slope of the one below. Joined behind
// matmul_shuffle.wgsl.

@compute @workgroup_size(8)
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(subgroup_invocation_id) lane: u32) {
    let at = corner(group, groups, 32u * HALVES, 32u);
    let p = own(at, lane);
    var c = multiply(at, lane, biases(p.column));
    for (var row = p.row; row < p.row + 32u * HALVES; row += 4u) {
        store_dense(p.part, row, p.column, c.top[0]);
        c = moved_up(c);
    }
}

@compute @workgroup_size(8)
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(subgroup_invocation_id) lane: u32) {
    let at = corner(group, groups, 32u * HALVES, 32u);
    let p = own(at, lane);
    var c = multiply(at, lane, biases(p.column));
    for (var row = p.row; row < p.row + 32u * HALVES; row += 4u) {
        store_dense_keep(p.part, row, p.column, c.top[0]);
        c = moved_up(c);
    }
}

@compute @workgroup_size(8)
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(subgroup_invocation_id) lane: u32) {
    let at = corner(group, groups, 32u * HALVES, 32u);
    let p = own(at, lane);
    var c = multiply(at, lane, vec4f());
    for (var row = p.row; row < p.row + 32u * HALVES; row += 4u) {
        store_slope(p.part, row, p.column, c.top[0]);
        c = moved_up(c);
    }
}
