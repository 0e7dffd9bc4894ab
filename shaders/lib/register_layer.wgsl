// The entries of a layer: an activation stands behind the product, or the slope of the one below. Joined behind
// matmul_register.wgsl.

@compute @workgroup_size(8)
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    var quarters = multiply(p, biases(p.column), biases(p.column + 4u));
    for (var i = 0u; i < 4u; i++) {
        let at = quarter(p, i);
        store_dense(at.part, at.row, at.column, quarters[i]);
    }
}

@compute @workgroup_size(8)
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    var quarters = multiply(p, biases(p.column), biases(p.column + 4u));
    for (var i = 0u; i < 4u; i++) {
        let at = quarter(p, i);
        store_dense_keep(at.part, at.row, at.column, quarters[i]);
    }
}

@compute @workgroup_size(8)
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    var quarters = multiply(p, vec4f(), vec4f());
    for (var i = 0u; i < 4u; i++) {
        let at = quarter(p, i);
        store_slope(at.part, at.row, at.column, quarters[i]);
    }
}
