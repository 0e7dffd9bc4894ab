// The last kernel of a step: its losses, and what the next one reads.
//
//     ring[(slot + t) · capacity + step % capacity] = means[t].scale · sum of the values of term t            keep_and_...
//     cursor += batch, over the end of the pass into the next;  step += 1                      COUNTS
//     learning_rate = rate · fall · w · factor         w = min((step + 1) / (warmup + 1), 1)
//         fall = 1                                     KIND_CONSTANT
//              = r                                     KIND_LINEAR: r, of the steps behind the warm-up the share left
//              = (1 + cos π (1 - r)) / 2               KIND_COSINE
//     correction += (1 - beta) (1 - correction)        of an update that ran: keeps correction = 1 - beta^t, t = runs + 1
//     share = min(phase / rise, 1)                     KIND_SHARE: during the first steps, then 1;
//                                                      phase in [0, 1): where in its cycle the step is
//
// Adam's recurrence never subtracts two powers near one, and rests at one. state and rates are updated in place, by one
// invocation, behind all that a workgroup reads of them. Where there is more to advance than one dispatch describes, the
// last alone counts the step. Joined behind lib/state.wgsl and lib/means.wgsl.

override COUNTS: bool = true;

const KIND_CONSTANT = 0u;
const KIND_LINEAR = 1u;
const KIND_COSINE = 2u;
const KIND_SHARE = 3u;

/// What of the rates follows the number of the step.
struct Scheduled {
    kind: u32,
    /// The first of its words in rates: learning rate, two corrections and factor of an update, or the share of a weight.
    at: u32,
    /// An update runs in the steps whose number, from 1, is a multiple of this.
    every: u32,
    /// Steps behind the warm-up that a learning rate falls over, at least one, or that a share rises in.
    steps: u32,
    /// The learning rate, or the part of a cycle in which the share rises.
    rate: f32,
    /// Adam's 1 - beta1 and 1 - beta2, or ones where there are no moments.
    complement1: f32,
    complement2: f32,
    /// Steps in which a learning rate warms up, or cycles of a share.
    cycles: u32,
}

struct Params {
    batch: u32,
    /// Images in the data set, at least `batch`.
    count: u32,
    /// How many of `scheduled` there are.
    entries: u32,
    /// How many of `means` there are, at least one for keep_and_...
    terms: u32,
    /// Steps that the ring holds.
    capacity: u32,
    /// The line of the first term.
    slot: u32,
    padding0: u32,
    padding1: u32,
    scheduled: array<Scheduled, 7>,
    means: array<Mean, 5>,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Where the run stands.
@group(0) @binding(8) var<storage, read_write> state: State;
/// Learning rates, corrections, factors (which the host writes) and shares, each at its place.
@group(0) @binding(9) var<storage, read_write> rates: array<f32>;

// sin²(π x / 2) for x in [0, 1] by its series, whose next term is 6e-8: WGSL allows cos an error of 2^-11.
fn half_cosine(x: f32) -> f32 {
    let a = 1.5707963267948966 * x;
    let q = a * a;
    let s = a * (1.0 - q / 6.0 * (1.0 - q / 20.0 * (1.0 - q / 42.0 * (1.0 - q / 72.0 * (1.0 - q / 110.0)))));
    return s * s;
}

fn count_step() {
    let left = params.count - state.cursor;
    if params.batch >= left {
        state.cursor = params.batch - left;
        state.epoch += 1u;
    } else {
        state.cursor += params.batch;
    }
    state.step += 1u;
}

fn advance_rate(entry: Scheduled, step: u32) {
    let warmup = entry.cycles;
    var share = 1.0;
    if step < warmup {
        share = f32(step + 1u) / f32(warmup + 1u);
    } else if entry.kind != KIND_CONSTANT {
        let remaining = f32(entry.steps - min(step - warmup, entry.steps)) / f32(entry.steps);
        share = select(half_cosine(remaining), remaining, entry.kind == KIND_LINEAR);
    }
    rates[entry.at] = entry.rate * share * rates[entry.at + 3u];
    if step % entry.every == 0u {
        rates[entry.at + 1u] += entry.complement1 * (1.0 - rates[entry.at + 1u]);
        rates[entry.at + 2u] += entry.complement2 * (1.0 - rates[entry.at + 2u]);
    }
}

fn advance_share(entry: Scheduled, step: u32) {
    if step < entry.steps {
        // The host sees to it that steps · cycles fits 32 bits.
        let phase = f32(step * entry.cycles % entry.steps) / f32(entry.steps);
        rates[entry.at] = min(phase / entry.rate, 1.0);
    } else {
        rates[entry.at] = 1.0;
    }
}

fn advance_all() {
    let step = state.step + 1u;
    for (var number = 0u; number < params.entries; number++) {
        let entry = params.scheduled[number];
        if entry.kind == KIND_SHARE {
            advance_share(entry, step);
        } else {
            advance_rate(entry, step);
        }
    }
    if COUNTS {
        count_step();
    }
}

fn keep_means(lane: u32) {
    let step = state.step;
    for (var term = 0u; term < params.terms; term++) {
        keep_mean(term, step, lane);
    }
}

@compute @workgroup_size(1)
fn advance() {
    advance_all();
}

// Where nothing follows the number of the step.
@compute @workgroup_size(1)
fn count() {
    count_step();
}

@compute @workgroup_size(256)
fn keep_and_advance(@builtin(local_invocation_index) lane: u32) {
    keep_means(lane);
    if lane == 0u {
        advance_all();
    }
}

@compute @workgroup_size(256)
fn keep_and_count(@builtin(local_invocation_index) lane: u32) {
    keep_means(lane);
    if lane == 0u {
        count_step();
    }
}
