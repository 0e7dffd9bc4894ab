//! The divergence of a Gaussian code from its prior.

use super::{Objective, Term};
use crate::Result;
use crate::graph::{GaussianCode, Graph, Slice};
use crate::kernels::Gradient;
use crate::kernels::divergence::{self, KlByDimension};
use crate::kernels::reduce::ColumnSum;

#[derive(Debug)]
struct GaussianKl {
    code: GaussianCode,
    free_bits: f32,
}

/// `KL(q(z|x) || N(0, 1)) = -1/2 sum(1 + logvar - mu² - exp(logvar))`, nats per image
/// (Kingma and Welling 2013, appendix B).
///
/// Its gradient is weighed by the step's share of the weight too, which a warm-up raises to 1.
pub fn gaussian_kl(code: GaussianCode) -> Objective {
    free_bits_kl(code, 0.0)
}

/// [`gaussian_kl`] with the gradient of `sum over j of max(free_bits, batch mean of KL_j)` (Kingma et al. 2016,
/// equation 15): each dimension j may have `free_bits` nats for nothing. Its value, as reported, is still all of the
/// divergence, so that it and the reconstruction remain the two parts of the ELBO.
pub fn free_bits_kl(code: GaussianCode, free_bits: f32) -> Objective {
    Objective::of(GaussianKl { code, free_bits })
}

impl Term for GaussianKl {
    fn name(&self) -> &'static str {
        "kl"
    }

    fn record(&self, graph: &mut Graph, scale: f32, values: Slice) -> Result<()> {
        let Self { code, free_bits } = *self;
        graph.know_batch(self.name(), code.stats)?;
        let (rows, latent) = (code.stats.rows, code.latent());
        let mut operands = vec![graph.state(), graph.value(code.stats)];
        if free_bits > 0.0 {
            let each = graph.buffer("kl of each dimension", rows as usize * latent as usize, false);
            let kernel = KlByDimension { rows, latent };
            graph.record("kl of each dimension", kernel, &[operands[1], each])?;
            let sums = graph.buffer("kl of a dimension", latent as usize, false);
            graph.record("kl of a dimension", ColumnSum::whole(rows, latent), &[each, sums])?;
            operands.push(sums);
        }
        let (gradient, accumulate) = graph.gradient_target(code.stats);
        operands.extend([values, gradient]);
        let kernel = divergence::GaussianKl {
            rows,
            latent,
            free_bits,
            gradient: Some(Gradient { scale, accumulate }),
        };
        graph.record("kl, value and gradient", kernel, &operands)
    }
}
