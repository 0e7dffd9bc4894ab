// The statistics of batch normalisation (Ioffe and Szegedy 2015): of each channel, its mean and variance over a batch.
//
//     chunk_moments:  of chunk c, mean = sum of x / n and squares = sum of (x - mean)² down each column          =
//     merge:          of all rows the same, then moments = mean, 1 / sqrt(squares / rows + epsilon)              =
//                     running mean += momentum (mean - running mean)                                            +=
//                     running variance += momentum (squares / (rows - 1) - running variance)                    +=
//     running:        moments = running mean, 1 / sqrt(running variance + epsilon)                               =
//
// x is [rows, channels], one row per pixel; the chunks' sums are [chunks, 2, channels] and moments is [2, channels]. No
// sum of plain squares is formed, which would cancel where a mean is far from zero: rows are taken in one by one
// (Welford 1962), and groups of rows merged (Chan, Golub and LeVeque 1979), in a fixed order. Joined behind
// lib/strip.wgsl.

struct Params {
    rows: u32,
    channels: u32,
    /// Rows to a chunk.
    chunk: u32,
    /// Where the channels' running means and variances begin in statistics.
    mean_at: u32,
    variance_at: u32,
    /// What this batch weighs in the running statistics.
    momentum: f32,
    /// Added to variances.
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// [rows, channels]
@group(0) @binding(1) var<storage, read> x: array<f32>;
/// What chunk_moments wrote.
@group(0) @binding(2) var<storage, read> chunks: array<f32>;
/// Running means and variances, to use.
@group(0) @binding(3) var<storage, read> statistics: array<f32>;
/// Mean and squares of each chunk, [chunks, 2, channels].
@group(0) @binding(4) var<storage, read_write> parts: array<f32>;
/// Mean and inverse deviation, [2, channels].
@group(0) @binding(5) var<storage, read_write> moments: array<f32>;
/// Running means and variances, to bring up to date.
@group(0) @binding(6) var<storage, read_write> kept: array<f32>;

struct Moments {
    count: f32,
    mean: f32,
    squares: f32,
}

var<workgroup> partial: array<Moments, 256>;

fn merged(a: Moments, b: Moments) -> Moments {
    let count = a.count + b.count;
    if b.count == 0.0 {
        return a;
    }
    let apart = b.mean - a.mean;
    let share = b.count / count;
    return Moments(count, a.mean + share * apart, a.squares + b.squares + apart * apart * a.count * share);
}

@compute @workgroup_size(256)
fn chunk_moments(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(local_invocation_index) lane: u32) {
    let number = group.x + group.y * groups.x;
    let place = strip(number, lane, params.rows, params.channels, params.chunk);
    let lines = strip_lines(params.channels);
    // From the chunk's first row they are not far: their mean is small, and loses no digits to what they share.
    let first = min(place.chunk * params.chunk, params.rows - 1u);
    let origin = x[first * params.channels + place.column];
    var own = Moments();
    for (var row = place.row; row < place.end; row += lines) {
        let value = x[row * params.channels + place.column] - origin;
        let apart = value - own.mean;
        own.count += 1.0;
        own.mean += apart / own.count;
        own.squares += apart * (value - own.mean);
    }
    partial[lane] = own;
    workgroupBarrier();
    if place.line == 0u && place.row < place.end {
        for (var line = 1u; line < lines; line++) {
            own = merged(own, partial[lane + line * strip_width(params.channels)]);
        }
        let at = place.chunk * 2u * params.channels + place.column;
        parts[at] = origin + own.mean;
        parts[at + params.channels] = own.squares;
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
    var own = Moments();
    for (var c = lane; c * params.chunk < params.rows; c += 64u) {
        let at = c * 2u * params.channels + channel;
        let count = f32(min(params.chunk, params.rows - c * params.chunk));
        own = merged(own, Moments(count, chunks[at], chunks[at + params.channels]));
    }
    partial[lane] = own;
    workgroupBarrier();
    if lane == 0u {
        var whole = own;
        for (var other = 1u; other < 64u; other++) {
            whole = merged(whole, partial[other]);
        }
        moments[channel] = whole.mean;
        moments[params.channels + channel] = inverseSqrt(whole.squares / f32(params.rows) + params.epsilon);
        let mean_at = params.mean_at + channel;
        let variance_at = params.variance_at + channel;
        kept[mean_at] += params.momentum * (whole.mean - kept[mean_at]);
        let unbiased = whole.squares / f32(params.rows - 1u);
        kept[variance_at] += params.momentum * (unbiased - kept[variance_at]);
    }
}

@compute @workgroup_size(64)
fn running(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let channel = (group.x + group.y * groups.x) * 64u + lane;
    if channel < params.channels {
        moments[channel] = statistics[params.mean_at + channel];
        let variance = statistics[params.variance_at + channel];
        moments[params.channels + channel] = inverseSqrt(variance + params.epsilon);
    }
}
