//! How a model is trained, as its configuration describes it.

use serde::{Deserialize, Serialize};

use super::{OnNan, ScheduleKind};
use crate::graph::{Augmentation, Clip, Optimizer};
use crate::model::{
    Described, Registry, Setting, check_applicable, check_count, check_fraction, check_positive,
    check_weight, overlaid, unknown,
};
use crate::{Error, Result};

crate::settings! {
    /// How a model is trained.
    pub struct TrainConfig {
        /// Passes over the training images
        epochs: u32 = 10, "N";
        /// Batch size: images per step
        batch: u32 = 128, "N";
        /// sgd, adam or adamw
        optimizer: OptimizerKind = OptimizerKind::Adam, "KIND";
        /// Learning rate
        learning_rate: f32 = 1e-3, "RATE";
        /// Learning-rate schedule over the epochs: constant, linear or cosine (both to zero), or plateau
        schedule: ScheduleKind = ScheduleKind::default(), "KIND";
        /// Epochs without a better validation objective after which the learning rate falls [default: 3]
        #[serde(skip_serializing_if = "Option::is_none")]
        plateau_patience: Option<u32> = None, "N", with schedule = "plateau";
        /// What the learning rate is multiplied by then [default: 0.5]
        #[serde(skip_serializing_if = "Option::is_none")]
        plateau_factor: Option<f32> = None, "F", with schedule = "plateau";
        /// First steps, in which the learning rate rises in a line from 0, before any schedule
        #[serde(skip_serializing_if = "Option::is_none")]
        warmup: Option<u32> = None, "STEPS";
        /// Momentum of sgd
        #[serde(skip_serializing_if = "Option::is_none")]
        momentum: Option<f32> = None, "M", with optimizer = "sgd";
        /// Decay of adam's first moment
        #[serde(skip_serializing_if = "Option::is_none")]
        beta1: Option<f64> = None, "B", with optimizer = "adam" | "adamw";
        /// Decay of adam's second moment
        #[serde(skip_serializing_if = "Option::is_none")]
        beta2: Option<f64> = None, "B", with optimizer = "adam" | "adamw";
        /// Added to the root of adam's second moment
        #[serde(skip_serializing_if = "Option::is_none")]
        epsilon: Option<f32> = None, "E", with optimizer = "adam" | "adamw";
        /// Gradient clipping: largest norm of all gradients together
        #[serde(skip_serializing_if = "Option::is_none")]
        clip_norm: Option<f32> = None, "NORM";
        /// Gradient clipping: largest magnitude of a gradient's number
        #[serde(skip_serializing_if = "Option::is_none")]
        clip_value: Option<f32> = None, "VALUE";
        /// After a loss or parameter that is not finite: stop, or rewind to the last good state and go on with half the
        /// learning rate, or without a step that fails at any rate
        on_nan: OnNan = OnNan::Stop, "KIND";
        /// Most times that the learning rate is halved so, and that training goes back to one state [default: 3]
        #[serde(skip_serializing_if = "Option::is_none")]
        rewinds: Option<u32> = None, "N", with on_nan = "rewind";
        /// Early stopping: epochs in a row without a better validation objective
        #[serde(skip_serializing_if = "Option::is_none")]
        patience: Option<u32> = None, "N";
        /// Steps between checkpoints within an epoch [default: one after each epoch alone]
        #[serde(skip_serializing_if = "Option::is_none")]
        save_every: Option<u32> = None, "STEPS";
        /// Checkpoints of the last epochs to keep, as epoch-NNN.safetensors
        #[serde(skip_serializing_if = "Option::is_none")]
        keep: Option<u32> = None, "N";
        /// Weight decay
        weight_decay: f32 = 0.0, "W";
        /// Whether training mirrors pictures left to right, half of them at random
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        random_flip: bool = false, "SWITCH";
        /// Training shifts pictures at random, by at most so many pixels each way
        #[serde(skip_serializing_if = "Option::is_none")]
        random_shift: Option<u32> = None, "PIXELS";
        /// Training sees a random part of each picture, enlarged: the smallest share of height and width
        #[serde(skip_serializing_if = "Option::is_none")]
        random_crop: Option<f32> = None, "SHARE";
        /// Seed of first weights, order and noise: the same seed on the same device gives the same bits
        seed: u64 = 0, "N";
    }
}

/// The settings of training, as people read about them.
pub const TRAIN: &[Setting] = TrainConfig::DESCRIBED;

/// The kinds of optimizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Stochastic gradient descent, with momentum where it is not zero.
    Sgd,
    /// Adam.
    #[default]
    Adam,
    /// Adam with decoupled weight decay.
    AdamW,
}

impl OptimizerKind {
    /// A learning rate to begin with, where nothing is known of the model: Adam's published one (Kingma and Ba 2014, algorithm
    /// 1), and ten times as much for SGD.
    pub const fn usual_rate(self) -> f32 {
        match self {
            Self::Sgd => 1e-2,
            Self::Adam | Self::AdamW => 1e-3,
        }
    }
}

impl TrainConfig {
    /// The optimizer that these settings mean: without momentum, and with Adam's published decays (0.9, 0.999) and 1e-8
    /// where they are not given. Weight decay is part of the gradient, except for AdamW.
    pub fn optimizer(&self) -> Optimizer {
        let weight_decay = self.weight_decay;
        let [beta1, beta2] = [self.beta1.unwrap_or(0.9), self.beta2.unwrap_or(0.999)];
        let epsilon = self.epsilon.unwrap_or(1e-8);
        match self.optimizer {
            OptimizerKind::Sgd => Optimizer::Sgd { momentum: self.momentum.unwrap_or(0.0), weight_decay },
            OptimizerKind::Adam => Optimizer::Adam { beta1, beta2, epsilon, weight_decay, decoupled: false },
            OptimizerKind::AdamW => Optimizer::Adam { beta1, beta2, epsilon, weight_decay, decoupled: true },
        }
    }

    /// How gradients are clipped.
    pub const fn clip(&self) -> Clip {
        Clip { norm: self.clip_norm, value: self.clip_value }
    }

    /// What is done to pictures while training.
    pub fn augmentation(&self) -> Augmentation {
        Augmentation {
            flip: self.random_flip,
            shift: self.random_shift.unwrap_or_default(),
            crop: self.random_crop.unwrap_or(1.0),
        }
    }

    pub(super) fn overlaid(&self, registry: &Registry, given: &toml::Table) -> Result<Self> {
        let known: Vec<&str> = TRAIN.iter().map(|setting| setting.name).collect();
        match given.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(unknown("setting of training", name, &known, registry.owners(name))),
            None => overlaid("train", self, given),
        }
    }

    /// Refuses settings that make no sense, alone or together.
    pub fn check(&self) -> Result<()> {
        if i64::try_from(self.seed).is_err() {
            return Err(Error::setting("seed", "below 2^63, the largest number TOML holds", self.seed));
        }
        check_applicable("train", self)?;
        check_positive("learning_rate", self.learning_rate)?;
        let limits =
            [("epsilon", self.epsilon), ("clip_norm", self.clip_norm), ("clip_value", self.clip_value)];
        for (name, value) in limits {
            value.map_or(Ok(()), |value| check_positive(name, value))?;
        }
        let decays =
            [("momentum", self.momentum.map(f64::from)), ("beta1", self.beta1), ("beta2", self.beta2)];
        for (name, value) in decays {
            value.map_or(Ok(()), |value| check_fraction(name, value))?;
        }
        let counts = [
            ("random_shift", self.random_shift),
            ("warmup", self.warmup),
            ("plateau_patience", self.plateau_patience),
            ("rewinds", self.rewinds),
            ("patience", self.patience),
            ("save_every", self.save_every),
            ("keep", self.keep),
        ];
        for (name, count) in counts {
            count.map_or(Ok(()), |count| check_count(name, count))?;
        }
        if let Some(factor) = self.plateau_factor.filter(|factor| !(*factor > 0.0 && *factor < 1.0)) {
            return Err(Error::setting("plateau_factor", "above 0 and below 1", factor));
        }
        if let Some(share) = self.random_crop.filter(|share| !(*share > 0.0 && *share < 1.0)) {
            return Err(Error::setting("random_crop", "above 0 and below 1", share));
        }
        if self.warmup == Some(u32::MAX) {
            return Err(Error::setting("warmup", "fewer than 2^32 - 1 steps", u32::MAX));
        }
        check_weight("weight_decay", self.weight_decay)?;
        check_count("batch", self.batch)?;
        check_count("epochs", self.epochs)
    }
}
