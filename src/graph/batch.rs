//! The batch at the start of a step.

use super::{Graph, Tensor};
pub use crate::kernels::batch::Rows;
use crate::kernels::batch::{Gather, Permute};
use crate::kernels::corruption::{Corrupt, Corruption};
use crate::rng::Stream;
use crate::{Error, Result};

/// The images of a step, each tensor `[batch, pixels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// As they are: the target of reconstructions.
    pub clean: Tensor,
    /// As the encoder sees them: corrupted, or the same tensor as `clean`.
    pub seen: Tensor,
}

impl Graph {
    /// The next batch of the data set in the buffer `images` (`total` images of `pixels` numbers, packed as
    /// `rows` says): `[batch, pixels]` f32. Shuffled anew in each pass, or in order. With `center` the mean image in the
    /// buffer `center` `[pixels]` is subtracted. `seen` is corrupted anew in each step, before the mean image is
    /// subtracted; without a corruption it is the batch itself and costs nothing.
    pub fn batch(
        &mut self,
        total: u32,
        pixels: u32,
        rows: Rows,
        shuffle: bool,
        center: bool,
        corruption: Option<Corruption>,
    ) -> Result<Batch> {
        let batch = self.batch;
        if batch == 0 || batch > total {
            let expected = format!("between 1 and the {total} images there are");
            return Err(Error::setting("batch", expected, batch));
        }
        let numbers = total as usize * pixels as usize;
        let images = self.named_buffer("images", numbers.div_ceil(rows.per_word()));
        self.hold_integers(images);
        let indices = self.integer_buffer("indices", batch as usize);
        let x = self.tensor("x", [batch, pixels])?;
        let (state, value) = (self.state(), self.value(x));
        self.record("indices", Permute { batch, count: total, shuffle }, &[state, indices])?;
        let mut operands = vec![images, indices];
        if center {
            operands.push(self.named_buffer("center", pixels as usize));
        }
        operands.push(value);
        let gather = Gather { batch, count: total, pixels, center, rows };
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
