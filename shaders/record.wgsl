// Losses, kept on the device until someone reads them.
//
//     mean_to_ring:  ring[slot * capacity + step % capacity] = scale * sum of values[count]
//     collect:       per_image[cursor + i] = values[i]  for i < count and cursor + i < capacity
//
// Both write (=) and leave the rest as it is. mean_to_ring is one workgroup, which sums in a fixed order.
// Joined behind lib/state.wgsl.

struct Params {
    count: u32,
    /// Steps that the ring holds, or images of the pass.
    capacity: u32,
    slot: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Gives the step, and the position in the pass.
@group(0) @binding(1) var<storage, read> state: State;
/// One number an image, or any others to be summed, [count].
@group(0) @binding(2) var<storage, read> values: array<f32>;
/// One line for each term, one number for each step, [slot + 1 or more, capacity].
@group(0) @binding(3) var<storage, read_write> ring: array<f32>;
/// [capacity]
@group(0) @binding(4) var<storage, read_write> per_image: array<f32>;

var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(256)
fn mean_to_ring(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    for (var i = lane; i < params.count; i += 256u) {
        sum += values[i];
    }
    partial[lane] = sum;
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if lane < half {
            partial[lane] += partial[lane + half];
        }
        workgroupBarrier();
    }
    if lane == 0u {
        ring[params.slot * params.capacity + state.step % params.capacity] = params.scale * partial[0];
    }
}

@compute @workgroup_size(64)
fn collect(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < min(params.count, params.capacity - state.cursor) {
        per_image[state.cursor + i] = values[i];
    }
}
