// The gradient of max pooling.
//
//     backward:        dx[e] = sum of dy[o] over the windows o whose argmax is e                             = or +=
//                      Windows of any size and stride: each element gathers, window by window in a fixed order.
//     backward_slope:  the same times f'(kept[e]): the gradient passes the activation that made x            = or +=
//                      Windows that lie side by side, as large as their stride: each hands its gradient out, so that
//                      it is read once. What is left over at the far sides gets zeros.
//
// dx and kept are [batch, height, width, channels]; dy and largest [batch, out_height, out_width, channels]. += where
// ACCUMULATE is set. A workgroup takes one line of pixels of dx, or of windows. Joined behind lib/stable.wgsl,
// lib/finite.wgsl, lib/activation.wgsl, lib/windows.wgsl, lib/line.wgsl and lib/accumulate.wgsl.

/// The gradient of the output, [batch, out_height, out_width, channels].
@group(0) @binding(1) var<storage, read> dy: array<f32>;
/// The element of x that each of the output is, [batch, out_height, out_width, channels].
@group(0) @binding(2) var<storage, read> largest: array<u32>;
/// What the forward pass kept of the activation that made x, [batch, height, width, channels].
@group(0) @binding(3) var<storage, read> kept: array<f32>;
/// The gradient of the input, or of what its activation was applied to, [batch, height, width, channels].
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

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
        dx[e] = put(dx[e], sum);
        place = moved(place, step, params.channels);
    }
}

// A window of one channel: its first pixel, that pixel's element of x, the element that gets its gradient, and that
// gradient. Of what is left over at the far sides none does.
struct Window {
    row: u32,
    column: u32,
    first: u32,
    chosen: u32,
    gradient: f32,
}

const NONE: u32 = 0xffffffffu;

fn window_at(image: u32, r: u32, place: Place) -> Window {
    let row = r * STRIDE_HEIGHT;
    let column = place.column * STRIDE_WIDTH;
    let first = ((image * params.height + row) * params.width + column) * params.channels + place.channel;
    if r >= out_height() || place.column >= out_width() {
        return Window(row, column, first, NONE, 0.0);
    }
    let o = ((image * out_height() + r) * out_width() + place.column) * params.channels + place.channel;
    return Window(row, column, first, largest[o], dy[o]);
}

// The element of x at [i, j] of the window, or none where the image has ended.
fn element(window: Window, i: u32, j: u32) -> u32 {
    let inside = window.row + i < params.height && window.column + j < params.width;
    return select(NONE, window.first + (i * params.width + j) * params.channels, inside);
}

@compute @workgroup_size(64)
fn backward_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                  @builtin(local_invocation_index) lane: u32) {
    let lines = (params.height + STRIDE_HEIGHT - 1u) / STRIDE_HEIGHT;
    let line = group.x + group.y * groups.x;
    if line >= params.batch * lines {
        return;
    }
    let length = (params.width + STRIDE_WIDTH - 1u) / STRIDE_WIDTH * params.channels;
    let step = place_at(64u, params.channels);
    var place = place_at(lane, params.channels);
    for (var n = lane; n < length; n += 64u) {
        let window = window_at(line / lines, line % lines, place);
        for (var i = 0u; i < WINDOW_HEIGHT; i++) {
            for (var j = 0u; j < WINDOW_WIDTH; j++) {
                let e = element(window, i, j);
                if e != NONE {
                    dx[e] = put(dx[e], select(0.0, window.gradient, e == window.chosen) * activation_slope(kept[e]));
                }
            }
        }
        place = moved(place, step, params.channels);
    }
}
