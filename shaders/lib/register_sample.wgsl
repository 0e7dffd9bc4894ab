// The entry that leads back through a sample. Joined behind matmul_register.wgsl and lib/through_sample.wgsl.

@compute @workgroup_size(8)
fn product_sample(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                  @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    var quarters = multiply(p, vec4f(), vec4f());
    for (var i = 0u; i < 4u; i++) {
        let at = quarter(p, i);
        store_sample(at.part, at.row, at.column, quarters[i]);
    }
}
