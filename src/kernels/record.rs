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

// What both kernels that keep means have in common.
impl MeansToRing {
    /// The fields of the shaders' `means`, of none where there are none.
    pub(super) fn fields(of: Option<&Self>) -> impl Iterator<Item = (&'static str, Word)> {
        let means = of.map_or(&[][..], |of| &of.means);
        (0..Self::MOST).flat_map(|at| fields(means.get(at)))
    }

    /// The values of the terms and the ring, as operands.
    pub(super) fn bind(&self, call: Call) -> Call {
        let (terms, lines) = (self.means.len(), self.slot.saturating_add(self.means.len() as u32));
        let count = |at: usize| self.means.get(at).map_or(0, |mean| mean.count as usize);
        Self::bound(terms)
            .enumerate()
            .fold(call, |call, (at, of)| call.part_of(count(of), if at == of { count(of) } else { 0 }))
            .part_of(elements([self.capacity, lines]), terms)
    }

    /// What their shaders count.
    pub(super) fn limit(&self, call: Call) -> Call {
        let call = call
            .limit("terms of a dispatch", self.means.len() as u32, 1..=Self::MOST as u32)
            .limit("steps of a loss ring", self.capacity, 1..=u32::MAX)
            .flops(1, self.means.iter().map(|mean| mean.count as usize).fold(0, usize::saturating_add));
        let value =
            |call: Call, mean: &Mean| call.limit("values of a loss term", mean.count, 1..=Self::MAX_COUNT);
        self.means.iter().fold(call, value)
    }

    /// Writes the means of a step to the ring.
    pub(super) fn keep(&self, step: u32, values: &[&[u32]], ring: &mut [f32]) {
        let (capacity, line) = (self.capacity as usize, (step % self.capacity) as usize);
        for ((mean, values), slot) in self.means.iter().zip(values).zip(self.slot as usize..) {
            ring[slot * capacity + line] = scaled_sum(floats(values), mean.scale) as f32;
        }
    }
}

// The uniform of both entry points.
fn described(call: Call, count: u32, [capacity, slot]: [u32; 2], means: Option<&MeansToRing>) -> Call {
    call.uniform([("count", count), ("capacity", capacity), ("slot", slot), ("padding", 0)])
        .uniform(MeansToRing::fields(means))
}

impl Kernel for MeansToRing {
    fn call(&self, _: &Variants) -> Call {
        let Self { ref means, capacity, slot } = *self;
        let counts: Vec<u32> = means.iter().map(|mean| mean.count).collect();
        let call = self.bind(Call::new(&shaders::SHADER, "means_to_ring").operands([State::WORDS]));
        self.limit(described(call, 0, [capacity, slot], Some(self)))
            .shape(format!("{counts:?} to lines {slot}.. of {capacity}"))
            .workgroups(|| means.len() as u32)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        self.keep(State::from_words(reads[0]).step, &reads[1..], floats_mut(writes[0]));
    }
}

impl Kernel for Collect {
    fn call(&self, _: &Variants) -> Call {
        let Self { batch, total } = *self;
        let call = Call::new(&shaders::SHADER, "collect")
            .operands([State::WORDS, batch as usize])
            .part_of(total as usize, batch as usize);
        described(call, batch, [total, 0], None)
            .shape(format!("[{batch}] of {total}"))
            .workgroups(|| shaders::collect_workgroups(batch))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let cursor = State::from_words(reads[0]).cursor as usize;
        collect(floats(reads[1]), cursor, floats_mut(writes[0]));
    }
}
