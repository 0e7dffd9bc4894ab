// The sum of a product's parts, in their order, and what stands behind the product.
//
// A product of few rows and columns that is summed over a great depth keeps few workgroups of a GPU at work. So its depth
// is split: a variant makes a product of each part of it (`chunk` among its parameters), and this adds them up. A lane makes
// four neighbours in a row. The entries are those of the variants. Joined behind lib/stable.wgsl, lib/finite.wgsl,
// lib/activation.wgsl, lib/matmul_sum.wgsl, lib/logvar.wgsl, lib/epilogue.wgsl,
// lib/sums_beside.wgsl and lib/through_sample.wgsl.

/// What the parts have, [parts, rows, ceil(columns / 4)].
@group(0) @binding(1) var<storage, read> partial: array<vec4f>;
/// The sums that they brought along, [parts, rows] (`product_sums`).
@group(0) @binding(2) var<storage, read> partial_sums: array<f32>;

// The row and the first of four columns.
fn row_and_column(group: vec3u, groups: vec3u, lane: u32) -> vec2u {
    let across = (params.columns + 3u) / 4u;
    let number = (group.x + group.y * groups.x) * 64u + lane;
    return vec2u(number / across, number % across * 4u);
}

// Four neighbours of A·B, summed from `start` on.
fn sum_of_parts(at: vec2u, start: vec4f) -> vec4f {
    let across = (params.columns + 3u) / 4u;
    var sum = start;
    if at.x < params.rows {
        for (var part = 0u; part < params.parts; part++) {
            sum += partial[(part * params.rows + at.x) * across + at.y / 4u];
        }
    }
    return sum;
}

@compute @workgroup_size(64)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let at = row_and_column(group, groups, lane);
    store_row(0u, at.x, at.y, sum_of_parts(at, vec4f()));
}

@compute @workgroup_size(64)
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let at = row_and_column(group, groups, lane);
    store_row(0u, at.x, at.y, activate_row(sum_of_parts(at, biases(at.y))));
}

@compute @workgroup_size(64)
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(local_invocation_index) lane: u32) {
    let at = row_and_column(group, groups, lane);
    let z = sum_of_parts(at, biases(at.y));
    keep_row(0u, at.x, at.y, z);
    store_row(0u, at.x, at.y, activate_row(z));
}

@compute @workgroup_size(64)
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) lane: u32) {
    let at = row_and_column(group, groups, lane);
    store_row(0u, at.x, at.y, sum_of_parts(at, vec4f()) * slopes(0u, at.x, at.y));
}

@compute @workgroup_size(64)
fn product_sums(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(local_invocation_index) lane: u32) {
    let at = row_and_column(group, groups, lane);
    store_row(0u, at.x, at.y, sum_of_parts(at, vec4f()));
    if at.x < params.rows && at.y == 0u {
        var sum = 0.0;
        for (var part = 0u; part < params.parts; part++) {
            sum += partial_sums[part * params.rows + at.x];
        }
        store_sums(at.x, 1u, vec4f(sum));
    }
}

@compute @workgroup_size(64)
fn product_sample(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                  @builtin(local_invocation_index) lane: u32) {
    let at = row_and_column(group, groups, lane);
    store_sample_row(0u, at.x, at.y, sum_of_parts(at, vec4f()));
}
