//! Dropout: noise in training, nothing in inference.

use super::{Graph, Tensor};
use crate::Result;
use crate::kernels::dropout::Dropout;

impl Graph {
    /// x with a share `rate` of its numbers zeroed and the others multiplied by `1 / (1 - rate)`, so that expectations
    /// stay (Srivastava et al. 2014, section 10); another choice each step. In [inference](Graph::inference), x itself.
    ///
    /// What is zeroed depends on the run's seed, the step, and which of the graph's dropout layers this is; it is drawn
    /// anew, not stored, for the way back.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for a tensor of another graph,
    /// [`Error::Setting`](crate::Error::Setting) for a rate outside [0, 1).
    pub fn dropout(&mut self, label: &str, x: Tensor, rate: f32) -> Result<Tensor> {
        self.know(label, x)?;
        let (rows, columns) = (x.rows, x.columns);
        let instance = self.dropouts;
        self.dropouts += 1;
        let kernel = Dropout { rows, columns, rate, instance, accumulate: false };
        self.check_kernel(label, &kernel)?;
        if !self.is_training() || rate == 0.0 {
            return Ok(x);
        }
        let needs_gradient = self.tensors[x.id].needs_gradient;
        let y = self.tensor(label, rows, columns, needs_gradient);
        self.record(label, kernel, &[self.state(), self.value(x), self.value(y)])?;
        self.send_back(x, y, move |graph, dy| {
            let (dx, accumulate) = graph.gradient_target(x);
            let label = format!("d {}", graph.label(x));
            graph.record(label, Dropout { accumulate, ..kernel }, &[graph.state(), dy, dx])
        });
        Ok(y)
    }
}
