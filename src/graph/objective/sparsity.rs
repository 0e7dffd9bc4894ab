//! What keeps a code sparse.

use super::Term;
use super::rows::{RowFunction, Upstream};
use crate::Result;
use crate::graph::{Graph, Slice, Tensor};
use crate::kernels::reduce::ColumnSum;
use crate::kernels::sparsity::{Penalty, Sparsity};

#[derive(Debug)]
struct Sparse {
    code: Tensor,
    penalty: Penalty,
}

/// `sum |z|` over the units of an image's code.
pub fn l1(code: Tensor) -> Term {
    Term::new("l1", "|z|", "the units of the code", Sparse { code, penalty: Penalty::L1 })
}

/// `sum over units of KL(target || q)` in nats, with q the unit's mean over the batch: logistic units, whose
/// activations lie in (0, 1). It is one number per batch, and counts as the number of each of its images (Ng 2011, "Sparse
/// autoencoder", section 3; Murphy, Probabilistic Machine Learning, 20.3.4).
///
/// q is kept within [1e-6, 1 - 1e-6].
pub fn kl_sparsity(code: Tensor, target: f32) -> Term {
    Term::new("sparsity", "nats", "the units of the code", Sparse { code, penalty: Penalty::Kl { target } })
}

impl RowFunction for Sparse {
    fn operand(&self) -> Tensor {
        self.code
    }

    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice> {
        let (penalty, Tensor { rows, columns, .. }) = (self.penalty, self.code);
        let mut read = graph.value(self.code);
        if let Penalty::Kl { .. } = penalty {
            let sum = ColumnSum::whole(rows, columns);
            read = graph.interim("sum of each unit", columns as usize, &[read], sum)?;
            graph.exchange_mean(format!("{name}, sums"), read);
        }
        let kernel = |gradient| Sparsity { rows, columns, penalty, gradient };
        graph.record_rows(name, (self.code, rows), upstream, &[read], kernel)
    }
}
