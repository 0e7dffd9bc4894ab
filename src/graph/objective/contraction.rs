//! The squared norm of the encoder's Jacobian, exact or estimated.

use super::Term;
use super::rows::{RowFunction, Upstream};
use crate::Result;
use crate::graph::{Graph, Jacobian, Parameter, Slice, Tensor};

#[derive(Debug)]
struct Exact {
    jacobian: Jacobian,
}

#[derive(Debug)]
struct Estimate {
    projection: Tensor,
}

/// `||J||² = sum of (dz_j / dx_i)²` over all j and i, the squared Frobenius norm of the Jacobian of each image
/// (Rifai et al. 2011, equation 2).
pub fn contraction(jacobian: Jacobian) -> Term {
    Term::new("contraction", "squared norm", "code and pixels", Exact { jacobian })
}

/// `||J v||²` of each image, an estimate of [`contraction`] without bias: `projection` is J v with v one of
/// [`Graph::directions`].
pub fn projected_contraction(projection: Tensor) -> Term {
    Term::new("contraction", "squared norm", "code and pixels", Estimate { projection })
}

impl RowFunction for Exact {
    fn rows(&self, graph: &Graph, name: &str) -> Result<u32> {
        graph.know_jacobian(name, &self.jacobian)
    }

    fn operands(&self) -> Vec<Tensor> {
        vec![self.jacobian.left.tensor()]
    }

    fn parameters(&self) -> Vec<&Parameter> {
        vec![&self.jacobian.weight]
    }

    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice> {
        graph.record_contraction(name, &self.jacobian, upstream)
    }
}

impl RowFunction for Estimate {
    fn rows(&self, graph: &Graph, name: &str) -> Result<u32> {
        graph.know(name, self.projection)?;
        Ok(self.projection.rows)
    }

    fn operands(&self) -> Vec<Tensor> {
        vec![self.projection]
    }

    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice> {
        graph.record_squared_norm(name, self.projection, upstream)
    }
}
