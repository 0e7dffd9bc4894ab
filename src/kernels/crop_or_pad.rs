//! Images brought to another height and width about their middle (`shaders/crop_or_pad.wgsl`).

use narrows_shaders::{crop_or_pad as shaders, max_shared_row};

use super::{Call, Kernel, elements, floats_mut, put_all, widened};
use crate::gpu::Variants;
use crate::reference::crop_or_pad::{before, crop_or_pad};

/// Images x `[batch, from, channels]` as y `[batch, to, channels]`: along each axis alike on both sides, an odd pixel behind
/// the last, what is too much is cut off and what is missing is zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CropOrPad {
    /// Images.
    pub batch: u32,
    /// Height and width of x.
    pub from: [u32; 2],
    /// Height and width of y.
    pub to: [u32; 2],
    /// Numbers per pixel.
    pub channels: u32,
    /// Add to `y` instead of writing it.
    pub accumulate: bool,
}

impl CropOrPad {
    /// What makes the gradient of x of that of y, written or added.
    pub const fn backward(self, accumulate: bool) -> Self {
        Self { from: self.to, to: self.from, accumulate, ..self }
    }
}

impl Kernel for CropOrPad {
    fn call(&self, _: &Variants) -> Call {
        let Self { batch, from: [height, width], to: [out_height, out_width], channels, accumulate } = *self;
        let [cut_rows, added_rows] = before(height, out_height);
        let [cut_columns, added_columns] = before(width, out_width);
        let line = out_width.saturating_mul(channels);
        Call::new(&shaders::SHADER, "crop_or_pad")
            .part_of(
                elements([batch, height, width, channels]),
                elements([batch, height.min(out_height), width.min(out_width), channels]),
            )
            .operands([elements([batch, out_height, out_width, channels])])
            .uniform([("batch", batch), ("height", height), ("width", width), ("channels", channels)])
            .uniform([("out_height", out_height), ("out_width", out_width)])
            .uniform([("cut_rows", cut_rows), ("added_rows", added_rows)])
            .uniform([("cut_columns", cut_columns), ("added_columns", added_columns)])
            .constant("ACCUMULATE", accumulate)
            .at_least_one("a crop", [("images", batch), ("height", height), ("width", width)])
            .at_least_one("a crop", [("channels", channels), ("height", out_height), ("width", out_width)])
            .limit("numbers in a line of cropped images", line, 1..=max_shared_row(1))
            .shape(format!("[{batch}, {height}, {width}, {channels}] to {out_height}x{out_width}"))
            .workgroups(|| shaders::workgroups(batch, out_height))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let y = crop_or_pad(&widened(reads[0]), self.from, self.to, self.channels);
        put_all(floats_mut(writes[0]), y, self.accumulate);
    }
}
