//! The batch at the start of a step.

use super::placement::{Placement, Ring, ring};
use super::plan::Slice;
use super::{Graph, Shape, Tensor};
pub use crate::kernels::augmentation::Augmentation;
use crate::kernels::augmentation::{self, Augment};
pub use crate::kernels::batch::Rows;
use crate::kernels::batch::{Gather, NextBatch, Permute, Place};
use crate::kernels::corruption::{Corrupt, Corruption};
use crate::kernels::one_hot::OneHot;
use crate::rng::Stream;
use crate::{Error, Result};

/// The data set that a step's batch is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Images {
    /// How many there are.
    pub total: u32,
    /// Height, width and channels of each.
    pub shape: Shape,
    /// How their numbers are packed.
    pub rows: Rows,
    /// Which of them are on the device, and in which buffers.
    pub placement: Placement,
    /// Whether a step subtracts the mean image, which is in the buffer `center` `[pixels]`.
    pub center: bool,
    /// The classes that a model is told of; 0 where it is not. The label of each image is in the buffer `labels` `[total]`.
    pub classes: u32,
}

/// The images of a step, each tensor `[batch, pixels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// As they are, or as they were augmented: the target of reconstructions.
    pub clean: Tensor,
    /// As the encoder sees them: corrupted, or the same tensor as `clean`.
    pub seen: Tensor,
    /// The class of each, `[batch, classes]`: 1 at its label, 0 elsewhere; None where a model is not told.
    pub classes: Option<Tensor>,
}

impl Batch {
    const fn of(clean: Tensor, seen: Tensor) -> Self {
        Self { clean, seen, classes: None }
    }
}

// Where the images of a step are: rows of a buffer, by their numbers.
struct Chosen {
    images: Slice,
    indices: Slice,
    gather: Gather,
}

impl Graph {
    /// The next batch of a data set: `[batch, pixels]` f32. Shuffled anew in each pass, or in order. First each image is
    /// augmented, anew in each step; then `seen` is corrupted, anew too; at last the mean image is subtracted. What is not
    /// wanted costs nothing. Labels are on the device as a whole, also where images stream.
    ///
    /// # Errors
    /// [`Error::Setting`] for a batch larger than the data set, and an augmentation or a corruption that cannot be.
    pub fn batch(
        &mut self,
        images: Images,
        shuffle: bool,
        augmentation: Augmentation,
        corruption: Option<Corruption>,
    ) -> Result<Batch> {
        let Images { total, classes, .. } = images;
        let batch = self.batch;
        if batch == 0 || self.share.whole > total {
            let expected = format!("between 1 and the {total} images there are");
            return Err(Error::setting("batch", expected, batch));
        }
        let indices = self.integer_buffer("indices", batch as usize);
        let as_they_are = augmentation.is_none() && corruption.is_none();
        let pixels = if as_they_are && images.placement == Placement::Whole {
            self.next_batch(images, indices, shuffle)?
        } else {
            // Only what is used runs: a ring that needs no labels has no use for it.
            let permute = Permute { batch, count: total, shuffle, first_place: self.share.first };
            self.record("indices", permute, &[self.state(), indices])?;
            self.pixels(images, indices, augmentation, corruption)?
        };
        self.images = Some((images, shuffle));
        let classes = (classes > 0).then(|| self.one_hot(indices, total, classes)).transpose()?;
        Ok(Batch { classes, ..pixels })
    }

    // The class of each image at `indices`.
    fn one_hot(&mut self, indices: Slice, count: u32, classes: u32) -> Result<Tensor> {
        let labels = self.named_buffer("labels", count as usize);
        self.hold_integers(labels);
        let batch = self.batch;
        self.make("classes", &[labels, indices], [batch, classes], OneHot { batch, count, classes })
    }

    // The next images of a data set in one buffer, and their indices.
    fn next_batch(&mut self, images: Images, indices: Slice, shuffle: bool) -> Result<Batch> {
        let (Images { total: count, shape, rows, center, .. }, batch) = (images, self.batch);
        let pixels = shape.columns().unwrap_or(u32::MAX);
        let gather = Gather { batch, first: 0, count, pixels, rows, center };
        let x = self.tensor("x", [batch, pixels])?;
        let mean = center.then(|| self.named_buffer("center", pixels as usize));
        let reads = [self.state(), self.rows_of_images("images", gather)];
        let operands: Vec<Slice> = reads.into_iter().chain(mean).chain([indices, self.value(x)]).collect();
        self.record("indices, x", NextBatch { gather, shuffle, first_place: self.share.first }, &operands)?;
        Ok(Batch::of(x, x))
    }

    // The images at `indices`, or the next ones of a ring.
    fn pixels(
        &mut self,
        images: Images,
        indices: Slice,
        augmentation: Augmentation,
        corruption: Option<Corruption>,
    ) -> Result<Batch> {
        let (Images { shape, center, .. }, batch, first_place) = (images, self.batch, self.share.first);
        let extents = [shape.height, shape.width, shape.channels];
        augmentation::check(augmentation, extents)?;
        // Beyond 32 bits the data set is refused below.
        let pixels = shape.columns().unwrap_or(u32::MAX);
        let x = self.tensor("x", [batch, pixels])?;
        let value = self.value(x);
        let mean = center.then(|| self.named_buffer("center", pixels as usize));
        let as_they_are = augmentation.is_none() && corruption.is_none();
        let joined = as_they_are.then_some((value, mean));
        let Some(mut chosen) = self.chosen(images, indices, joined)? else {
            return Ok(Batch::of(x, x));
        };
        if !augmentation.is_none() {
            let is_last = !center && corruption.is_none();
            let label = if is_last { "x" } else { "augmented" };
            let seen = if is_last { value } else { self.buffer(label, x.count() as usize) };
            let places = self.integer_buffer("places", batch as usize);
            let (instance, Gather { count, rows, .. }) = (self.instance(Stream::Augmentation), chosen.gather);
            let augment = Augment { batch, count, shape: extents, rows, augmentation, instance, first_place };
            self.record(label, augment, &[self.state(), chosen.images, chosen.indices, seen, places])?;
            if is_last {
                return Ok(Batch::of(x, x));
            }
            // What follows finds the batch in a data set of as many images.
            chosen = Chosen::batch(batch, pixels, seen, places);
        }
        let gather = Gather { center, ..chosen.gather };
        let mut operands = vec![chosen.images, chosen.indices];
        operands.extend(mean);
        operands.push(value);
        let Some(corruption) = corruption else {
            self.record("x", gather, &operands)?;
            return Ok(Batch::of(x, x));
        };
        let seen = self.tensor("seen", [batch, pixels])?;
        operands.insert(0, self.state());
        operands.push(self.value(seen));
        let instance = self.instance(Stream::Corruption);
        self.record("x, seen", Corrupt { gather, corruption, instance, first_place }, &operands)?;
        Ok(Batch::of(x, seen))
    }

    // Finds the images of a step. Of several buffers they are brought together: to `joined`, the mean image subtracted, and
    // nothing is left to do; or to a buffer of the batch.
    fn chosen(
        &mut self,
        data: Images,
        indices: Slice,
        joined: Option<(Slice, Option<Slice>)>,
    ) -> Result<Option<Chosen>> {
        let Images { total, shape, rows, placement, .. } = data;
        let (batch, pixels) = (self.batch, shape.columns().unwrap_or(u32::MAX));
        let gather = Gather { batch, first: 0, count: total, pixels, rows, center: false };
        if let Placement::Ring { words } = placement {
            let Ring { steps, rows: taken, .. } = ring(batch, pixels, rows, words);
            let count = steps.saturating_mul(taken);
            let images = self.rows_of_images("images", Gather { count, ..gather });
            let indices = self.integer_buffer("places", batch as usize);
            self.record("places", Place { batch, steps, rows: taken }, &[self.state(), indices])?;
            return Ok(Some(Chosen { images, indices, gather: Gather { count, ..gather } }));
        }
        let Placement::Buffers { each } = placement else {
            return Ok(Some(Chosen { images: self.rows_of_images("images", gather), indices, gather }));
        };
        let (to, mean) = match joined {
            Some(joined) => joined,
            None => (self.buffer("chosen", batch as usize * pixels as usize), None),
        };
        for (number, first) in (0..total).step_by(each.max(1) as usize).enumerate() {
            let part = Gather { first, count: each.min(total - first), center: mean.is_some(), ..gather };
            let images = self.rows_of_images(format!("images.{number}"), part);
            let operands: Vec<Slice> = [images, indices].into_iter().chain(mean).chain([to]).collect();
            self.record(
                format!("{}, of images.{number}", if joined.is_some() { "x" } else { "chosen" }),
                part,
                &operands,
            )?;
        }
        if joined.is_some() {
            return Ok(None);
        }
        let places = self.integer_buffer("places", batch as usize);
        self.record("places", Place { batch, steps: 1, rows: batch }, &[self.state(), places])?;
        Ok(Some(Chosen::batch(batch, pixels, to, places)))
    }

    fn rows_of_images(
        &mut self,
        name: impl Into<String>,
        Gather { count, pixels, rows, .. }: Gather,
    ) -> Slice {
        let numbers = count as usize * pixels as usize;
        let images = self.named_buffer(name, numbers.div_ceil(rows.per_word()));
        self.hold_integers(images);
        images
    }
}

impl Chosen {
    // Floats of a batch alone, at the places 0, 1, 2, ...
    fn batch(batch: u32, pixels: u32, images: Slice, indices: Slice) -> Self {
        let gather = Gather { batch, first: 0, count: batch, pixels, rows: Rows::Floats, center: false };
        Self { images, indices, gather }
    }
}
