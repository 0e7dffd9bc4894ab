//! Which images a step sees, and their pixels (`shaders/batch.wgsl`).

use narrows_shaders::batch as shaders;

use super::{Call, Kernel, State, elements, floats, floats_mut};
use crate::gpu::Variants;
pub use crate::reference::batch::Rows;
use crate::reference::batch::{Permutation, ahead};
use crate::{Error, Result};

/// `indices[batch]`: the images from the state's cursor on, in the order of its pass.
///
/// A batch may run over the end of a pass into the next, which has an order of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Permute {
    /// Images per step, at most `count`.
    pub batch: u32,
    /// Images in the data set, at least one.
    pub count: u32,
    /// Whether each pass has an order of its own; otherwise every pass is in the data's order.
    pub shuffle: bool,
    /// The first image's place in the whole batch, of which these may be a part.
    pub first_place: u32,
}

/// `indices[batch]`: where in a ring of `steps` batches the images of the state's step are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Images per step.
    pub batch: u32,
    /// Steps in the ring: a power of two, so that it goes on where the count of steps begins anew.
    pub steps: u32,
    /// Rows that a step takes in the ring, at least `batch`.
    pub rows: u32,
}

/// `x[batch, pixels]`: the images at `indices`, of bytes byte / 255. Rows of images that are not in the buffer stay as they
/// are.
///
/// Offsets are counted in 32 bits, so `count * pixels` must stay below 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gather {
    /// Images per step.
    pub batch: u32,
    /// The first image in the buffer.
    pub first: u32,
    /// Images in the buffer.
    pub count: u32,
    /// Numbers per image.
    pub pixels: u32,
    /// How they lie in memory.
    pub rows: Rows,
    /// Whether the mean image is subtracted.
    pub center: bool,
}

/// [`Permute`] and [`Gather`] in one: `indices[batch]`, and `x[batch, pixels]`, the images there, of a data set that is in one
/// buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NextBatch {
    /// How images become numbers; the buffer has all of them, from the first on.
    pub gather: Gather,
    /// Whether each pass has an order of its own; otherwise every pass is in the data's order.
    pub shuffle: bool,
    /// The first image's place in the whole batch, of which these may be a part.
    pub first_place: u32,
}

impl Kernel for Permute {
    fn call(&self, _: &Variants) -> Call {
        let Self { batch, count, shuffle, first_place } = *self;
        Call::new(&shaders::SHADER, "permute")
            .operands([State::WORDS, batch as usize])
            .uniform([("batch", batch), ("count", count), ("pixels", 0)])
            .uniform([("first", 0), ("steps", 0), ("rows", 0), ("first_place", first_place)])
            .constant("SHUFFLE", shuffle)
            .limit("images", count, 1..=u32::MAX)
            .limit("batch", first_place.saturating_add(batch), 1..=count)
            .shape(format!("[{batch}] of {count}"))
            .workgroups(|| shaders::permute_workgroups(batch))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let State { seed, epoch, cursor, .. } = State::from_words(reads[0]);
        let orders = [epoch, epoch.wrapping_add(1)].map(|epoch| Permutation::new(seed, epoch, self.count));
        for (i, index) in (self.first_place..).zip(writes[0].iter_mut()) {
            let (position, passes) = ahead(cursor, i, self.count);
            *index = if self.shuffle { orders[passes as usize].index(position) } else { position };
        }
    }
}

impl Kernel for Place {
    fn call(&self, _: &Variants) -> Call {
        let Self { batch, steps, rows } = *self;
        let fits = rows.checked_mul(steps).is_some();
        Call::new(&shaders::SHADER, "place")
            .operands([State::WORDS, batch as usize])
            .uniform([("batch", batch), ("count", 0), ("pixels", 0)])
            .uniform([("first", 0), ("steps", steps), ("rows", rows), ("first_place", 0)])
            .limit("batch", batch, 1..=rows)
            .setting("steps of a ring", steps.is_power_of_two(), "a power of two", steps)
            .setting("rows of a ring", fits, "fewer than 2^32 in all", rows)
            .shape(format!("[{batch}] of {steps} steps"))
            .workgroups(|| shaders::permute_workgroups(batch))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let first = State::from_words(reads[0]).step % self.steps * self.rows;
        writes[0].iter_mut().zip(first..).for_each(|(index, place)| *index = place);
    }
}

impl Gather {
    // Adds what is read, the images that are written, and what both must be.
    pub(super) fn describe(&self, call: Call) -> Call {
        let Self { batch, count, pixels, center, rows, .. } = *self;
        let [all, used] = [elements([count, pixels]), elements([batch, pixels])];
        call.part_of(all.div_ceil(rows.per_word()), used.div_ceil(rows.per_word()))
            .operands([batch as usize])
            .operands(center.then_some(pixels as usize))
            .operands([used])
            .limit("images", count, 1..=u32::MAX)
            .limit("pixels", pixels, 1..=u32::MAX)
            .constant("ROWS", rows.code())
            .require(self.check_offsets())
            .shape(format!("[{batch}, {pixels}] of {count}"))
    }

    fn check_offsets(&self) -> Result<()> {
        let needed = u64::from(self.count) * u64::from(self.pixels);
        let allowed = u64::from(u32::MAX);
        if needed <= allowed {
            return Ok(());
        }
        let advice = "Use fewer or smaller images";
        Err(Error::TooLarge { operation: "images of a data set".to_owned(), needed, allowed, advice })
    }

    // The images chosen, none for one that is not in the buffer; and the mean image, zeros where none is subtracted.
    pub(super) fn images<'a>(
        &self,
        reads: &[&'a [u32]],
    ) -> (impl Iterator<Item = Option<Vec<f32>>> + 'a, Vec<f32>) {
        let Self { first, count, rows, .. } = *self;
        let (pixels, words) = (self.pixels as usize, reads[0]);
        let image = move |index: &u32| {
            let place = index.checked_sub(first).filter(|place| *place < count)?;
            let begin = place as usize * pixels;
            Some((begin..begin + pixels).map(|at| rows.number(words, at)).collect())
        };
        let images = reads[1].iter().map(image);
        (images, if self.center { floats(reads[2]).to_vec() } else { vec![0.0; pixels] })
    }
}

impl Kernel for Gather {
    fn call(&self, _: &Variants) -> Call {
        let Self { batch, first, count, pixels, center, .. } = *self;
        let entry = if center { "gather_centered" } else { "gather" };
        self.describe(Call::new(&shaders::SHADER, entry))
            .uniform([("batch", batch), ("count", count), ("pixels", pixels)])
            .uniform([("first", first), ("steps", 0), ("rows", 0), ("first_place", 0)])
            .flops(1, elements([batch, pixels]))
            .workgroups(|| shaders::gather_workgroups(batch, pixels))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (images, center) = self.images(reads);
        for (row, image) in floats_mut(writes[0]).chunks_exact_mut(center.len()).zip(images) {
            for ((x, pixel), mean) in row.iter_mut().zip(image.into_iter().flatten()).zip(&center) {
                *x = pixel - mean;
            }
        }
    }
}

impl NextBatch {
    const fn permute(&self) -> Permute {
        let Gather { batch, count, .. } = self.gather;
        Permute { batch, count, shuffle: self.shuffle, first_place: self.first_place }
    }
}

impl Kernel for NextBatch {
    fn call(&self, _: &Variants) -> Call {
        let Self { gather, shuffle, first_place } = *self;
        let Gather { batch, count, pixels, rows, center, .. } = gather;
        let [all, used] = [elements([count, pixels]), elements([batch, pixels])];
        let entry = if center { "next_batch_centered" } else { "next_batch" };
        Call::new(&shaders::SHADER, entry)
            .operands([State::WORDS])
            .part_of(all.div_ceil(rows.per_word()), used.div_ceil(rows.per_word()))
            .operands(center.then_some(pixels as usize))
            .operands([batch as usize, used])
            .uniform([("batch", batch), ("count", count), ("pixels", pixels)])
            .uniform([("first", 0), ("steps", 0), ("rows", 0), ("first_place", first_place)])
            .constant("ROWS", rows.code())
            .constant("SHUFFLE", shuffle)
            .limit("images", count, 1..=u32::MAX)
            .limit("batch", first_place.saturating_add(batch), 1..=count)
            .limit("pixels", pixels, 1..=u32::MAX)
            .limit("the first image of a whole data set", gather.first, 0..=0)
            .require(gather.check_offsets())
            .shape(format!("[{batch}, {pixels}] of {count}"))
            .flops(1, used)
            .workgroups(|| shaders::next_batch_workgroups(batch, pixels))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (indices, x) = writes.split_at_mut(1);
        self.permute().reference(&reads[..1], indices);
        let gathered: Vec<&[u32]> =
            [reads[1], &*indices[0]].into_iter().chain(reads.get(2).copied()).collect();
        self.gather.reference(&gathered, x);
    }
}
