// Convolution of an image of at most four channels: a lane makes one pixel of 16 channels.
//
// Depth is short and seldom a multiple of four, and the tiles of the matrix-product variants are wider than the
// features. Here the kernel's shape is known when the pipeline is made, so that a driver unrolls the loops and
// finds each weight at a fixed place, the same for all lanes. Joined behind lib/stable.wgsl, lib/finite.wgsl,
// lib/activation.wgsl, lib/matmul.wgsl, lib/conv.wgsl, lib/conv_down.wgsl and lib/epilogue.wgsl.

override KERNEL_HEIGHT: u32 = 3u;
override KERNEL_WIDTH: u32 = 3u;
override CHANNELS: u32 = 1u;
// Channels of the features, where they are at most sixteen; otherwise a workgroup makes sixteen of them.
override OUT_CHANNELS: u32 = 16u;

fn position(group: vec3u, groups: vec3u, lane: u32) -> Corner {
    let at = corner(group, groups, 64u, 16u);
    return Corner(at.part, at.row + lane, select(0u, at.column, OUT_CHANNELS > 16u));
}

// Four filters at element k.
fn weights(column: u32, k: u32) -> vec4f {
    let length = KERNEL_HEIGHT * KERNEL_WIDTH * CHANNELS;
    var v = vec4f();
    for (var i = 0u; i < 4u; i++) {
        let at = min(column + i, OUT_CHANNELS - 1u) * length + k;
        v[i] = b[at / 4u][at % 4u];
    }
    return v;
}

// Four channels of features, from `column` on. Each four go through the patch anew, which a driver sees to be
// the same, and which keeps the loops small enough for it to unroll.
fn four(row: Row, column: u32, start: vec4f) -> vec4f {
    var sum = start;
    for (var y = 0u; y < KERNEL_HEIGHT; y++) {
        for (var x = 0u; x < KERNEL_WIDTH; x++) {
            for (var channel = 0u; channel < CHANNELS; channel++) {
                let tap = Tap(y, x, channel);
                let pixel = one_of_a(place_in_image(row, tap), true);
                sum = fma(vec4f(pixel), weights(column, (y * KERNEL_WIDTH + x) * CHANNELS + channel), sum);
            }
        }
    }
    return sum;
}

// Sixteen channels; column i is channels 4i..4i + 4.
fn sixteen(p: Corner, start: mat4x4f) -> mat4x4f {
    let row = row_at(p.part, p.row);
    var c = start;
    c[0] = four(row, p.column, start[0]);
    if OUT_CHANNELS > 4u {
        c[1] = four(row, p.column + 4u, start[1]);
    }
    if OUT_CHANNELS > 8u {
        c[2] = four(row, p.column + 8u, start[2]);
    }
    if OUT_CHANNELS > 12u {
        c[3] = four(row, p.column + 12u, start[3]);
    }
    return c;
}

fn all_biases(column: u32) -> mat4x4f {
    return mat4x4f(biases(column), biases(column + 4u), biases(column + 8u), biases(column + 12u));
}

@compute @workgroup_size(64)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    var c = sixteen(p, mat4x4f());
    for (var i = 0u; i < 4u; i++) {
        let column = p.column + 4u * i;
        store_row(p.part, p.row, column, c[i]);
    }
}

@compute @workgroup_size(64)
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    var c = sixteen(p, all_biases(p.column));
    for (var i = 0u; i < 4u; i++) {
        let column = p.column + 4u * i;
        store_row(p.part, p.row, column, activate_row(c[i]));
    }
}

@compute @workgroup_size(64)
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    var c = sixteen(p, all_biases(p.column));
    for (var i = 0u; i < 4u; i++) {
        let column = p.column + 4u * i;
        keep_row(p.part, p.row, column, c[i]);
        store_row(p.part, p.row, column, activate_row(c[i]));
    }
}

@compute @workgroup_size(64)
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    var c = sixteen(p, mat4x4f());
    for (var i = 0u; i < 4u; i++) {
        let column = p.column + 4u * i;
        store_row(p.part, p.row, column, c[i] * slopes(p.part, p.row, column));
    }
}
