// The last kernel of a step: what the next one reads.
//
//     cursor += batch, over the end of the pass into the next;  step += 1
//     correction += (1 - beta) (1 - correction)        keeps correction = 1 - beta^t, t = step + 1
//
// The recurrence never subtracts two powers near one, and rests at one. state is updated in place, by one
// invocation. Joined behind lib/state.wgsl.

struct Params {
    batch: u32,
    /// Images in the data set, at least `batch`.
    count: u32,
    /// Adam's 1 - beta1 and 1 - beta2, or ones where there are no moments.
    complement1: f32,
    complement2: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// What changes from step to step.
@group(0) @binding(1) var<storage, read_write> state: State;

@compute @workgroup_size(1)
fn advance() {
    let left = params.count - state.cursor;
    if params.batch >= left {
        state.cursor = params.batch - left;
        state.epoch += 1u;
    } else {
        state.cursor += params.batch;
    }
    state.step += 1u;
    state.correction1 += params.complement1 * (1.0 - state.correction1);
    state.correction2 += params.complement2 * (1.0 - state.correction2);
}
