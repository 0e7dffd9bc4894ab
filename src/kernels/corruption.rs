//! The images of a step, clean and corrupted (`shaders/corruption.wgsl`).

use narrows_shaders::{batch::gather_workgroups, corruption as shaders};

use super::batch::Gather;
use super::{Call, Kernel, State, elements, floats_mut};
use crate::gpu::Variants;
pub use crate::reference::corruption::Corruption;
use crate::{Error, Result};

/// What [`Gather`] writes, `x[batch, pixels]`, and beside it `seen[batch, pixels]`: the same images, corrupted
/// by noise of the state's seed and step.
///
/// Corrupted are the pixels as they are; where the mean image is subtracted, it is subtracted from both. So a
/// pixel that dropout takes is a black one either way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corrupt {
    /// The images and where they stand.
    pub gather: Gather,
    /// What is done to them.
    pub corruption: Corruption,
    /// Its number among the model's corruptions, which draw apart.
    pub instance: u32,
    /// The first image's place in the whole batch, of which these may be a part.
    pub first_place: u32,
}

/// Whether `corruption` is one that can be done.
///
/// # Errors
/// [`Error::Setting`] for a deviation below 0 or above 1,000, and for a probability outside [0, 1): at 1 nothing is left of
/// an image.
pub fn check(corruption: Corruption) -> Result<()> {
    let amount = corruption.amount();
    let (expected, good) = match corruption {
        Corruption::Gaussian { .. } => (
            "a standard deviation between 0 and 1000, in pixel values of [0, 1]",
            (0.0..=1000.0).contains(&amount),
        ),
        Corruption::Dropout { .. } | Corruption::SaltAndPepper { .. } => (
            "a probability of at least 0 and below 1, which leaves nothing of an image",
            (0.0..1.0).contains(&amount),
        ),
    };
    if good { Ok(()) } else { Err(Error::setting("corruption_amount", expected, amount)) }
}

impl Kernel for Corrupt {
    fn call(&self, _: &Variants) -> Call {
        let Self { gather: gather @ Gather { batch, pixels, .. }, corruption, instance, first_place } = *self;
        let entry = if gather.center { "corrupt_centered" } else { "corrupt" };
        // The noise, whose ten rounds of integer arithmetic are not counted, and its addition.
        gather
            .describe(Call::new(&shaders::SHADER, entry).operands([State::WORDS]))
            .operands([elements([batch, pixels])])
            .uniform([("batch", batch), ("pixels", pixels)])
            .uniform([("amount", corruption.amount()), ("scale", corruption.scale())])
            .uniform([("instance", instance), ("first_place", first_place)])
            .constant("CORRUPTION", corruption.code())
            .require(check(corruption))
            .setting("first image of a corruption", gather.first == 0, "0: one buffer with all", gather.first)
            .flops(3, elements([batch, pixels]))
            .workgroups(|| gather_workgroups(batch, pixels))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let State { seed, step, .. } = State::from_words(reads[0]);
        let (images, center) = self.gather.images(&reads[1..]);
        let [x, seen] = writes else { return };
        let rows = floats_mut(x).chunks_exact_mut(center.len());
        let rows = rows.zip(floats_mut(seen).chunks_exact_mut(center.len()));
        for (((x, seen), image), number) in rows.zip(images.flatten()).zip(self.first_place..) {
            let corrupted = self.corruption.image(&image, number, seed, step, self.instance);
            for (at, mean) in center.iter().enumerate() {
                x[at] = image[at] - mean;
                seen[at] = (corrupted[at] - f64::from(*mean)) as f32;
            }
        }
    }
}
