// A block of columns, copied between arrays of different widths: tensors side by side, and apart again. Each is the
// other's gradient.
//
//     copy  destination[r, destination_at + c] = source[r, source_at + c],  c < columns    = or +=
//
// source is [rows, source_width], destination [rows, destination_width]; += where ACCUMULATE is set. What is beside the
// block stays as it is. Joined behind lib/accumulate.wgsl.

struct Params {
    rows: u32,
    /// Of the block.
    columns: u32,
    source_width: u32,
    /// The block's first column in source.
    source_at: u32,
    destination_width: u32,
    /// The block's first column in destination.
    destination_at: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Copied from, [rows, source_width].
@group(0) @binding(1) var<storage, read> source: array<f32>;
/// Copied to, [rows, destination_width].
@group(0) @binding(2) var<storage, read_write> destination: array<f32>;

@compute @workgroup_size(64)
fn copy(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.rows * params.columns {
        let row = i / params.columns;
        let column = i % params.columns;
        let copied = source[row * params.source_width + params.source_at + column];
        let at = row * params.destination_width + params.destination_at + column;
        destination[at] = put(destination[at], copied);
    }
}
