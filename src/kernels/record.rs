//! Losses, kept on the device until someone reads them (`shaders/record.wgsl`).

use narrows_shaders::record as shaders;

use super::{Kernel, Operand, Program, State, floats, floats_mut, within};
use crate::Result;
use crate::gpu::Variants;
use crate::reference::record::{collect, scaled_sum};

/// `ring[slot, step % capacity] = scale * sum(values[count])`: one term of the step's loss.
///
/// With `scale = 1 / batch` and one value an image it is the batch's mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanToRing {
    /// How many values, at most [`MeanToRing::MAX_COUNT`].
    pub count: u32,
    /// Steps the ring holds, at least one.
    pub capacity: u32,
    /// Which line of the ring this is.
    pub slot: u32,
    /// What the sum is multiplied with.
    pub scale: f32,
}

/// `per_image[cursor + i] = values[i]`, as far as `per_image[total]` reaches: every image's loss, where
/// the images come in the data's order and the last batch runs over the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Collect {
    /// Values, one for each image of the batch.
    pub batch: u32,
    /// Images of the pass; the state's cursor must be below.
    pub total: u32,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    count: u32,
    capacity: u32,
    slot: u32,
    scale: f32,
}

impl MeanToRing {
    /// The largest count: 256 lanes, each within the 65,535 rounds that some CPU drivers give a loop.
    pub const MAX_COUNT: u32 = 256 * 65_000;
}

impl Kernel for MeanToRing {
    fn title(&self) -> &'static str {
        "record mean_to_ring"
    }

    fn program(&self, _: &Variants) -> Program {
        Program { shader: &shaders::SHADER, entry: "mean_to_ring", constants: vec![], workgroups: 1 }
    }

    fn params(&self) -> Vec<u8> {
        let Self { count, capacity, slot, scale } = *self;
        bytemuck::bytes_of(&Params { count, capacity, slot, scale }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("state", State::WORDS),
            Operand::read("values", self.count as usize),
            Operand::write("ring", self.capacity as usize * (self.slot as usize + 1)),
        ]
    }

    fn check(&self) -> Result<()> {
        within("values of a loss term", self.count, 1..=Self::MAX_COUNT)?;
        within("steps of a loss ring", self.capacity, 1..=u32::MAX)
    }

    fn flops(&self) -> u64 {
        u64::from(self.count)
    }

    // One number of the ring.
    fn bytes(&self) -> u64 {
        4 * (State::WORDS as u64 + u64::from(self.count) + 1)
    }

    fn shape(&self) -> String {
        format!("[{}] to line {} of [{}]", self.count, self.slot, self.capacity)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let line = State::from_words(reads[0]).step % self.capacity;
        let at = self.slot as usize * self.capacity as usize + line as usize;
        let values = &floats(reads[1])[..self.count as usize];
        floats_mut(writes[0])[at] = scaled_sum(values, self.scale) as f32;
    }
}

impl Kernel for Collect {
    fn title(&self) -> &'static str {
        "record collect"
    }

    fn program(&self, _: &Variants) -> Program {
        Program {
            shader: &shaders::SHADER,
            entry: "collect",
            constants: vec![],
            workgroups: shaders::collect_workgroups(self.batch),
        }
    }

    fn params(&self) -> Vec<u8> {
        let Self { batch, total } = *self;
        let params = Params { count: batch, capacity: total, ..bytemuck::Zeroable::zeroed() };
        bytemuck::bytes_of(&params).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("state", State::WORDS),
            Operand::read("values", self.batch as usize),
            Operand::write("per_image", self.total as usize),
        ]
    }

    fn flops(&self) -> u64 {
        0
    }

    // The batch's part of the pass.
    fn bytes(&self) -> u64 {
        4 * (State::WORDS as u64 + 2 * u64::from(self.batch))
    }

    fn shape(&self) -> String {
        format!("[{}] of {}", self.batch, self.total)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let cursor = State::from_words(reads[0]).cursor as usize;
        let values = &floats(reads[1])[..self.batch as usize];
        collect(values, cursor, &mut floats_mut(writes[0])[..self.total as usize]);
    }
}
