//! What keeps a code sparse.

use super::Term;
use super::rows::{RowFunction, Upstream};
use crate::Result;
use crate::graph::{Graph, Slice, Tensor};
use crate::kernels::reduce::ColumnSum;
use crate::kernels::sparsity;

#[derive(Debug)]
struct L1 {
    code: Tensor,
}

#[derive(Debug)]
struct KlSparsity {
    code: Tensor,
    target: f32,
}

/// `sum |z|` over the units of an image's code.
pub fn l1(code: Tensor) -> Term {
    Term::new("l1", "|z|", "the units of the code", L1 { code })
}

/// `sum over units of KL(target || q)` in nats, with q the unit's mean over the batch: logistic units, whose
/// activations lie in (0, 1). It is one number per batch, and counts as the number of each of its images (Ng 2011, "Sparse
/// autoencoder", section 3; Murphy, Probabilistic Machine Learning, 20.3.4).
///
/// q is kept within [1e-6, 1 - 1e-6].
pub fn kl_sparsity(code: Tensor, target: f32) -> Term {
    Term::new("sparsity", "nats", "the units of the code", KlSparsity { code, target })
}

impl RowFunction for L1 {
    fn operand(&self) -> Tensor {
        self.code
    }

    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice> {
        let Tensor { rows, columns, .. } = self.code;
        let kernel = |gradient| sparsity::L1 { rows, columns, gradient };
        graph.record_rows(name, (self.code, rows), upstream, &[graph.value(self.code)], kernel)
    }
}

impl RowFunction for KlSparsity {
    fn operand(&self) -> Tensor {
        self.code
    }

    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice> {
        let Self { code, target } = *self;
        let Tensor { rows, columns, .. } = code;
        let sum = ColumnSum::whole(rows, columns);
        let sums = graph.interim("sum of each unit", columns as usize, &[graph.value(code)], sum)?;
        let kernel = |gradient| sparsity::KlSparsity { rows, columns, target, gradient };
        graph.record_rows(name, (code, rows), upstream, &[sums], kernel)
    }
}
