//! Matrix products beyond what one dispatch takes: those that are deeper than a kernel sums, and those with a matrix of
//! parameters, or its gradient, that is larger than a binding.

use super::parameters::{ALIGNMENT, BINDING};
use super::{Graph, Slice, Tensor};
use crate::Result;
use crate::kernels::activation::Activation;
use crate::kernels::matmul::{Epilogue, Layout, MatMul, MatMulPart};

// Parts begin at whole alignments along each extent, so that in memory they do too.
const STEP: u32 = ALIGNMENT as u32;

// How many of these lines one binding takes.
fn bound([lines, length]: [u32; 2]) -> u32 {
    if lines as usize * length as usize <= BINDING {
        return lines;
    }
    ((BINDING / length as usize) as u32 / STEP * STEP).max(STEP)
}

// The most rows, columns and depth of a part. B is split along its lines; and so is C where it is a weight's gradient.
fn largest(of: &MatMul) -> [u32; 3] {
    let MatMul { rows, columns, depth, layout, .. } = *of;
    let [_, b, c] = of.matrices();
    let most = of.max_depth();
    let deepest = if depth > most { most / STEP * STEP } else { depth };
    match layout {
        Layout::Nt => [rows, bound(b), deepest],
        Layout::Nn => [rows, columns, deepest.min(bound(b))],
        Layout::Tn => [bound(c), columns, deepest],
    }
}

/// Whether it is summed in several parts, so that only an identity may follow the sum.
pub(super) fn is_deep(of: &MatMul) -> bool {
    largest(of)[2] < of.depth
}

/// Whether one dispatch makes it.
pub(super) fn is_whole(of: &MatMul) -> bool {
    largest(of) == [of.rows, of.columns, of.depth]
}

impl Graph {
    /// Records a product as [`Graph::record`] does, in as many parts as it needs. One that [is deep](is_deep) adds them up
    /// in order; its epilogue is none, or a bias with the identity.
    pub(super) fn record_product(&mut self, label: &str, of: MatMul, operands: &[Slice]) -> Result<()> {
        if is_whole(&of) {
            return self.record(label, of, operands);
        }
        let (most, whole) = (largest(&of), [of.rows, of.columns, of.depth]);
        let starts = |at: usize| (0..whole[at]).step_by(most[at].max(1) as usize);
        for row in starts(0) {
            for column in starts(1) {
                for k in starts(2) {
                    self.record_part(label, &of, operands, ([row, column, k], most))?;
                }
            }
        }
        Ok(())
    }

    /// As [`Graph::send`], of a product in as many parts as it needs.
    pub(super) fn send_product(
        &mut self,
        x: Tensor,
        [a, b]: [Slice; 2],
        product: impl FnOnce(bool) -> MatMul,
    ) -> Result<()> {
        if !self.needs_gradient(x) {
            return Ok(());
        }
        let label = format!("d {}", self.label(x));
        let (dx, accumulate) = self.gradient_target(x);
        self.record_product(&label, product(accumulate), &[a, b, dx])
    }

    // The part that begins at a row, a column and a depth, and has at most so many of each.
    fn record_part(
        &mut self,
        label: &str,
        of: &MatMul,
        operands: &[Slice],
        (start, most): ([u32; 3], [u32; 3]),
    ) -> Result<()> {
        let [row, column, k] = start;
        let mut part = *of;
        part.rows = most[0].min(of.rows - row);
        part.columns = most[1].min(of.columns - column);
        part.depth = most[2].min(of.depth - k);
        let lines = of.matrices().map(|[_, length]| length);
        let place = |matrix: usize, line: u32, at: u32| line as usize * lines[matrix] as usize + at as usize;
        let a = if of.layout.transpose_a() { place(0, k, row) } else { place(0, row, k) };
        let b = if of.layout.transpose_b() { place(1, column, k) } else { place(1, k, column) };
        let c = place(2, row, column);
        let mut offsets = vec![a, b];
        match of.epilogue {
            Epilogue::Dense(_) => offsets.push(column as usize),
            Epilogue::Slope(_) => offsets.push(c),
            Epilogue::Sums { .. } => offsets.extend([c, row as usize]),
            Epilogue::None | Epilogue::Sample => {}
        }
        offsets.resize(operands.len(), c);
        let mut slices: Vec<Slice> =
            operands.iter().zip(offsets).map(|(slice, by)| slice.behind(by)).collect();
        if k > 0 {
            // The first part began with the bias.
            if part.epilogue == Epilogue::Dense(Activation::Identity) {
                slices.remove(2);
                part.epilogue = Epilogue::None;
            }
            if let Epilogue::Sums { accumulate } = &mut part.epilogue {
                *accumulate = true;
            }
            part.accumulate = true;
        }
        self.record(label, MatMulPart { of: part, lines }, &slices)
    }
}
