//! Inverted dropout (`shaders/dropout.wgsl`).

use narrows_shaders::dropout as shaders;

use super::state::State;
use super::{Kernel, Operand, Program, floats, floats_mut};
use crate::gpu::Variants;
use crate::reference::dropout::{mask, scale, threshold};
use crate::{Error, Result};

/// Zero where the state's seed and step drew so, with probability `rate`, and else `x / (1 - rate)` (Srivastava et al.
/// 2014, section 10). It is its own backward pass: dy takes the place of x, dx that of y, and the mask is drawn again.
///
/// Operands: `state`, `x` `[rows, columns]`; then `y` `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Images.
    pub rows: u32,
    /// Numbers an image.
    pub columns: u32,
    /// The share that is zeroed, in [0, 1).
    pub rate: f32,
    /// Its number among the dropout layers of a model, which draw apart.
    pub layer: u32,
    /// Add to `y` instead of writing it.
    pub accumulate: bool,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    count: u32,
    layer: u32,
    threshold: u32,
    scale: f32,
}

impl Dropout {
    fn count(&self) -> usize {
        self.rows as usize * self.columns as usize
    }
}

impl Kernel for Dropout {
    fn title(&self) -> &'static str {
        "dropout"
    }

    fn program(&self, _: &Variants) -> Program {
        Program {
            shader: &shaders::SHADER,
            entry: "dropout",
            constants: vec![("ACCUMULATE", f64::from(u8::from(self.accumulate)))],
            workgroups: shaders::workgroups(self.count() as u32),
        }
    }

    fn params(&self) -> Vec<u8> {
        let (threshold, scale) = (threshold(self.rate), scale(self.rate));
        let params = Params { count: self.count() as u32, layer: self.layer, threshold, scale };
        bytemuck::bytes_of(&params).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("state", State::WORDS),
            Operand::read("x", self.count()),
            Operand::write("y", self.count()),
        ]
    }

    fn check(&self) -> Result<()> {
        if (0.0..1.0).contains(&self.rate) {
            return Ok(());
        }
        Err(Error::setting("rate of a dropout", "at least 0 and below 1", self.rate))
    }

    // Philox is about 30 operations a number.
    fn flops(&self) -> u64 {
        30 * self.count() as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}] rate {}", self.rows, self.columns, self.rate)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let state = State::from_words(reads[0]);
        let scale = f64::from(scale(self.rate));
        let mask = mask(state.seed, state.step, self.layer, self.rate);
        let elements = floats_mut(writes[0]).iter_mut().zip(floats(reads[1])).take(self.count());
        for ((y, x), kept) in elements.zip(mask) {
            let before = if self.accumulate { f64::from(*y) } else { 0.0 };
            *y = if kept { before + scale * f64::from(*x) } else { before } as f32;
        }
    }
}
