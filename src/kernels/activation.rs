//! Activations and their slopes on their own (`shaders/activation.wgsl`).

use narrows_shaders::activation as shaders;

use super::{Kernel, Operand, Program, floats_mut, put_all, widened};
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

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    count: u32,
}

fn program(entry: &'static str, count: u32, activation: Activation, accumulate: bool) -> Program {
    let constants =
        vec![("ACTIVATION", f64::from(activation.code())), ("ACCUMULATE", f64::from(u8::from(accumulate)))];
    Program { shader: &shaders::SHADER, entry, constants, workgroups: shaders::workgroups(count) }
}

fn params(count: u32) -> Vec<u8> {
    bytemuck::bytes_of(&Params { count }).to_vec()
}

fn shape(count: u32, activation: Activation) -> String {
    format!("[{count}] {activation}")
}

impl Kernel for Forward {
    fn title(&self) -> &'static str {
        "activation"
    }

    fn program(&self, _: &Variants) -> Program {
        program("forward", self.count, self.activation, false)
    }

    fn params(&self) -> Vec<u8> {
        params(self.count)
    }

    fn operands(&self) -> Vec<Operand> {
        let count = self.count as usize;
        vec![Operand::read("x", count), Operand::write("y", count)]
    }

    fn flops(&self) -> u64 {
        u64::from(self.count)
    }

    fn shape(&self) -> String {
        shape(self.count, self.activation)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let values = widened(reads[0]).into_iter().map(|x| self.activation.value(x));
        put_all(floats_mut(writes[0]), values, false);
    }
}

impl Kernel for Backward {
    fn title(&self) -> &'static str {
        "activation backward"
    }

    fn program(&self, _: &Variants) -> Program {
        program("backward", self.count, self.activation, self.accumulate)
    }

    fn params(&self) -> Vec<u8> {
        params(self.count)
    }

    fn operands(&self) -> Vec<Operand> {
        let count = self.count as usize;
        vec![Operand::read("dy", count), Operand::read("kept", count), Operand::write("dx", count)]
    }

    fn flops(&self) -> u64 {
        2 * u64::from(self.count)
    }

    fn shape(&self) -> String {
        shape(self.count, self.activation)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (dy, kept) = (widened(reads[0]), widened(reads[1]));
        let dx = dy.iter().zip(kept).map(|(dy, kept)| dy * self.activation.slope_from_kept(kept));
        put_all(floats_mut(writes[0]), dx, self.accumulate);
    }
}

impl Kernel for Slope {
    fn title(&self) -> &'static str {
        "activation slope"
    }

    fn program(&self, _: &Variants) -> Program {
        program("slope", self.count, self.activation, false)
    }

    fn params(&self) -> Vec<u8> {
        params(self.count)
    }

    fn operands(&self) -> Vec<Operand> {
        let count = self.count as usize;
        vec![Operand::read("kept", count), Operand::write("s", count)]
    }

    fn flops(&self) -> u64 {
        u64::from(self.count)
    }

    fn shape(&self) -> String {
        shape(self.count, self.activation)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let slopes = widened(reads[0]).into_iter().map(|kept| self.activation.slope_from_kept(kept));
        put_all(floats_mut(writes[0]), slopes, false);
    }
}

impl Kernel for SlopeBackward {
    fn title(&self) -> &'static str {
        "activation slope backward"
    }

    fn program(&self, _: &Variants) -> Program {
        program("slope_backward", self.count, self.activation, self.accumulate)
    }

    fn params(&self) -> Vec<u8> {
        params(self.count)
    }

    fn operands(&self) -> Vec<Operand> {
        let count = self.count as usize;
        vec![Operand::read("kept", count), Operand::read("ds", count), Operand::write("dz", count)]
    }

    fn flops(&self) -> u64 {
        3 * u64::from(self.count)
    }

    fn shape(&self) -> String {
        shape(self.count, self.activation)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (kept, ds) = (widened(reads[0]), widened(reads[1]));
        let dz = kept.iter().zip(ds).map(|(kept, ds)| ds * self.activation.curvature_from_kept(*kept));
        put_all(floats_mut(writes[0]), dz, self.accumulate);
    }
}
