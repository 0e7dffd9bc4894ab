//! Operations from outside: with shaders, gradients and slots of their own, and the rights of a built-in one.

use std::cell::RefCell;
use std::rc::Rc;

use super::tape::Links;
use super::{Graph, Parameter, Slice, Tensor};
use crate::Result;
use crate::kernels::Kernel;

/// An operation that the graph does not have: what it records forward and, where it has a derivative, backward.
///
/// It reads tensors, parameters and slots, and makes tensors. Whatever it computes is a [`Kernel`], which runs on devices
/// and on the reference alike.
pub trait Op: 'static {
    /// What it is called in plans.
    fn label(&self) -> String;

    /// Rows and columns of each tensor that it makes.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for inputs that it does not take.
    fn outputs(&self, inputs: &[Tensor]) -> Result<Vec<[u32; 2]>>;

    /// The parameters that it reads and has a gradient for.
    fn parameters(&self) -> Vec<&Parameter> {
        Vec::new()
    }

    /// Records what makes the outputs.
    ///
    /// # Errors
    /// As [`OpContext::record`].
    fn forward(&self, context: &mut OpContext<'_>) -> Result<()>;

    /// Records the gradients of inputs and parameters from those of the outputs. An operation without a derivative
    /// records nothing: then no gradient passes it.
    ///
    /// # Errors
    /// As [`OpContext::record`].
    fn backward(&self, context: &mut OpContext<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }
}

/// What an operation may do to the graph: where its operands are, what it keeps for its way back, where gradients go.
pub struct OpContext<'a> {
    graph: &'a mut Graph,
    inputs: &'a [Tensor],
    outputs: &'a [Tensor],
    saved: &'a RefCell<Vec<Slice>>,
}

impl OpContext<'_> {
    /// The numbers of an input, `[rows, columns]`.
    pub fn input(&self, at: usize) -> Slice {
        self.graph.value(self.inputs[at])
    }

    /// Where the numbers of an output go, `[rows, columns]`.
    pub fn output(&self, at: usize) -> Slice {
        self.graph.value(self.outputs[at])
    }

    /// The inputs.
    pub fn inputs(&self) -> &[Tensor] {
        self.inputs
    }

    /// Images in a batch.
    pub fn batch_size(&self) -> u32 {
        self.graph.batch
    }

    /// Whether the graph is for training: an operation changes its slots only there.
    pub fn is_training(&self) -> bool {
        self.graph.is_training()
    }

    /// The numbers of a parameter or slot.
    pub fn parameter(&self, parameter: &Parameter) -> Slice {
        self.graph.place(parameter)
    }

    /// The run's [`State`](crate::kernels::State): seed, step and place in the data.
    pub fn state(&self) -> Slice {
        self.graph.state()
    }

    /// The number of this draw among those of `stream` in the graph, for operations that draw random numbers.
    pub fn instance(&mut self, stream: crate::rng::Stream) -> u32 {
        self.graph.instance(stream)
    }

    /// A buffer of f32 for what lies between two dispatches.
    pub fn buffer(&mut self, label: &str, words: usize) -> Slice {
        self.graph.buffer(label, words, false)
    }

    /// A buffer of whole numbers, which comparisons hold to be equal.
    pub fn integers(&mut self, label: &str, words: usize) -> Slice {
        self.graph.integer_buffer(label, words, false)
    }

    /// Keeps a buffer for the way back.
    pub fn save(&mut self, slice: Slice) {
        self.saved.borrow_mut().push(slice);
    }

    /// What the forward pass kept, in order.
    pub fn saved(&self, at: usize) -> Slice {
        self.saved.borrow()[at]
    }

    /// The finished gradient of an output; None where nothing sent one.
    ///
    /// # Errors
    /// As [`OpContext::record`].
    pub fn gradient(&mut self, at: usize) -> Result<Option<Slice>> {
        self.graph.preactivation_gradient(self.outputs[at])
    }

    /// Where the gradient of an input goes, and whether it is to be added to what is there; None where the update under
    /// way does not want it. Whoever asks must write it.
    pub fn target(&mut self, at: usize) -> Option<(Slice, bool)> {
        let input = self.inputs[at];
        self.graph.needs_gradient(input).then(|| self.graph.gradient_target(input))
    }

    /// As [`OpContext::target`], for a parameter.
    pub fn parameter_target(&mut self, parameter: &Parameter) -> Option<(Slice, bool)> {
        self.graph.parameter_gradient(parameter)
    }

    /// Records one kernel, its operands in the order of its shader's bindings.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where operands are too few, too short, or share a buffer that is written;
    /// [`Error::Setting`](crate::Error::Setting) beyond the kernel's limits.
    pub fn record(
        &mut self,
        label: impl Into<String>,
        kernel: impl Kernel + 'static,
        operands: &[Slice],
    ) -> Result<()> {
        self.graph.record(label, kernel, operands)
    }
}

impl Graph {
    /// Records an operation from outside on `inputs`; the tensors that it makes.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for inputs of another graph, and what the operation refuses.
    pub fn op(&mut self, op: impl Op, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
        let label = op.label();
        inputs.iter().try_for_each(|input| self.know(&label, *input))?;
        let shapes = op.outputs(inputs)?;
        let outputs: Vec<Tensor> =
            shapes.into_iter().map(|[rows, columns]| self.tensor(&label, rows, columns)).collect();
        let links = Links::between(inputs, &outputs).through(&op.parameters());
        let saved = Rc::new(RefCell::new(Vec::new()));
        op.forward(&mut OpContext { graph: self, inputs, outputs: &outputs, saved: &saved })?;
        let (inputs, made) = (inputs.to_vec(), outputs.clone());
        self.push_backward(links, move |graph| {
            op.backward(&mut OpContext { graph, inputs: &inputs, outputs: &made, saved: &saved })
        });
        Ok(outputs)
    }
}
