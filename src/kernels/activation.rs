//! Activations and their slopes on their own (`shaders/activation.wgsl`).

use narrows_shaders::activation as shaders;

use super::{Call, Kernel, each_number};
use crate::gpu::Variants;
pub use crate::reference::activation::Activation;

/// What of an activation f is computed. `kept` is its result, or z where it [keeps its input](Activation::keeps_input).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pass {
    /// `y = f(z)`
    Forward,
    /// `dz = dy * f'(z)`, given dy and kept.
    Backward,
    /// `s = f'(z)`, given kept.
    Slope,
    /// `dz = ds * f''(z)`, given kept and the slope's gradient ds.
    SlopeBackward,
}

/// An activation of `count` numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Activate {
    /// How many numbers.
    pub count: u32,
    /// What of it.
    pub pass: Pass,
    /// f
    pub activation: Activation,
    /// Add to the result instead of writing it.
    pub accumulate: bool,
}

impl Kernel for Activate {
    fn call(&self, _: &Variants) -> Call {
        let Self { count, pass, activation, accumulate } = *self;
        let (entry, operands, flops) = match pass {
            Pass::Forward => ("forward", 2, 1),
            Pass::Backward => ("backward", 3, 2),
            Pass::Slope => ("slope", 2, 1),
            Pass::SlopeBackward => ("slope_backward", 3, 3),
        };
        Call::new(&shaders::SHADER, entry)
            .operands(std::iter::repeat_n(count as usize, operands))
            .uniform([("count", count)])
            .constant("ACTIVATION", activation.code())
            .constant("ACCUMULATE", accumulate)
            .flops(flops, count as usize)
            .shape(format!("[{count}] {activation}"))
            .workgroups(|| shaders::workgroups(count))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (f, add) = (self.activation, self.accumulate);
        match self.pass {
            Pass::Forward => each_number(reads, writes, add, |[z]| f.value(z)),
            Pass::Backward => each_number(reads, writes, add, |[dy, kept]| dy * f.slope_from_kept(kept)),
            Pass::Slope => each_number(reads, writes, add, |[kept]| f.slope_from_kept(kept)),
            Pass::SlopeBackward => {
                each_number(reads, writes, add, |[kept, ds]| ds * f.curvature_from_kept(kept));
            }
        }
    }
}
