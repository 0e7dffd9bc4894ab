//! Activations and their slopes on their own (`shaders/activation.wgsl`).

use narrows_shaders::activation as shaders;

use super::{Call, Kernel, floats_mut, put_all, widened};
use crate::gpu::Variants;
pub use crate::reference::activation::Activation;

/// `y = f(x)` over `count` numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Forward {
    /// How many numbers.
    pub count: u32,
    /// f
    pub activation: Activation,
}

/// `dx = dy * f'(kept)` over `count` numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backward {
    /// How many numbers.
    pub count: u32,
    /// f
    pub activation: Activation,
    /// Add to dx instead of writing it.
    pub accumulate: bool,
}

/// `s = f'(kept)` over `count` numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slope {
    /// How many numbers.
    pub count: u32,
    /// f
    pub activation: Activation,
}

/// `dz = ds * f''(kept)` over `count` numbers: from the gradient of the slope that of what f was applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlopeBackward {
    /// How many numbers.
    pub count: u32,
    /// f
    pub activation: Activation,
    /// Add to dz instead of writing it.
    pub accumulate: bool,
}

// Every entry has operands of `count` numbers, and `each` operations a number.
fn call(entry: &'static str, operands: usize, each: u64, count: u32, activation: Activation) -> Call {
    Call::new(&shaders::SHADER, entry)
        .operands(std::iter::repeat_n(count as usize, operands))
        .uniform([("count", count)])
        .constant("ACTIVATION", activation.code())
        .flops(each, count as usize)
        .shape(format!("[{count}] {activation}"))
        .workgroups(|| shaders::workgroups(count))
}

impl Kernel for Forward {
    fn call(&self, _: &Variants) -> Call {
        call("forward", 2, 1, self.count, self.activation)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let values = widened(reads[0]).into_iter().map(|x| self.activation.value(x));
        put_all(floats_mut(writes[0]), values, false);
    }
}

impl Kernel for Backward {
    fn call(&self, _: &Variants) -> Call {
        call("backward", 3, 2, self.count, self.activation).constant("ACCUMULATE", self.accumulate)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (dy, kept) = (widened(reads[0]), widened(reads[1]));
        let dx = dy.iter().zip(kept).map(|(dy, kept)| dy * self.activation.slope_from_kept(kept));
        put_all(floats_mut(writes[0]), dx, self.accumulate);
    }
}

impl Kernel for Slope {
    fn call(&self, _: &Variants) -> Call {
        call("slope", 2, 1, self.count, self.activation)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let slopes = widened(reads[0]).into_iter().map(|kept| self.activation.slope_from_kept(kept));
        put_all(floats_mut(writes[0]), slopes, false);
    }
}

impl Kernel for SlopeBackward {
    fn call(&self, _: &Variants) -> Call {
        call("slope_backward", 3, 3, self.count, self.activation).constant("ACCUMULATE", self.accumulate)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (kept, ds) = (widened(reads[0]), widened(reads[1]));
        let dz = kept.iter().zip(ds).map(|(kept, ds)| ds * self.activation.curvature_from_kept(*kept));
        put_all(floats_mut(writes[0]), dz, self.accumulate);
    }
}
