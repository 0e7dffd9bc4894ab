//! One step of gradient descent over a flat buffer (`shaders/optimizer.wgsl`).
//!
//! Buffers hold whole vec4s: the words that round `count` up to a multiple of four are updated like
//! parameters. Keep them zero and they stay zero.

use narrows_shaders::optimizer as shaders;

use super::{Call, Kernel, floats, floats_mut, vec4s};
use crate::gpu::Variants;
pub use crate::reference::optimizer::Optimizer;

/// One step: given `rates`, the learning rate and Adam's corrections, and the gradients, it moves the parameters and the
/// optimizer's moments in place. Moments begin at zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descend {
    /// How many parameters.
    pub count: u32,
    /// By which rule.
    pub optimizer: Optimizer,
}

impl Kernel for Descend {
    fn call(&self, _: &Variants) -> Call {
        let Self { count, optimizer } = *self;
        let moments = optimizer.moments().len();
        let call = |entry, flops| {
            Call::new(&shaders::SHADER, entry)
                .operands([3])
                .operands(std::iter::repeat_n(vec4s(count as usize), 2 + moments))
                .uniform([("count", count)])
                .flops(flops, count as usize)
                .shape(format!("[{count}]"))
                .workgroups(|| shaders::workgroups(count))
        };
        let fraction = |call: Call, name, value: f64| {
            call.setting(name, (0.0..1.0).contains(&value), "at least 0 and below 1", value)
        };
        match optimizer {
            Optimizer::Sgd { momentum, weight_decay } => {
                let call = call("sgd", 6)
                    .uniform([("weight_decay", weight_decay), ("beta1", momentum), ("complement1", 0.0)])
                    .uniform([("beta2", 0.0), ("complement2", 0.0), ("epsilon", 0.0)]);
                fraction(call, "momentum", momentum.into())
            }
            Optimizer::Adam { beta1, beta2, epsilon, weight_decay, decoupled } => {
                let [complement1, complement2] = [beta1, beta2].map(|beta| (1.0 - beta) as f32);
                // Without it a gradient of zero would be divided by zero.
                let good = epsilon.is_finite() && epsilon > 0.0;
                let call = call("adam", 15)
                    .uniform([("weight_decay", weight_decay)])
                    .uniform([("beta1", beta1 as f32), ("complement1", complement1)])
                    .uniform([("beta2", beta2 as f32), ("complement2", complement2), ("epsilon", epsilon)])
                    .constant("DECOUPLED", decoupled);
                fraction(fraction(call, "beta1", beta1), "beta2", beta2).setting(
                    "epsilon",
                    good,
                    "a positive number",
                    epsilon,
                )
            }
        }
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let rates = [0, 1, 2].map(|at| f64::from(floats(reads[0])[at]));
        let [parameters, moments @ ..] = writes else { return };
        let mut moments: Vec<&mut [f32]> = moments.iter_mut().map(|words| floats_mut(words)).collect();
        for (i, (parameter, gradient)) in floats_mut(parameters).iter_mut().zip(floats(reads[1])).enumerate()
        {
            let mut unused = 0.0;
            let [m, v] = match &mut moments[..] {
                [m, v] => [&mut m[i], &mut v[i]],
                [m] => [&mut m[i], &mut unused],
                _ => return,
            };
            self.optimizer.update(rates, *gradient, parameter, [m, v]);
        }
    }
}
