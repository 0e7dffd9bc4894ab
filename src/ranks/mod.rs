//! Several ranks that train one model: each takes a share of every batch, and they add up their gradients.
//!
//! An image draws the same noise and has the same place in the order whatever the number of ranks, so N of them train the model
//! of one, to rounding; and as many train the same bits again. Moments of batch normalisation and other means over a batch are
//! those of the whole batch.
#![cfg_attr(
    feature = "train",
    doc = r#"

```no_run
use narrows::{data::Split, graph::Device, ranks::in_threads, train::{Config, Trainer}};

# fn run(devices: &[Device], config: &Config, data: &Split) {
std::thread::scope(|scope| {
    for (ranks, device) in in_threads(devices.len() as u32).into_iter().zip(devices) {
        scope.spawn(move || pollster::block_on(async {
            let mut trainer = Trainer::among(device, config, data, Some(ranks)).await?;
            trainer.epoch(&mut |_progress| true).await
        }));
    }
});
# }
```
"#
)]

mod threads;

use std::fmt::Debug;

pub use threads::in_threads;

use crate::Result;

/// How a rank speaks to the others. All ranks make the same calls in the same order.
///
/// # Errors
/// Methods fail where another rank has left, and on all ranks; and where one brings fewer numbers than another.
pub trait Ranks: Debug + Send + Sync {
    /// The number of this rank, from 0.
    fn rank(&self) -> u32;

    /// How many there are.
    fn count(&self) -> u32;

    /// Adds up the numbers of all ranks, as many of each: all have the sums then, to the same bits.
    fn sum(&self, numbers: &mut [f32]) -> Result<()>;

    /// Gives each rank the numbers of all, those of rank 0 first. `all` is as long as they are together.
    fn gather(&self, own: &[f32], all: &mut [f32]) -> Result<()>;

    /// Gives each rank the numbers of rank 0.
    fn spread(&self, numbers: &mut [f64]) -> Result<()>;
}
