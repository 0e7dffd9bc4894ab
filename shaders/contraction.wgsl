// The squared Frobenius norm of an encoder's Jacobian J, image by image, and its gradients (Rifai et al. 2011).
//
// Of one layer, J = diag(s) w with slopes s and weights w:
//     unit_slopes   value[b] = Σ s[b, j]² norms[j] over j,  norms[j] = Σ w[j, k]² over k          =
//                   ds[b, j] = 2 scale · s[b, j] norms[j]                                    = or +=
//     unit_weights  dw[j, k] = 2 scale · (Σ s[b, j] t[b, j] over b) w[j, k]                  = or +=
// where t is s, or s with each row multiplied by what weighs its image.
// Of more layers, J = a w with a what stands above the first layer's weights w, [latent, units] an image:
//     quadratic     value[b] = Σ a[b, i] g[b, i] over i                                           =
//                   da[b, i] = 2 scale · g[b, i]         where g = a w wᵀ                    = or +=
//
// w and dw are [units, columns], s, t and ds [rows, units], norms [units], value [rows]; a, g and da are
// [rows, columns]. Where g is a itself, quadratic is the squared norm of a row: norms are those of w.
// unit_slopes_value and quadratic_value leave the gradient out. += where ACCUMULATE is set. A workgroup sums one row.
// Joined behind lib/row_sum.wgsl, lib/row_value.wgsl and lib/accumulate.wgsl.

struct Params {
    rows: u32,
    units: u32,
    columns: u32,
    /// The weight of the gradients; value stays unweighted.
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Weights, [units, columns].
@group(0) @binding(1) var<storage, read> w: array<f32>;
/// Slopes, [rows, units].
@group(0) @binding(2) var<storage, read> s: array<f32>;
/// Slopes again, weighed or not, [rows, units].
@group(0) @binding(3) var<storage, read> t: array<f32>;
/// Each unit's squared norm, [units].
@group(0) @binding(4) var<storage, read> norms: array<f32>;
/// What stands above w in the Jacobian, [rows, columns].
@group(0) @binding(5) var<storage, read> a: array<f32>;
/// Its product with the Gram matrix of w, [rows, columns].
@group(0) @binding(6) var<storage, read> g: array<f32>;
/// The squared norm of each image's Jacobian, [rows].
@group(0) @binding(7) var<storage, read_write> value: array<f32>;
/// The gradient of s, [rows, units].
@group(0) @binding(8) var<storage, read_write> ds: array<f32>;
/// The gradient of w, [units, columns].
@group(0) @binding(9) var<storage, read_write> dw: array<f32>;
/// The gradient of a, [rows, columns].
@group(0) @binding(10) var<storage, read_write> da: array<f32>;

@compute @workgroup_size(64)
fn unit_slopes(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
               @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var j = lane; j < params.units; j += 64u) {
        let i = row * params.units + j;
        let product = s[i] * norms[j];
        partial += s[i] * product;
        ds[i] = put(ds[i], 2.0 * params.scale * product);
    }
    finish(row, lane, partial);
}

@compute @workgroup_size(64)
fn unit_slopes_value(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                     @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var j = lane; j < params.units; j += 64u) {
        let i = row * params.units + j;
        let product = s[i] * norms[j];
        partial += s[i] * product;
    }
    finish(row, lane, partial);
}

@compute @workgroup_size(64)
fn unit_weights(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(local_invocation_index) lane: u32) {
    let unit = group.x + group.y * groups.x;
    if unit >= params.units {
        return;
    }
    var partial = 0.0;
    for (var row = lane; row < params.rows; row += 64u) {
        let i = row * params.units + unit;
        partial += s[i] * t[i];
    }
    let factor = 2.0 * params.scale * row_sum(lane, partial);
    for (var k = lane; k < params.columns; k += 64u) {
        let i = unit * params.columns + k;
        dw[i] = put(dw[i], factor * w[i]);
    }
}

@compute @workgroup_size(64)
fn quadratic(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
             @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.columns; column += 64u) {
        let i = row * params.columns + column;
        partial += a[i] * g[i];
        da[i] = put(da[i], 2.0 * params.scale * g[i]);
    }
    finish(row, lane, partial);
}

@compute @workgroup_size(64)
fn quadratic_value(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                   @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.columns; column += 64u) {
        let i = row * params.columns + column;
        partial += a[i] * g[i];
    }
    finish(row, lane, partial);
}
