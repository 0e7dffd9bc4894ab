//! Losses, kept on the device until someone reads them (`shaders/record.wgsl`).

use narrows_shaders::{MAX_ROUNDS, record as shaders};

use super::{Call, Kernel, State, elements, floats, floats_mut};
use crate::gpu::Variants;
use crate::reference::record::{collect, scaled_sum};

/// `ring[slot, step % capacity] = scale * sum(values[count])`: one term of the step's loss.
///
/// With `scale = 1 / batch` and one value per image it is the batch's mean.
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

impl MeanToRing {
    /// The largest count: 256 lanes share it.
    pub const MAX_COUNT: u32 = 256 * MAX_ROUNDS;
}

impl Kernel for MeanToRing {
    fn call(&self, _: &Variants) -> Call {
        let Self { count, capacity, slot, scale } = *self;
        Call::new(&shaders::SHADER, "mean_to_ring")
            .operands([State::WORDS, count as usize])
            .part_of(elements([capacity, slot.saturating_add(1)]), 1)
            .uniform([("count", count), ("capacity", capacity), ("slot", slot)])
            .uniform([("scale", scale)])
            .limit("values of a loss term", count, 1..=Self::MAX_COUNT)
            .limit("steps of a loss ring", capacity, 1..=u32::MAX)
            .flops(1, count as usize)
            .shape(format!("[{count}] to line {slot} of {capacity}"))
            .workgroups(|| 1)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let line = State::from_words(reads[0]).step % self.capacity;
        let at = self.slot as usize * self.capacity as usize + line as usize;
        floats_mut(writes[0])[at] = scaled_sum(floats(reads[1]), self.scale) as f32;
    }
}

impl Kernel for Collect {
    fn call(&self, _: &Variants) -> Call {
        let Self { batch, total } = *self;
        Call::new(&shaders::SHADER, "collect")
            .operands([State::WORDS, batch as usize])
            .part_of(total as usize, batch as usize)
            .uniform([("count", batch), ("capacity", total), ("slot", 0)])
            .uniform([("scale", 0.0)])
            .shape(format!("[{batch}] of {total}"))
            .workgroups(|| shaders::collect_workgroups(batch))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let cursor = State::from_words(reads[0]).cursor as usize;
        collect(floats(reads[1]), cursor, floats_mut(writes[0]));
    }
}
