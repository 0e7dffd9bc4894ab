//! Nearest-neighbour upsampling in two dimensions (`shaders/upsample.wgsl`).

use narrows_shaders::{max_shared_row, upsample as shaders};

use super::{Call, Kernel, elements, floats_mut, put_all, widened};
use crate::gpu::Variants;
use crate::reference::upsample::{gradient, sources};

/// Each pixel of x `[batch, height, width, channels]`, `factor[0]` times down and `factor[1]` times across, in y
/// `[batch, height * factor[0], width * factor[1], channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Upsample {
    /// Images.
    pub batch: u32,
    /// Rows of pixels of x.
    pub height: u32,
    /// Pixels in a row of x.
    pub width: u32,
    /// Numbers per pixel.
    pub channels: u32,
    /// How often a pixel is repeated, down and across.
    pub factor: [u32; 2],
}

/// The gradient of [`Upsample`]: each element of x gets the sum of dy over its repetitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UpsampleBackward {
    /// What it is the gradient of.
    pub upsample: Upsample,
    /// Add to `dx` instead of writing it.
    pub accumulate: bool,
}

impl Upsample {
    /// The most numbers in a line of x, which 64 lanes share, each adding up the repetitions of every number.
    pub const fn most_numbers(factor: [u32; 2]) -> u32 {
        max_shared_row((factor[0] as u64 + 1).saturating_mul(factor[1] as u64 + 1))
    }

    const fn shape_in(&self) -> [u32; 4] {
        [self.batch, self.height, self.width, self.channels]
    }

    fn inputs(&self) -> usize {
        elements(self.shape_in())
    }

    fn outputs(&self) -> usize {
        self.inputs().saturating_mul(elements(self.factor))
    }

    // What both entries have.
    fn describe(&self, entry: &'static str) -> Call {
        let Self { batch, height, width, channels, factor: [down, across] } = *self;
        let line = format!("numbers in a line of images upsampled by {down} x {across}");
        Call::new(&shaders::SHADER, entry)
            .uniform([("batch", batch), ("height", height), ("width", width), ("channels", channels)])
            .constant("FACTOR_HEIGHT", down)
            .constant("FACTOR_WIDTH", across)
            .at_least_one("an upsampling", [("images", batch), ("height", height), ("width", width)])
            .at_least_one("an upsampling", [("channels", channels), ("factor", down), ("factor", across)])
            .limit(&line, width.saturating_mul(channels), 1..=Self::most_numbers(self.factor))
            .shape(format!("[{batch}, {height}, {width}, {channels}] by {down}x{across}"))
    }
}

impl Kernel for Upsample {
    fn call(&self, _: &Variants) -> Call {
        self.describe("forward")
            .operands([self.inputs(), self.outputs()])
            .workgroups(|| shaders::workgroups(self.batch, self.height * self.factor[0]))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let sources = sources(self.shape_in(), self.factor);
        writes[0].iter_mut().zip(sources).for_each(|(y, at)| *y = reads[0][at]);
    }
}

impl Kernel for UpsampleBackward {
    fn call(&self, _: &Variants) -> Call {
        let Self { upsample: of, accumulate } = *self;
        of.describe("backward")
            .operands([of.outputs(), of.inputs()])
            .constant("ACCUMULATE", accumulate)
            .flops(1, of.outputs())
            .workgroups(|| shaders::workgroups(of.batch, of.height))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let dx = gradient(widened(reads[0]), self.upsample.shape_in(), self.upsample.factor);
        put_all(floats_mut(writes[0]), dx, self.accumulate);
    }
}
