//! How far the Gaussian code is from its prior (`shaders/divergence.wgsl`).
//!
//! An encoder's head gives `stats` `[rows, 2 latent]`: mu in the first half of each row, logvar in the other.

use narrows_shaders::{MAX_SHARED_ROW, divergence as shaders};

use super::latent::as_stats;
use super::{Call, Gradient, Kernel, elements, floats_mut, put_all, put_values, widened};
use crate::gpu::Variants;
use crate::reference::divergence::{gaussian_kl, gaussian_kl_slopes, is_free, moments};

/// `value[row] = KL(N(mu, e^logvar) || N(0, 1))` in nats, unweighted, and, where there is a gradient,
/// `dstats = scale * d value / dstats` (Kingma and Welling 2013, appendix B).
///
/// With free bits, a dimension whose mean nats over the batch are not above them has no gradient: that of
/// `sum over j of max(free_bits, mean of kl_j)` (Kingma et al. 2016, equation 15). `value` has all nats.
/// Its nats over the batch are read from `sums` `[latent]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaussianKl {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code. At most [`MAX_SHARED_ROW`].
    pub latent: u32,
    /// Nats that are not penalised in each dimension; zero for none.
    pub free_bits: f32,
    /// That of stats. None to write the values alone.
    pub gradient: Option<Gradient>,
}

/// `each = KL(N(mu_j, e^logvar_j) || N(0, 1))`: the nats of each dimension on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KlByDimension {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code.
    pub latent: u32,
}

impl Kernel for GaussianKl {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, latent, free_bits, gradient } = *self;
        let Gradient { scale, accumulate } = gradient.unwrap_or_default();
        let stats = elements([rows, 2, latent]);
        let (entry, sums) = match gradient {
            None => ("gaussian_kl_value", None),
            Some(_) if free_bits > 0.0 => ("gaussian_kl_free", Some(latent as usize)),
            Some(_) => ("gaussian_kl", None),
        };
        let good = free_bits.is_finite() && free_bits >= 0.0;
        Call::new(&shaders::SHADER, entry)
            .operands([stats])
            .operands(sums)
            .operands([rows as usize])
            .operands(gradient.map(|_| stats))
            .uniform([("rows", rows), ("latent", latent)])
            .uniform([("scale", scale), ("free_bits", free_bits)])
            .constant("ACCUMULATE", accumulate)
            .limit("numbers in a Gaussian code", latent, 1..=MAX_SHARED_ROW)
            .setting("free_bits", good, "nats that are not negative", free_bits)
            .flops(15, elements([rows, latent]))
            .shape(format!("[{rows}, {latent}]"))
            .workgroups(|| shaders::row_workgroups(rows))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let latent = self.latent as usize;
        let moments = moments(&widened(reads[0]), latent);
        let values = moments.chunks(latent).map(|row| row.iter().map(|[m, v]| gaussian_kl(*m, *v)).sum());
        let sums = reads.get(1).map(|sums| widened(sums));
        let free = |j: usize| sums.as_ref().is_some_and(|sums| is_free(sums[j], self.rows, self.free_bits));
        let slopes: Vec<[f64; 2]> = (moments.iter().enumerate())
            .map(
                |(e, [mu, logvar])| {
                    if free(e % latent) { [0.0; 2] } else { gaussian_kl_slopes(*mu, *logvar) }
                },
            )
            .collect();
        put_values(writes, values, self.gradient, as_stats(&slopes, latent));
    }
}

impl Kernel for KlByDimension {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, latent } = *self;
        let count = elements([rows, latent]);
        Call::new(&shaders::SHADER, "kl_by_dimension")
            .operands([elements([rows, 2, latent]), count])
            .uniform([("rows", rows), ("latent", latent)])
            .uniform([("scale", 0.0), ("free_bits", 0.0)])
            .flops(12, count)
            .shape(format!("[{rows}, {latent}]"))
            .workgroups(|| shaders::dimension_workgroups(rows * latent))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let moments = moments(&widened(reads[0]), self.latent as usize);
        let each = moments.into_iter().map(|[mu, logvar]| gaussian_kl(mu, logvar));
        put_all(floats_mut(writes[0]), each, false);
    }
}
