//! A step of a plan that takes a share of each batch: what it computes is interrupted where ranks speak to each other.

use std::ops::Range;
use std::sync::Arc;

use super::{Exchange, Replay};
use crate::Result;
use crate::kernels::floats;
use crate::ranks::Ranks;

impl Exchange {
    // Does it: what a rank has then, in place of its own words.
    fn among(&self, ranks: &dyn Ranks, own: &[u32]) -> Result<Vec<f32>> {
        let own = floats(own);
        match *self {
            Self::Sum(_, factor) => {
                let mut numbers = own.to_vec();
                ranks.sum(&mut numbers)?;
                if factor != 1.0 {
                    numbers.iter_mut().for_each(|number| *number *= factor);
                }
                Ok(numbers)
            }
            Self::Gather { all, .. } => {
                let mut numbers = vec![0.0; all.words];
                ranks.gather(own, &mut numbers)?;
                Ok(numbers)
            }
        }
    }
}

impl Replay {
    /// Runs one step, in which it exchanges with other ranks what the plan says, and gives the words of the named range.
    ///
    /// # Errors
    /// Those of the ranks, too.
    pub async fn step_among(&mut self, ranks: &dyn Ranks, report: &str) -> Result<Vec<u32>> {
        let report = self.plan.slice(report)?;
        let (plan, done) = (Arc::clone(&self.plan), self.state.step);
        self.bring(1)?;
        let running = |range: Range<usize>| {
            let plan = &plan;
            range.filter(move |at| plan.dispatches[*at].runs(done))
        };
        let mut next = 0;
        for at in running(0..plan.dispatches.len()) {
            for exchange in &plan.dispatches[at].exchanges {
                let pending = self.submit_dispatches(running(next..at), exchange.own());
                next = at;
                let own = self.wait(pending).await?;
                let numbers = exchange.among(ranks, &own)?;
                self.write_slice(exchange.all(), bytemuck::cast_slice(&numbers));
            }
        }
        let pending = self.submit_dispatches(running(next..plan.dispatches.len()), report);
        self.wait(pending).await
    }
}
