//! The batch at the start of a step.

use super::{Graph, Shape, Tensor};
pub use crate::kernels::augmentation::Augmentation;
use crate::kernels::augmentation::{self, Augment};
pub use crate::kernels::batch::Rows;
use crate::kernels::batch::{Gather, Permute};
use crate::kernels::corruption::{Corrupt, Corruption};
use crate::rng::Stream;
use crate::{Error, Result};

/// The data set in the buffer `images`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Images {
    /// How many there are.
    pub total: u32,
    /// Height, width and channels of each.
    pub shape: Shape,
    /// How their numbers are packed.
    pub rows: Rows,
    /// Whether a step subtracts the mean image, which is in the buffer `center` `[pixels]`.
    pub center: bool,
}

/// The images of a step, each tensor `[batch, pixels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// As they are, or as they were augmented: the target of reconstructions.
    pub clean: Tensor,
    /// As the encoder sees them: corrupted, or the same tensor as `clean`.
    pub seen: Tensor,
}

impl Graph {
    /// The next batch of a data set: `[batch, pixels]` f32. Shuffled anew in each pass, or in order. First each image is
    /// augmented, anew in each step; then `seen` is corrupted, anew too; at last the mean image is subtracted. What is not
    /// wanted costs nothing.
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
        let Images { total, shape, rows, center } = images;
        let batch = self.batch;
        if batch == 0 || batch > total {
            let expected = format!("between 1 and the {total} images there are");
            return Err(Error::setting("batch", expected, batch));
        }
        let extents = [shape.height, shape.width, shape.channels];
        augmentation::check(augmentation, extents)?;
        // Beyond 32 bits the data set is refused below.
        let pixels = shape.columns().unwrap_or(u32::MAX);
        let numbers = total as usize * pixels as usize;
        let mut images = self.named_buffer("images", numbers.div_ceil(rows.per_word()));
        self.hold_integers(images);
        let mut indices = self.integer_buffer("indices", batch as usize);
        let x = self.tensor("x", [batch, pixels])?;
        let (state, value) = (self.state(), self.value(x));
        self.record("indices", Permute { batch, count: total, shuffle }, &[state, indices])?;
        let mut gather = Gather { batch, count: total, pixels, center, rows };
        if !augmentation.is_none() {
            let is_last = !center && corruption.is_none();
            let label = if is_last { "x" } else { "augmented" };
            let seen = if is_last { value } else { self.buffer(label, x.count() as usize) };
            let places = self.integer_buffer("places", batch as usize);
            let instance = self.instance(Stream::Augmentation);
            let augment = Augment { batch, count: total, shape: extents, rows, augmentation, instance };
            self.record(label, augment, &[state, images, indices, seen, places])?;
            if is_last {
                return Ok(Batch { clean: x, seen: x });
            }
            // What follows finds the batch in a data set of as many images.
            (images, indices) = (seen, places);
            gather = Gather { count: batch, rows: Rows::Floats, ..gather };
        }
        let mut operands = vec![images, indices];
        if center {
            operands.push(self.named_buffer("center", pixels as usize));
        }
        operands.push(value);
        let Some(corruption) = corruption else {
            self.record("x", gather, &operands)?;
            return Ok(Batch { clean: x, seen: x });
        };
        let seen = self.tensor("seen", [batch, pixels])?;
        operands.insert(0, state);
        operands.push(self.value(seen));
        let instance = self.instance(Stream::Corruption);
        self.record("x, seen", Corrupt { gather, corruption, instance }, &operands)?;
        Ok(Batch { clean: x, seen })
    }
}
