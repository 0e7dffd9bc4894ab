// Max pooling in two dimensions.
//
//     forward:   y[n, r, c, k] = max of x[n, r S + i, c T + j, k] over i < WINDOW_HEIGHT, j < WINDOW_WIDTH       =
//                argmax[n, r, c, k] = where in x that number stands, the first of equals                         =
//     tangent:   y[o] = x[argmax[o]], by the argmax of another x: how y changes with it                          =
//
// with S = STRIDE_HEIGHT and T = STRIDE_WIDTH. x is [batch, height, width, channels]; y and argmax are [batch,
// out_height, out_width, channels]. A workgroup takes one line of pixels of y. Joined behind lib/finite.wgsl,
// lib/windows.wgsl and lib/line.wgsl.

/// The input, or its change, [batch, height, width, channels].
@group(0) @binding(1) var<storage, read> x: array<f32>;
/// What forward wrote as argmax.
@group(0) @binding(2) var<storage, read> largest: array<u32>;
/// The output, or its change, [batch, out_height, out_width, channels].
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
/// The element of x that each of y is, [batch, out_height, out_width, channels].
@group(0) @binding(4) var<storage, read_write> argmax: array<u32>;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let line = group.x + group.y * groups.x;
    if line >= params.batch * out_height() {
        return;
    }
    let top = line / out_height() * params.height + line % out_height() * STRIDE_HEIGHT;
    let length = out_width() * params.channels;
    let step = place_at(64u, params.channels);
    var place = place_at(lane, params.channels);
    for (var o = lane; o < length; o += 64u) {
        let left = top * params.width + place.column * STRIDE_WIDTH;
        var at = left * params.channels + place.channel;
        var best = x[at];
        for (var i = 0u; i < WINDOW_HEIGHT; i++) {
            for (var j = 0u; j < WINDOW_WIDTH; j++) {
                let e = (left + i * params.width + j) * params.channels + place.channel;
                let value = x[e];
                let better = value > best || is_nan(value);
                best = select(best, value, better);
                at = select(at, e, better);
            }
        }
        y[line * length + o] = best;
        argmax[line * length + o] = at;
        place = moved(place, step, params.channels);
    }
}

@compute @workgroup_size(64)
fn tangent(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let line = group.x + group.y * groups.x;
    if line >= params.batch * out_height() {
        return;
    }
    let length = out_width() * params.channels;
    for (var i = lane; i < length; i += 64u) {
        y[line * length + i] = x[largest[line * length + i]];
    }
}
