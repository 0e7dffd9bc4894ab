//! Gradients that are made in parts, and one dispatch that sums those of many layers.

use super::parameters::{ALIGNMENT, BINDING};
use super::plan::Slice;
use super::{Graph, Parameter};
use crate::Result;
use crate::kernels::sums::{Matrix, Sums};

/// Parts that an update made and did not sum yet. Their sums wait for those of other layers: a dispatch costs more than
/// what is left of one layer's.
#[derive(Debug, Default)]
pub(super) struct Parts {
    // The buffer that they share; it grows with them.
    buffer: Option<Slice>,
    pending: Vec<Pending>,
}

#[derive(Debug)]
struct Pending {
    label: String,
    matrix: Matrix,
    target: Slice,
}

// Words of parts that may wait: 16 MiB, as many as one layer's may have. So a step needs no more memory for the parts of
// all layers than it could need for those of one.
const MOST_WORDS: usize = 1 << 22;

impl Graph {
    /// Room for `words` of parts, which [`Graph::sum_parts`] sums.
    pub(super) fn room_for_parts(&mut self, words: usize) -> Result<Slice> {
        let words = words.next_multiple_of(ALIGNMENT);
        let begun = self.unwinding.parts.buffer;
        if begun.is_some_and(|begun| begun.words + words > MOST_WORDS) {
            self.sum_pending_parts()?;
        }
        let begun = match self.unwinding.parts.buffer {
            Some(begun) => begun,
            None => self.buffer("gradients in parts", 0),
        };
        let grown = Slice { words: begun.words + words, ..begun };
        self.unwinding.parts.buffer = Some(grown);
        self.buffers[grown.buffer.0].words = grown.words;
        Ok(Slice { offset: begun.words, words, ..grown })
    }

    /// Has the sums of a matrix `[rows, columns]`, `line` words apart in room for parts, go to a parameter's gradient, as late
    /// as the update allows. Its label is that of the dispatch, if it is alone.
    pub(super) fn sum_parts(
        &mut self,
        label: impl Into<String>,
        parts: Slice,
        [rows, columns, line]: [u32; 3],
        (target, accumulate): (Slice, bool),
    ) -> Result<()> {
        let fits = |other: &Pending| {
            let [first, end] =
                [other.target.offset.min(target.offset), other.target.offset.max(target.offset)];
            other.target.buffer == target.buffer
                && end + target.words.max(other.target.words) - first <= BINDING
        };
        let waiting = &self.unwinding.parts.pending;
        if waiting.len() == Sums::MOST || !waiting.iter().all(fits) {
            self.record_sums()?;
        }
        let matrix = Matrix { first: parts.offset as u32, rows, columns, line, to: 0, accumulate };
        self.unwinding.parts.pending.push(Pending { label: label.into(), matrix, target });
        Ok(())
    }

    /// Records what waits to be summed. What comes next has parts in another buffer.
    pub(super) fn sum_pending_parts(&mut self) -> Result<()> {
        self.record_sums()?;
        self.unwinding.parts.buffer = None;
        Ok(())
    }

    /// Records what waits to be summed to the gradient of a parameter, before another dispatch adds to it.
    pub(super) fn sum_parts_of(&mut self, parameter: &Parameter) -> Result<()> {
        let of = |slice: &Slice| slice.offset == parameter.offset;
        let buffer = self.unwinding.gradients.get(&parameter.store).copied();
        let waits = |pending: &Pending| of(&pending.target) && Some(pending.target.buffer) == buffer;
        if self.unwinding.parts.pending.iter().any(waits) { self.record_sums() } else { Ok(()) }
    }

    fn record_sums(&mut self) -> Result<()> {
        let pending = std::mem::take(&mut self.unwinding.parts.pending);
        let ([first, ..], Some(parts)) = (&pending[..], self.unwinding.parts.buffer) else { return Ok(()) };
        let begin = pending.iter().map(|of| of.target.offset).min().unwrap_or(0);
        let end = pending.iter().map(|of| of.target.offset + of.target.words).max().unwrap_or(0);
        let sums = Slice { offset: begin, words: end - begin, ..first.target };
        let matrices = pending
            .iter()
            .map(|Pending { matrix, target, .. }| Matrix { to: (target.offset - begin) as u32, ..*matrix });
        let kernel =
            Sums { parts: parts.words as u32, sums: sums.words as u32, matrices: matrices.collect() };
        let label = match &pending[..] {
            [first, .., last] if first.label != last.label => format!("{} .. {}", first.label, last.label),
            _ => first.label.clone(),
        };
        self.record(label, kernel, &[parts, sums])
    }
}
