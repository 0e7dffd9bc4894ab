// Which class each image of a step is of, as a row with a single one.
//
//     one_hot  y[b, k] = 1 where k is labels[chosen[b]], else 0
//
// Writes (=). A label of no class leaves a row of zeros.

struct Params {
    batch: u32,
    classes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// The class of each image of the data set.
@group(0) @binding(1) var<storage, read> labels: array<u32>;
/// The images of the batch, [batch].
@group(0) @binding(2) var<storage, read> chosen: array<u32>;
/// [batch, classes]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn one_hot(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.batch * params.classes {
        y[i] = f32(labels[chosen[i / params.classes]] == i % params.classes);
    }
}
