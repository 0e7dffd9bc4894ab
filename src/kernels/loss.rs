//! Likelihoods: nats of each image, and their gradient in the same pass (`shaders/loss.wgsl`).

use narrows_shaders::{MAX_SHARED_ROW, loss as shaders};

use super::{Call, Gradient, Kernel, elements, floats_mut, put_all, put_values, widened};
use crate::gpu::Variants;
pub use crate::reference::loss::Kind;

/// `value[row] = -log p(x[row] | y[row])` in nats, unweighted, and, where there is a gradient,
/// `dy = scale * d value / dy`.
///
/// y are logits for either Bernoulli, else means. [`Kind::GaussianLearned`] also reads the one log variance and writes
/// its gradient, each row's share, times `scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// Images.
    pub rows: u32,
    /// Pixels of an image, times channels. At most [`MAX_SHARED_ROW`].
    pub columns: u32,
    /// Which likelihood.
    pub kind: Kind,
    /// That of y; that of the log variance is always written. None to write the values alone.
    pub gradient: Option<Gradient>,
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
        let square = deviation * deviation;
        let usable = deviation > 0.0 && square.is_normal() && square.recip().is_normal();
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
            .limit("numbers of an image or row (--size, --columns)", columns, 1..=MAX_SHARED_ROW)
            .setting(
                "deviation",
                usable,
                "a positive number whose square is neither 0 nor infinite",
                deviation,
            )
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
        let slopes = pixels.iter().map(|(y, x)| kind.slope(*y, *x, v));
        put_values(writes, sums(&|(y, x)| kind.value(*y, *x, v)), self.gradient, slopes);
        if let (Some(Gradient { scale, .. }), Some(gradient)) = (self.gradient, writes.get_mut(2)) {
            let shares = sums(&|(y, x)| f64::from(scale) * kind.log_variance_slope(*y, *x, v));
            let followed = shares.into_iter().map(|share| kind.followed(share, v));
            put_all(floats_mut(gradient), followed, false);
        }
    }
}
