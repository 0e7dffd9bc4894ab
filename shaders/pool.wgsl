// Max pooling in two dimensions.
//
//     forward:   y[n, r, c, k] = max of x[n, r S + i, c T + j, k] over i < WINDOW_HEIGHT, j < WINDOW_WIDTH       =
//                argmax[n, r, c, k] = where in x that number stands, the first of equals                         =
//     tangent:   y[o] = x[argmax[o]], by the argmax of another x: how y changes with it                          =
//     backward:  dx[e] = sum of dy[o] over the windows o whose argmax is e                                  = or +=
//
// with S = STRIDE_HEIGHT and T = STRIDE_WIDTH. x and dx are [batch, height, width, channels]; y, dy and argmax are
// [batch, out_height, out_width, channels] with out_height = floor((height - WINDOW_HEIGHT) / S) + 1, out_width alike:
// what does not fill a window is left out. += where ACCUMULATE is set. The gradient is gathered, window by window in
// a fixed order, so windows may overlap. A workgroup takes one line of pixels of what is written. Joined behind
// lib/line.wgsl.

override WINDOW_HEIGHT: u32 = 2u;
override WINDOW_WIDTH: u32 = 2u;
override STRIDE_HEIGHT: u32 = 2u;
override STRIDE_WIDTH: u32 = 2u;
override ACCUMULATE: bool = false;

struct Params {
    batch: u32,
    height: u32,
    width: u32,
    channels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// The input, or its change, [batch, height, width, channels].
@group(0) @binding(1) var<storage, read> x: array<f32>;
/// The gradient of the output, [batch, out_height, out_width, channels].
@group(0) @binding(2) var<storage, read> dy: array<f32>;
/// What forward wrote as argmax.
@group(0) @binding(3) var<storage, read> largest: array<u32>;
/// The output, or its change, [batch, out_height, out_width, channels].
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
/// The element of x that each of y is, [batch, out_height, out_width, channels].
@group(0) @binding(5) var<storage, read_write> argmax: array<u32>;
/// The gradient of the input, [batch, height, width, channels].
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;

fn out_height() -> u32 {
    return (params.height - WINDOW_HEIGHT) / STRIDE_HEIGHT + 1u;
}

fn out_width() -> u32 {
    return (params.width - WINDOW_WIDTH) / STRIDE_WIDTH + 1u;
}

// By its bits: drivers may take a comparison of a number with itself for true.
fn is_nan(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}

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

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
    let line = group.x + group.y * groups.x;
    if line >= params.batch * params.height {
        return;
    }
    let row = line % params.height;
    let above = line / params.height * out_height();
    let length = params.width * params.channels;
    let step = place_at(64u, params.channels);
    var place = place_at(lane, params.channels);
    for (var i = lane; i < length; i += 64u) {
        let e = line * length + i;
        var sum = 0.0;
        // Windows over a pixel: the last that begins at or before it, and those before that one that reach it.
        for (var up = 0u; up * STRIDE_HEIGHT < WINDOW_HEIGHT; up++) {
            let r = row / STRIDE_HEIGHT - up;
            for (var left = 0u; left * STRIDE_WIDTH < WINDOW_WIDTH; left++) {
                // Before the first they wrap around to large numbers.
                let c = place.column / STRIDE_WIDTH - left;
                let o = ((above + r) * out_width() + c) * params.channels + place.channel;
                if r < out_height() && c < out_width() && largest[o] == e {
                    sum += dy[o];
                }
            }
        }
        if ACCUMULATE {
            dx[e] += sum;
        } else {
            dx[e] = sum;
        }
        place = moved(place, step, params.channels);
    }
}
