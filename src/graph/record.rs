//! Recording kernels, one after the other, each with a check of its extents and operands.

use std::sync::Arc;

use narrows_shaders::Access;

use super::Graph;
use super::plan::{Dispatch, Slice};
use crate::kernels::Kernel;
use crate::{Error, Result};

/// The error with the name of the operation that met it.
pub(super) fn within(label: &str, error: Error) -> Error {
    match error {
        Error::Setting { setting, expected, got } => {
            Error::Setting { setting: format!("{label}: {setting}"), expected, got }
        }
        Error::Shape { operation, expected, got } => {
            Error::Shape { operation: format!("{label}: {operation}"), expected, got }
        }
        other => other,
    }
}

/// Checks a kernel's extents and settings; an error names the operation.
pub(super) fn check(label: &str, kernel: &dyn Kernel) -> Result<()> {
    kernel.check().map_err(|error| within(label, error))
}

impl Graph {
    /// Records one kernel. Fails where it does not take the extents, settings or operands.
    pub(super) fn record(
        &mut self,
        label: impl Into<String>,
        kernel: impl Kernel + 'static,
        operands: &[Slice],
    ) -> Result<()> {
        let label = label.into();
        check(&label, &kernel)?;
        let needed = kernel.operands();
        if needed.len() != operands.len() {
            let count = |n: usize| format!("{n} operands");
            return Err(Error::shape(label, count(needed.len()), count(operands.len())));
        }
        for (needed, given) in needed.iter().zip(operands) {
            if given.words < needed.words {
                let operation = format!("{label}: {} operand {}", kernel.name(), needed.name);
                let words = |count: usize| format!("{count} words");
                return Err(Error::shape(operation, words(needed.words), words(given.words)));
            }
            if !self.holds(given) {
                let operation = format!("{label}: {} operand {}", kernel.name(), needed.name);
                return Err(Error::shape(
                    operation,
                    "a range of a buffer of this graph",
                    format!("{given:?}"),
                ));
            }
        }
        let written = |at: usize| needed[at].access == Access::ReadWrite;
        for (at, given) in operands.iter().enumerate().filter(|(at, _)| written(*at)) {
            // A device refuses one buffer both read and written in a dispatch, even on disjoint ranges.
            let shares = |(other, slice): (usize, &Slice)| {
                other != at && slice.buffer == given.buffer && !(written(other) && slice.is_beside(given))
            };
            if operands.iter().enumerate().any(shares) {
                let expected = format!("{} in a buffer of its own", needed[at].name);
                return Err(Error::shape(label, expected, "one that another operand shares"));
            }
        }
        let (operands, every) = (operands.to_vec(), vec![self.unwinding.every.max(1)]);
        let (phase, exchanges) = (self.phase, std::mem::take(&mut self.exchanges));
        self.dispatches.push(Dispatch { label, phase, kernel: Arc::new(kernel), operands, every, exchanges });
        Ok(())
    }

    /// Records a kernel that writes a buffer of its own, of so many words; returns the buffer.
    pub(super) fn interim(
        &mut self,
        label: impl Into<String>,
        words: usize,
        reads: &[Slice],
        kernel: impl Kernel + 'static,
    ) -> Result<Slice> {
        let label = label.into();
        let written = self.buffer(&label, words);
        self.record(label, kernel, &[reads, &[written]].concat())?;
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::parameters::ALIGNMENT;
    use crate::kernels::activation::{Activate, Activation, Pass};
    use crate::kernels::matmul::{Epilogue, Layout, MatMul};

    #[test]
    fn a_dispatch_that_writes_what_it_reads_is_refused() {
        let mut graph = Graph::new(1);
        let buffer = graph.buffer("x", 2 * ALIGNMENT);
        let (pass, activation) = (Pass::Forward, Activation::Relu);
        let kernel = || Activate { count: 3, pass, activation, accumulate: false };
        let half = Slice { offset: ALIGNMENT, words: ALIGNMENT, ..buffer };
        for operands in [[buffer, buffer], [Slice { words: ALIGNMENT, ..buffer }, half]] {
            let message = graph.record("relu", kernel(), &operands).err().map(|error| error.to_string());
            let message = message.unwrap_or_default();
            assert!(message.contains("relu") && message.contains("a buffer of its own"), "{message}");
        }
        // Two ranges of one buffer may be written, where they do not overlap.
        let sums = Epilogue::Sums { accumulate: false };
        let product = || MatMul {
            rows: 1,
            columns: 1,
            depth: 1,
            layout: Layout::Tn,
            epilogue: sums,
            accumulate: false,
        };
        let [a, b] = ["a", "b"].map(|name| graph.buffer(name, ALIGNMENT));
        let first = Slice { words: ALIGNMENT, ..buffer };
        assert!(graph.record("beside", product(), &[a, b, first, half]).is_ok());
        assert!(graph.record("over", product(), &[a, b, buffer, half]).is_err(), "they overlap");
        let other = graph.buffer("y", ALIGNMENT);
        assert!(graph.record("relu", kernel(), &[buffer, other]).is_ok());
        assert!(graph.record("relu", kernel(), &[buffer]).is_err(), "one operand is missing");
        let short = Slice { words: 2, ..other };
        assert!(graph.record("relu", kernel(), &[buffer, short]).is_err(), "one operand is too short");
    }
}
