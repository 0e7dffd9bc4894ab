// Functions of single numbers. Products are in hadamard.wgsl, activations in activation.wgsl.
//
//     affine              y = a · x + b               its gradient: affine again, of dy, with b = 0
//     weighted_sum        y = a · x + b · x2          its gradients: affine, of dy, with a and with b
//     exponential         y = e^x                     its gradient: the product dy · y
//     logarithm           y = log max(x, 2^-126)
//     logarithm_backward  y = dy / max(x, 2^-126)
//     continuous_mean     y = A'(x), A as in lib/continuous.wgsl: the mean of a pixel, of its logit x
//
// All arrays are [count]; y is written (=), or added to (+=) where ACCUMULATE is set. Drivers may take a number below
// 2^-126, the least normal one, for zero: a logarithm stays finite there, and its gradient is the one at the bound, so
// that it moves x back. The logarithm of infinity or NaN is that itself. Joined behind lib/log.wgsl, lib/finite.wgsl,
// lib/continuous.wgsl and lib/accumulate.wgsl.

const LEAST = 0x1p-126;

struct Params {
    count: u32,
    a: f32,
    b: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// The input, [count].
@group(0) @binding(1) var<storage, read> x: array<f32>;
/// weighted_sum: the other input, [count].
@group(0) @binding(2) var<storage, read> x2: array<f32>;
/// logarithm_backward: the gradient of the logarithm, [count].
@group(0) @binding(3) var<storage, read> dy: array<f32>;
/// The result, [count].
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// max alone would lose a NaN.
fn held(x: f32) -> f32 {
    return select(max(x, LEAST), x, is_nan(x));
}

@compute @workgroup_size(64)
fn affine(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
          @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        // Zero times x is zero, whatever x is: infinity or NaN too.
        y[i] = put(y[i], select(params.a * x[i], 0.0, params.a == 0.0) + params.b);
    }
}

@compute @workgroup_size(64)
fn weighted_sum(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        y[i] = put(y[i], params.a * x[i] + params.b * x2[i]);
    }
}

@compute @workgroup_size(64)
fn exponential(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
               @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        y[i] = put(y[i], select(exp(x[i]), x[i], is_nan(x[i])));
    }
}

@compute @workgroup_size(64)
fn logarithm(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
             @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        let log = precise_log(vec2f(held(x[i]))).x;
        y[i] = put(y[i], select(x[i], log, is_finite(x[i])));
    }
}

@compute @workgroup_size(64)
fn logarithm_backward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                      @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        y[i] = put(y[i], dy[i] / held(x[i]));
    }
}

@compute @workgroup_size(64)
fn continuous_mean(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                   @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        y[i] = put(y[i], log_normalizer(x[i]).y);
    }
}
