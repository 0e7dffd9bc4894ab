//! Layers that change an image's size without learning anything: max pooling, nearest-neighbour upsampling, and borders
//! that are cut off or added.

use super::gradient::FusedTarget;
use super::tensor::counted;
use super::{Graph, Shape, Tensor};
use crate::kernels::crop_or_pad::CropOrPad;
use crate::kernels::pool::{MaxPool, MaxPoolBackward, MaxPoolTangent};
use crate::kernels::upsample::{Upsample, UpsampleBackward};
use crate::{Error, Result};

impl Graph {
    /// The maximum of each window of `window` pixels, `stride` pixels apart, of x `[batch, shape]`; both are
    /// `[vertical, horizontal]`. `floor((extent - window) / stride) + 1` pixels remain along an axis. Of equal maxima the
    /// first, row by row, gets the gradient.
    pub fn max_pool2d(
        &mut self,
        label: &str,
        x: Tensor,
        shape: Shape,
        window: [u32; 2],
        stride: [u32; 2],
    ) -> Result<(Tensor, Shape)> {
        self.know_shape(label, x, shape)?;
        let Shape { height, width, channels } = shape;
        let pool = MaxPool { batch: x.rows, height, width, channels, window, stride };
        let [down, across] = pool.out();
        let out = Shape::new(down, across, channels);
        let y = self.reshaped(label, x, out)?;
        let chosen = self.integer_buffer(&format!("argmax of {label}"), y.count() as usize);
        self.record(label, pool, &[self.value(x), self.value(y), chosen])?;
        self.send_back([x], y, move |graph, dy| {
            if pool.is_side_by_side()
                && let Some(FusedTarget { activation, kept, slice, accumulate }) = graph.fused_target(x)
            {
                let label = format!("d {} through {activation}", graph.label(x));
                let kernel = MaxPoolBackward { pool, slope: Some(activation), accumulate };
                return graph.record(label, kernel, &[dy, chosen, kept, slice]);
            }
            let kernel = |accumulate| MaxPoolBackward { pool, slope: None, accumulate };
            graph.send(x, &[dy, chosen], kernel)
        });
        self.tensors[y.id].pooled = Some((pool, chosen));
        Ok((y, out))
    }

    /// How y, a result of [`Graph::max_pool2d`], changes where its input changes by t: t at each window's maximum.
    pub fn max_pool2d_tangent(&mut self, label: &str, t: Tensor, y: Tensor) -> Result<Tensor> {
        self.know(label, y)?;
        let Some((pool, chosen)) = self.tensors[y.id].pooled else {
            return Err(Error::shape(label, "what a pooling gave", self.label(y)));
        };
        self.know_shape(label, t, Shape::new(pool.height, pool.width, pool.channels))?;
        if t.rows != pool.batch {
            return Err(Error::shape(label, format!("{} images", pool.batch), t.rows));
        }
        let change = self.make(label, &[self.value(t), chosen], y.shape(), MaxPoolTangent(pool))?;
        self.send_back([t], change, move |graph, dy| {
            let kernel = |accumulate| MaxPoolBackward { pool, slope: None, accumulate };
            graph.send(t, &[dy, chosen], kernel)
        });
        Ok(change)
    }

    /// Each pixel of x `[batch, shape]` repeated `factor[0]` times down and `factor[1]` times across.
    pub fn upsample2d(
        &mut self,
        label: &str,
        x: Tensor,
        shape: Shape,
        factor: [u32; 2],
    ) -> Result<(Tensor, Shape)> {
        self.know_shape(label, x, shape)?;
        let Shape { height, width, channels } = shape;
        let upsample = Upsample { batch: x.rows, height, width, channels, factor };
        let out = Shape::new(height.saturating_mul(factor[0]), width.saturating_mul(factor[1]), channels);
        let y = self.reshaped(label, x, out)?;
        self.record(label, upsample, &[self.value(x), self.value(y)])?;
        self.send_back([x], y, move |graph, dy| {
            graph.send(x, &[dy], |accumulate| UpsampleBackward { upsample, accumulate })
        });
        Ok((y, out))
    }

    /// x `[batch, shape]` with this height and width: along each axis alike on both sides, an odd pixel behind the last, what
    /// is too much is cut off and what is missing is zeros.
    pub fn crop_or_pad2d(
        &mut self,
        label: &str,
        x: Tensor,
        shape: Shape,
        [height, width]: [u32; 2],
    ) -> Result<(Tensor, Shape)> {
        self.know_shape(label, x, shape)?;
        let out = Shape { height, width, ..shape };
        if out == shape {
            return Ok((x, out));
        }
        let (from, to, channels) = ([shape.height, shape.width], [height, width], shape.channels);
        let kernel = CropOrPad { batch: x.rows, from, to, channels, accumulate: false };
        let y = self.reshaped(label, x, out)?;
        self.record(label, kernel, &[self.value(x), self.value(y)])?;
        self.send_back([x], y, move |graph, dy| {
            graph.send(x, &[dy], |accumulate| kernel.backward(accumulate))
        });
        Ok((y, out))
    }

    /// Fails where x is of another graph, or its rows are not of `shape`.
    pub(super) fn know_shape(&self, label: &str, x: Tensor, shape: Shape) -> Result<()> {
        self.know(label, x)?;
        if shape.columns() == Some(x.columns) {
            return Ok(());
        }
        Err(Error::shape(label, format!("images of {shape}"), format!("{} numbers per image", x.columns)))
    }

    // As many rows as x has, of another shape.
    fn reshaped(&mut self, label: &str, x: Tensor, shape: Shape) -> Result<Tensor> {
        let operation = format!("{label}: images of {shape}");
        counted(&operation, &[x.rows, shape.height, shape.width, shape.channels])?;
        self.tensor(label, [x.rows, shape.columns().unwrap_or_default()])
    }
}
