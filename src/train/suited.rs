//! A configuration made to fit its data: few rows, other numbers than the preset was made for.

use super::config::toml_name;
use super::{Config, ConstantModel, OptimizerKind, TrainConfig};
use crate::data::Dataset;
use crate::model::{LikelihoodKind, Model};
use crate::reference::loss::LEAST_LOG_VARIANCE;
use crate::{Error, Result};

// The fewest steps of an epoch.
const STEPS: u32 = 8;
// The fewest of a run: with fewer, a variational preset ends behind a constant answer.
const STEPS_OF_RUN: u64 = 1000;
// Those of the training part that presets were made for, the built-in sample's.
const USUAL_ROWS: u32 = 7200;
// Inputs of a dense layer beyond which Adam's rate falls with their number; and what the rate times that number is then at
// most: how far the first steps, in which Adam moves each weight by about the rate, can move what a unit makes of inputs of
// size 1. Numbers in [0, 1] are smaller than those of deviation 1: where these depend on each other, VAEs of 4,096 columns
// blow up at 4, and begin well at 2.
const WIDE_IN_UNIT: (usize, f64) = (16_384, 10.0);
const WIDE: (usize, f64) = (2_048, 2.0);

impl Config {
    /// The preset called `name` with these settings over it, made to fit its data in what they leave open, as by
    /// [`Config::suited_to`].
    ///
    /// # Errors
    /// As [`Config::preset`], [`Config::overlaid`] and [`Config::suited_to`].
    pub fn preset_suited_to(
        name: &str,
        settings: toml::Table,
        train: &Dataset,
    ) -> Result<(Self, Vec<String>)> {
        let preset = Self::preset(name)?;
        let sections = settings.values().filter_map(toml::Value::as_table);
        let given: Vec<String> = sections.flat_map(|section| section.keys().cloned()).collect();
        let chosen = |name: &str| given.iter().any(|setting| setting == name);
        preset.overlaid(settings, "settings")?.suited_to(train, &preset, chosen)
    }

    /// This configuration made to fit its data, as by [`Config::fitted_to`], and a sentence for each further change:
    ///
    /// - A batch that leaves fewer than 8 steps to an epoch is lowered to an eighth of the training part; a chosen one only
    ///   where it is larger than that part.
    /// - Epochs that give fewer than 1,000 steps in all, or than the preset has on the built-in sample, are raised to as many
    ///   as do.
    /// - A likelihood of numbers in [0, 1] gives way to the Gaussian one where they do not lie there. Where `preset` has
    ///   another likelihood, SGD, whose rate was found for that, gives way to Adam, at 1e-3 unless a rate was chosen.
    /// - A chosen optimizer has a rate of its own where the preset's is of another, or of SGD for another likelihood: 1e-3 of
    ///   Adam and AdamW, 1e-2 of SGD.
    /// - Where a dense layer has more than 2,048 inputs, Adam's rate is lowered so that it is at most 2 divided by their
    ///   number, or of data in [0, 1], which are smaller, from 16,384 inputs on 10 divided by it; a learned variance, which then moves little, starts at that of the best constant answer.
    ///
    /// What somebody chose stays: `chosen` says so of a setting's name.
    ///
    /// # Errors
    /// [`Error::Setting`] for a single training image, and as [`Config::transform`].
    pub fn suited_to(
        &self,
        train: &Dataset,
        preset: &Self,
        chosen: impl Fn(&str) -> bool,
    ) -> Result<(Self, Vec<String>)> {
        let (mut config, mut notes) = (self.fitted_to_data(train)?, Vec::new());
        if train.len() < 2 {
            let expected = format!(
                "at least 2 training {}: one alone has nothing in common with others, but `narrows eval RUN --data FILE` \
                 scores it by a model that was trained",
                train.items().many()
            );
            return Err(Error::setting(format!("data set {}", train.name), expected, train.len()));
        }
        notes.extend(config.take_steps(train, &chosen));
        notes.extend(config.take_likelihood(train, preset, &chosen));
        notes.extend(config.take_rate_of_optimizer(preset, &chosen));
        if !chosen("learning_rate") {
            notes.extend(config.take_rate(train, &chosen)?);
        }
        Ok((config, notes))
    }

    // Enough steps for few rows.
    fn take_steps(&mut self, train: &Dataset, chosen: impl Fn(&str) -> bool) -> Vec<String> {
        let (rows, mut notes) = (u32::try_from(train.len()).unwrap_or(u32::MAX), Vec::new());
        let batch = self.train.batch;
        let few = if chosen("batch") { rows < batch } else { rows.div_ceil(batch.max(1)) < STEPS };
        let smaller = rows.div_ceil(STEPS).max(2);
        if few && smaller < batch {
            self.train.batch = smaller;
            notes.push(format!(
                "batch: {smaller} in place of {batch}, since there are {rows} training {}",
                train.items().of_count(train.len())
            ));
        }
        let epochs = self.train.epochs;
        let usual = u64::from(epochs) * u64::from(USUAL_ROWS.div_ceil(batch.max(1)));
        let steps = usual.min(STEPS_OF_RUN);
        let enough = steps.div_ceil(u64::from(rows.div_ceil(self.train.batch.max(1)))) as u32;
        if epochs < enough && !chosen("epochs") {
            self.train.epochs = enough;
            notes.push(format!("epochs: {enough} in place of {epochs}, for about {steps} steps in all"));
        }
        notes
    }

    // A likelihood that the numbers fit.
    fn take_likelihood(
        &mut self,
        train: &Dataset,
        preset: &Self,
        chosen: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let mut notes = Vec::new();
        let scale = self.data.scale.resolved(train);
        let needs_other = self.model.likelihood.needs_unit() && !scale.gives_unit(train);
        if needs_other && !chosen("likelihood") {
            let name = toml_name(&self.model.likelihood);
            self.model.likelihood = LikelihoodKind::GaussianLearned;
            notes.push(format!(
                "likelihood: gaussian-learned in place of {name}, which takes numbers in [0, 1] alone"
            ));
        }
        let likelihood = self.model.likelihood;
        let kept = ["optimizer", "momentum"].into_iter().any(&chosen);
        if self.train.optimizer == OptimizerKind::Sgd && likelihood != preset.model.likelihood && !kept {
            let (name, rate) = (toml_name(&preset.model.likelihood), preset.train.learning_rate);
            let learning_rate = if chosen("learning_rate") {
                self.train.learning_rate
            } else {
                OptimizerKind::Adam.usual_rate()
            };
            self.train = TrainConfig {
                optimizer: OptimizerKind::Adam,
                learning_rate,
                momentum: None,
                ..self.train.clone()
            };
            notes.push(format!(
                "optimizer: adam at {learning_rate} in place of sgd at {rate}, which was found for the {name} likelihood"
            ));
        }
        notes
    }

    // A rate of the optimizer that was chosen, where the preset's is of another or for another likelihood.
    fn take_rate_of_optimizer(&mut self, preset: &Self, chosen: impl Fn(&str) -> bool) -> Option<String> {
        let (own, before) = (self.train.optimizer, preset.train.optimizer);
        let adaptive = |kind: OptimizerKind| kind != OptimizerKind::Sgd;
        let kept = ["optimizer", "momentum"].into_iter().any(&chosen);
        let fits = adaptive(own) == adaptive(before)
            && (adaptive(own) || self.model.likelihood == preset.model.likelihood);
        if !kept || chosen("learning_rate") || fits {
            return None;
        }
        let rate = own.usual_rate();
        self.train.learning_rate = rate;
        let [own, before] = [own, before].map(|kind| toml_name(&kind));
        Some(format!(
            "learning rate: {rate} in place of {}, which was found for {before} and the {} likelihood: {own} has one of its own",
            preset.train.learning_rate,
            toml_name(&preset.model.likelihood)
        ))
    }

    // A learning rate that falls with the width of the widest layer, as published for Adam (Yang et al. 2022, table 3).
    fn take_rate(&mut self, train: &Dataset, chosen: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let (inputs, rate) =
            (Model::new(&self.model, train.shape().try_into()?)?.widest(), self.train.learning_rate);
        let in_unit = self.data.scale.resolved(train).gives_unit(train);
        let (wide, farthest) = if in_unit { WIDE_IN_UNIT } else { WIDE };
        let most = farthest / inputs.max(1) as f64;
        if inputs <= wide || self.train.optimizer == OptimizerKind::Sgd || f64::from(rate) <= most {
            return Ok(Vec::new());
        }
        // One digit.
        let unit = 10_f64.powi(most.log10().floor() as i32);
        self.train.learning_rate = ((most / unit).floor() * unit) as f32;
        let mut notes = vec![format!(
            "learning rate: {} in place of {rate}, since a layer has {inputs} inputs, and a step moves the weight of each",
            self.train.learning_rate
        )];
        if self.model.likelihood == LikelihoodKind::GaussianLearned && !chosen("first_log_variance") {
            let constant = ConstantModel::fit(&self.model, train, &self.transform(train)?);
            let (before, first) = (self.model.first_log_variance(), constant.log_variance());
            // As few digits as people read.
            let first = (first.max(LEAST_LOG_VARIANCE) * 100.0).trunc() / 100.0 + 0.0;
            self.model.first_log_variance = Some(first);
            notes.push(format!(
                "first log variance: {first} in place of {before}, that of always answering with the mean, since at this \
                 rate it moves little"
            ));
        }
        Ok(notes)
    }
}
