//! The Gaussian code's sample, with what else a training step makes of the code (`shaders/sample.wgsl`).

use narrows_shaders::{max_shared_row, sample as shaders};

use super::latent::{Reparameterize, as_stats};
use super::{Call, Kernel, floats_mut, put_all, put_scaled};
use crate::gpu::Variants;
use crate::reference::sample::{Sampled, sampled};

/// A [`Reparameterize`] that also writes its derivative by logvar, `spread` `[rows, latent]`; and, where there is a scale,
/// the divergence [`GaussianKl`](super::divergence::GaussianKl) of the code without free bits: `value` `[rows]`, unweighted,
/// and `dstats`, its gradient times the scale, written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The sample. At most [`Sample::MAX_LATENT`] numbers in a code.
    pub of: Reparameterize,
    /// The weight of the divergence's gradient. None for the sample and its derivative alone.
    pub kl: Option<f32>,
}

impl Sample {
    /// The most numbers in a code: 64 lanes go over them once, and by fours, with two loops of four in each.
    pub const MAX_LATENT: u32 = max_shared_row(4);
}

impl Kernel for Sample {
    fn call(&self, _: &Variants) -> Call {
        let Self { of, kl } = *self;
        let Reparameterize { rows, latent, instance, period, first_block } = of;
        let entry = if kl.is_some() { "sample_and_kl" } else { "sample" };
        Call::new(&shaders::SHADER, entry)
            .operands(of.reads())
            .operands([of.codes(); 2])
            .operands(kl.map(|_| rows as usize))
            .operands(kl.map(|_| of.stats()))
            .uniform([("rows", rows), ("latent", latent), ("instance", instance)])
            .uniform([("scale", kl.unwrap_or_default())])
            .uniform([("period", period), ("first_block", first_block)])
            .limit("numbers in a Gaussian code", latent, 1..=Self::MAX_LATENT)
            .flops(if kl.is_some() { 36 } else { 21 }, of.codes())
            .shape(format!("[{rows}, {latent}]"))
            .workgroups(|| shaders::workgroups(rows))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let latent = self.of.latent as usize;
        let all: Vec<Sampled> = self.of.draws(reads).map(sampled).collect();
        put_all(floats_mut(writes[0]), all.iter().map(|of| of.z), false);
        put_all(floats_mut(writes[1]), all.iter().map(|of| of.spread), false);
        let Some(scale) = self.kl else { return };
        let values = all.chunks(latent).map(|row| row.iter().map(|of| of.kl).sum());
        put_all(floats_mut(writes[2]), values, false);
        let slopes: Vec<[f64; 2]> = all.iter().map(|of| of.slopes).collect();
        put_scaled(writes[3], scale, as_stats(&slopes, latent), false);
    }
}
