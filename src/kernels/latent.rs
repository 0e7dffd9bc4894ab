//! The Gaussian code's sample (`shaders/latent.wgsl`).
//!
//! An encoder's head gives `stats` `[rows, 2 latent]`: mu in the first half of each row, logvar in the other.

use narrows_shaders::{MAX_SHARED_ROW, latent as shaders};

use super::{Call, Gradient, Kernel, State, elements, floats_mut, put_all, put_values, widened};
use crate::gpu::Variants;
use crate::reference::latent::{
    draws, followed, log_ratio, log_ratio_slopes, reparameterize, reparameterize_logvar_slope,
};

/// `z = mu + e^(logvar/2) eps` with eps drawn for the state's seed and step (Kingma and Welling 2013,
/// section 2.4), and the nearest log variance in [`LOGVAR`](crate::reference::latent::LOGVAR).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reparameterize {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code.
    pub latent: u32,
    /// Its number among the samples of a model, which draw apart.
    pub instance: u32,
    /// Numbers after which eps begins again, so that all images have the same; 0 where no two draw alike.
    pub period: u32,
    /// The counter's first word for numbers 0 to 3: above 0 where the codes are a part of a batch.
    pub first_block: u32,
}

/// The gradient of [`Reparameterize`]: `dmu = dz`, `dlogvar = dz eps e^(logvar/2) / 2`, drawing eps again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReparameterizeBackward {
    /// The forward pass.
    pub of: Reparameterize,
    /// Add to `dstats` instead of writing it.
    pub accumulate: bool,
}

/// `value[row] = log p(z) - log q(z|x)` of a sample z, in nats, with the prior p = N(0, 1) (Burda et al. 2015, equation
/// 8, without the likelihood); and, where there is a gradient, that of stats, through the sample too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogRatio {
    /// The sample. At most [`MAX_SHARED_ROW`] numbers in a code.
    pub of: Reparameterize,
    /// That of stats. None to write the values alone.
    pub gradient: Option<Gradient>,
}

/// A gradient by mu and logvar of each number of the codes, in the order of stats.
pub(super) fn as_stats(slopes: &[[f64; 2]], latent: usize) -> impl Iterator<Item = f64> {
    slopes
        .chunks(latent)
        .flat_map(|row| [0, 1].into_iter().flat_map(|half| row.iter().map(move |both| both[half])))
}

impl Reparameterize {
    // What every entry has.
    fn describe(&self, entry: &'static str, scale: f32) -> Call {
        let Self { rows, latent, instance, period, first_block } = *self;
        Call::new(&shaders::SHADER, entry)
            .operands(self.reads())
            .uniform([("rows", rows), ("latent", latent), ("instance", instance)])
            .uniform([("scale", scale)])
            .uniform([("period", period), ("first_block", first_block)])
            .shape(format!("[{rows}, {latent}]"))
    }

    /// Words of what is read: the state and stats.
    pub(super) fn reads(&self) -> [usize; 2] {
        [State::WORDS, self.stats()]
    }

    /// Numbers of all codes.
    pub(super) fn codes(&self) -> usize {
        elements([self.rows, self.latent])
    }

    /// Numbers of stats.
    pub(super) fn stats(&self) -> usize {
        elements([self.rows, 2, self.latent])
    }

    /// mu, logvar and eps of each number.
    pub(super) fn draws(&self, reads: &[&[u32]]) -> impl Iterator<Item = [f64; 3]> {
        let State { seed, step, .. } = State::from_words(reads[0]);
        let Self { latent, instance, period, first_block, .. } = *self;
        draws(widened(reads[1]), latent as usize, seed, [first_block, step, instance], period)
    }
}

impl Kernel for Reparameterize {
    fn call(&self, _: &Variants) -> Call {
        self.describe("reparameterize", 0.0)
            .operands([self.codes()])
            .flops(20, self.codes())
            .workgroups(|| shaders::workgroups(self.rows * self.latent))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let z = self.draws(reads).map(|[mu, logvar, eps]| reparameterize(mu, logvar, eps));
        put_all(floats_mut(writes[0]), z, false);
    }
}

impl Kernel for ReparameterizeBackward {
    fn call(&self, _: &Variants) -> Call {
        let Self { of, accumulate } = *self;
        of.describe("reparameterize_backward", 0.0)
            .operands([of.codes(), of.stats()])
            .constant("ACCUMULATE", accumulate)
            .flops(20, of.codes())
            .workgroups(|| shaders::workgroups(of.rows * of.latent))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let by_logvar = |logvar, eps, dz| followed(logvar, dz * reparameterize_logvar_slope(logvar, eps));
        let draws = self.of.draws(reads).zip(widened(reads[2]));
        let slopes: Vec<[f64; 2]> =
            draws.map(|([_, logvar, eps], dz)| [dz, by_logvar(logvar, eps, dz)]).collect();
        put_all(floats_mut(writes[0]), as_stats(&slopes, self.of.latent as usize), self.accumulate);
    }
}

impl Kernel for LogRatio {
    fn call(&self, _: &Variants) -> Call {
        let Self { of, gradient } = *self;
        let Gradient { scale, accumulate } = gradient.unwrap_or_default();
        of.describe(if gradient.is_some() { "log_ratio_gradient" } else { "log_ratio" }, scale)
            .operands([of.rows as usize])
            .operands(gradient.map(|_| of.stats()))
            .constant("ACCUMULATE", accumulate)
            .limit("numbers in a Gaussian code", of.latent, 1..=MAX_SHARED_ROW)
            .flops(25, of.codes())
            .workgroups(|| shaders::ratio_workgroups(of.rows))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let latent = self.of.latent as usize;
        let (ratios, slopes): (Vec<f64>, Vec<[f64; 2]>) = (self.of.draws(reads))
            .map(|[mu, logvar, eps]| (log_ratio(mu, logvar, eps), log_ratio_slopes(mu, logvar, eps)))
            .unzip();
        let values = ratios.chunks(latent).map(|code| code.iter().sum());
        put_values(writes, values, self.gradient, as_stats(&slopes, latent));
    }
}
