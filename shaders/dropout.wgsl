// Inverted dropout (Srivastava et al. 2014), which leaves nothing to do where a trained model is used.
//
//     y[e] = x[e] / (1 - rate) where w[e] >= rate 2^32, else 0                                              = or +=
//     w[e] = philox([first_block + e / 4, state.step, STREAM_DROPOUT, instance], state.seed)[e % 4]
//
// All arrays are [count]; += where ACCUMULATE is set. The map is its own derivative, so the backward pass takes dy for
// x and dx for y, and draws the same mask again. Joined behind lib/log.wgsl, lib/philox.wgsl, lib/state.wgsl
// and lib/accumulate.wgsl.

struct Params {
    count: u32,
    /// The counter's fourth word, which tells the draws of a model apart.
    instance: u32,
    /// rate 2^32
    threshold: u32,
    /// 1 / (1 - rate)
    scale: f32,
    /// The counter's first word for elements 0 to 3.
    first_block: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Seed and step, which key the mask.
@group(0) @binding(1) var<storage, read> state: State;
/// The input, or the gradient of the output, [count].
@group(0) @binding(2) var<storage, read> x: array<f32>;
/// The output, or the gradient of the input, [count].
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn dropout(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let block = (group.x + group.y * groups.x) * 64u + lane;
    let key = vec2u(state.seed_low, state.seed_high);
    let bits = philox(vec4u(params.first_block + block, state.step, STREAM_DROPOUT, params.instance), key);
    for (var i = 0u; i < 4u; i++) {
        let e = block * 4u + i;
        if e < params.count {
            let kept = select(0.0, params.scale * x[e], bits[i] >= params.threshold);
            y[e] = put(y[e], kept);
        }
    }
}
