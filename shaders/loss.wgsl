// What a prediction y says of an image x: the negative log-likelihood of every row, in nats, and its
// gradient with respect to y, in one pass over both.
//
//     squared_error     value = Σ (y - x)²                                      dy = scale · 2 (y - x)
//     gaussian          value = Σ (y - x)² / 2s² + log s + log(2π)/2            dy = scale · (y - x) / s²
//     gaussian_learned  value = Σ (y - x)² e^-v / 2 + v/2 + log(2π)/2           dy = scale · (y - x) e^-v
//                       dv    = scale · Σ 1/2 - (y - x)² e^-v / 2               where v = log s² is learned
//     bernoulli         value = Σ max(y, 0) - yx + log(1 + e^-|y|)              dy = scale · (sigmoid(y) - x)
//     continuous_bernoulli  value = Σ A(y) - yx,  A as in lib/continuous.wgsl   dy = scale · (A'(y) - x)
//     continuous_mean   mean = A'(y), of each pixel                             =
//
// y, x and dy are [rows, columns]; value and dv, one number a row, are [rows] and always written (=). dy is
// written (=), or added to (+=) where ACCUMULATE is set. For either
// Bernoulli y holds logits and x is in [0, 1]. One workgroup sums one row. Joined behind lib/stable.wgsl,
// lib/row_sum.wgsl, lib/log.wgsl and lib/continuous.wgsl.

override ACCUMULATE: bool = false;

const HALF_LOG_TWO_PI: f32 = 0.9189385332046727;

struct Params {
    rows: u32,
    columns: u32,
    /// The weight of the gradient; value stays unweighted.
    scale: f32,
    /// gaussian: s.
    deviation: f32,
    /// gaussian: log s, from the host, because some drivers' log is wrong in the fifth digit.
    log_deviation: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// The prediction, [rows, columns]: a mean, or logits for either Bernoulli.
@group(0) @binding(1) var<storage, read> y: array<f32>;
/// The image to be explained, [rows, columns].
@group(0) @binding(2) var<storage, read> x: array<f32>;
/// gaussian_learned: the one shared parameter v, [1].
@group(0) @binding(3) var<storage, read> log_variance: array<f32>;
/// Nats of each row, [rows].
@group(0) @binding(4) var<storage, read_write> value: array<f32>;
/// The gradient of y, [rows, columns].
@group(0) @binding(5) var<storage, read_write> dy: array<f32>;
/// gaussian_learned: each row's share of the gradient of v, [rows].
@group(0) @binding(6) var<storage, read_write> log_variance_gradient: array<f32>;
/// continuous_mean: the mean of each pixel, [rows, columns].
@group(0) @binding(7) var<storage, read_write> mean: array<f32>;

fn store(i: u32, gradient: f32) {
    if ACCUMULATE {
        dy[i] += gradient;
    } else {
        dy[i] = gradient;
    }
}

// The lane's part of Σ (y - x)², writing dy = slope · (y - x) on the way.
fn squares(row: u32, lane: u32, slope: f32) -> f32 {
    var sum = 0.0;
    for (var column = lane; column < params.columns; column += 64u) {
        let i = row * params.columns + column;
        let difference = y[i] - x[i];
        sum += difference * difference;
        store(i, slope * difference);
    }
    return sum;
}

@compute @workgroup_size(64)
fn squared_error(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    let sum = row_sum(lane, squares(row, lane, 2.0 * params.scale));
    if lane == 0u {
        value[row] = sum;
    }
}

@compute @workgroup_size(64)
fn gaussian(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    let inverse_variance = 1.0 / (params.deviation * params.deviation);
    let sum = row_sum(lane, squares(row, lane, params.scale * inverse_variance));
    if lane == 0u {
        let normalizer = f32(params.columns) * (params.log_deviation + HALF_LOG_TWO_PI);
        value[row] = 0.5 * inverse_variance * sum + normalizer;
    }
}

@compute @workgroup_size(64)
fn gaussian_learned(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                    @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    let v = log_variance[0];
    let inverse_variance = exp(-v);
    let sum = row_sum(lane, squares(row, lane, params.scale * inverse_variance));
    if lane == 0u {
        let columns = f32(params.columns);
        value[row] = 0.5 * inverse_variance * sum + columns * (0.5 * v + HALF_LOG_TWO_PI);
        log_variance_gradient[row] = params.scale * 0.5 * (columns - inverse_variance * sum);
    }
}

@compute @workgroup_size(64)
fn bernoulli(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
             @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.columns; column += 64u) {
        let i = row * params.columns + column;
        let logit = y[i];
        // The two large terms first: for a confident right answer they cancel exactly.
        partial += (max(logit, 0.0) - logit * x[i]) + log1p(exp(-abs(logit)));
        store(i, params.scale * (sigmoid(logit) - x[i]));
    }
    let sum = row_sum(lane, partial);
    if lane == 0u {
        value[row] = sum;
    }
}

@compute @workgroup_size(64)
fn continuous_bernoulli(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                        @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row >= params.rows {
        return;
    }
    var partial = 0.0;
    for (var column = lane; column < params.columns; column += 64u) {
        let i = row * params.columns + column;
        let a = log_normalizer(y[i]);
        partial += (max(y[i], 0.0) - y[i] * x[i]) + a.x;
        store(i, params.scale * (a.y - x[i]));
    }
    let sum = row_sum(lane, partial);
    if lane == 0u {
        value[row] = sum;
    }
}

@compute @workgroup_size(64)
fn continuous_mean(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                   @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.rows * params.columns {
        mean[i] = log_normalizer(y[i]).y;
    }
}
