//! The operation of a vector-quantised autoencoder, and the codebook that it keeps.

use narrows::graph::{Graph, Init, Op, OpContext, Parameter, Tensor};
use narrows::{Error, Result};

use crate::kernels::{Count, Extents, LookUp, Nearest, Renew, Sum};

// The first vectors are uniform in ± this: about where codes lie before training.
const FIRST: f32 = 1.0;

/// A codebook `[entries, width]` and the moving averages that it is made of: slots, which have no gradient and are part
/// of every checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Codebook {
    /// Its vectors, `[entries, width]`.
    pub vectors: Parameter,
    /// The moving average of how many rows of a batch choose each, `[entries]`.
    pub sizes: Parameter,
    /// The moving average of the sum of those rows, `[entries, width]`.
    pub sums: Parameter,
    /// Vectors.
    pub entries: u32,
    /// Numbers of a vector.
    pub width: u32,
}

impl Codebook {
    /// Declares the slots `NAME.vectors`, `NAME.sizes` and `NAME.sums`. Each vector begins as if in every batch
    /// one row, equal to it, had chosen it.
    ///
    /// # Errors
    /// As [`Graph::slot`].
    pub fn declare(graph: &mut Graph, name: &str, entries: u32, width: u32) -> Result<Self> {
        let shape = || vec![entries as usize, width as usize];
        let vectors = graph.slot(format!("{name}.vectors"), shape(), Init::Uniform { bound: FIRST })?;
        let sizes = graph.slot(format!("{name}.sizes"), vec![entries as usize], Init::Constant(1.0))?;
        let sums = graph.slot(format!("{name}.sums"), shape(), Init::Like(Box::new(vectors.clone())))?;
        Ok(Self { vectors, sizes, sums, entries, width })
    }
}

/// Each piece of a code becomes the vector of a codebook that is nearest to it.
///
/// Of codes `[rows, pieces * width]` it makes the quantised codes, of the same shape, and which vectors they are made of,
/// `[rows, pieces]` of u32. It has no gradient: see [`Graph::straight_through`].
///
/// In training the codebook then moves towards the pieces that chose it. A step sees the codebook as it was before.
#[derive(Clone, Debug)]
pub struct Quantize {
    /// What is chosen from.
    pub codebook: Codebook,
    /// What a step keeps of the moving averages, at least 0 and below 1.
    pub decay: f32,
}

impl Op for Quantize {
    fn label(&self) -> String {
        "quantize".to_owned()
    }

    fn outputs(&self, inputs: &[Tensor]) -> Result<Vec<[u32; 2]>> {
        let width = self.codebook.width;
        let expected = || format!("one tensor of rows of pieces of {width} numbers");
        let [code] = inputs else {
            return Err(Error::shape(self.label(), expected(), format!("{} tensors", inputs.len())));
        };
        match code.columns.checked_div(width) {
            Some(pieces) if pieces > 0 && code.columns.is_multiple_of(width) => {
                Ok(vec![[code.rows, code.columns], [code.rows, pieces]])
            }
            _ => Err(Error::shape(self.label(), expected(), format!("rows of {}", code.columns))),
        }
    }

    fn forward(&self, context: &mut OpContext<'_>) -> Result<()> {
        let Self { codebook: Codebook { vectors, sizes, sums, entries, width }, decay } = self;
        let numbers = context.inputs().first().map_or(0, |code| code.count());
        let extents = Extents { rows: numbers / width, width: *width, entries: *entries };
        let (code, quantised, chosen) = (context.input(0)?, context.output(0)?, context.integer_output(1)?);
        let [vectors, sizes, sums] =
            [context.parameter(vectors)?, context.parameter(sizes)?, context.parameter(sums)?];
        context.record("nearest codebook vectors", Nearest(extents), &[code, vectors, chosen])?;
        context.record("quantised code", LookUp(extents), &[vectors, chosen, quantised])?;
        if !context.is_training() {
            return Ok(());
        }
        let decay = *decay;
        context.record("codebook sizes", Count { extents, decay }, &[chosen, sizes])?;
        context.record("codebook sums", Sum { extents, decay }, &[code, chosen, sums])?;
        context.record("codebook vectors", Renew(extents), &[sizes, sums, vectors])
    }
}
