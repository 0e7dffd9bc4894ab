// Losses, kept on the device until someone reads them.
//
//     means_to_ring:  ring[(slot + t) * capacity + step % capacity] = means[t].scale * sum of the values of term t
//     collect:        per_image[cursor + i] = values[i]  for i < count and cursor + i < capacity
//
// Both write (=) and leave the rest as it is. A workgroup of means_to_ring sums the values of one of at most five terms, in
// a fixed order; where there are fewer, bindings that are left over repeat another. Joined behind lib/state.wgsl.

struct Mean {
    /// Values of the term.
    count: u32,
    /// What their sum is multiplied with.
    scale: f32,
    padding0: u32,
    padding1: u32,
}

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
/// One number an image, or any others to be summed, [count].
@group(0) @binding(2) var<storage, read> values: array<f32>;
/// Those of the second term.
@group(0) @binding(3) var<storage, read> values1: array<f32>;
/// Those of the third term.
@group(0) @binding(4) var<storage, read> values2: array<f32>;
/// Those of the fourth term.
@group(0) @binding(5) var<storage, read> values3: array<f32>;
/// Those of the fifth term.
@group(0) @binding(6) var<storage, read> values4: array<f32>;
/// One line for each term, one number for each step, [slot + terms or more, capacity].
@group(0) @binding(7) var<storage, read_write> ring: array<f32>;
/// [capacity]
@group(0) @binding(8) var<storage, read_write> per_image: array<f32>;

var<workgroup> partial: array<f32, 256>;

fn value_of(term: u32, i: u32) -> f32 {
    switch term {
        case 0u: { return values[i]; }
        case 1u: { return values1[i]; }
        case 2u: { return values2[i]; }
        case 3u: { return values3[i]; }
        default: { return values4[i]; }
    }
}

@compute @workgroup_size(256)
fn means_to_ring(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let term = group.x;
    let mean = params.means[term];
    var sum = 0.0;
    for (var i = lane; i < mean.count; i += 256u) {
        sum += value_of(term, i);
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
        ring[(params.slot + term) * params.capacity + state.step % params.capacity] = mean.scale * partial[0];
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
