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
// a fixed order, so windows may overlap.

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
    let o = (group.x + group.y * groups.x) * 64u + lane;
    if o >= params.batch * out_height() * out_width() * params.channels {
        return;
    }
    let column = o / params.channels % out_width();
    let line = o / params.channels / out_width();
    let top = line / out_height() * params.height + line % out_height() * STRIDE_HEIGHT;
    let first = (top * params.width + column * STRIDE_WIDTH) * params.channels + o % params.channels;
    var best = x[first];
    var at = first;
    for (var i = 0u; i < WINDOW_HEIGHT; i++) {
        for (var j = 0u; j < WINDOW_WIDTH; j++) {
            let e = first + (i * params.width + j) * params.channels;
            let value = x[e];
            if value > best || is_nan(value) {
                best = value;
                at = e;
            }
        }
    }
    y[o] = best;
    argmax[o] = at;
}

@compute @workgroup_size(64)
fn tangent(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let o = (group.x + group.y * groups.x) * 64u + lane;
    if o < params.batch * out_height() * out_width() * params.channels {
        y[o] = x[largest[o]];
    }
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
    let e = (group.x + group.y * groups.x) * 64u + lane;
    if e >= params.batch * params.height * params.width * params.channels {
        return;
    }
    let column = e / params.channels % params.width;
    let line = e / params.channels / params.width;
    let row = line % params.height;
    // The windows over [row, column]: from the first that reaches it to the last that begins at or before it.
    let first_row = (max(row + STRIDE_HEIGHT, WINDOW_HEIGHT) - WINDOW_HEIGHT) / STRIDE_HEIGHT;
    let last_row = min(row / STRIDE_HEIGHT, out_height() - 1u);
    let first_column = (max(column + STRIDE_WIDTH, WINDOW_WIDTH) - WINDOW_WIDTH) / STRIDE_WIDTH;
    let last_column = min(column / STRIDE_WIDTH, out_width() - 1u);
    let above = line / params.height * out_height();
    var sum = 0.0;
    for (var r = first_row; r <= last_row; r++) {
        for (var c = first_column; c <= last_column; c++) {
            let o = ((above + r) * out_width() + c) * params.channels + e % params.channels;
            if largest[o] == e {
                sum += dy[o];
            }
        }
    }
    if ACCUMULATE {
        dx[e] += sum;
    } else {
        dx[e] = sum;
    }
}
