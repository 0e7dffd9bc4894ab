//! The squared norm of the encoder's Jacobian, exact or estimated.

use super::{Objective, Term};
use crate::Result;
use crate::graph::{Graph, Jacobian, Slice, Tensor};

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
pub fn contraction(jacobian: Jacobian) -> Objective {
    Objective::of(Exact { jacobian })
}

/// `||J v||²` of each image, an estimate of [`contraction`] without bias: `projection` is J v with v one of
/// [`Graph::directions`].
pub fn projected_contraction(projection: Tensor) -> Objective {
    Objective::of(Estimate { projection })
}

impl Term for Exact {
    fn name(&self) -> &'static str {
        "contraction"
    }

    fn record(&self, graph: &mut Graph, scale: f32, values: Slice) -> Result<()> {
        graph.record_contraction(&self.jacobian, scale, values)
    }
}

impl Term for Estimate {
    fn name(&self) -> &'static str {
        "contraction"
    }

    fn record(&self, graph: &mut Graph, scale: f32, values: Slice) -> Result<()> {
        graph.know_batch(self.name(), self.projection)?;
        graph.record_squared_norm(self.projection, scale, values)
    }
}
