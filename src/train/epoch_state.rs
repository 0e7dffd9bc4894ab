//! Where training stands between two submits.

use serde::{Deserialize, Serialize};

use super::Rewind;
use super::metrics::{Bits, Running};

/// Where training stands between two submits; part of every checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct EpochState {
    /// Epochs completed.
    pub(super) epoch: u32,
    /// Steps completed.
    pub(super) step: u64,
    /// The epoch under way: its terms, in the order of the step.
    pub(super) running: Vec<Running>,
    /// The best epoch's objective.
    pub(super) best_bits: Option<Bits>,
    /// Epochs in a row without a better objective, where anything waits for one: of the run, and since its rate fell.
    #[serde(default, skip_serializing_if = "<[u32; 2]>::is_zero")]
    pub(super) waited: [u32; 2],
    /// What the learning rate was multiplied by, apart from its schedule's number of the step.
    #[serde(default, skip_serializing_if = "Factor::is_one")]
    pub(super) factor: Factor,
    /// How often going back halved the learning rate.
    #[serde(default, skip_serializing_if = "u32::is_zero")]
    pub(super) halvings: u32,
    /// How training went back in the epoch under way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) rewinds: Vec<Rewind>,
    /// Where training may go back: how often it did since it got on, and the finite steps since a checkpoint was due.
    #[serde(default, skip_serializing_if = "u32::is_zero")]
    pub(super) tries: u32,
    #[serde(default, skip_serializing_if = "u32::is_zero")]
    pub(super) finite: u32,
    /// Epochs that were done when it began, of the run that it is a fork of.
    #[serde(default, skip_serializing_if = "u32::is_zero")]
    pub(super) forked_at: u32,
    /// What it began with that was another run's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) origin: Vec<String>,
}

/// A factor of the learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Factor(pub(super) f32);

impl Default for Factor {
    fn default() -> Self {
        Self(1.0)
    }
}

impl Factor {
    fn is_one(&self) -> bool {
        *self == Self::default()
    }
}

// What a checkpoint leaves out where it is zero.
trait Zero: Default + PartialEq {
    fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl Zero for u32 {}
impl Zero for [u32; 2] {}
