//! How long each dispatch of a plan takes on a device.

use std::ops::Range;

use web_time::Instant;

use super::{Plan, Replay};
use crate::Result;
use crate::gpu::{Variants, fastest_round};
use crate::kernels;

// Long against what a submit and its answer cost, short against any driver's watchdog.
const LEAST_SECONDS: f64 = 0.02;
const MOST_ROUNDS: usize = 1 << 12;
// The fastest counts: the others waited for other programs.
const TRIES: usize = 3;

/// Seconds that a step takes, whole and by dispatch, on the host's clock: they include the few microseconds that it takes
/// to record a dispatch.
#[derive(Clone, Debug, PartialEq)]
pub struct StepTimes {
    /// Of each dispatch, in the plan's order, when it runs by itself many times in a row: its inputs may be in a cache
    /// that other dispatches would fill with something else.
    pub dispatches: Vec<f64>,
    /// Of a whole step among others.
    pub step: f64,
}

impl Replay {
    /// Measures the plan. Afterwards the buffers hold nothing of use.
    pub async fn measure(&mut self) -> Result<StepTimes> {
        let count = self.plan().dispatches.len();
        self.bring(1)?;
        let step = self.seconds(0..count).await?;
        let mut dispatches = Vec::with_capacity(count);
        for at in 0..count {
            dispatches.push(self.seconds(at..at + 1).await?);
        }
        Ok(StepTimes { dispatches, step })
    }

    // Of one round of a range of dispatches.
    async fn seconds(&mut self, range: Range<usize>) -> Result<f64> {
        let rounds = async |rounds| self.rounds(range.clone(), rounds as u32).await;
        fastest_round(LEAST_SECONDS, MOST_ROUNDS, TRIES, rounds).await
    }

    async fn rounds(&mut self, range: Range<usize>, rounds: u32) -> Result<f64> {
        let report = self.plan().slice("state")?;
        let began = Instant::now();
        let pending = self.submit_range(rounds, range, report);
        self.wait(pending).await?;
        Ok(began.elapsed().as_secs_f64())
    }
}

impl StepTimes {
    /// The times as a table: each dispatch of `plan` with its share of all and its rates.
    pub fn table(&self, plan: &Plan, variants: &Variants) -> String {
        let all: f64 = self.dispatches.iter().sum();
        let what = plan.label_width();
        let mut text = format!(
            "{:>3}  {:>9} {:>6}  {:>7} {:>7}  {:what$} {}\n",
            "#", "us", "%", "GFLOP/s", "GB/s", "what", "shader"
        );
        for (number, (dispatch, seconds)) in plan.dispatches.iter().zip(&self.dispatches).enumerate() {
            let call = dispatch.kernel.call(variants);
            text += &format!(
                "{number:>3}  {:>9.1} {:>6.1}  {:>7.1} {:>7.1}  {:what$} {}\n",
                seconds * 1e6,
                100.0 * seconds / all,
                call.flops as f64 / seconds * 1e-9,
                dispatch.kernel.bytes() as f64 / seconds * 1e-9,
                dispatch.label,
                kernels::program(dispatch.kernel.as_ref(), variants),
            );
        }
        text + &format!(
            "{:.1} us in all; a step takes {:.1} us: {:.0} images/s, {:.1} GFLOP/s\n",
            all * 1e6,
            self.step * 1e6,
            f64::from(plan.batch) / self.step,
            plan.flops() as f64 / self.step * 1e-9,
        )
    }
}
