//! What keeps a code sparse (`shaders/sparsity.wgsl`).

use narrows_shaders::{MAX_SHARED_ROW, sparsity as shaders};

use super::{Call, Gradient, Kernel, elements, put_values, widened};
use crate::gpu::Variants;
use crate::reference::sparsity::{kl, kl_slope, l1_slope};

/// What is asked of the units of a code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Penalty {
    /// Small numbers, given z: `value[row] = sum over units of |z|` and `dz = scale * sign(z)`, zero at zero.
    L1,
    /// A mean activation p, the target, given `sums` `[columns]` of z over the batch: `value[row] = sum over units of
    /// p log(p / q) + (1 - p) log((1 - p) / (1 - q))` in nats, the same of every row, with `q = sums / rows`; and
    /// `dz = scale * (q - p) / (q (1 - q))`, which is scale times the gradient of the sum of `value` over the rows (Ng
    /// 2011, "Sparse autoencoder", section 3; Murphy, Probabilistic Machine Learning, 20.3.4).
    ///
    /// q is kept within [1e-6, 1 - 1e-6], in the gradient too, so that a unit that is always off is still called back.
    Kl {
        /// p, within (0, 1).
        target: f32,
    },
}

/// `value[row]`, unweighted, and, where there is a gradient, that of the code z `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sparsity {
    /// Codes.
    pub rows: u32,
    /// Units of a code. At most [`MAX_SHARED_ROW`].
    pub columns: u32,
    /// What is asked of them.
    pub penalty: Penalty,
    /// That of z. None to write the values alone.
    pub gradient: Option<Gradient>,
}

impl Kernel for Sparsity {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, columns, penalty, gradient } = *self;
        let Gradient { scale, accumulate } = gradient.unwrap_or_default();
        let units = elements([rows, columns]);
        let ([values, with_gradient], read, flops, target) = match penalty {
            Penalty::L1 => (["l1_value", "l1"], units, 2, None),
            Penalty::Kl { target } => (["kl_value", "kl"], columns as usize, 40, Some(target)),
        };
        let within = target.is_none_or(|target| target > 0.0 && target < 1.0);
        let target = target.unwrap_or_default();
        Call::new(&shaders::SHADER, if gradient.is_some() { with_gradient } else { values })
            .operands([read, rows as usize])
            .operands(gradient.map(|_| units))
            .uniform([("rows", rows), ("columns", columns)])
            .uniform([("scale", scale), ("wanted", target)])
            .constant("ACCUMULATE", accumulate)
            .limit("units of a code", columns, 1..=MAX_SHARED_ROW)
            .setting("sparsity_target", within, "above 0 and below 1", target)
            .flops(flops, units)
            .shape(format!("[{rows}, {columns}]"))
            .workgroups(|| shaders::workgroups(rows))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let read = widened(reads[0]);
        match self.penalty {
            Penalty::L1 => {
                let values = read.chunks(self.columns as usize).map(|z| z.iter().map(|z| z.abs()).sum());
                put_values(writes, values, self.gradient, read.iter().map(|z| l1_slope(*z)));
            }
            Penalty::Kl { target } => {
                let active = || read.iter().map(|sum| sum / f64::from(self.rows));
                let value: f64 = active().map(|q| kl(target.into(), q)).sum();
                let slopes: Vec<f64> = active().map(|q| kl_slope(target.into(), q)).collect();
                put_values(writes, std::iter::repeat(value), self.gradient, slopes.into_iter().cycle());
            }
        }
    }
}
