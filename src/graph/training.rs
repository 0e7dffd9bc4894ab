//! What surrounds a model in a step: the batch at its start, the optimizer and the step's advance at its end.

use super::build::{GRADIENTS, PARAMETERS};
use super::parameters::ALIGNMENT;
use super::plan::{BufferId, Phase};
use super::{Graph, Plan, Slice, Tensor};
use crate::kernels::batch::{Gather, Permute};
use crate::kernels::corruption::{Corrupt, Corruption};
use crate::kernels::optimizer::{Adam, Sgd};
use crate::kernels::step::{Advance, Schedule};
use crate::{Error, Result};

/// Rows of the loss ring: the most steps one submit may hold.
pub(super) const RING_STEPS: u32 = 64;

/// How gradients become updates. The learning rate lives in the step's state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Stochastic gradient descent: `v = momentum v + g; p -= lr v`.
    Sgd {
        /// Zero for none.
        momentum: f32,
        /// Added to the gradient as `weight_decay * p`.
        weight_decay: f32,
    },
    /// Adam (Kingma and Ba 2014, algorithm 1), or AdamW (Loshchilov and Hutter 2017, algorithm 2).
    Adam {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Added to the root of the second moment.
        epsilon: f32,
        /// Decay of the parameters.
        weight_decay: f32,
        /// Whether the decay bypasses the moments, as in AdamW.
        decoupled: bool,
    },
}

impl Optimizer {
    /// The decays of the two moments; zero where there are none.
    pub const fn betas(self) -> [f64; 2] {
        match self {
            Self::Sgd { .. } => [0.0; 2],
            Self::Adam { beta1, beta2, .. } => [beta1, beta2],
        }
    }

    /// The names of its flat moment buffers.
    pub const fn moments(self) -> &'static [&'static str] {
        match self {
            Self::Sgd { .. } => &["momentum"],
            Self::Adam { .. } => &["moment1", "moment2"],
        }
    }
}

/// The images of a step, `[batch, pixels]` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// As they are: what reconstructions are held against.
    pub clean: Tensor,
    /// As the encoder sees them: corrupted, or the same tensor as `clean`.
    pub seen: Tensor,
}

/// How a training step ends: the gradients' use, and what changes with the number of the step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Update {
    /// How gradients become updates.
    pub optimizer: Optimizer,
    /// The learning rate and the share of a KL's weight, step by step.
    pub schedule: Schedule,
}

impl From<Optimizer> for Update {
    /// With a learning rate that stays as it is, and no warm-up.
    fn from(optimizer: Optimizer) -> Self {
        Self { optimizer, schedule: Schedule::default() }
    }
}

impl Plan {
    /// Rows of the ring that losses are recorded in: the most steps to run between two readings.
    pub const fn ring_steps() -> u32 {
        RING_STEPS
    }
}

impl Graph {
    /// The next batch of the data set in the buffer `images` (`total` images of `pixels` bytes, packed):
    /// `[batch, pixels]` f32 in [0, 1]. Shuffled anew in each pass, or in order; less the mean image in the
    /// buffer `center` `[pixels]`, where `center` says so. What is `seen` of them is corrupted anew in each step,
    /// before the mean image is subtracted; without a corruption it is the batch itself and costs nothing.
    ///
    /// # Errors
    /// [`Error::Setting`] where the batch is empty or larger than the data set, or the corruption is none
    /// that can be done; [`Error::TooLarge`] for a data set of 4 GiB or more.
    pub fn batch(
        &mut self,
        total: u32,
        pixels: u32,
        shuffle: bool,
        center: bool,
        corruption: Option<Corruption>,
    ) -> Result<Batch> {
        let batch = self.batch;
        if batch == 0 || batch > total {
            return Err(Error::setting(
                "batch",
                format!("between 1 and the {total} images there are"),
                batch,
            ));
        }
        let bytes = total as usize * pixels as usize;
        let images = self.integer_buffer("images", bytes.div_ceil(4), true);
        self.name("images", Slice { words: bytes.div_ceil(4), ..images });
        let indices = self.integer_buffer("indices", batch as usize, false);
        let x = self.tensor("x", batch, pixels, false);
        let (state, value) = (self.state(), self.value(x));
        self.record("indices", Permute { batch, count: total, shuffle }, &[state, indices])?;
        let mut operands = vec![images, indices];
        if center {
            let mean = self.buffer("center", pixels as usize, true);
            self.name("center", Slice { words: pixels as usize, ..mean });
            operands.push(mean);
        }
        operands.push(value);
        let gather = Gather { batch, count: total, pixels, center };
        let Some(corruption) = corruption else {
            self.record("x", gather, &operands)?;
            return Ok(Batch { clean: x, seen: x });
        };
        let seen = self.tensor("seen", batch, pixels, false);
        operands.insert(0, state);
        operands.push(self.value(seen));
        self.record("x, seen", Corrupt { gather, corruption, instance: 0 }, &operands)?;
        Ok(Batch { clean: x, seen })
    }

    /// Records the optimizer over all parameters, then moves the state on by one step.
    ///
    /// # Errors
    /// [`Error::Shape`] where an internal buffer does not fit, which the kernels' tests rule out.
    pub fn update(&mut self, update: impl Into<Update>, total: u32) -> Result<()> {
        let Update { optimizer, schedule } = update.into();
        self.enter(Phase::Update);
        let words = self.layout.words();
        let flat = |buffer: BufferId| Slice { buffer, offset: 0, words };
        // The flat buffers take their size from the layout, which is complete by now.
        for buffer in [PARAMETERS, GRADIENTS] {
            self.buffers[buffer.0].words = words.max(ALIGNMENT);
        }
        let moments: Vec<Slice> = optimizer
            .moments()
            .iter()
            .map(|name| {
                let slice = self.buffer(*name, words, true);
                self.name(*name, Slice { words, ..slice });
                slice
            })
            .collect();
        let mut operands = vec![self.state(), flat(GRADIENTS), flat(PARAMETERS)];
        operands.extend(moments);
        let count = words as u32;
        match optimizer {
            Optimizer::Sgd { momentum, weight_decay } => {
                self.record("sgd", Sgd { count, momentum, weight_decay }, &operands)?;
            }
            Optimizer::Adam { beta1, beta2, epsilon, weight_decay, decoupled } => {
                let kernel = Adam { count, beta1, beta2, epsilon, weight_decay, decoupled };
                self.record("adam", kernel, &operands)?;
            }
        }
        let betas = optimizer.betas();
        self.record("advance", Advance { batch: self.batch, count: total, betas, schedule }, &[self.state()])
    }

    /// Moves the state on by one step over `total` images, where nothing is trained.
    ///
    /// # Errors
    /// As [`Graph::update`].
    pub fn advance(&mut self, total: u32) -> Result<()> {
        self.enter(Phase::Update);
        let (betas, schedule) = ([0.0; 2], Schedule::default());
        self.record("advance", Advance { batch: self.batch, count: total, betas, schedule }, &[self.state()])
    }
}
