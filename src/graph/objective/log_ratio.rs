//! The importance of a sample of a Gaussian code.

use super::Term;
use super::rows::{RowFunction, Upstream};
use crate::graph::{GaussianCode, Graph, Slice, Tensor};
use crate::kernels::latent;
use crate::{Error, Result};

#[derive(Debug)]
struct LogRatio {
    code: GaussianCode,
}

/// `log p(z) - log q(z|x)` of the sample z that the first [`Graph::reparameterize`] of `code` draws, with the standard
/// normal as prior p: nats. With the likelihood's `log p(x|z)` it is the logarithm of an importance weight (Burda et al.
/// 2015, equation 8).
pub fn log_ratio(code: GaussianCode) -> Term {
    Term::new("log_ratio", "nats", "the code", LogRatio { code })
}

impl RowFunction for LogRatio {
    fn operand(&self) -> Tensor {
        self.code.stats
    }

    fn rows(&self, graph: &Graph, name: &str) -> Result<u32> {
        graph.know(name, self.code.stats)?;
        match graph.tensors[self.code.stats.id].first_sample {
            Some(_) => Ok(self.code.stats.rows),
            None => {
                Err(Error::shape(name, "a code of which a sample was drawn", graph.label(self.code.stats)))
            }
        }
    }

    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice> {
        let stats = self.code.stats;
        let (rows, latent) = (stats.rows, self.code.latent());
        let instance = graph.tensors[stats.id].first_sample.map_or(0, |(_, instance)| instance);
        let reads = [graph.state(), graph.value(stats)];
        let of = graph.sample_of(rows, latent, instance);
        graph.record_rows(name, (stats, rows), upstream, &reads, |gradient| latent::LogRatio { of, gradient })
    }
}
