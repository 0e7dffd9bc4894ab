//! Operations from outside: with shaders, gradients and slots of their own, and the rights of a built-in one.

use std::cell::RefCell;

use super::tape::Links;
use super::tensor::within_32_bits;
use super::{Graph, Parameter, Slice, StoreKind, Tensor};
use crate::kernels::Kernel;
use crate::{Error, Result};

/// An operation that the graph does not have: what it records forward and, where it has a derivative, backward.
///
/// It reads tensors, parameters and slots, and makes tensors. What it computes is a [`Kernel`], which runs on devices and
/// on the reference alike. Each method may fail as those of [`OpContext`] do, and refuse inputs.
pub trait Op: 'static {
    /// What it is called in plans.
    fn label(&self) -> String;

    /// Rows and columns of each tensor that it makes.
    fn outputs(&self, inputs: &[Tensor]) -> Result<Vec<[u32; 2]>>;

    /// The parameters that it reads and has a gradient for: no other gets one.
    fn parameters(&self) -> Vec<&Parameter> {
        Vec::new()
    }

    /// Whether each row of the outputs depends on that row of the inputs alone, and no slot changes, so that ranks may have
    /// shares of a batch. Of others they train nothing.
    fn is_by_row(&self) -> bool {
        false
    }

    /// Records what makes the outputs.
    fn forward(&self, context: &mut OpContext<'_>) -> Result<()>;

    /// Records the gradients of inputs and parameters from those of the outputs. Without a derivative it records nothing,
    /// and no gradient passes.
    fn backward(&self, context: &mut OpContext<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }
}

/// What an operation may do to the graph: where its operands are, what it keeps for its way back, where gradients go.
///
/// # Errors
/// Methods fail with [`Error::Shape`] for an input, output, buffer or parameter that the operation does not have, and
/// for operands that are too few, too short, or share a buffer that is written; with [`Error::Setting`] beyond a
/// kernel's limits, and with [`Error::TooLarge`] beyond 32 bits.
pub struct OpContext<'a> {
    graph: &'a mut Graph,
    label: &'a str,
    inputs: &'a [Tensor],
    outputs: &'a [Tensor],
    parameters: &'a [&'a Parameter],
    saved: &'a RefCell<Vec<Slice>>,
}

impl OpContext<'_> {
    /// The numbers of an input, `[rows, columns]`.
    pub fn input(&self, at: usize) -> Result<Slice> {
        Ok(self.graph.value(self.one_of("input", self.inputs, at)?))
    }

    /// Where the numbers of an output go, `[rows, columns]`.
    pub fn output(&self, at: usize) -> Result<Slice> {
        Ok(self.graph.value(self.one_of("output", self.outputs, at)?))
    }

    /// As [`OpContext::output`], of an output of whole numbers, `[rows, columns]` of u32: comparisons expect them to be
    /// equal. Whatever reads that tensor must know.
    pub fn integer_output(&mut self, at: usize) -> Result<Slice> {
        let slice = self.output(at)?;
        self.graph.hold_integers(slice);
        Ok(slice)
    }

    fn one_of<T: Copy>(&self, what: &str, among: &[T], at: usize) -> Result<T> {
        among.get(at).copied().ok_or_else(|| {
            let operation = format!("{}: {what} {at}, counted from 0", self.label);
            Error::shape(operation, format!("one of {}", among.len()), "none")
        })
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
    pub fn parameter(&self, parameter: &Parameter) -> Result<Slice> {
        let kinds = [StoreKind::Parameters, StoreKind::Statistics];
        self.graph.know_slot(self.label, parameter, &kinds, "parameter or slot")?;
        Ok(self.graph.place(parameter))
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
    pub fn buffer(&mut self, label: &str, words: usize) -> Result<Slice> {
        within_32_bits(&format!("{}: buffer {label:?}", self.label), words as u64)?;
        Ok(self.graph.buffer(label, words))
    }

    /// A buffer of whole numbers, which comparisons expect to be equal.
    pub fn integers(&mut self, label: &str, words: usize) -> Result<Slice> {
        let slice = self.buffer(label, words)?;
        self.graph.hold_integers(slice);
        Ok(slice)
    }

    /// Keeps a buffer for the way back.
    pub fn save(&mut self, slice: Slice) {
        self.saved.borrow_mut().push(slice);
    }

    /// What the forward pass kept, in order.
    pub fn saved(&self, at: usize) -> Result<Slice> {
        self.one_of("saved buffer", &self.saved.borrow(), at)
    }

    /// The finished gradient of an output; None where nothing sent one.
    pub fn gradient(&mut self, at: usize) -> Result<Option<Slice>> {
        let output = self.one_of("output", self.outputs, at)?;
        self.graph.preactivation_gradient(output)
    }

    /// Where the gradient of an input goes, and whether to add to what is there; None where the update under way does not
    /// want it. The caller must write it.
    pub fn target(&mut self, at: usize) -> Result<Option<(Slice, bool)>> {
        let input = self.one_of("input", self.inputs, at)?;
        Ok(self.graph.needs_gradient(input).then(|| self.graph.gradient_target(input)))
    }

    /// As [`OpContext::target`], for one of the operation's [`Op::parameters`].
    pub fn parameter_target(&mut self, parameter: &Parameter) -> Result<Option<(Slice, bool)>> {
        if !self.parameters.contains(&parameter) {
            let got = format!("{}, which is not", parameter.name);
            return Err(Error::shape(self.label, "a gradient of one of its parameters", got));
        }
        self.graph.parameter_gradient(parameter)
    }

    /// Records one kernel, its operands in the order of its shader's bindings.
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
    /// Records an operation from outside on `inputs`; returns the tensors that it makes.
    ///
    /// # Errors
    /// [`Error::Setting`] for ranks that share a batch, where not each row is by itself; [`Error::Shape`] for inputs or
    /// parameters of another graph, [`Error::TooLarge`] for an output of more numbers than
    /// 32 bits count, and what the operation refuses.
    pub fn op(&mut self, op: impl Op, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
        let label = op.label();
        if self.share.is_part() && !op.is_by_row() {
            let expected = "one rank, or an operation that takes each row by itself (Op::is_by_row)";
            return Err(Error::setting(label, expected, "a share of a batch"));
        }
        inputs.iter().try_for_each(|input| self.know(&label, *input))?;
        let parameters = &op.parameters();
        parameters.iter().try_for_each(|parameter| self.know_parameter(&label, parameter))?;
        let mut made = Vec::new();
        for [rows, columns] in op.outputs(inputs)? {
            made.push(self.tensor(&label, [rows, columns])?);
        }
        let links = Links::of(inputs).through(parameters);
        let kept = RefCell::new(Vec::new());
        let (outputs, saved) = (&made, &kept);
        op.forward(&mut OpContext { graph: self, label: &label, inputs, outputs, parameters, saved })?;
        let (inputs, outputs) = (inputs.to_vec(), made.clone());
        self.push_backward(links, &made, move |graph| {
            let (inputs, outputs, parameters) = (&inputs, &outputs, &op.parameters());
            op.backward(&mut OpContext { graph, label: &label, inputs, outputs, parameters, saved: &kept })
        });
        Ok(made)
    }
}
