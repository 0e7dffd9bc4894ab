//! The last kernel of a step, which advances the state (`shaders/step.wgsl`).

use narrows_shaders::step as shaders;

use super::{Kernel, Operand, Program, State, within};
use crate::Result;
use crate::gpu::Variants;
use crate::reference::batch::ahead;
use crate::reference::step::next_correction;

/// Moves the state on to the next step: cursor, pass, step number and Adam's corrections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Advance {
    /// Images a step, at most `count`.
    pub batch: u32,
    /// Images in the data set, at least one.
    pub count: u32,
    /// How much of Adam's two moments remains; zeros for an optimizer that has none.
    pub betas: [f64; 2],
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    batch: u32,
    count: u32,
    complement1: f32,
    complement2: f32,
}

impl Kernel for Advance {
    fn name(&self) -> &'static str {
        "step advance"
    }

    fn program(&self, _: &Variants) -> Program {
        Program { shader: &shaders::SHADER, entry: "advance", constants: vec![], workgroups: 1 }
    }

    fn params(&self) -> Vec<u8> {
        let Self { batch, count, betas } = *self;
        let [complement1, complement2] = betas.map(|beta| (1.0 - beta) as f32);
        bytemuck::bytes_of(&Params { batch, count, complement1, complement2 }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![Operand::write("state", State::WORDS)]
    }

    fn check(&self) -> Result<()> {
        within("images", self.count, 1..=u32::MAX)?;
        within("batch", self.batch, 1..=self.count)
    }

    fn flops(&self) -> u64 {
        6
    }

    fn shape(&self) -> String {
        format!("[{}] of {}", self.batch, self.count)
    }

    fn reference(&self, _: &[&[u32]], writes: &mut [&mut [u32]]) {
        let mut state = State::from_words(writes[0]);
        let (cursor, passes) = ahead(state.cursor, self.batch, self.count);
        state.cursor = cursor;
        state.epoch = state.epoch.wrapping_add(passes);
        state.step = state.step.wrapping_add(1);
        let next = |correction, beta| next_correction(f64::from(correction), beta) as f32;
        state.correction1 = next(state.correction1, self.betas[0]);
        state.correction2 = next(state.correction2, self.betas[1]);
        writes[0].copy_from_slice(state.words());
    }
}
