// What keeps gradients from growing too large: all scaled by one factor, so that their norm stays within a limit
// (Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1), or each by itself.
//
//     squares     sums[first + k] = Σ (gradient[i] / limit)² over i in chunk · k .. chunk · (k + 1)          =
//     factor      factor = min(1, 1 / √sum),  sum = Σ sums                                                   =
//     scale       gradient[i] = gradient[i] · factor                                                  in place
//     clamp_each  gradient[i] = the nearest to gradient[i] within [-limit, limit]                     in place
//
// gradient is [count], factor [1]. Several buffers have one norm: each of them leaves its sums in a part of its own of
// the same array. In units of the limit a norm that matters neither overflows nor vanishes. Where all is zero the
// factor is 1. Where the sum is not finite the factor is that sum, so that nothing finite is left of any gradient: the
// mistake shows, where 1 / √sum would hide it. clamp_each makes infinity the limit, and leaves NaN. Joined behind
// lib/row_sum.wgsl and lib/finite.wgsl.

struct Params {
    /// factor: how many sums. Of every other entry: how many gradients.
    count: u32,
    /// squares: gradients to a sum.
    chunk: u32,
    /// squares: where the first sum goes.
    first: u32,
    /// squares: 1 / limit. clamp_each: limit.
    bound: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// squares: the gradients, [count].
@group(0) @binding(1) var<storage, read> values: array<f32>;
/// factor: the sums of all buffers, [count].
@group(0) @binding(2) var<storage, read> all_sums: array<f32>;
/// scale: the factor, [1].
@group(0) @binding(3) var<storage, read> by: array<f32>;
/// squares: a sum for each chunk, from first on.
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;
/// factor: the factor, [1].
@group(0) @binding(5) var<storage, read_write> scaling: array<f32>;
/// scale and clamp_each: the gradients, [count].
@group(0) @binding(6) var<storage, read_write> gradient: array<f32>;

// One workgroup sums one chunk.
@compute @workgroup_size(64)
fn squares(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let number = group.x + group.y * groups.x;
    if number > (params.count - 1u) / params.chunk {
        return;
    }
    let start = number * params.chunk;
    var partial = 0.0;
    for (var i = lane; i < min(params.chunk, params.count - start); i += 64u) {
        let ratio = values[start + i] * params.bound;
        partial += ratio * ratio;
    }
    let sum = row_sum(lane, partial);
    if lane == 0u {
        sums[params.first + number] = sum;
    }
}

// One workgroup sums them all.
@compute @workgroup_size(64)
fn factor(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    var partial = 0.0;
    for (var i = lane; i < params.count; i += 64u) {
        partial += all_sums[i];
    }
    let sum = row_sum(lane, partial);
    if lane == 0u && group.x == 0u {
        let below = select(inverseSqrt(sum), 1.0, sum <= 1.0);
        scaling[0] = select(sum, below, is_finite(sum));
    }
}

@compute @workgroup_size(64)
fn scale(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        gradient[i] *= by[0];
    }
}

@compute @workgroup_size(64)
fn clamp_each(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.count {
        let value = gradient[i];
        // clamp alone would lose a NaN.
        gradient[i] = select(clamp(value, -params.bound, params.bound), value, is_nan(value));
    }
}
