// The two ceilings of a device: what its arithmetic and its memory do with nothing else in their way.
//
//     multiply_add:  results[i] = the sum of 12 numbers x, each x = i % 64 + its number at first, and
//                    x = factor x + addend eight times per round
//     copy:          duplicate[count] = original[count]
//
// Both write (=). The 12 chains of an invocation do not wait for each other and fit any registers; with
// eight links to a round the loop itself costs next to nothing. A round is 192 floating-point operations.

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
    var x = mat3x4f(first, first + 4.0, first + 8.0);
    let addend = mat3x4f(vec4f(params.addend), vec4f(params.addend), vec4f(params.addend));
    for (var round = 0u; round < params.rounds; round++) {
        x = x * params.factor + addend;
        x = x * params.factor + addend;
        x = x * params.factor + addend;
        x = x * params.factor + addend;
        x = x * params.factor + addend;
        x = x * params.factor + addend;
        x = x * params.factor + addend;
        x = x * params.factor + addend;
    }
    if i < params.count {
        results[i] = dot(x[0] + x[1] + x[2], vec4f(1.0));
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
