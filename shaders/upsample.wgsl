// Nearest-neighbour upsampling in two dimensions by whole factors.
//
//     forward:   y[n, r, c, k] = x[n, r / FACTOR_HEIGHT, c / FACTOR_WIDTH, k]                                    =
//     backward:  dx[n, r, c, k] = sum of dy[n, r FACTOR_HEIGHT + i, c FACTOR_WIDTH + j, k]                  = or +=
//
// x and dx are [batch, height, width, channels], y and dy [batch, height FACTOR_HEIGHT, width FACTOR_WIDTH, channels].
// += where ACCUMULATE is set.

override FACTOR_HEIGHT: u32 = 2u;
override FACTOR_WIDTH: u32 = 2u;
override ACCUMULATE: bool = false;

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
    let o = (group.x + group.y * groups.x) * 64u + lane;
    let out_width = params.width * FACTOR_WIDTH;
    // Images lie line under line, and each has whole groups of FACTOR_HEIGHT lines.
    let line = o / params.channels / out_width;
    if line < params.batch * params.height * FACTOR_HEIGHT {
        let column = o / params.channels % out_width / FACTOR_WIDTH;
        y[o] = x[(line / FACTOR_HEIGHT * params.width + column) * params.channels + o % params.channels];
    }
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
    let e = (group.x + group.y * groups.x) * 64u + lane;
    let line = e / params.channels / params.width;
    if line >= params.batch * params.height {
        return;
    }
    let column = e / params.channels % params.width;
    let out_width = params.width * FACTOR_WIDTH;
    var sum = 0.0;
    for (var i = 0u; i < FACTOR_HEIGHT; i++) {
        for (var j = 0u; j < FACTOR_WIDTH; j++) {
            let pixel = (line * FACTOR_HEIGHT + i) * out_width + column * FACTOR_WIDTH + j;
            sum += dy[pixel * params.channels + e % params.channels];
        }
    }
    if ACCUMULATE {
        dx[e] += sum;
    } else {
        dx[e] = sum;
    }
}
