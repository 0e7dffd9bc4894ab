//! Likelihoods: nats of each image, and their gradient in the same pass (`shaders/loss.wgsl`).

use narrows_shaders::{MAX_SHARED_ROW, loss as shaders};

use super::{Call, Gradient, Kernel, elements, floats_mut, put_all, widened};
use crate::gpu::Variants;
pub use crate::reference::loss::Kind;
use crate::reference::loss::continuous_mean;

/// `value[row] = -log p(x[row] | y[row])` in nats, unweighted, and, where there is a gradient,
/// `dy = scale * d value / dy`.
///
/// y are logits for either Bernoulli, else means. [`Kind::GaussianLearned`] also reads the one log variance and writes
/// its gradient, each row's share, times `scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// Images.
    pub rows: u32,
    /// Pixels of an image, times channels. At most [`Loss::MAX_COLUMNS`].
    pub columns: u32,
    /// Which likelihood.
    pub kind: Kind,
    /// That of y; that of the log variance is always written. None to write the values alone.
    pub gradient: Option<Gradient>,
}

/// `mean = 1 / (1 - e^-y) - 1 / y`: what logits say that a pixel is on average, of a continuous Bernoulli.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContinuousMean {
    /// How many pixels.
    pub count: u32,
}

impl Loss {
    /// The most columns.
    pub const MAX_COLUMNS: u32 = MAX_SHARED_ROW;
}

impl Kernel for Loss {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, columns, kind, gradient } = *self;
        let Gradient { scale, accumulate } = gradient.unwrap_or_default();
        let pixels = elements([rows, columns]);
        let learned = kind == Kind::GaussianLearned;
        let entry = match (learned, gradient.is_some()) {
            (false, false) => "values",
            (false, true) => "values_and_gradient",
            (true, false) => "learned_values",
            (true, true) => "learned_values_and_gradient",
        };
        let each = match kind {
            Kind::Bernoulli => 30,
            Kind::ContinuousBernoulli => 60,
            _ => 4,
        };
        // The other kinds do not read it.
        let deviation = if let Kind::Gaussian { deviation } = kind { deviation } else { 1.0 };
        let positive = deviation.is_finite() && deviation > 0.0;
        Call::new(&shaders::SHADER, entry)
            .operands([pixels, pixels])
            .operands(learned.then_some(1))
            .operands([rows as usize])
            .operands(gradient.map(|_| pixels))
            .operands((learned && gradient.is_some()).then_some(rows as usize))
            .uniform([("rows", rows), ("columns", columns)])
            .uniform([("scale", scale), ("deviation", deviation)])
            .uniform([("log_deviation", f64::from(deviation).ln() as f32)])
            .constant("LIKELIHOOD", kind.code())
            .constant("ACCUMULATE", accumulate)
            .limit("columns of a loss", columns, 1..=Self::MAX_COLUMNS)
            .setting("deviation", positive, "a positive number", deviation)
            .flops(each, pixels)
            .shape(format!("[{rows}, {columns}] {kind}"))
            .workgroups(|| shaders::workgroups(rows))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (kind, columns) = (self.kind, self.columns as usize);
        let pixels: Vec<_> = widened(reads[0]).into_iter().zip(widened(reads[1])).collect();
        let v = reads.get(2).map_or(0.0, |words| widened(words)[0]);
        let sums = |of: &dyn Fn(&(f64, f64)) -> f64| -> Vec<f64> {
            pixels.chunks(columns).map(|image| image.iter().map(of).sum()).collect()
        };
        put_all(floats_mut(writes[0]), sums(&|(y, x)| kind.value(*y, *x, v)), false);
        let Some(Gradient { scale, accumulate }) = self.gradient else { return };
        let scale = f64::from(scale);
        let dy = pixels.iter().map(|(y, x)| scale * kind.slope(*y, *x, v));
        put_all(floats_mut(writes[1]), dy, accumulate);
        if let Some(gradient) = writes.get_mut(2) {
            let shares = sums(&|(y, x)| scale * kind.log_variance_slope(*y, *x, v));
            put_all(floats_mut(gradient), shares, false);
        }
    }
}

impl Kernel for ContinuousMean {
    fn call(&self, _: &Variants) -> Call {
        let count = self.count as usize;
        Call::new(&shaders::SHADER, "continuous_mean")
            .operands([count, count])
            .uniform([("rows", self.count), ("columns", 1)])
            .uniform([("scale", 0.0), ("deviation", 0.0), ("log_deviation", 0.0)])
            .flops(20, count)
            .shape(format!("[{count}]"))
            .workgroups(|| shaders::mean_workgroups(self.count))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let means = widened(reads[0]).into_iter().map(continuous_mean);
        put_all(floats_mut(writes[0]), means, false);
    }
}
