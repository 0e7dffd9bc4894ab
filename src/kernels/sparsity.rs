//! What keeps a code sparse (`shaders/sparsity.wgsl`).

use narrows_shaders::{MAX_SHARED_ROW, sparsity as shaders};

use super::{Call, Gradient, Kernel, elements, put_values, widened};
use crate::gpu::Variants;
use crate::reference::sparsity::{kl, kl_slope, l1_slope};

/// `value[row] = sum over units of |z|`, unweighted, and, where there is a gradient, `dz = scale * sign(z)`, zero at
/// zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct L1 {
    /// Codes.
    pub rows: u32,
    /// Units of a code. At most [`MAX_SHARED_ROW`].
    pub columns: u32,
    /// That of z. None to write the values alone.
    pub gradient: Option<Gradient>,
}

/// `value[row] = sum over units of p log(p / q) + (1 - p) log((1 - p) / (1 - q))` in nats, unweighted and the same
/// of every row, where p is the target and `q = sums / rows` a unit's mean activation over the batch (Ng 2011, "Sparse
/// autoencoder", section 3; Murphy, Probabilistic Machine Learning, 20.3.4). Where there is a gradient,
/// `dz = scale * (q - p) / (q (1 - q))`, which is scale times that of the sum of `value` over the rows.
///
/// q is kept within [1e-6, 1 - 1e-6], in the gradient too, so that a unit that is always off is still called back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KlSparsity {
    /// Codes.
    pub rows: u32,
    /// Units of a code. At most [`MAX_SHARED_ROW`].
    pub columns: u32,
    /// The mean activation to have, within (0, 1).
    pub target: f32,
    /// That of z. None to write the values alone.
    pub gradient: Option<Gradient>,
}

// What both have behind their one operand that is read.
fn call(
    [values, with_gradient]: [&'static str; 2],
    read: usize,
    [rows, columns]: [u32; 2],
    gradient: Option<Gradient>,
    target: f32,
) -> Call {
    let Gradient { scale, accumulate } = gradient.unwrap_or_default();
    Call::new(&shaders::SHADER, if gradient.is_some() { with_gradient } else { values })
        .operands([read, rows as usize])
        .operands(gradient.map(|_| elements([rows, columns])))
        .uniform([("rows", rows), ("columns", columns)])
        .uniform([("scale", scale), ("wanted", target)])
        .constant("ACCUMULATE", accumulate)
        .limit("units of a code", columns, 1..=MAX_SHARED_ROW)
        .shape(format!("[{rows}, {columns}]"))
        .workgroups(|| shaders::workgroups(rows))
}

impl Kernel for L1 {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, columns, gradient } = *self;
        let units = elements([rows, columns]);
        call(["l1_value", "l1"], units, [rows, columns], gradient, 0.0).flops(2, units)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let z = widened(reads[0]);
        let values = z.chunks(self.columns as usize).map(|z| z.iter().map(|z| z.abs()).sum());
        put_values(writes, values, self.gradient, z.iter().map(|z| l1_slope(*z)));
    }
}

impl Kernel for KlSparsity {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, columns, target, gradient } = *self;
        let within = target > 0.0 && target < 1.0;
        call(["kl_value", "kl"], columns as usize, [rows, columns], gradient, target)
            .setting("sparsity_target", within, "above 0 and below 1", target)
            .flops(40, elements([rows, columns]))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let p = f64::from(self.target);
        let active: Vec<f64> = widened(reads[0]).iter().map(|sum| sum / f64::from(self.rows)).collect();
        let value: f64 = active.iter().map(|q| kl(p, *q)).sum();
        let slopes: Vec<f64> = active.iter().map(|q| kl_slope(p, *q)).collect();
        put_values(writes, std::iter::repeat(value), self.gradient, slopes.into_iter().cycle());
    }
}
