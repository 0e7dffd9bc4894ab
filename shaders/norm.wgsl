// Batch normalisation (Ioffe and Szegedy 2015, algorithm 1), with the moments that moments.wgsl computes.
//
//     normalize:       y = f(z),  z = scale h + shift,  h = (x - mean) inverse_deviation                         =
//     normalize_keep:  the same, keeping z                                                                       =
//     chunk_sums:      of chunk c, sum of dz and sum of dz h down each column                                    =
//     merge:           sums = of all rows the same; dshift, dscale = the two                          = and = or +=
//     backward:        dx = scale inverse_deviation (dz - correction (sum of dz + h sum of dz h))           = or +=
//
// x, z, y, dz and dx are [rows, channels], one row per pixel. With the moments of the batch itself, correction is
// 1 / rows, for mean and deviation move with each x; with running ones they stand still, and it is 0. dscale is added
// to where ACCUMULATE_SCALE is set, dshift where ACCUMULATE_SHIFT is, dx where ACCUMULATE is. Sums are taken in a fixed
// order. Joined behind lib/stable.wgsl, lib/finite.wgsl, lib/activation.wgsl, lib/strip.wgsl and
// lib/accumulate.wgsl.

override ACCUMULATE_SCALE: bool = false;
override ACCUMULATE_SHIFT: bool = false;

struct Params {
    rows: u32,
    channels: u32,
    /// Rows to a chunk.
    chunk: u32,
    /// Where dscale and dshift begin in gradients.
    scale_at: u32,
    shift_at: u32,
    correction: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// [rows, channels]
@group(0) @binding(1) var<storage, read> x: array<f32>;
/// The gradient before the activation, [rows, channels].
@group(0) @binding(2) var<storage, read> dz: array<f32>;
/// Mean and inverse deviation, [2, channels].
@group(0) @binding(3) var<storage, read> moments: array<f32>;
/// [channels]
@group(0) @binding(4) var<storage, read> scale: array<f32>;
/// [channels]
@group(0) @binding(5) var<storage, read> shift: array<f32>;
/// What chunk_sums wrote.
@group(0) @binding(6) var<storage, read> chunks: array<f32>;
/// What merge wrote.
@group(0) @binding(7) var<storage, read> totals: array<f32>;
/// The output, [rows, channels].
@group(0) @binding(8) var<storage, read_write> y: array<f32>;
/// z, [rows, channels], for activations whose slope needs it.
@group(0) @binding(9) var<storage, read_write> preactivation: array<f32>;
/// Sums of dz and of dz h of each chunk, [chunks, 2, channels].
@group(0) @binding(10) var<storage, read_write> parts: array<f32>;
/// Sums of dz and of dz h, [2, channels].
@group(0) @binding(11) var<storage, read_write> sums: array<f32>;
/// Holds dscale and dshift, [channels] each.
@group(0) @binding(12) var<storage, read_write> gradients: array<f32>;
/// The gradient of x, [rows, channels].
@group(0) @binding(13) var<storage, read_write> dx: array<f32>;

var<workgroup> partial: array<vec2f, 256>;

fn place_of(group: vec3u, groups: vec3u, lane: u32) -> Strip {
    return strip(group.x + group.y * groups.x, lane, params.rows, params.channels, params.chunk);
}

fn slope_of(column: u32) -> f32 {
    return scale[column] * moments[params.channels + column];
}

@compute @workgroup_size(256)
fn normalize(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
             @builtin(local_invocation_index) lane: u32) {
    let place = place_of(group, groups, lane);
    let mean = moments[place.column];
    let slope = slope_of(place.column);
    let offset = shift[place.column];
    for (var row = place.row; row < place.end; row += strip_lines(params.channels)) {
        let e = row * params.channels + place.column;
        y[e] = activate((x[e] - mean) * slope + offset);
    }
}

@compute @workgroup_size(256)
fn normalize_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                  @builtin(local_invocation_index) lane: u32) {
    let place = place_of(group, groups, lane);
    let mean = moments[place.column];
    let slope = slope_of(place.column);
    let offset = shift[place.column];
    for (var row = place.row; row < place.end; row += strip_lines(params.channels)) {
        let e = row * params.channels + place.column;
        let z = (x[e] - mean) * slope + offset;
        preactivation[e] = z;
        y[e] = activate(z);
    }
}

@compute @workgroup_size(256)
fn chunk_sums(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(local_invocation_index) lane: u32) {
    let place = place_of(group, groups, lane);
    let lines = strip_lines(params.channels);
    let mean = moments[place.column];
    var own = vec2f();
    for (var row = place.row; row < place.end; row += lines) {
        let e = row * params.channels + place.column;
        own += dz[e] * vec2f(1.0, x[e] - mean);
    }
    own.y *= moments[params.channels + place.column];
    partial[lane] = own;
    workgroupBarrier();
    if place.line == 0u && place.row < place.end {
        for (var line = 1u; line < lines; line++) {
            own += partial[lane + line * strip_width(params.channels)];
        }
        let at = place.chunk * 2u * params.channels + place.column;
        parts[at] = own.x;
        parts[at + params.channels] = own.y;
    }
}

// One workgroup merges one channel.
@compute @workgroup_size(64)
fn merge(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let channel = group.x + group.y * groups.x;
    if channel >= params.channels {
        return;
    }
    var own = vec2f();
    for (var c = lane; c * params.chunk < params.rows; c += 64u) {
        let at = c * 2u * params.channels + channel;
        own += vec2f(chunks[at], chunks[at + params.channels]);
    }
    partial[lane] = own;
    workgroupBarrier();
    if lane == 0u {
        var whole = own;
        for (var other = 1u; other < 64u; other++) {
            whole += partial[other];
        }
        sums[channel] = whole.x;
        sums[params.channels + channel] = whole.y;
        let scale_at = params.scale_at + channel;
        let shift_at = params.shift_at + channel;
        gradients[scale_at] = whole.y + select(0.0, gradients[scale_at], ACCUMULATE_SCALE);
        gradients[shift_at] = whole.x + select(0.0, gradients[shift_at], ACCUMULATE_SHIFT);
    }
}

@compute @workgroup_size(256)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
    let place = place_of(group, groups, lane);
    let mean = moments[place.column];
    let slope = slope_of(place.column);
    let constant = params.correction * totals[place.column];
    let across = params.channels + place.column;
    let along = params.correction * totals[across] * moments[across];
    for (var row = place.row; row < place.end; row += strip_lines(params.channels)) {
        let e = row * params.channels + place.column;
        let gradient = slope * (dz[e] - constant - (x[e] - mean) * along);
        dx[e] = put(dx[e], gradient);
    }
}
