//! What keeps a code sparse.

use super::{Objective, Term};
use crate::Result;
use crate::graph::{Graph, Slice, Tensor};
use crate::kernels::reduce::ColumnSum;
use crate::kernels::{Gradient, sparsity};

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
pub fn l1(code: Tensor) -> Objective {
    Objective::of(L1 { code })
}

/// `sum over units of KL(target || q)` in nats, with q the unit's mean over the batch: logistic units, whose
/// activations lie in (0, 1). It is one number a batch, and counts as that of each of its images (Ng 2011, "Sparse
/// autoencoder", section 3; Murphy, Probabilistic Machine Learning, 20.3.4).
///
/// q is kept within [1e-6, 1 - 1e-6].
pub fn kl_sparsity(code: Tensor, target: f32) -> Objective {
    Objective::of(KlSparsity { code, target })
}

impl Term for L1 {
    fn name(&self) -> &'static str {
        "l1"
    }

    fn record(&self, graph: &mut Graph, scale: f32, values: Slice) -> Result<()> {
        graph.know_batch(self.name(), self.code)?;
        let Tensor { rows, columns, .. } = self.code;
        let code = graph.value(self.code);
        let (gradient, accumulate) = graph.gradient_target(self.code);
        let kernel = sparsity::L1 { rows, columns, gradient: Some(Gradient { scale, accumulate }) };
        graph.record("l1, value and gradient", kernel, &[code, values, gradient])
    }
}

impl Term for KlSparsity {
    fn name(&self) -> &'static str {
        "sparsity"
    }

    fn record(&self, graph: &mut Graph, scale: f32, values: Slice) -> Result<()> {
        graph.know_batch(self.name(), self.code)?;
        let Tensor { rows, columns, .. } = self.code;
        let code = graph.value(self.code);
        let sums = graph.buffer("sum of each unit", columns as usize, false);
        graph.record("sum of each unit", ColumnSum::whole(rows, columns), &[code, sums])?;
        let (gradient, accumulate) = graph.gradient_target(self.code);
        let kernel = sparsity::KlSparsity {
            rows,
            columns,
            target: self.target,
            gradient: Some(Gradient { scale, accumulate }),
        };
        graph.record("sparsity, value and gradient", kernel, &[sums, values, gradient])
    }
}
