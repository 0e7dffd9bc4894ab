//! How a model is trained, as its configuration describes it.

use serde::{Deserialize, Serialize};

use super::ScheduleKind;
use crate::graph::{Clip, Optimizer};
use crate::model::{
    Registry, Setting, check_applicable, check_count, check_fraction, check_positive, check_weight, overlaid,
    unknown,
};
use crate::{Error, Result};

/// How a model is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Passes over the training images.
    pub epochs: u32,
    /// Images a step.
    pub batch: u32,
    /// The kind of optimizer.
    pub optimizer: OptimizerKind,
    /// Its learning rate, with which the run begins.
    pub learning_rate: f32,
    /// How the learning rate goes over the run's epochs.
    pub schedule: ScheduleKind,
    /// SGD's momentum; none where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f32>,
    /// Decay of Adam's first moment; 0.9 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta1: Option<f64>,
    /// Decay of Adam's second moment; 0.999 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta2: Option<f64>,
    /// Added to the root of Adam's second moment; 1e-8 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f32>,
    /// The largest norm of all gradients together: larger ones are scaled down to it. None where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f32>,
    /// The largest magnitude of a gradient's number. None where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_value: Option<f32>,
    /// Decay of the parameters: in the gradient for SGD and Adam, beside it for AdamW.
    pub weight_decay: f32,
    /// Decides first weights, the order of images and the noise. Below 2^63.
    pub seed: u64,
}

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

/// The settings of training, as people read of them.
pub const TRAIN: &[Setting] = &[
    Setting::new("epochs", "N", "Passes over the training images"),
    Setting::new("batch", "N", "Batch size: images per step"),
    Setting::new("optimizer", "KIND", "sgd, adam or adamw"),
    Setting::new("learning_rate", "RATE", "Learning rate"),
    Setting::new(
        "schedule",
        "KIND",
        "Learning-rate schedule over the epochs: constant, linear or cosine (both to zero)",
    ),
    Setting::new("momentum", "M", "Momentum of sgd").when("optimizer", &["sgd"]),
    Setting::new("beta1", "B", "Decay of adam's first moment").when("optimizer", ADAM),
    Setting::new("beta2", "B", "Decay of adam's second moment").when("optimizer", ADAM),
    Setting::new("epsilon", "E", "Added to the root of adam's second moment").when("optimizer", ADAM),
    Setting::new("clip_norm", "NORM", "Gradient clipping: largest norm of all gradients together"),
    Setting::new("clip_value", "VALUE", "Gradient clipping: largest magnitude of a gradient's number"),
    Setting::new("weight_decay", "W", "Weight decay"),
    Setting::new(
        "seed",
        "N",
        "Seed of first weights, order and noise: the same seed on the same device gives the same bits",
    ),
];

const ADAM: &[&str] = &["adam", "adamw"];

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 128,
            optimizer: OptimizerKind::Adam,
            learning_rate: 1e-3,
            schedule: ScheduleKind::default(),
            momentum: None,
            beta1: None,
            beta2: None,
            epsilon: None,
            clip_norm: None,
            clip_value: None,
            weight_decay: 0.0,
            seed: 0,
        }
    }
}

impl TrainConfig {
    /// The optimizer these settings mean.
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

    /// What is done to gradients that are too large.
    pub const fn clip(&self) -> Clip {
        Clip { norm: self.clip_norm, value: self.clip_value }
    }

    pub(super) fn overlaid(&self, registry: &Registry, given: &toml::Table) -> Result<Self> {
        let known: Vec<&str> = TRAIN.iter().map(|setting| setting.name).collect();
        match given.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(unknown("setting of training", name, &known, registry.owners(name))),
            None => overlaid("train", TRAIN, self, given),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        if i64::try_from(self.seed).is_err() {
            return Err(Error::setting("seed", "below 2^63, the largest number TOML holds", self.seed));
        }
        check_applicable("train", TRAIN, self)?;
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
        check_weight("weight_decay", self.weight_decay)?;
        check_count("batch", self.batch)?;
        check_count("epochs", self.epochs)
    }
}
