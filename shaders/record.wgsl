// Losses, kept on the device until someone reads them.
//
//     means_to_ring:  ring[(slot + t) * capacity + step % capacity] = means[t].scale * sum of the values of term t
//     collect:        per_image[cursor + i] = values[i]  for i < count and cursor + i < capacity
//
// Both write (=) and leave the rest as it is. A workgroup of means_to_ring sums the values of one of at most five terms, in
// a fixed order. Joined behind lib/state.wgsl and lib/means.wgsl.

struct Params {
    /// Values to collect.
    count: u32,
    /// Steps that the ring holds, or images of the pass.
    capacity: u32,
    /// The line of the first term.
    slot: u32,
    padding: u32,
    means: array<Mean, 5>,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Gives the step, and the position in the pass.
@group(0) @binding(1) var<storage, read> state: State;
/// [capacity]
@group(0) @binding(8) var<storage, read_write> per_image: array<f32>;

@compute @workgroup_size(256)
fn means_to_ring(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    keep_mean(group.x, state.step, lane);
}

@compute @workgroup_size(64)
fn collect(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < min(params.count, params.capacity - state.cursor) {
        per_image[state.cursor + i] = values[i];
    }
}
