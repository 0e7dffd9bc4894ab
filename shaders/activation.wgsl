// Activations and their slopes on their own, where no matrix product is at hand to carry them.
//
//     forward         y = f(x)
//     backward        y = dy · f'(kept)     the gradient of x
//     slope           y = f'(kept)
//     slope_backward  y = ds · f''(kept)    the gradient of x, from the slope's
//
// All arrays are [count]; y is written (=), or added to (+=) where ACCUMULATE is set. Joined behind
// lib/stable.wgsl, lib/finite.wgsl, lib/activation.wgsl and lib/accumulate.wgsl.

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
/// The result.
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        y[i] = put(y[i], activate(x[i]));
    }
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        y[i] = put(y[i], dy[i] * activation_slope(kept[i]));
    }
}

@compute @workgroup_size(64)
fn slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        y[i] = put(y[i], activation_slope(kept[i]));
    }
}

@compute @workgroup_size(64)
fn slope_backward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                  @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        y[i] = put(y[i], ds[i] * activation_curvature(kept[i]));
    }
}
