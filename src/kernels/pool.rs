//! Max pooling in two dimensions (`shaders/pool.wgsl`) and its gradient (`shaders/pool_backward.wgsl`).

use narrows_shaders::{Shader, max_shared_row, pool as shaders};

use super::activation::Activation;
use super::{Call, Kernel, elements, floats, floats_mut, put_all, widened};
use crate::gpu::Variants;
use crate::reference::pool::{argmax, gradient, windows};

/// `y = max of x` over windows, and where each maximum stands in x: the first of equals, row by row, and a NaN before
/// any number. What does not fill a window is left out.
///
/// `x` is `[batch, height, width, channels]`; `y` and the whole numbers `argmax` are
/// `[batch, out_height, out_width, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxPool {
    /// Images.
    pub batch: u32,
    /// Rows of pixels of x.
    pub height: u32,
    /// Pixels in a row of x.
    pub width: u32,
    /// Numbers per pixel.
    pub channels: u32,
    /// Height and width of a window.
    pub window: [u32; 2],
    /// How far windows stand apart, down and across.
    pub stride: [u32; 2],
}

/// How the result of [`MaxPool`] changes where x changes by t: `y = t` where each maximum stands. The operand `x` is t,
/// `largest` is the forward pass's argmax.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxPoolTangent(pub MaxPool);

/// The gradient of [`MaxPool`]: each element of x gets dy of the windows whose maximum it is. The operand `largest` is
/// the forward pass's argmax.
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

impl MaxPool {
    /// The most numbers in a line of x, which 64 lanes share, each looking at a window for every number.
    pub const fn most_numbers(window: [u32; 2]) -> u32 {
        max_shared_row((window[0] as u64 + 1).saturating_mul(window[1] as u64 + 1))
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
        elements([self.batch, self.height, self.width, self.channels])
    }

    fn outputs(&self) -> usize {
        let [height, width] = self.out();
        elements([self.batch, height, width, self.channels])
    }

    // What the entries of either shader have.
    fn describe(&self, shader: &'static Shader, entry: &'static str) -> Call {
        let Self { batch, height, width, channels, window: [down, across], stride } = *self;
        let [out_down, out_across] = self.out();
        let line = format!("numbers in a line of images pooled by {down} x {across}");
        let within = |extent| format!("between 1 and the {extent} pixels there are");
        let size = format!("{down}x{across}/{}x{} to {out_down}x{out_across}", stride[0], stride[1]);
        Call::new(shader, entry)
            .uniform([("batch", batch), ("height", height), ("width", width), ("channels", channels)])
            .constant("WINDOW_HEIGHT", down)
            .constant("WINDOW_WIDTH", across)
            .constant("STRIDE_HEIGHT", stride[0])
            .constant("STRIDE_WIDTH", stride[1])
            .at_least_one("a pooling", [("images", batch), ("channels", channels)])
            .limit("stride of a pooling", stride[0], 1..=u32::MAX / 2)
            .limit("stride of a pooling", stride[1], 1..=u32::MAX / 2)
            .setting("window of a pooling", (1..=height).contains(&down), &within(height), down)
            .setting("window of a pooling", (1..=width).contains(&across), &within(width), across)
            .limit(&line, width.saturating_mul(channels), 1..=Self::most_numbers(self.window))
            .shape(format!("[{batch}, {height}, {width}, {channels}] by {size}"))
    }
}

impl Kernel for MaxPool {
    fn call(&self, _: &Variants) -> Call {
        let outputs = self.outputs();
        self.describe(&shaders::SHADER, "forward")
            .operands([self.inputs(), outputs, outputs])
            .flops(u64::from(self.window[0]) * u64::from(self.window[1]), outputs)
            .workgroups(|| shaders::workgroups(self.batch, self.out()[0]))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let shape = [self.batch, self.height, self.width, self.channels];
        let largest = argmax(floats(reads[0]), shape, self.window, self.stride);
        writes[1].copy_from_slice(&largest);
        MaxPoolTangent(*self).reference(&[reads[0], &largest], writes);
    }
}

impl Kernel for MaxPoolTangent {
    fn call(&self, _: &Variants) -> Call {
        let outputs = self.0.outputs();
        self.0
            .describe(&shaders::SHADER, "tangent")
            .operands([self.0.inputs(), outputs, outputs])
            .workgroups(|| shaders::workgroups(self.0.batch, self.0.out()[0]))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [x, largest] = [reads[0], reads[1]];
        writes[0].iter_mut().zip(largest).for_each(|(y, at)| *y = x[*at as usize]);
    }
}

impl Kernel for MaxPoolBackward {
    fn call(&self, _: &Variants) -> Call {
        let Self { pool: pool @ MaxPool { batch, height, window, stride, .. }, slope, accumulate } = *self;
        let outputs = pool.outputs();
        let wanted = format!("{window:?}, the window, for a gradient through an activation");
        let passes = slope.is_none() || pool.is_side_by_side();
        pool.describe(&shaders::BACKWARD, if slope.is_some() { "backward_slope" } else { "backward" })
            .operands([outputs, outputs])
            .operands(slope.map(|_| pool.inputs()))
            .operands([pool.inputs()])
            .constant("ACCUMULATE", accumulate)
            .constant("ACTIVATION", slope.unwrap_or_default().code())
            .setting("stride of a pooling", passes, &wanted, format!("{stride:?}"))
            .flops(1, outputs)
            .workgroups(|| match slope {
                None => shaders::workgroups(batch, height),
                Some(_) => shaders::workgroups(batch, height.div_ceil(stride[0])),
            })
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let mut gradient = gradient(widened(reads[0]), reads[1], self.pool.inputs());
        if let Some(activation) = self.slope {
            let kept = widened(reads[2]);
            gradient.iter_mut().zip(kept).for_each(|(dx, kept)| *dx *= activation.slope_from_kept(kept));
        }
        put_all(floats_mut(writes[0]), gradient, self.accumulate);
    }
}
