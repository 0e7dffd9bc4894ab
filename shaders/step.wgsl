// The last kernel of a step: what the next one reads.
//
//     cursor += batch, over the end of the pass into the next;  step += 1
//     correction += (1 - beta) (1 - correction)        keeps correction = 1 - beta^t, t = step + 1
//     learning_rate = rate · r                         SCHEDULE 1, linear: r = 1 - step / steps, of the run
//                   = rate · (1 + cos π (1 - r)) / 2   SCHEDULE 2, cosine; left as it is with SCHEDULE 0
//     kl_share = min(phase / rise, 1)                  during the first warmup steps, then 1;
//                                                      phase in [0, 1): where in its cycle the step is
//
// Adam's recurrence never subtracts two powers near one, and rests at one. state is updated in place, by one
// invocation. Joined behind lib/state.wgsl.

override SCHEDULE: u32 = 0u;

struct Params {
    batch: u32,
    /// Images in the data set, at least `batch`.
    count: u32,
    /// Adam's 1 - beta1 and 1 - beta2, or ones where there are no moments.
    complement1: f32,
    complement2: f32,
    /// The learning rate that the run begins with, and the steps it falls over, at least one.
    rate: f32,
    steps: u32,
    /// Steps of the KL's warm-up, the cycles it has in them, and the part of each in which the share rises.
    warmup: u32,
    cycles: u32,
    rise: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// What changes from step to step.
@group(0) @binding(1) var<storage, read_write> state: State;

// sin²(π x / 2) for x in [0, 1] by its series, whose next term is 6e-8: WGSL allows cos an error of 2^-11.
fn half_cosine(x: f32) -> f32 {
    let a = 1.5707963267948966 * x;
    let q = a * a;
    let s = a * (1.0 - q / 6.0 * (1.0 - q / 20.0 * (1.0 - q / 42.0 * (1.0 - q / 72.0 * (1.0 - q / 110.0)))));
    return s * s;
}

@compute @workgroup_size(1)
fn advance() {
    let left = params.count - state.cursor;
    if params.batch >= left {
        state.cursor = params.batch - left;
        state.epoch += 1u;
    } else {
        state.cursor += params.batch;
    }
    let step = state.step + 1u;
    state.step = step;
    state.correction1 += params.complement1 * (1.0 - state.correction1);
    state.correction2 += params.complement2 * (1.0 - state.correction2);
    let remaining = f32(params.steps - min(step, params.steps)) / f32(params.steps);
    if SCHEDULE == 1u {
        state.learning_rate = params.rate * remaining;
    } else if SCHEDULE == 2u {
        state.learning_rate = params.rate * half_cosine(remaining);
    }
    if step < params.warmup {
        // The host sees to it that warmup · cycles fits 32 bits.
        let phase = f32(step * params.cycles % params.warmup) / f32(params.warmup);
        state.kl_share = min(phase / params.rise, 1.0);
    } else {
        state.kl_share = 1.0;
    }
}
