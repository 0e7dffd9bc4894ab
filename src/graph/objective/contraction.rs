//! The squared norm of the encoder's Jacobian, exact or estimated (Rifai et al. 2011; Murphy, Probabilistic Machine
//! Learning, 20.3.3).

use super::Term;
use super::rows::{RowFunction, Target, Upstream};
use crate::graph::jacobian::Left;
use crate::graph::{Graph, Jacobian, Parameter, Slice, Tensor};
use crate::kernels::contraction::{Quadratic, UnitSlopes, UnitWeights};
use crate::kernels::elementwise::{Elementwise, Function};
use crate::kernels::hadamard::Multiply;
use crate::kernels::matmul::{Epilogue, Layout, MatMul};
use crate::{Error, Result};

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

/// `||J v||²` of each image, an unbiased estimate of [`contraction`]: `projection` is J v with v one of
/// [`Graph::directions`].
pub fn projected_contraction(projection: Tensor) -> Term {
    Term::new("contraction", "squared norm", "code and pixels", Estimate { projection })
}

impl RowFunction for Estimate {
    fn operand(&self) -> Tensor {
        self.projection
    }

    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice> {
        let Tensor { rows, columns, .. } = self.projection;
        let value = graph.value(self.projection);
        let kernel = |gradient| Quadratic { rows, columns, gradient };
        graph.record_rows(name, (self.projection, rows), upstream, &[value, value], kernel)
    }
}

impl RowFunction for Exact {
    fn operand(&self) -> Tensor {
        self.jacobian.left.tensor()
    }

    fn parameters(&self) -> Vec<&Parameter> {
        vec![&self.jacobian.weight]
    }

    fn rows(&self, graph: &Graph, name: &str) -> Result<u32> {
        let Jacobian { left, weight } = &self.jacobian;
        let (tensor, batch) = (left.tensor(), graph.batch);
        graph.know(name, tensor)?;
        graph.know_parameter(name, weight)?;
        match left {
            Left::Slopes(_) => Ok(tensor.rows),
            Left::Rows(_) if tensor.rows.is_multiple_of(batch.max(1)) => Ok(batch),
            Left::Rows(_) => {
                let expected = format!("the Jacobian of a batch of {batch}");
                Err(Error::shape(name, expected, format!("{} rows", tensor.rows)))
            }
        }
    }

    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice> {
        let Jacobian { left, weight } = &self.jacobian;
        let [units, pixels] = match weight.shape[..] {
            [units, pixels] => [units as u32, pixels as u32],
            _ => return Err(Error::shape(name, "a weight [out, in]", format!("{:?}", weight.shape))),
        };
        let rows = self.rows(graph, name)?;
        let values = graph.buffer(format!("{name} of each row"), rows as usize);
        let of = Norm { name, weight, units, pixels, rows, values };
        match left {
            Left::Slopes(slopes) => of.record_units(graph, *slopes, upstream)?,
            Left::Rows(left) => of.record_gram(graph, *left, upstream)?,
        }
        Ok(values)
    }
}

// What both forms of the norm need to know.
struct Norm<'a> {
    name: &'a str,
    weight: &'a Parameter,
    units: u32,
    pixels: u32,
    rows: u32,
    values: Slice,
}

impl Norm<'_> {
    // ||diag(s) W||² = sum of s² ||W_j||² over the units j: nothing of [batch, units, pixels] is needed.
    fn record_units(&self, graph: &mut Graph, slopes: Tensor, upstream: Upstream) -> Result<()> {
        let Self { name, weight, units, pixels: columns, rows, values } = *self;
        let (w, s) = (graph.place(weight), graph.value(slopes));
        let kernel = Quadratic { rows: units, columns, gradient: None };
        let norms = graph.interim("squared norms of the units", units as usize, &[w, w], kernel)?;
        graph.send_rows(name, (slopes, rows, &[weight]), upstream, |graph, target| {
            let kernel = |gradient| UnitSlopes { rows, units, gradient };
            graph.record_value(name, kernel, &[s, norms, values], target)?;
            let Some(target) = target else { return Ok(()) };
            let weighed = self.weighed(graph, s, units, target)?;
            let Some((dw, accumulate)) = graph.parameter_gradient(weight)? else { return Ok(()) };
            let kernel = UnitWeights { rows, units, columns, scale: target.gradient.scale, accumulate };
            graph.record(format!("d {} by {name}", weight.name), kernel, &[w, s, weighed, dw])
        })
    }

    // ||A W||² = tr(A W Wᵀ Aᵀ) with the Gram matrix W Wᵀ `[units, units]`: the Jacobian itself, `[batch * latent,
    // pixels]`, is never stored.
    fn record_gram(&self, graph: &mut Graph, left: Tensor, upstream: Upstream) -> Result<()> {
        let Self { name, weight, units, pixels, rows, values } = *self;
        let (w, a) = (graph.place(weight), graph.value(left));
        let square = |layout, depth| {
            let epilogue = Epilogue::None;
            MatMul { rows: units, columns: units, depth, layout, epilogue, accumulate: false }
        };
        let words = units as usize * units as usize;
        let gram = graph.buffer("Gram matrix", words);
        graph.record_product("Gram matrix", square(Layout::Nt, pixels), &[w, w, gram])?;
        let product = MatMul { rows: left.rows, ..square(Layout::Nn, units) };
        let g = graph.interim("Jacobian times Gram matrix", left.count() as usize, &[a, gram], product)?;
        let columns = left.count() / rows;
        graph.send_rows(name, (left, rows, &[weight]), upstream, |graph, target| {
            let kernel = |gradient| Quadratic { rows, columns, gradient };
            graph.record_value(name, kernel, &[a, g, values], target)?;
            let Some(target) = target else { return Ok(()) };
            let Some((dw, accumulate)) = graph.parameter_gradient(weight)? else { return Ok(()) };
            let weighed = self.weighed(graph, a, columns, target)?;
            let label = "Jacobian's own products";
            let products = graph.buffer(label, gram.words);
            graph.record_over_rows(
                label,
                [(a, units), (weighed, units)],
                left.rows,
                (products, false),
                None,
            )?;
            let function = Function::Affine { a: 2.0 * target.gradient.scale, b: 0.0 };
            let kernel = Elementwise { count: units * units, function, accumulate: false };
            let dgram = graph.interim("d Gram matrix", gram.words, &[products], kernel)?;
            let product = MatMul { columns: pixels, accumulate, ..square(Layout::Nn, units) };
            graph.record(format!("d {} by {name}", weight.name), product, &[dgram, w, dw])
        })
    }

    // x, each of its rows times its weight where there are any.
    fn weighed(&self, graph: &mut Graph, x: Slice, columns: u32, target: Target) -> Result<Slice> {
        let Some(weights) = target.weights else { return Ok(x) };
        let (label, words) = (format!("{}, weighed", self.name), self.rows as usize * columns as usize);
        graph.interim(label, words, &[x, weights], Multiply::rows(self.rows, columns, false))
    }
}
