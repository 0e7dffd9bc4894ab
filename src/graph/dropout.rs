//! Dropout: noise in training, nothing in inference.

use super::record::check;
use super::{Graph, Tensor};
use crate::Result;
use crate::kernels::dropout::Dropout;
use crate::rng::Stream;

impl Graph {
    /// x with a share `rate` of its numbers zeroed and the others multiplied by `1 / (1 - rate)`, so that expectations
    /// stay (Srivastava et al. 2014, section 10). The choice depends on the run's seed, the step, and the layer's number
    /// among the graph's dropout layers; the way back draws it again. In [inference](Graph::inference) this is x itself.
    pub fn dropout(&mut self, label: &str, x: Tensor, rate: f32) -> Result<Tensor> {
        self.know(label, x)?;
        let Tensor { rows, columns, .. } = x;
        let instance = self.instance(Stream::Dropout);
        let first_block = self.first_block(rows, columns);
        let kernel = move |accumulate| Dropout { rows, columns, rate, instance, first_block, accumulate };
        check(label, &kernel(false))?;
        if !self.is_training() || rate == 0.0 {
            return Ok(x);
        }
        let y = self.make(label, &[self.state(), self.value(x)], x.shape(), kernel(false))?;
        self.send_back([x], y, move |graph, dy| graph.send(x, &[graph.state(), dy], kernel));
        Ok(y)
    }
}
