// Nearest-neighbour upsampling in two dimensions by whole factors.
//
//     forward:   y[n, r, c, k] = x[n, r / FACTOR_HEIGHT, c / FACTOR_WIDTH, k]                                    =
//     backward:  dx[n, r, c, k] = sum of dy[n, r FACTOR_HEIGHT + i, c FACTOR_WIDTH + j, k]                  = or +=
//
// x and dx are [batch, height, width, channels], y and dy [batch, height FACTOR_HEIGHT, width FACTOR_WIDTH, channels].
// += where ACCUMULATE is set. A workgroup takes one line of pixels of what is written. Joined behind lib/line.wgsl
// and lib/accumulate.wgsl.

override FACTOR_HEIGHT: u32 = 2u;
override FACTOR_WIDTH: u32 = 2u;

struct Params {
    batch: u32,
    /// Of x, not of y.
    height: u32,
    width: u32,
    channels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// The input, [batch, height, width, channels].
@group(0) @binding(1) var<storage, read> x: array<f32>;
/// The gradient of the output, [batch, height FACTOR_HEIGHT, width FACTOR_WIDTH, channels].
@group(0) @binding(2) var<storage, read> dy: array<f32>;
/// The output, [batch, height FACTOR_HEIGHT, width FACTOR_WIDTH, channels].
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
/// The gradient of the input, [batch, height, width, channels].
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    // Images lie line under line, and each has whole groups of FACTOR_HEIGHT lines.
    let line = group.x + group.y * groups.x;
    if line >= params.batch * params.height * FACTOR_HEIGHT {
        return;
    }
    let source = line / FACTOR_HEIGHT * params.width;
    let length = params.width * FACTOR_WIDTH * params.channels;
    let step = place_at(64u, params.channels);
    var place = place_at(lane, params.channels);
    for (var o = lane; o < length; o += 64u) {
        let pixel = source + place.column / FACTOR_WIDTH;
        y[line * length + o] = x[pixel * params.channels + place.channel];
        place = moved(place, step, params.channels);
    }
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
    let line = group.x + group.y * groups.x;
    if line >= params.batch * params.height {
        return;
    }
    let length = params.width * params.channels;
    let step = place_at(64u, params.channels);
    var place = place_at(lane, params.channels);
    for (var i = lane; i < length; i += 64u) {
        var sum = 0.0;
        for (var r = 0u; r < FACTOR_HEIGHT; r++) {
            let repeated = (line * FACTOR_HEIGHT + r) * params.width + place.column;
            for (var c = 0u; c < FACTOR_WIDTH; c++) {
                sum += dy[(repeated * FACTOR_WIDTH + c) * params.channels + place.channel];
            }
        }
        let e = line * length + i;
        dx[e] = put(dx[e], sum);
        place = moved(place, step, params.channels);
    }
}
