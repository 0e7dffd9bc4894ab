// Images brought to another height and width about their middle: what is too much is cut off, what is missing is zeros.
//
//     y[n, r, c, k] = x[n, r + cut_rows - added_rows, c + cut_columns - added_columns, k], or 0 beyond x      = or +=
//
// x is [batch, height, width, channels], y [batch, out_height, out_width, channels]; += where ACCUMULATE is set. With dy
// for x, dx for y, and what is cut and what is added exchanged, it is its own backward pass. Joined behind
// lib/accumulate.wgsl.

struct Params {
    batch: u32,
    height: u32,
    width: u32,
    channels: u32,
    out_height: u32,
    out_width: u32,
    /// Rows of x above y's first, and rows of y above x's first: one of the two is 0.
    cut_rows: u32,
    added_rows: u32,
    /// The same to the left.
    cut_columns: u32,
    added_columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// The input, or the gradient of the output, [batch, height, width, channels].
@group(0) @binding(1) var<storage, read> x: array<f32>;
/// The output, or the gradient of the input, [batch, out_height, out_width, channels].
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

// A workgroup takes one line of pixels of y. Below 0, a row or a number wraps to one that is beyond x as well.
@compute @workgroup_size(64)
fn crop_or_pad(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
               @builtin(local_invocation_index) lane: u32) {
    let line = group.x + group.y * groups.x;
    let image = line / params.out_height;
    if image >= params.batch {
        return;
    }
    let row = line % params.out_height + params.cut_rows - params.added_rows;
    let length = params.width * params.channels;
    let start = (image * params.height + row) * length;
    let out_length = params.out_width * params.channels;
    for (var o = lane; o < out_length; o += 64u) {
        let i = o + params.cut_columns * params.channels - params.added_columns * params.channels;
        var value = 0.0;
        if row < params.height && i < length {
            value = x[start + i];
        }
        let e = line * out_length + o;
        y[e] = put(y[e], value);
    }
}
