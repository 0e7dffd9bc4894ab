//! Max pooling in two dimensions (`shaders/pool.wgsl`) and its gradient (`shaders/pool_backward.wgsl`).

use narrows_shaders::{Shader, pool as shaders};

use super::activation::Activation;
use super::{Kernel, Operand, Program, floats, floats_mut, put_all, widened, within};
use crate::gpu::Variants;
use crate::reference::pool::{argmax, gradient, windows};
use crate::{Error, Result};

/// `y = max of x` over windows, and where each maximum stands in x: the first of equals, row by row, and a NaN before
/// any number. What does not fill a window is left out.
///
/// Operands: `x` `[batch, height, width, channels]`; then `y` and the whole numbers `argmax`, both
/// `[batch, out_height, out_width, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxPool {
    /// Images.
    pub batch: u32,
    /// Rows of pixels of x.
    pub height: u32,
    /// Pixels in a row of x.
    pub width: u32,
    /// Numbers a pixel.
    pub channels: u32,
    /// Height and width of a window.
    pub window: [u32; 2],
    /// How far windows stand apart, down and across.
    pub stride: [u32; 2],
}

/// How the result of [`MaxPool`] changes where x changes by t: `y = t` where each maximum stands.
///
/// Operands: `x`, which is t `[batch, height, width, channels]`, `largest`, which is the forward pass's argmax; then
/// `y` `[batch, out_height, out_width, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxPoolTangent {
    /// What it is the tangent of.
    pub pool: MaxPool,
}

/// The gradient of [`MaxPool`]: each element of x gets dy of the windows whose maximum it is.
///
/// Operands: `dy` `[batch, out_height, out_width, channels]`, `largest`, which is the forward pass's argmax, and `kept`
/// where there is a slope; then `dx`, as `kept` `[batch, height, width, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxPoolBackward {
    /// What it is the gradient of.
    pub pool: MaxPool,
    /// The activation that made x, where dx is to be the gradient of what it was applied to. Only where the windows lie
    /// [side by side](MaxPool::is_side_by_side).
    pub slope: Option<Activation>,
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

impl MaxPool {
    /// The most numbers in a line of x, which 64 lanes share, each looking at a window for every number. Some CPU
    /// drivers end every loop of an invocation after 65,535 rounds, without a word.
    pub const fn most_numbers(window: [u32; 2]) -> u32 {
        let rounds = (window[0] as u64 + 1) * (window[1] as u64 + 1);
        if rounds > 65_000 { 0 } else { 64 * (65_000 / rounds as u32) }
    }

    /// Height and width of y; 0 where no window fits.
    pub const fn out(&self) -> [u32; 2] {
        [
            windows(self.height, self.window[0], self.stride[0]),
            windows(self.width, self.window[1], self.stride[1]),
        ]
    }

    /// Whether windows are as large as their stride, so that they neither overlap nor leave gaps.
    pub const fn is_side_by_side(&self) -> bool {
        self.window[0] == self.stride[0] && self.window[1] == self.stride[1]
    }

    fn inputs(&self) -> usize {
        [self.batch, self.height, self.width, self.channels].iter().map(|extent| *extent as usize).product()
    }

    fn outputs(&self) -> usize {
        let [height, width] = self.out();
        [self.batch, height, width, self.channels].iter().map(|extent| *extent as usize).product()
    }

    fn program(&self, shader: &'static Shader, entry: &'static str, lines: u32) -> Program {
        let constants = vec![
            ("WINDOW_HEIGHT", f64::from(self.window[0])),
            ("WINDOW_WIDTH", f64::from(self.window[1])),
            ("STRIDE_HEIGHT", f64::from(self.stride[0])),
            ("STRIDE_WIDTH", f64::from(self.stride[1])),
        ];
        let workgroups = shaders::workgroups(self.batch, lines);
        Program { shader, entry, constants, workgroups }
    }

    fn check_extents(&self) -> Result<()> {
        for extent in [self.batch, self.channels] {
            within("images and channels of a pooling", extent, 1..=u32::MAX)?;
        }
        for axis in 0..2 {
            within("stride of a pooling", self.stride[axis], 1..=u32::MAX / 2)?;
            let extent = [self.height, self.width][axis];
            if self.window[axis] == 0 || self.window[axis] > extent {
                let expected = format!("between 1 and the {extent} pixels there are");
                return Err(Error::setting("window of a pooling", expected, self.window[axis]));
            }
        }
        let [down, across] = self.window;
        let what = format!("numbers in a line of images pooled by {down} x {across}");
        within(&what, self.width.saturating_mul(self.channels), 1..=Self::most_numbers(self.window))
    }

    fn describe(&self) -> String {
        let Self { batch, height, width, channels, window, stride } = self;
        let [down, across] = self.out();
        format!(
            "[{batch}, {height}, {width}, {channels}] by {}x{}/{}x{} to {down}x{across}",
            window[0], window[1], stride[0], stride[1]
        )
    }
}

impl Kernel for MaxPool {
    fn title(&self) -> &'static str {
        "max pool"
    }

    fn program(&self, _: &Variants) -> Program {
        Self::program(self, &shaders::SHADER, "forward", self.out()[0])
    }

    fn params(&self) -> Vec<u8> {
        let Self { batch, height, width, channels, .. } = *self;
        bytemuck::bytes_of(&Params { batch, height, width, channels }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("x", self.inputs()),
            Operand::write("y", self.outputs()),
            Operand::write("argmax", self.outputs()),
        ]
    }

    fn check(&self) -> Result<()> {
        self.check_extents()
    }

    fn flops(&self) -> u64 {
        self.outputs() as u64 * u64::from(self.window[0]) * u64::from(self.window[1])
    }

    fn shape(&self) -> String {
        self.describe()
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let x = &floats(reads[0])[..self.inputs()];
        let shape = [self.batch, self.height, self.width, self.channels];
        let chosen = argmax(x, shape, self.window, self.stride);
        for (y, at) in floats_mut(writes[0]).iter_mut().zip(&chosen) {
            *y = x[*at as usize];
        }
        writes[1][..chosen.len()].copy_from_slice(&chosen);
    }
}

impl Kernel for MaxPoolTangent {
    fn title(&self) -> &'static str {
        "max pool tangent"
    }

    fn program(&self, _: &Variants) -> Program {
        self.pool.program(&shaders::SHADER, "tangent", self.pool.out()[0])
    }

    fn params(&self) -> Vec<u8> {
        self.pool.params()
    }

    fn operands(&self) -> Vec<Operand> {
        let outputs = self.pool.outputs();
        vec![
            Operand::read("x", self.pool.inputs()),
            Operand::read("largest", outputs),
            Operand::write("y", outputs),
        ]
    }

    fn check(&self) -> Result<()> {
        self.pool.check_extents()
    }

    fn flops(&self) -> u64 {
        0
    }

    fn shape(&self) -> String {
        self.pool.describe()
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let x = floats(reads[0]);
        for (y, at) in floats_mut(writes[0]).iter_mut().zip(&reads[1][..self.pool.outputs()]) {
            *y = x[*at as usize];
        }
    }
}

impl Kernel for MaxPoolBackward {
    fn title(&self) -> &'static str {
        match self.slope {
            None => "max pool backward",
            Some(_) => "max pool backward*slope",
        }
    }

    fn program(&self, _: &Variants) -> Program {
        let MaxPool { height, stride, .. } = self.pool;
        let (entry, lines) = match self.slope {
            None => ("backward", height),
            Some(_) => ("backward_slope", height.div_ceil(stride[0])),
        };
        let mut program = self.pool.program(&shaders::BACKWARD, entry, lines);
        program.constants.push(("ACCUMULATE", f64::from(u8::from(self.accumulate))));
        program.constants.push(("ACTIVATION", f64::from(self.slope.unwrap_or_default().code())));
        program
    }

    fn params(&self) -> Vec<u8> {
        self.pool.params()
    }

    fn operands(&self) -> Vec<Operand> {
        let outputs = self.pool.outputs();
        let mut operands = vec![Operand::read("dy", outputs), Operand::read("largest", outputs)];
        operands.extend(self.slope.map(|_| Operand::read("kept", self.pool.inputs())));
        operands.push(Operand::write("dx", self.pool.inputs()));
        operands
    }

    fn check(&self) -> Result<()> {
        if self.slope.is_some() && !self.pool.is_side_by_side() {
            let expected =
                format!("{:?}, the window, for a gradient through an activation", self.pool.window);
            return Err(Error::setting("stride of a pooling", expected, format!("{:?}", self.pool.stride)));
        }
        self.pool.check_extents()
    }

    fn flops(&self) -> u64 {
        self.pool.outputs() as u64
    }

    fn shape(&self) -> String {
        self.pool.describe()
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let dy = floats(reads[0]).iter().map(|dy| f64::from(*dy));
        let gradient = gradient(dy, &reads[1][..self.pool.outputs()], self.pool.inputs());
        match self.slope {
            None => put_all(floats_mut(writes[0]), gradient, self.accumulate),
            Some(activation) => {
                let slopes = widened(reads[2]).into_iter().map(|kept| activation.slope_from_kept(kept));
                let passed = gradient.into_iter().zip(slopes).map(|(gradient, slope)| gradient * slope);
                put_all(floats_mut(writes[0]), passed, self.accumulate);
            }
        }
    }
}
