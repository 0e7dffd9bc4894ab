// Random numbers on their own, where no kernel at hand draws them itself.
//
//     w[i] = philox([first_block + i / 4, state.step, stream, instance], state.seed)[i % 4]
//
//     draw_bits:     words[count]  = w
//     draw_uniform:  values[count] = uniform in (0, 1)
//     draw_normal:   values[count] = standard normal
//     draw_signs:    values[count] = -1 or 1, equally likely (Rademacher)
//
// All write (=). One lane draws a block of four. Joined behind lib/log.wgsl, lib/philox.wgsl and lib/state.wgsl.

struct Params {
    count: u32,
    first_block: u32,
    stream: u32,
    /// The counter's fourth word, which tells the draws of a model apart.
    instance: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Gives the seed and the step.
@group(0) @binding(1) var<storage, read> state: State;
/// Raw words, [count].
@group(0) @binding(2) var<storage, read_write> words: array<u32>;
/// Numbers, [count].
@group(0) @binding(3) var<storage, read_write> values: array<f32>;

fn draw(block: u32) -> vec4u {
    return philox(vec4u(params.first_block + block, state.step, params.stream, params.instance),
                  vec2u(state.seed_low, state.seed_high));
}

fn store(block: u32, drawn: vec4f) {
    for (var i = 0u; i < 4u; i++) {
        if block * 4u + i < params.count {
            values[block * 4u + i] = drawn[i];
        }
    }
}

@compute @workgroup_size(64)
fn draw_bits(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
             @builtin(local_invocation_index) lane: u32) {
    let block = (group.x + group.y * groups.x) * 64u + lane;
    let drawn = draw(block);
    for (var i = 0u; i < 4u; i++) {
        if block * 4u + i < params.count {
            words[block * 4u + i] = drawn[i];
        }
    }
}

@compute @workgroup_size(64)
fn draw_uniform(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(local_invocation_index) lane: u32) {
    let block = (group.x + group.y * groups.x) * 64u + lane;
    store(block, uniforms(draw(block)));
}

@compute @workgroup_size(64)
fn draw_normal(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
               @builtin(local_invocation_index) lane: u32) {
    let block = (group.x + group.y * groups.x) * 64u + lane;
    store(block, normals(draw(block)));
}

@compute @workgroup_size(64)
fn draw_signs(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(local_invocation_index) lane: u32) {
    let block = (group.x + group.y * groups.x) * 64u + lane;
    store(block, select(vec4f(1.0), vec4f(-1.0), (draw(block) >> vec4u(31u)) == vec4u(1u)));
}
