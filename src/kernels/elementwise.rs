//! Functions of single numbers (`shaders/elementwise.wgsl`). Products are [`hadamard::Multiply`](super::hadamard::Multiply),
//! activations are [`activation::Activate`](super::activation::Activate).

use narrows_shaders::elementwise as shaders;

use super::{Call, Kernel, each_number};
use crate::gpu::Variants;
use crate::reference::elementwise::{logarithm, logarithm_slope};
use crate::reference::loss::continuous_mean;

/// A function of each number of x, or of x and a second operand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// `a x + b`, which is b for any x where `a = 0`. Its gradient is the same of `dy` with `b = 0`.
    Affine {
        /// What x is multiplied by.
        a: f32,
        /// What is added.
        b: f32,
    },
    /// `a x + b x2`: a sum, a difference, a mixture. Its gradients are [`Function::Affine`] of `dy`.
    WeightedSum {
        /// What x is multiplied by.
        a: f32,
        /// What x2 is multiplied by.
        b: f32,
    },
    /// `e^x`. Its gradient is the product `dy y`.
    Exponential,
    /// `log max(x, 2^-126)`, finite wherever x is; infinity and NaN stay what they are.
    Logarithm,
    /// The gradient of [`Function::Logarithm`], given x and dy: `dy / max(x, 2^-126)`.
    LogarithmBackward,
    /// `1 / (1 - e^-x) - 1 / x`: the mean of a continuous Bernoulli with the logit x.
    ContinuousMean,
}

/// `y = f(x)` or `y = f(x, x2)` over `count` numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elementwise {
    /// How many numbers.
    pub count: u32,
    /// f
    pub function: Function,
    /// Add to `y` instead of writing it.
    pub accumulate: bool,
}

impl Kernel for Elementwise {
    fn call(&self, _: &Variants) -> Call {
        let Self { count, function, accumulate } = *self;
        let (entry, operands, flops) = match function {
            Function::Affine { .. } => ("affine", 2, 2),
            Function::WeightedSum { .. } => ("weighted_sum", 3, 3),
            Function::Exponential => ("exponential", 2, 10),
            Function::Logarithm => ("logarithm", 2, 20),
            Function::LogarithmBackward => ("logarithm_backward", 3, 1),
            Function::ContinuousMean => ("continuous_mean", 2, 20),
        };
        let (a, b) = match function {
            Function::Affine { a, b } | Function::WeightedSum { a, b } => (a, b),
            _ => (0.0, 0.0),
        };
        Call::new(&shaders::SHADER, entry)
            .operands(std::iter::repeat_n(count as usize, operands))
            .uniform([("count", count)])
            .uniform([("a", a), ("b", b)])
            .constant("ACCUMULATE", accumulate)
            .flops(flops, count as usize)
            .shape(format!("[{count}]"))
            .workgroups(|| shaders::workgroups(count))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let add = self.accumulate;
        match self.function {
            Function::Affine { a: 0.0, b } => each_number(reads, writes, add, |[_]| b.into()),
            Function::Affine { a, b } => {
                each_number(reads, writes, add, |[x]| f64::from(a) * x + f64::from(b));
            }
            Function::WeightedSum { a, b } => {
                each_number(reads, writes, add, |[x, x2]| f64::from(a) * x + f64::from(b) * x2);
            }
            Function::Exponential => each_number(reads, writes, add, |[x]| x.exp()),
            Function::Logarithm => each_number(reads, writes, add, |[x]| logarithm(x)),
            Function::LogarithmBackward => {
                each_number(reads, writes, add, |[x, dy]| dy * logarithm_slope(x));
            }
            Function::ContinuousMean => each_number(reads, writes, add, |[x]| continuous_mean(x)),
        }
    }
}
