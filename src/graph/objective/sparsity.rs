//! What keeps a code sparse.

use super::Term;
use super::rows::{RowFunction, Target, Upstream};
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
/// activations lie in (0, 1). It is one number a batch, and counts as that of each of its images (Ng 2011, "Sparse
/// autoencoder", section 3; Murphy, Probabilistic Machine Learning, 20.3.4).
///
/// q is kept within [1e-6, 1 - 1e-6].
pub fn kl_sparsity(code: Tensor, target: f32) -> Term {
    Term::new("sparsity", "nats", "the units of the code", KlSparsity { code, target })
}

impl RowFunction for L1 {
    fn rows(&self, graph: &Graph, name: &str) -> Result<u32> {
        graph.know(name, self.code)?;
        Ok(self.code.rows)
    }

    fn operands(&self) -> Vec<Tensor> {
        vec![self.code]
    }

    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice> {
        let Tensor { rows, columns, .. } = self.code;
        let values = graph.buffer(format!("{name} of each row"), rows as usize, false);
        let operands = vec![graph.value(self.code), values];
        graph.send_rows(name, (self.code, rows, &[]), upstream, |graph, target, _| {
            let kernel = sparsity::L1 { rows, columns, gradient: target.map(Target::gradient) };
            graph.record_value(name, kernel, &operands, target)
        })?;
        Ok(values)
    }
}

impl RowFunction for KlSparsity {
    fn rows(&self, graph: &Graph, name: &str) -> Result<u32> {
        graph.know(name, self.code)?;
        Ok(self.code.rows)
    }

    fn operands(&self) -> Vec<Tensor> {
        vec![self.code]
    }

    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice> {
        let Tensor { rows, columns, .. } = self.code;
        let code = graph.value(self.code);
        let sums = graph.buffer("sum of each unit", columns as usize, false);
        graph.record("sum of each unit", ColumnSum::whole(rows, columns), &[code, sums])?;
        let values = graph.buffer(format!("{name} of each row"), rows as usize, false);
        let target_mean = self.target;
        graph.send_rows(name, (self.code, rows, &[]), upstream, |graph, target, _| {
            let gradient = target.map(Target::gradient);
            let kernel = sparsity::KlSparsity { rows, columns, target: target_mean, gradient };
            graph.record_value(name, kernel, &[sums, values], target)
        })?;
        Ok(values)
    }
}
