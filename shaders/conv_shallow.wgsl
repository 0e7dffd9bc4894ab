// Convolution of an image of at most four channels: a lane makes four neighbouring pixels of a line.
//
// Every number of the image is read once and serves all pixels, and 16 channels. Joined behind lib/stable.wgsl,
// lib/finite.wgsl, lib/activation.wgsl, lib/matmul.wgsl, lib/conv.wgsl, lib/conv_down.wgsl, lib/conv_sides.wgsl,
// lib/conv_line.wgsl, lib/epilogue_four.wgsl and lib/conv_sixteen.wgsl.

fn product_four(lane: Lane, column: u32, c: mat4x4f) {
    for (var i = 0u; i < 4u; i++) {
        if i < lane.count && column < OUT_CHANNELS {
            write_four(((lane.row + i) * OUT_CHANNELS + column) / 4u, c[i]);
        }
    }
}

fn product_sixteen(lane: Lane, column: u32) {
    let c = sixteen(lane, column, Sixteen());
    product_four(lane, column, c.first);
    product_four(lane, column + 4u, c.second);
    product_four(lane, column + 8u, c.third);
    product_four(lane, column + 12u, c.fourth);
}

@compute @workgroup_size(64)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) index: u32) {
    let lane = four_pixels(group, groups, index);
    let column = first_column(group, groups);
    product_sixteen(lane, column);
    if SIXTEENS > 1u {
        product_sixteen(lane, column + 16u);
    }
}

fn dense_four(lane: Lane, column: u32, c: mat4x4f) {
    for (var i = 0u; i < 4u; i++) {
        if i < lane.count && column < OUT_CHANNELS {
            write_dense(((lane.row + i) * OUT_CHANNELS + column) / 4u, c[i]);
        }
    }
}

fn dense_sixteen(lane: Lane, column: u32) {
    let c = sixteen(lane, column, all_biases(column));
    dense_four(lane, column, c.first);
    dense_four(lane, column + 4u, c.second);
    dense_four(lane, column + 8u, c.third);
    dense_four(lane, column + 12u, c.fourth);
}

@compute @workgroup_size(64)
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) index: u32) {
    let lane = four_pixels(group, groups, index);
    let column = first_column(group, groups);
    dense_sixteen(lane, column);
    if SIXTEENS > 1u {
        dense_sixteen(lane, column + 16u);
    }
}

fn dense_keep_four(lane: Lane, column: u32, c: mat4x4f) {
    for (var i = 0u; i < 4u; i++) {
        if i < lane.count && column < OUT_CHANNELS {
            write_dense_keep(((lane.row + i) * OUT_CHANNELS + column) / 4u, c[i]);
        }
    }
}

fn dense_keep_sixteen(lane: Lane, column: u32) {
    let c = sixteen(lane, column, all_biases(column));
    dense_keep_four(lane, column, c.first);
    dense_keep_four(lane, column + 4u, c.second);
    dense_keep_four(lane, column + 8u, c.third);
    dense_keep_four(lane, column + 12u, c.fourth);
}

@compute @workgroup_size(64)
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(local_invocation_index) index: u32) {
    let lane = four_pixels(group, groups, index);
    let column = first_column(group, groups);
    dense_keep_sixteen(lane, column);
    if SIXTEENS > 1u {
        dense_keep_sixteen(lane, column + 16u);
    }
}

fn product_slope_four(lane: Lane, column: u32, c: mat4x4f) {
    for (var i = 0u; i < 4u; i++) {
        if i < lane.count && column < OUT_CHANNELS {
            write_slope(((lane.row + i) * OUT_CHANNELS + column) / 4u, c[i]);
        }
    }
}

fn product_slope_sixteen(lane: Lane, column: u32) {
    let c = sixteen(lane, column, Sixteen());
    product_slope_four(lane, column, c.first);
    product_slope_four(lane, column + 4u, c.second);
    product_slope_four(lane, column + 8u, c.third);
    product_slope_four(lane, column + 12u, c.fourth);
}

@compute @workgroup_size(64)
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) index: u32) {
    let lane = four_pixels(group, groups, index);
    let column = first_column(group, groups);
    product_slope_sixteen(lane, column);
    if SIXTEENS > 1u {
        product_slope_sixteen(lane, column + 16u);
    }
}
