//! One step of gradient descent over a flat buffer (`shaders/optimizer.wgsl`).
//!
//! Buffers hold whole vec4s: the words that round `count` up to a multiple of four are updated like
//! parameters. Keep them zero and they stay zero.

use narrows_shaders::optimizer as shaders;

use super::{Call, Kernel, State, floats, floats_mut, vec4s};
use crate::gpu::Variants;
use crate::reference::optimizer as reference;

/// Stochastic gradient descent with momentum, as PyTorch writes it: `v = momentum v + g`, then
/// `p -= learning_rate v`, where `g` includes `weight_decay p`. The velocity begins at zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// How many parameters.
    pub count: u32,
    /// How much of the velocity remains, in [0, 1).
    pub momentum: f32,
    /// The L2 penalty's slope.
    pub weight_decay: f32,
}

/// Adam (Kingma and Ba 2014, algorithm 1), or AdamW where `decoupled` (Loshchilov and Hutter 2017,
/// algorithm 2 with the decay scaled by the learning rate, as PyTorch does). Both moments begin at zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// How many parameters.
    pub count: u32,
    /// How much of the first moment remains, in [0, 1).
    pub beta1: f64,
    /// How much of the second moment remains, in [0, 1).
    pub beta2: f64,
    /// What keeps the divisor from zero; above zero.
    pub epsilon: f32,
    /// The weight decay.
    pub weight_decay: f32,
    /// Whether the decay acts on the parameters instead of their gradients.
    pub decoupled: bool,
}

const FRACTION: &str = "at least 0 and below 1";

// What both have: state, gradients and parameters, so many moments, and `each` operations a parameter.
fn call(entry: &'static str, count: u32, moments: usize, each: u64) -> Call {
    Call::new(&shaders::SHADER, entry)
        .operands([State::WORDS])
        .operands(std::iter::repeat_n(vec4s(count as usize), 2 + moments))
        .uniform([("count", count)])
        .flops(each, count as usize)
        .shape(format!("[{count}]"))
        .workgroups(|| shaders::workgroups(count))
}

impl Kernel for Sgd {
    fn call(&self, _: &Variants) -> Call {
        let Self { count, momentum, weight_decay } = *self;
        call("sgd", count, 1, 6)
            .uniform([("weight_decay", weight_decay), ("beta1", momentum), ("complement1", 0.0)])
            .uniform([("beta2", 0.0), ("complement2", 0.0), ("epsilon", 0.0)])
            .setting("momentum", (0.0..1.0).contains(&momentum), FRACTION, momentum)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let sgd = reference::Sgd {
            learning_rate: f64::from(State::from_words(reads[0]).learning_rate),
            momentum: f64::from(self.momentum),
            weight_decay: f64::from(self.weight_decay),
        };
        let [parameters, velocities] = writes else { return };
        let moved = floats_mut(parameters).iter_mut().zip(floats_mut(velocities));
        for ((parameter, velocity), gradient) in moved.zip(floats(reads[1])) {
            sgd.update(*gradient, parameter, velocity);
        }
    }
}

impl Kernel for Adam {
    fn call(&self, _: &Variants) -> Call {
        let Self { count, beta1, beta2, epsilon, weight_decay, decoupled } = *self;
        let [complement1, complement2] = [beta1, beta2].map(|beta| (1.0 - beta) as f32);
        // Without it a gradient of zero would be divided by zero.
        let good = epsilon.is_finite() && epsilon > 0.0;
        call("adam", count, 2, 15)
            .uniform([("weight_decay", weight_decay), ("beta1", beta1 as f32), ("complement1", complement1)])
            .uniform([("beta2", beta2 as f32), ("complement2", complement2), ("epsilon", epsilon)])
            .constant("DECOUPLED", decoupled)
            .setting("beta1", (0.0..1.0).contains(&beta1), FRACTION, beta1)
            .setting("beta2", (0.0..1.0).contains(&beta2), FRACTION, beta2)
            .setting("epsilon", good, "a positive number", epsilon)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let State { learning_rate, correction1, correction2, .. } = State::from_words(reads[0]);
        let adam = reference::Adam {
            learning_rate: f64::from(learning_rate),
            betas: [self.beta1, self.beta2],
            corrections: [correction1, correction2].map(f64::from),
            epsilon: f64::from(self.epsilon),
            weight_decay: f64::from(self.weight_decay),
            decoupled: self.decoupled,
        };
        let [parameters, firsts, seconds] = writes else { return };
        let moments = floats_mut(firsts).iter_mut().zip(floats_mut(seconds));
        let moved = floats_mut(parameters).iter_mut().zip(moments);
        for ((parameter, (m, v)), gradient) in moved.zip(floats(reads[1])) {
            adam.update(*gradient, parameter, [m, v]);
        }
    }
}
