// Groups of consecutive rows, each made one row: the logarithm of the sum, or of the mean, of exponentials, as an
// importance-weighted bound needs it (Burda et al. 2015, "Importance weighted autoencoders", equation 8).
//
//     log_sum_exp           y[g, c] = log Σ_j e^x[g · size + j, c] + offset = top + rest + offset               =
//                           top[g, c] = max x,  rest[g, c] = log Σ_j e^(x - top), from 0 to log size            =
//     log_sum_exp_backward  dx[g · size + j, c] = dy[g, c] · e^((x[g · size + j, c] - top) - rest)         = or +=
//
// x and dx are [groups · size, columns], y and dy [groups, columns], parts [2, groups, columns]: top, then rest, of
// which y alone would have lost what rounding takes where top is large. += where ACCUMULATE is set. With the offset
// -log size the sum is a mean. Of nothing but -inf y is -inf, of any +inf y is +inf; numbers that are equal to top
// share the gradient alike, infinite ones too. NaN stays NaN. Joined behind lib/log.wgsl, lib/finite.wgsl and
// lib/accumulate.wgsl.

struct Params {
    groups: u32,
    /// Rows of x to each group.
    size: u32,
    columns: u32,
    offset: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// [groups · size, columns]
@group(0) @binding(1) var<storage, read> x: array<f32>;
/// What log_sum_exp left, [2, groups, columns].
@group(0) @binding(2) var<storage, read> kept: array<f32>;
/// The gradient of y, [groups, columns].
@group(0) @binding(3) var<storage, read> dy: array<f32>;
/// [groups, columns]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
/// top and rest, [2, groups, columns].
@group(0) @binding(5) var<storage, read_write> parts: array<f32>;
/// The gradient of x, [groups · size, columns].
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;

// a - b, zero where they are the same infinity.
fn difference(a: f32, b: f32) -> f32 {
    return select(a - b, 0.0, a == b);
}

// An invocation takes a column of a group, in one pass: whenever a larger number comes, the sum so far shrinks.
@compute @workgroup_size(64)
fn log_sum_exp(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
               @builtin(local_invocation_index) lane: u32) {
    let count = params.groups * params.columns;
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i >= count {
        return;
    }
    let first = i / params.columns * params.size * params.columns + i % params.columns;
    var top = x[first];
    var sum = 1.0;
    for (var j = 1u; j < params.size && !is_nan(top); j++) {
        let next = x[first + j * params.columns];
        let share = exp(-abs(difference(next, top)));
        let higher = next > top || is_nan(next);
        sum = select(sum + share, sum * share + 1.0, higher);
        top = select(top, next, higher);
    }
    let rest = precise_log(vec2f(sum)).x;
    y[i] = top + (rest + params.offset);
    parts[i] = top;
    parts[count + i] = rest;
}

@compute @workgroup_size(64)
fn log_sum_exp_backward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                        @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.groups * params.size * params.columns {
        let at = i / (params.size * params.columns) * params.columns + i % params.columns;
        let top = kept[at];
        let share = exp(difference(x[i], top) - kept[params.groups * params.columns + at]);
        dx[i] = put(dx[i], dy[at] * select(share, top, is_nan(top)));
    }
}
