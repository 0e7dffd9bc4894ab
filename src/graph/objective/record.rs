//! Terms on their way into a plan: minimized, evaluated, or as tensors that further operations read.

use std::rc::Rc;

use super::rows::Upstream;
use super::{Objective, Term, TermSpec};
use crate::graph::plan::Phase;
use crate::graph::tape::Links;
use crate::graph::update::Update;
use crate::graph::{Graph, Slice, Tensor};
use crate::kernels::record::{Collect, Mean};
use crate::kernels::rows::RowSum;
use crate::kernels::step::{Scheduled, Warmup};
use crate::{Error, Result};

impl Graph {
    /// The values of a term, unweighted, as a tensor `[rows, 1]` that further operations can read.
    pub fn values(&mut self, term: &Term) -> Result<Tensor> {
        let name = term.spec.name.clone();
        let rows = term.of.rows(self, &name)?;
        let values = term.of.record(self, &name, Upstream::None)?;
        let y = self.tensor_at(name.clone(), [rows, 1], values);
        let links = Links::of(&[term.of.operand()]).through(&term.of.parameters());
        let of = Rc::clone(&term.of);
        self.send_back(links, y, move |graph, dy| of.record(graph, &name, Upstream::Rows(dy)).map(drop));
        Ok(y)
    }

    /// Records the terms of the update under way with their gradients, each mean to the ring; the tensors that have a
    /// gradient by now.
    pub(in crate::graph) fn record_terms(&mut self, objective: &Objective) -> Result<Vec<Tensor>> {
        let (mut reached, mut means, slot) = (Vec::new(), Vec::new(), self.terms.len() as u32);
        self.phase = Phase::Loss;
        for term in &objective.terms {
            let (spec, name) = (&term.spec, &term.spec.name);
            let rows = self.check_term(term)?;
            let share = match spec.warmup {
                Warmup::NONE => None,
                warmup => Some(self.share(name, warmup)?),
            };
            let whole = self.whole_rows(rows) as f32;
            let scale = spec.weight / (whole * spec.averaged_over as f32);
            let values = term.of.record(self, name, Upstream::Constant { scale, share })?;
            means.push((Mean { count: rows, scale: 1.0 / whole }, values, name.clone()));
            reached.push(term.of.operand());
            let (update, every) = (self.unwinding.name.clone(), self.unwinding.every);
            self.terms.push(TermSpec { update, every, ..spec.clone() });
        }
        self.keep_means(&means, slot)?;
        Ok(reached)
    }

    // How many rows a term has: a multiple of the batch. Its name must be its own.
    fn check_term(&self, term: &Term) -> Result<u32> {
        let name = &term.spec.name;
        if self.terms.iter().any(|other| other.name == *name) {
            return Err(Error::setting("term", "a name that no other term of the step has", name));
        }
        if !term.spec.weight.is_finite() {
            let got = term.spec.weight;
            return Err(Error::setting(format!("weight of the term {name}"), "a finite number", got));
        }
        let rows = term.of.rows(self, name)?;
        if rows == 0 || !rows.is_multiple_of(self.batch.max(1)) {
            let expected = format!("rows of a batch of {}, as many for each image", self.batch);
            return Err(Error::shape(name, expected, rows));
        }
        Ok(rows)
    }

    // The share of a weight that counts at this step.
    fn share(&mut self, name: &str, warmup: Warmup) -> Result<Slice> {
        let share = self.rate(format!("{name}.share"), vec![warmup.share(0) as f32])?;
        self.scheduled.push(Scheduled::Share { at: share.offset as u32, warmup });
        Ok(self.place(&share))
    }

    /// Records an evaluation over `total` images: each term's value for each image, unweighted, goes to the buffer named
    /// after the term, `[total]`; of an image with several rows, their mean.
    pub fn evaluate(&mut self, objective: impl Into<Objective>, total: u32) -> Result<()> {
        self.evaluate_update(&Update::default().minimize(objective), total)
    }

    /// As [`Graph::evaluate`], of the terms that an update minimizes.
    pub fn evaluate_update(&mut self, update: &Update, total: u32) -> Result<()> {
        self.phase = Phase::Loss;
        for term in update.objective().into_iter().flat_map(Objective::terms) {
            let name = &term.spec.name;
            let rows = self.check_term(term)?;
            let values = term.of.record(self, name, Upstream::None)?;
            self.collect(name, values, rows, total)?;
            let (update, every) = (update.name.clone(), update.every);
            self.terms.push(TermSpec { update, every, ..term.spec.clone() });
        }
        self.phase = Phase::Forward;
        Ok(())
    }

    // Keeps the mean of each image's numbers in `values` `[rows]` in the buffer `name` `[total]`, at the image's place.
    fn collect(&mut self, name: &str, mut values: Slice, rows: u32, total: u32) -> Result<()> {
        let batch = self.batch;
        if rows != batch {
            let columns = rows / batch;
            let kernel = RowSum { rows: batch, columns, scale: 1.0 / columns as f32, accumulate: false };
            values = self.interim(format!("mean {name} of each image"), batch as usize, &[values], kernel)?;
        }
        self.check_new_range("term", name)?;
        let per_image = self.named_buffer(name, total as usize);
        let operands = [self.state(), values, per_image];
        self.record(format!("collect {name}"), Collect { batch, total }, &operands)
    }
}
