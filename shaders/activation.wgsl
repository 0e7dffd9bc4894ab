// Activations and their slopes on their own, where no matrix product is at hand to carry them.
//
//     forward         y = f(x)                        =
//     backward        dx = dy · f'(kept)         = or +=
//     slope           s = f'(kept)                    =
//     slope_backward  dz = ds · f''(kept)        = or +=      z is what f was applied to
//
// += where ACCUMULATE is set.
// All arrays are [count]. Joined behind lib/stable.wgsl and lib/activation.wgsl.

override ACCUMULATE: bool = false;

struct Params {
    count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// The input.
@group(0) @binding(1) var<storage, read> x: array<f32>;
/// The gradient of the output.
@group(0) @binding(2) var<storage, read> dy: array<f32>;
/// What the forward pass kept: the output, or the input for gelu and silu.
@group(0) @binding(3) var<storage, read> kept: array<f32>;
/// The gradient of the slope.
@group(0) @binding(4) var<storage, read> ds: array<f32>;
/// The output.
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
/// The gradient of the input.
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;
/// The slope.
@group(0) @binding(7) var<storage, read_write> s: array<f32>;
/// The gradient of the pre-activation, from the slope's.
@group(0) @binding(8) var<storage, read_write> dz: array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        y[i] = activate(x[i]);
    }
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        let gradient = dy[i] * activation_slope(kept[i]);
        if ACCUMULATE {
            dx[i] += gradient;
        } else {
            dx[i] = gradient;
        }
    }
}

@compute @workgroup_size(64)
fn slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        s[i] = activation_slope(kept[i]);
    }
}

@compute @workgroup_size(64)
fn slope_backward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                  @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        let gradient = ds[i] * activation_curvature(kept[i]);
        if ACCUMULATE {
            dz[i] += gradient;
        } else {
            dz[i] = gradient;
        }
    }
}
