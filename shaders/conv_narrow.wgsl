// Convolution, up or down, to at most four channels: a lane makes 4 rows x 4 columns of C.
//
// The matrix-product variants have tiles of 32 columns and more, which would be empty. Nothing is shared here:
// four vec4 of A and one of B for each column feed up to 64 multiply-adds. Joined behind lib/stable.wgsl,
// lib/finite.wgsl, lib/activation.wgsl, lib/matmul.wgsl, lib/conv.wgsl, lib/conv_down.wgsl or lib/conv_up.wgsl
// and lib/epilogue.wgsl.

fn position(group: vec3u, groups: vec3u, lane: u32) -> Corner {
    let at = corner(group, groups, 256u, 4u);
    return Corner(at.part, at.row + lane * 4u, at.column);
}

// Column j of the result is row j. Each row starts from `start`.
fn multiply(p: Corner, start: vec4f) -> mat4x4f {
    let first = row_at(p.part, p.row);
    let second = row_at(p.part, p.row + 1u);
    let third = row_at(p.part, p.row + 2u);
    let fourth = row_at(p.part, p.row + 3u);
    let column = column_at(p.part, p.column);
    let depth = depth(p.part);
    var c = mat4x4f(start, start, start, start);
    for (var k = 0u; k < depth; k += 4u) {
        let rows = mat4x4f(load_a(first, k), load_a(second, k), load_a(third, k), load_a(fourth, k));
        c = multiply_add(c, block_b(k, column), rows);
    }
    return c;
}

@compute @workgroup_size(64)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    store_product(p.part, p.row, p.column, multiply(p, vec4f()));
}

@compute @workgroup_size(64)
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    store_dense(p.part, p.row, p.column, multiply(p, biases(p.column)));
}

@compute @workgroup_size(64)
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    store_dense_keep(p.part, p.row, p.column, multiply(p, biases(p.column)));
}

@compute @workgroup_size(64)
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    store_slope(p.part, p.row, p.column, multiply(p, vec4f()));
}
