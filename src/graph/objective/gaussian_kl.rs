//! The divergence of a Gaussian code from its prior.

use super::Term;
use super::rows::{RowFunction, Upstream};
use crate::Result;
use crate::graph::{GaussianCode, Graph, Slice, Tensor};
use crate::kernels::divergence::{self, KlByDimension};
use crate::kernels::reduce::ColumnSum;

#[derive(Debug)]
struct GaussianKl {
    code: GaussianCode,
    free_bits: f32,
}

/// `KL(q(z|x) || N(0, 1)) = -1/2 sum(1 + logvar - mu² - exp(logvar))`, nats per image
/// (Kingma and Welling 2013, appendix B).
pub fn gaussian_kl(code: GaussianCode) -> Term {
    free_bits_kl(code, 0.0)
}

/// [`gaussian_kl`] with the gradient of `sum over j of max(free_bits, batch mean of KL_j)` (Kingma et al. 2016,
/// equation 15): each dimension j may have `free_bits` nats that are not penalized. The reported value
/// is the whole divergence, so that it and the reconstruction remain the two parts of the ELBO.
pub fn free_bits_kl(code: GaussianCode, free_bits: f32) -> Term {
    Term::new("kl", "nats", "the code", GaussianKl { code, free_bits })
}

impl RowFunction for GaussianKl {
    fn operand(&self) -> Tensor {
        self.code.stats
    }

    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice> {
        let Self { code: GaussianCode { stats }, free_bits } = *self;
        let (rows, latent) = (stats.rows, self.code.latent());
        let mut reads = vec![graph.value(stats)];
        let wanted = upstream != Upstream::None && graph.needs_gradient(stats);
        if free_bits > 0.0 && wanted {
            let (label, words) = (format!("{name} of each dimension"), (rows * latent) as usize);
            let each = graph.interim(label, words, &reads, KlByDimension { rows, latent })?;
            let (label, sum) = (format!("{name} of a dimension"), ColumnSum::whole(rows, latent));
            let sums = graph.interim(label, latent as usize, &[each], sum)?;
            graph.exchange_mean(format!("{name}, sums"), sums);
            reads.push(sums);
        }
        if let Upstream::Constant { scale, share: None } = upstream
            && wanted
            && free_bits == 0.0
            && let Some(values) = graph.kl_beside_sample(name, self.code, scale)?
        {
            return Ok(values);
        }
        let kernel = |gradient| divergence::GaussianKl { rows, latent, free_bits, gradient };
        graph.record_rows(name, (stats, rows), upstream, &reads, kernel)
    }
}
