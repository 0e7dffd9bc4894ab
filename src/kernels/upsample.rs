//! Nearest-neighbour upsampling in two dimensions (`shaders/upsample.wgsl`).

use narrows_shaders::upsample as shaders;

use super::{Kernel, Operand, Program, floats, floats_mut, within};
use crate::Result;
use crate::gpu::Variants;
use crate::reference::upsample::{gradient, sources};

/// Each pixel of x, `factor[0]` times down and `factor[1]` times across.
///
/// Operands: `x` `[batch, height, width, channels]`; then `y`
/// `[batch, height * factor[0], width * factor[1], channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Upsample {
    /// Images.
    pub batch: u32,
    /// Rows of pixels of x.
    pub height: u32,
    /// Pixels in a row of x.
    pub width: u32,
    /// Numbers a pixel.
    pub channels: u32,
    /// How often a pixel is repeated, down and across.
    pub factor: [u32; 2],
}

/// The gradient of [`Upsample`]: each element of x gets the sum of dy over its repetitions.
///
/// Operands: `dy` `[batch, height * factor[0], width * factor[1], channels]`; then `dx`
/// `[batch, height, width, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UpsampleBackward {
    /// What it is the gradient of.
    pub upsample: Upsample,
    /// Add to `dx` instead of writing it.
    pub accumulate: bool,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    batch: u32,
    height: u32,
    width: u32,
    channels: u32,
}

impl Upsample {
    /// The most numbers in a line of x, which 64 lanes share, each adding up the repetitions of every number. Some CPU
    /// drivers end every loop of an invocation after 65,535 rounds, without a word.
    pub const fn most_numbers(factor: [u32; 2]) -> u32 {
        let rounds = (factor[0] as u64 + 1) * (factor[1] as u64 + 1);
        if rounds > 65_000 { 0 } else { 64 * (65_000 / rounds as u32) }
    }

    const fn shape_in(&self) -> [u32; 4] {
        [self.batch, self.height, self.width, self.channels]
    }

    fn inputs(&self) -> usize {
        self.shape_in().iter().map(|extent| *extent as usize).product()
    }

    fn outputs(&self) -> usize {
        self.inputs() * self.factor[0] as usize * self.factor[1] as usize
    }

    fn program(&self, entry: &'static str, accumulate: bool, lines: u32) -> Program {
        let constants = vec![
            ("FACTOR_HEIGHT", f64::from(self.factor[0])),
            ("FACTOR_WIDTH", f64::from(self.factor[1])),
            ("ACCUMULATE", f64::from(u8::from(accumulate))),
        ];
        let workgroups = shaders::workgroups(self.batch, lines);
        Program { shader: &shaders::SHADER, entry, constants, workgroups }
    }

    fn check_extents(&self) -> Result<()> {
        for extent in self.shape_in() {
            within("images, height, width and channels of an upsampling", extent, 1..=u32::MAX)?;
        }
        for factor in self.factor {
            within("factor of an upsampling", factor, 1..=u32::MAX)?;
        }
        let [down, across] = self.factor;
        let what = format!("numbers in a line of images upsampled by {down} x {across}");
        within(&what, self.width.saturating_mul(self.channels), 1..=Self::most_numbers(self.factor))
    }

    fn describe(&self) -> String {
        let Self { batch, height, width, channels, factor } = self;
        format!("[{batch}, {height}, {width}, {channels}] by {}x{}", factor[0], factor[1])
    }
}

impl Kernel for Upsample {
    fn title(&self) -> &'static str {
        "upsample"
    }

    fn program(&self, _: &Variants) -> Program {
        Self::program(self, "forward", false, self.height * self.factor[0])
    }

    fn params(&self) -> Vec<u8> {
        let Self { batch, height, width, channels, .. } = *self;
        bytemuck::bytes_of(&Params { batch, height, width, channels }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![Operand::read("x", self.inputs()), Operand::write("y", self.outputs())]
    }

    fn check(&self) -> Result<()> {
        self.check_extents()
    }

    fn flops(&self) -> u64 {
        0
    }

    fn shape(&self) -> String {
        self.describe()
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let x = floats(reads[0]);
        for (y, at) in floats_mut(writes[0]).iter_mut().zip(sources(self.shape_in(), self.factor)) {
            *y = x[at];
        }
    }
}

impl Kernel for UpsampleBackward {
    fn title(&self) -> &'static str {
        "upsample backward"
    }

    fn program(&self, _: &Variants) -> Program {
        self.upsample.program("backward", self.accumulate, self.upsample.height)
    }

    fn params(&self) -> Vec<u8> {
        self.upsample.params()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![Operand::read("dy", self.upsample.outputs()), Operand::write("dx", self.upsample.inputs())]
    }

    fn check(&self) -> Result<()> {
        self.upsample.check_extents()
    }

    fn flops(&self) -> u64 {
        self.upsample.outputs() as u64
    }

    fn shape(&self) -> String {
        self.upsample.describe()
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let dy = floats(reads[0]).iter().map(|dy| f64::from(*dy));
        let gradient = gradient(dy, self.upsample.shape_in(), self.upsample.factor);
        for (dx, gradient) in floats_mut(writes[0]).iter_mut().zip(gradient) {
            let before = if self.accumulate { f64::from(*dx) } else { 0.0 };
            *dx = (before + gradient) as f32;
        }
    }
}
