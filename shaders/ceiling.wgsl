// The two ceilings of a device: what its arithmetic and its memory do with nothing else in their way.
//
//     multiply_add:  results[i] = the sum of 32 numbers x, each x = i % 64 + its number at first, and
//                    x = factor x + addend in every round
//     copy:          duplicate[count] = original[count]
//
// Both write (=). The 32 chains of an invocation do not wait for each other and stay in registers, so a
// round is 64 floating-point operations and no memory.

struct Params {
    /// Invocations of multiply_add; numbers to copy, whole vec4s.
    count: u32,
    rounds: u32,
    factor: f32,
    addend: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// [count]
@group(0) @binding(1) var<storage, read> original: array<vec4f>;
/// One number an invocation, [count].
@group(0) @binding(2) var<storage, read_write> results: array<f32>;
/// [count]
@group(0) @binding(3) var<storage, read_write> duplicate: array<vec4f>;

@compute @workgroup_size(64)
fn multiply_add(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    let first = vec4f(f32(lane)) + vec4f(0.0, 1.0, 2.0, 3.0);
    var x0 = first;
    var x1 = first + 4.0;
    var x2 = first + 8.0;
    var x3 = first + 12.0;
    var x4 = first + 16.0;
    var x5 = first + 20.0;
    var x6 = first + 24.0;
    var x7 = first + 28.0;
    for (var round = 0u; round < params.rounds; round++) {
        x0 = x0 * params.factor + params.addend;
        x1 = x1 * params.factor + params.addend;
        x2 = x2 * params.factor + params.addend;
        x3 = x3 * params.factor + params.addend;
        x4 = x4 * params.factor + params.addend;
        x5 = x5 * params.factor + params.addend;
        x6 = x6 * params.factor + params.addend;
        x7 = x7 * params.factor + params.addend;
    }
    if i < params.count {
        results[i] = dot(x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7, vec4f(1.0));
    }
}

@compute @workgroup_size(64)
fn copy(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i * 4u < params.count {
        duplicate[i] = original[i];
    }
}
