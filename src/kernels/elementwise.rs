//! Sums, exponentials and logarithms, number by number (`shaders/elementwise.wgsl`). Products are
//! [`hadamard::Multiply`](super::hadamard::Multiply).

use narrows_shaders::elementwise as shaders;

use super::{Call, Kernel, floats_mut, put_all, widened};
use crate::gpu::Variants;
use crate::reference::elementwise::{logarithm, logarithm_slope};

/// `y = a x + b`, of which `a = 0` leaves b whatever x is.
///
/// Its gradient is the same of `dy`, with the same `a` and `b = 0`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// Numbers.
    pub count: u32,
    /// What x is multiplied by.
    pub a: f32,
    /// What is added.
    pub b: f32,
    /// Add to `y` instead of writing it.
    pub accumulate: bool,
}

/// `y = a x + b x2`: a sum, a difference, a mixture.
///
/// Its gradients are [`Affine`] of `dy`, with `a` for x and with `b` for x2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedSum {
    /// Numbers.
    pub count: u32,
    /// What x is multiplied by.
    pub a: f32,
    /// What x2 is multiplied by.
    pub b: f32,
    /// Add to `y` instead of writing it.
    pub accumulate: bool,
}

/// `y = e^x`
///
/// Its gradient is the product `dy y`: [`Multiply`](super::hadamard::Multiply).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Exponential {
    /// Numbers.
    pub count: u32,
}

/// `y = log max(x, 2^-126)`, finite wherever x is; of infinity or NaN that itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Logarithm {
    /// Numbers.
    pub count: u32,
}

/// The gradient of [`Logarithm`], given x and dy: `dx = dy / max(x, 2^-126)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogarithmBackward {
    /// Numbers.
    pub count: u32,
    /// Add to `dx` instead of writing it.
    pub accumulate: bool,
}

// Of so many operands of the same length.
fn call(entry: &'static str, operands: usize, count: u32, [a, b]: [f32; 2]) -> Call {
    Call::new(&shaders::SHADER, entry)
        .operands(std::iter::repeat_n(count as usize, operands))
        .uniform([("count", count)])
        .uniform([("a", a), ("b", b)])
        .shape(format!("[{count}]"))
        .workgroups(|| shaders::workgroups(count))
}

impl Kernel for Affine {
    fn call(&self, _: &Variants) -> Call {
        let Self { count, a, b, accumulate } = *self;
        call("affine", 2, count, [a, b]).constant("ACCUMULATE", accumulate).flops(2, count as usize)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [a, b] = [self.a, self.b].map(f64::from);
        let y = widened(reads[0]).into_iter().map(|x| if a == 0.0 { b } else { a * x + b });
        put_all(floats_mut(writes[0]), y, self.accumulate);
    }
}

impl Kernel for WeightedSum {
    fn call(&self, _: &Variants) -> Call {
        let Self { count, a, b, accumulate } = *self;
        call("weighted_sum", 3, count, [a, b]).constant("ACCUMULATE", accumulate).flops(3, count as usize)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [a, b] = [self.a, self.b].map(f64::from);
        let y = widened(reads[0]).into_iter().zip(widened(reads[1])).map(|(x, x2)| a * x + b * x2);
        put_all(floats_mut(writes[0]), y, self.accumulate);
    }
}

impl Kernel for Exponential {
    fn call(&self, _: &Variants) -> Call {
        call("exponential", 2, self.count, [0.0; 2]).flops(10, self.count as usize)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        put_all(floats_mut(writes[0]), widened(reads[0]).into_iter().map(f64::exp), false);
    }
}

impl Kernel for Logarithm {
    fn call(&self, _: &Variants) -> Call {
        call("logarithm", 2, self.count, [0.0; 2]).flops(20, self.count as usize)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        put_all(floats_mut(writes[0]), widened(reads[0]).into_iter().map(logarithm), false);
    }
}

impl Kernel for LogarithmBackward {
    fn call(&self, _: &Variants) -> Call {
        let Self { count, accumulate } = *self;
        call("logarithm_backward", 3, count, [0.0; 2])
            .constant("ACCUMULATE", accumulate)
            .flops(1, count as usize)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let dx = widened(reads[0]).into_iter().zip(widened(reads[1]));
        put_all(floats_mut(writes[0]), dx.map(|(x, dy)| dy * logarithm_slope(x)), self.accumulate);
    }
}
