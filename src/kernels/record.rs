//! Losses, kept on the device until someone reads them (`shaders/record.wgsl`).

use narrows_shaders::{MAX_ROUNDS, record as shaders};

use super::{Call, Kernel, State, Word, elements, floats, floats_mut};
use crate::gpu::Variants;
use crate::reference::record::{collect, scaled_sum};

/// The mean of a term's values, or another multiple of their sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// How many values, at most [`MeansToRing::MAX_COUNT`].
    pub count: u32,
    /// What their sum is multiplied with: of a mean 1 / count.
    pub scale: f32,
}

/// `ring[slot + t, step % capacity] = scale * sum(values[count])` of each term t: the losses of the step.
#[derive(Clone, Debug, PartialEq)]
pub struct MeansToRing {
    /// The terms, at most [`MeansToRing::MOST`].
    pub means: Vec<Mean>,
    /// Steps the ring holds, at least one.
    pub capacity: u32,
    /// The line of the ring that the first term has.
    pub slot: u32,
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

impl MeansToRing {
    /// The most terms of a dispatch.
    pub const MOST: usize = shaders::MOST_MEANS;
    /// The largest count: 256 lanes share it.
    pub const MAX_COUNT: u32 = 256 * MAX_ROUNDS;

    /// The arrays of values that a dispatch of `terms` terms binds: those of each term, then the last again where there are
    /// fewer than it takes.
    pub fn bound(terms: usize) -> impl Iterator<Item = usize> {
        (0..Self::MOST).map(move |at| at.min(terms.saturating_sub(1)))
    }
}

// The fields of the shader's `Mean`.
fn fields(of: Option<&Mean>) -> [(&'static str, Word); 4] {
    let Mean { count, scale } = of.copied().unwrap_or(Mean { count: 0, scale: 0.0 });
    let padding = 0_u32;
    [
        ("count", count.into()),
        ("scale", scale.into()),
        ("padding0", padding.into()),
        ("padding1", padding.into()),
    ]
}

// The uniform of both entry points.
fn described(call: Call, count: u32, capacity: u32, slot: u32, means: &[Mean]) -> Call {
    call.uniform([("count", count), ("capacity", capacity), ("slot", slot), ("padding", 0)])
        .uniform((0..MeansToRing::MOST).flat_map(|at| fields(means.get(at))))
}

impl Kernel for MeansToRing {
    fn call(&self, _: &Variants) -> Call {
        let Self { ref means, capacity, slot } = *self;
        let terms = means.len();
        let count = |at: usize| means.get(at).map_or(0, |mean| mean.count as usize);
        let call = Call::new(&shaders::SHADER, "means_to_ring").operands([State::WORDS]);
        let call = Self::bound(terms)
            .enumerate()
            .fold(call, |call, (at, of)| call.part_of(count(of), if at == of { count(of) } else { 0 }));
        let lines = slot.saturating_add(terms as u32);
        let call = described(call.part_of(elements([capacity, lines]), terms), 0, capacity, slot, means)
            .limit("terms of a dispatch", terms as u32, 1..=Self::MOST as u32)
            .limit("steps of a loss ring", capacity, 1..=u32::MAX)
            .flops(1, means.iter().map(|mean| mean.count as usize).sum())
            .shape(format!(
                "{:?} to lines {slot}.. of {capacity}",
                means.iter().map(|mean| mean.count).collect::<Vec<_>>()
            ))
            .workgroups(|| terms as u32);
        means
            .iter()
            .fold(call, |call, mean| call.limit("values of a loss term", mean.count, 1..=Self::MAX_COUNT))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (capacity, line) = (self.capacity as usize, State::from_words(reads[0]).step % self.capacity);
        let ring = floats_mut(writes[0]);
        for ((mean, values), slot) in self.means.iter().zip(&reads[1..]).zip(self.slot as usize..) {
            ring[slot * capacity + line as usize] = scaled_sum(floats(values), mean.scale) as f32;
        }
    }
}

impl Kernel for Collect {
    fn call(&self, _: &Variants) -> Call {
        let Self { batch, total } = *self;
        let call = Call::new(&shaders::SHADER, "collect")
            .operands([State::WORDS, batch as usize])
            .part_of(total as usize, batch as usize);
        described(call, batch, total, 0, &[])
            .shape(format!("[{batch}] of {total}"))
            .workgroups(|| shaders::collect_workgroups(batch))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let cursor = State::from_words(reads[0]).cursor as usize;
        collect(floats(reads[1]), cursor, floats_mut(writes[0]));
    }
}
