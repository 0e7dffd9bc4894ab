//! One step of gradient descent over a flat buffer (`shaders/optimizer.wgsl`).
//!
//! Buffers hold whole vec4s: the words that round `count` up to a multiple of four are updated like
//! parameters. Keep them zero and they stay zero.

use narrows_shaders::optimizer as shaders;

use super::{Kernel, Operand, Program, floats, floats_mut};
use crate::gpu::Variants;
use crate::reference::optimizer as reference;
use crate::{Error, Result};

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

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    count: u32,
    weight_decay: f32,
    beta1: f32,
    complement1: f32,
    beta2: f32,
    complement2: f32,
    epsilon: f32,
}

fn operands(count: u32, moments: &[&'static str]) -> Vec<Operand> {
    let words = (count as usize).next_multiple_of(4);
    let mut operands = vec![
        Operand::read("rates", 3),
        Operand::read("gradients", words),
        Operand::write("parameters", words),
    ];
    operands.extend(moments.iter().map(|name| Operand::write(name, words)));
    operands
}

fn fraction(what: &str, value: f64) -> Result<()> {
    let good = (0.0..1.0).contains(&value);
    if good { Ok(()) } else { Err(Error::setting(what, "at least 0 and below 1", value)) }
}

impl Kernel for Sgd {
    fn title(&self) -> &'static str {
        "optimizer sgd"
    }

    fn program(&self, _: &Variants) -> Program {
        Program {
            shader: &shaders::SHADER,
            entry: "sgd",
            constants: vec![],
            workgroups: shaders::workgroups(self.count),
        }
    }

    fn params(&self) -> Vec<u8> {
        let Self { count, momentum, weight_decay } = *self;
        let params = Params { count, weight_decay, beta1: momentum, ..bytemuck::Zeroable::zeroed() };
        bytemuck::bytes_of(&params).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        operands(self.count, &["first_moment"])
    }

    fn check(&self) -> Result<()> {
        fraction("momentum", self.momentum.into())
    }

    fn flops(&self) -> u64 {
        6 * u64::from(self.count)
    }

    fn shape(&self) -> String {
        format!("[{}]", self.count)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let sgd = reference::Sgd {
            learning_rate: f64::from(floats(reads[0])[0]),
            momentum: f64::from(self.momentum),
            weight_decay: f64::from(self.weight_decay),
        };
        let (parameters, velocities) = writes.split_at_mut(1);
        let parameters = floats_mut(parameters[0]).iter_mut();
        let velocities = floats_mut(velocities[0]).iter_mut();
        for ((gradient, parameter), velocity) in floats(reads[1]).iter().zip(parameters).zip(velocities) {
            sgd.update(*gradient, parameter, velocity);
        }
    }
}

impl Kernel for Adam {
    fn title(&self) -> &'static str {
        if self.decoupled { "optimizer adamw" } else { "optimizer adam" }
    }

    fn program(&self, _: &Variants) -> Program {
        Program {
            shader: &shaders::SHADER,
            entry: "adam",
            constants: vec![("DECOUPLED", f64::from(u8::from(self.decoupled)))],
            workgroups: shaders::workgroups(self.count),
        }
    }

    fn params(&self) -> Vec<u8> {
        let Self { count, beta1, beta2, epsilon, weight_decay, .. } = *self;
        let params = Params {
            count,
            weight_decay,
            beta1: beta1 as f32,
            complement1: (1.0 - beta1) as f32,
            beta2: beta2 as f32,
            complement2: (1.0 - beta2) as f32,
            epsilon,
        };
        bytemuck::bytes_of(&params).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        operands(self.count, &["first_moment", "second_moment"])
    }

    fn check(&self) -> Result<()> {
        fraction("beta1", self.beta1)?;
        fraction("beta2", self.beta2)?;
        // Without it a gradient of zero would be divided by zero.
        let good = self.epsilon.is_finite() && self.epsilon > 0.0;
        if good { Ok(()) } else { Err(Error::setting("epsilon", "a positive number", self.epsilon)) }
    }

    fn flops(&self) -> u64 {
        15 * u64::from(self.count)
    }

    fn shape(&self) -> String {
        format!("[{}]", self.count)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [learning_rate, correction1, correction2] = [0, 1, 2].map(|at| floats(reads[0])[at]);
        let adam = reference::Adam {
            learning_rate: f64::from(learning_rate),
            betas: [self.beta1, self.beta2],
            corrections: [correction1, correction2].map(f64::from),
            epsilon: f64::from(self.epsilon),
            weight_decay: f64::from(self.weight_decay),
            decoupled: self.decoupled,
        };
        let (parameters, moments) = writes.split_at_mut(1);
        let (firsts, seconds) = moments.split_at_mut(1);
        let parameters = floats_mut(parameters[0]).iter_mut();
        let moments = floats_mut(firsts[0]).iter_mut().zip(floats_mut(seconds[0]));
        for ((gradient, parameter), (m, v)) in floats(reads[1]).iter().zip(parameters).zip(moments) {
            adam.update(*gradient, parameter, [m, v]);
        }
    }
}
