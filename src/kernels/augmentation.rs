//! The pictures of a training step, mirrored, shifted and cropped at random (`shaders/augmentation.wgsl`).

use narrows_shaders::augmentation as shaders;

use super::batch::Gather;
use super::{Call, Kernel, State, elements, floats_mut};
use crate::gpu::Variants;
pub use crate::reference::augmentation::Augmentation;
use crate::reference::batch::Rows;
use crate::{Error, Result};

// Beyond it f32 has no half pixels.
const LONGEST_SIDE: u32 = 1 << 22;

/// `x[batch, height, width, channels]`: the pictures at `indices`, each seen through a view that is drawn for its place in
/// the batch by the state's seed and step; and `places[batch]`: 0, 1, 2, ..., with which [`Gather`] finds them in x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augment {
    /// Pictures per step.
    pub batch: u32,
    /// Pictures in the data set.
    pub count: u32,
    /// Height, width and channels of a picture.
    pub shape: [u32; 3],
    /// How they lie in memory.
    pub rows: Rows,
    /// What is done to them.
    pub augmentation: Augmentation,
    /// Its number among the model's augmentations, which draw apart.
    pub instance: u32,
    /// The first picture's place in the whole batch, of which these may be a part.
    pub first_place: u32,
}

/// Whether pictures `[height, width, channels]` can be seen so.
///
/// # Errors
/// [`Error::Setting`] for rows, which are one pixel high, a shift as long as a side, and a share outside (0, 1].
pub fn check(augmentation: Augmentation, [height, width, _]: [u32; 3]) -> Result<()> {
    let Augmentation { flip, shift, crop } = augmentation;
    if !(crop > 0.0 && crop <= 1.0) {
        return Err(Error::setting("random_crop", "above 0 and at most 1", crop));
    }
    let side = height.min(width);
    if side < 2 && !augmentation.is_none() {
        let used = [(flip, "random_flip"), (shift > 0, "random_shift"), (crop < 1.0, "random_crop")];
        let names: Vec<&str> = used.into_iter().filter_map(|(used, name)| used.then_some(name)).collect();
        let expected =
            "pictures: a row of numbers has no sides (leave it out, or give images as [n, height, width])";
        return Err(Error::setting(names.join(", "), expected, format!("{height} x {width} pixels")));
    }
    if shift > 0 && shift >= side {
        let expected = format!("less than the shorter side of {height} x {width} pixels");
        return Err(Error::setting("random_shift", expected, shift));
    }
    Ok(())
}

impl Augment {
    // What the pictures are without a view.
    fn gather(&self) -> Gather {
        let Self { batch, count, shape: [height, width, channels], rows, .. } = *self;
        let pixels = height.saturating_mul(width).saturating_mul(channels);
        Gather { batch, first: 0, count, pixels, center: false, rows }
    }
}

impl Kernel for Augment {
    fn call(&self, _: &Variants) -> Call {
        let Self { batch, shape: [height, width, channels], augmentation, instance, first_place, .. } = *self;
        let (gather, Augmentation { flip, shift, crop }) = (self.gather(), augmentation);
        let crops = crop < 1.0;
        // Three means of two numbers.
        let flops = if crops { 9 } else { 0 };
        gather
            .describe(Call::new(&shaders::SHADER, "augment").operands([State::WORDS]))
            .operands([batch as usize])
            .uniform([("batch", batch), ("pixels", gather.pixels)])
            .uniform([("height", height), ("width", width), ("channels", channels)])
            .uniform([("shift", shift)])
            .uniform([("crop", crop)])
            .uniform([("instance", instance), ("first_place", first_place)])
            .constant("FLIP", flip)
            .constant("CROP", crops)
            .at_least_one("a picture", [("height", height), ("width", width), ("channels", channels)])
            .limit("longer side of a picture", height.max(width), 1..=LONGEST_SIDE)
            .require(check(augmentation, self.shape))
            .flops(flops, elements([batch, gather.pixels]))
            .workgroups(|| shaders::workgroups(batch, gather.pixels))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let State { seed, step, .. } = State::from_words(reads[0]);
        let gather = self.gather();
        let (pictures, _) = gather.images(&reads[1..]);
        let [x, places] = writes else { return };
        let rows = floats_mut(x).chunks_exact_mut(gather.pixels as usize).zip(places.iter_mut());
        for (((x, place), picture), number) in rows.zip(pictures.flatten()).zip(0..) {
            let place_in_whole = self.first_place + number;
            let view = self.augmentation.view(place_in_whole, seed, step, self.instance);
            x.iter_mut().zip(view.of(&picture, self.shape)).for_each(|(x, seen)| *x = seen as f32);
            *place = number;
        }
    }
}
