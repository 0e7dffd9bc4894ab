// What a prediction y says of an image x: the negative log-likelihood of every row, in nats, and its
// gradient with respect to y, in one pass over both.
//
//     LIKELIHOOD 0  squared error  value = Σ (y - x)²                                   dy = scale · 2 (y - x)
//                1  Gaussian       value = Σ (y - x)² / 2s² + log s + log(2π)/2         dy = scale · (y - x) / s²
//                2  Bernoulli      value = Σ max(y, 0) - yx + log(1 + e^-|y|)           dy = scale · (sigmoid(y) - x)
//                3  continuous Bernoulli
//                                  value = Σ A(y) - yx,  A as in lib/continuous.wgsl    dy = scale · (A'(y) - x)
//     learned      is LIKELIHOOD 1 with a learned v = log s²:  dv = scale · Σ 1/2 - (y - x)² e^-v / 2
//                  v counts as LEAST_LOG_VARIANCE where it is below, and there dv is at most 0: it can only rise
//
// y, x and dy are [rows, columns]; value and dv, one number per row, are [rows] and always written (=). dy is
// written (=), or added to (+=) where ACCUMULATE is set. For either Bernoulli y holds logits and x is in [0, 1].
// Entries without gradient give the same values. One workgroup sums one row. Joined behind lib/stable.wgsl,
// lib/finite.wgsl, lib/row_sum.wgsl, lib/log.wgsl, lib/continuous.wgsl and lib/accumulate.wgsl.

override LIKELIHOOD: u32 = 0u;

const SQUARED_ERROR = 0u;
const GAUSSIAN = 1u;
const BERNOULLI = 2u;
const CONTINUOUS_BERNOULLI = 3u;

const HALF_LOG_TWO_PI: f32 = 0.9189385332046727;
// A variance of 1e-6: what is fitted exactly would drive v, and the loss with it, to minus infinity.
const LEAST_LOG_VARIANCE: f32 = -13.815511;

struct Params {
    rows: u32,
    columns: u32,
    /// The weight of the gradient; value stays unweighted.
    scale: f32,
    /// Gaussian: s. Otherwise not zero.
    deviation: f32,
    /// Gaussian: log s, from the host, because some drivers' log is wrong in the fifth digit.
    log_deviation: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// The prediction, [rows, columns]: a mean, or logits for either Bernoulli.
@group(0) @binding(1) var<storage, read> y: array<f32>;
/// The image to be explained, [rows, columns].
@group(0) @binding(2) var<storage, read> x: array<f32>;
/// learned: the one shared parameter v, [1].
@group(0) @binding(3) var<storage, read> log_variance: array<f32>;
/// Nats of each row, [rows].
@group(0) @binding(4) var<storage, read_write> value: array<f32>;
/// The gradient of y, [rows, columns].
@group(0) @binding(5) var<storage, read_write> dy: array<f32>;
/// learned: each row's share of the gradient of v, [rows].
@group(0) @binding(6) var<storage, read_write> log_variance_gradient: array<f32>;

// What pixel i adds to the sum over its row, and the slope that dy is a multiple of.
fn pixel(i: u32) -> vec2f {
    switch LIKELIHOOD {
        case BERNOULLI: {
            // The two large terms first: for a confident right answer they cancel exactly.
            let nats = (max(y[i], 0.0) - y[i] * x[i]) + log1p(exp(-abs(y[i])));
            return vec2f(nats, sigmoid(y[i]) - x[i]);
        }
        case CONTINUOUS_BERNOULLI: {
            let a = log_normalizer(y[i]);
            return vec2f((max(y[i], 0.0) - y[i] * x[i]) + a.x, a.y - x[i]);
        }
        default: {
            let difference = y[i] - x[i];
            return vec2f(difference * difference, difference);
        }
    }
}

// The lane's part of the sum over a row.
fn part(row: u32, lane: u32) -> f32 {
    var sum = 0.0;
    for (var column = lane; column < params.columns; column += 64u) {
        sum += pixel(row * params.columns + column).x;
    }
    return sum;
}

// The same, writing dy on the way. inverse_variance is 1 / s².
fn part_and_gradient(row: u32, lane: u32, inverse_variance: f32) -> f32 {
    let factor = select(1.0, 2.0, LIKELIHOOD == SQUARED_ERROR) * select(1.0, inverse_variance, LIKELIHOOD == GAUSSIAN);
    var sum = 0.0;
    for (var column = lane; column < params.columns; column += 64u) {
        let i = row * params.columns + column;
        let own = pixel(i);
        sum += own.x;
        dy[i] = put(dy[i], params.scale * factor * own.y);
    }
    return sum;
}

// Adds up the parts, and makes nats of the sum. Returns the sum.
fn finish(row: u32, lane: u32, own: f32, inverse_variance: f32, log_deviation: f32) -> f32 {
    let sum = row_sum(lane, own);
    if lane == 0u {
        let density = 0.5 * inverse_variance * sum + f32(params.columns) * (log_deviation + HALF_LOG_TWO_PI);
        value[row] = select(sum, density, LIKELIHOOD == GAUSSIAN);
    }
    return sum;
}

// The learned log variance that counts. max alone would lose a NaN.
fn held_log_variance() -> f32 {
    let v = log_variance[0];
    return select(max(v, LEAST_LOG_VARIANCE), v, is_nan(v));
}

@compute @workgroup_size(64)
fn values_and_gradient(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                       @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row < params.rows {
        let inverse_variance = 1.0 / (params.deviation * params.deviation);
        finish(row, lane, part_and_gradient(row, lane, inverse_variance), inverse_variance, params.log_deviation);
    }
}

@compute @workgroup_size(64)
fn values(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
          @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row < params.rows {
        let inverse_variance = 1.0 / (params.deviation * params.deviation);
        finish(row, lane, part(row, lane), inverse_variance, params.log_deviation);
    }
}

@compute @workgroup_size(64)
fn learned_values_and_gradient(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                               @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row < params.rows {
        let v = held_log_variance();
        let inverse_variance = exp(-v);
        let sum = finish(row, lane, part_and_gradient(row, lane, inverse_variance), inverse_variance, 0.5 * v);
        if lane == 0u {
            let share = f32(params.columns) - inverse_variance * sum;
            let is_below = log_variance[0] < LEAST_LOG_VARIANCE;
            log_variance_gradient[row] = params.scale * 0.5 * select(share, min(share, 0.0), is_below);
        }
    }
}

@compute @workgroup_size(64)
fn learned_values(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                  @builtin(local_invocation_index) lane: u32) {
    let row = group.x + group.y * groups.x;
    if row < params.rows {
        let v = held_log_variance();
        finish(row, lane, part(row, lane), exp(-v), 0.5 * v);
    }
}
