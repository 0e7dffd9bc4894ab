//! Checkpoints: everything that a run needs to resume with bit-identical results.

use super::constant::ConstantModel;
use super::data_mark::DataMark;
use super::epoch_state::EpochState;
use super::{Config, Trainer, Transform, rounded};
use crate::data::{Column, Dataset, Items};
use crate::graph::{Plan, Slots, State};
use crate::model::Model;
use crate::{Error, Result};

/// A trained, or half-trained, model.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The run's configuration.
    pub config: Config,
    /// Height, width and channels of its images.
    pub shape: [usize; 3],
    /// The kernels it was trained with, as [`Variants`](crate::gpu::Variants) displays them; None on the CPU reference.
    pub kernels: Option<String>,
    /// All that survives a step, by name: parameters, moments, running statistics, rates.
    pub slots: Slots,
    /// What stands between images and the model.
    pub transform: Transform,
    /// The columns of the table that it was trained on; empty for other data.
    pub columns: Vec<Column>,
    /// Whether the numbers of its images were bytes: to the model a byte is a 255th.
    pub bytes: bool,
    /// The best constant answer to its training part; None where its format did not keep it.
    pub constant: Option<ConstantModel>,
    /// Lines of the run's metrics that may not be written yet: that of the epoch that it ends, without times, so that equal
    /// runs have equal checkpoints.
    pub metrics: Vec<String>,
    pub(super) state: State,
    pub(super) progress: EpochState,
    pub(super) data: DataMark,
    // Of the parts that nothing is fitted to; None where its format did not keep them.
    pub(super) validation: Option<DataMark>,
    pub(super) test: Option<DataMark>,
}

impl Trainer {
    /// Everything that is needed to resume from here.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a parameter or moment that is not, so that what is saved is always good.
    pub async fn checkpoint(&self) -> Result<Checkpoint> {
        let kept = [&self.good, &self.next_good].into_iter().flatten();
        if let Some(kept) = kept.into_iter().find(|kept| kept.progress == self.progress) {
            return Ok((**kept).clone());
        }
        let slots = self.replay.read_slots().await?;
        for (name, slot) in slots.iter() {
            if let Some(value) = slot.values.iter().find(|value| !value.is_finite()) {
                return Err(self.not_finite(name, *value));
            }
        }
        Ok(Checkpoint {
            config: self.config.clone(),
            shape: self.shape,
            kernels: self.device().variants().map(|variants| variants.to_string()),
            slots,
            transform: self.transform.clone(),
            columns: self.columns.clone(),
            bytes: self.bytes,
            constant: Some(self.constant.clone()),
            metrics: Vec::new(),
            state: self.replay.read_state().await?,
            progress: self.progress.clone(),
            data: self.data,
            validation: Some(self.validation),
            test: Some(self.test),
        })
    }

    /// Resumes from `checkpoint`, with the numbers of an uninterrupted run.
    ///
    /// # Errors
    /// [`Error::Setting`] for a checkpoint of other images or settings. The data's place may differ, and so may the number
    /// of epochs where the learning rate does not fall over them.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let mut expected = self.config.clone();
        checkpoint.config.train.check_epochs(expected.train.epochs)?;
        expected.train.epochs = checkpoint.config.train.epochs;
        expected.data = checkpoint.config.data.clone();
        if checkpoint.config != expected {
            let got = format!("one of a {} trained otherwise", checkpoint.config.model.variant.name());
            return Err(Error::setting("checkpoint", "one of this model and these settings", got));
        }
        self.check_data(checkpoint)?;
        self.replay.write_slots(&checkpoint.slots)?;
        self.replay.write_state(&checkpoint.state)?;
        self.progress = checkpoint.progress.clone();
        (self.good, self.next_good) = (None, None);
        Ok(())
    }

    pub(super) fn check_data(&self, checkpoint: &Checkpoint) -> Result<()> {
        if checkpoint.data != self.data || checkpoint.shape != self.shape {
            let expected = format!("{}, as the run was trained on", checkpoint.data);
            return Err(Error::setting("training images", expected, self.data));
        }
        if let Some(validation) = checkpoint.validation.filter(|validation| *validation != self.validation) {
            let expected = format!("{validation}, as the run ranks its epochs by");
            return Err(Error::setting("validation images", expected, self.validation));
        }
        if checkpoint.transform.classes != self.transform.classes {
            let expected = format!("{}, as the run was told", checkpoint.transform.classes.join(", "));
            return Err(Error::setting("classes", expected, self.transform.classes.join(", ")));
        }
        if checkpoint.transform != self.transform {
            let scale = self.transform.scaling.kind;
            return Err(Error::setting("scale", "the scaling that the run began with", format!("{scale:?}")));
        }
        Ok(())
    }
}

impl Checkpoint {
    /// Numbers that a model gave as those of its data: what was a byte is one of 0 to 255 again.
    pub fn in_own_units(&self, mut numbers: Vec<f32>) -> Vec<f32> {
        if self.bytes {
            numbers.iter_mut().for_each(|number| *number *= 255.0);
        }
        numbers
    }

    /// Takes the numbers of an array of another type than the model was trained on: numbers from 0 to 255 for a model of
    /// bytes, and bytes as they are for one whose numbers were not in [0, 1]. Returns a remark for the user where they are far
    /// from those of the training part.
    pub fn take_array(&self, array: &mut Dataset) -> Option<String> {
        let [low, high] = self.transform.scaling.range;
        let (taken, unit): (Vec<f32>, f32) = match (self.bytes, array.values.are_bytes()) {
            (true, false) => (array.values.iter().map(|number| number / 255.0).collect(), 255.0),
            (false, true) if low < -0.5 || high > 1.5 => {
                (array.values.iter().map(|number| (number * 255.0).round()).collect(), 1.0)
            }
            _ => return None,
        };
        if taken.is_empty() {
            return None;
        }
        array.values = taken.into();
        let ([least, most], width) = (array.values.range(), high - low);
        let small = self.bytes && least >= 0.0 && most <= 1.0 / 255.0;
        if !small && least >= low - width && most <= high + width {
            return None;
        }
        let [low, high, least, most] = [low, high, least, most].map(|number| rounded(number * unit));
        let way = if small { ": were they divided by 255 before?" } else { "" };
        Some(format!(
            "the numbers of {} are from {least} to {most}, those that the model was trained on from {low} to {high}{way}",
            array.name
        ))
    }

    /// The labels of `count` samples of a conditional model: the classes in turn, each `times` times in a row; none of another.
    pub(crate) fn sampled_classes(&self, count: usize, times: usize) -> Vec<u32> {
        let classes = (0..).take(self.transform.classes.len());
        let rows = classes.flat_map(|class| std::iter::repeat_n(class, times));
        if self.transform.classes.is_empty() { Vec::new() } else { rows.cycle().take(count).collect() }
    }

    /// The model whose parameters it holds.
    pub fn model(&self) -> Result<Model> {
        Model::new(&self.config.model, self.shape.try_into()?)
    }

    /// The plan that it was trained by.
    pub(super) fn training_plan(&self) -> Result<Plan> {
        let Config { train, .. } = &self.config;
        let update = train.update(self.data.images)?;
        self.model()?.training(train.batch, self.data.images, true, &update, false)
    }

    /// Epochs completed.
    pub fn epoch(&self) -> u32 {
        self.progress.epoch
    }

    /// Epochs that were done when its run began: those of another, where it is a fork.
    pub(crate) fn forked_at(&self) -> u32 {
        self.progress.forked_at
    }

    /// Steps completed.
    pub fn step(&self) -> u64 {
        self.progress.step
    }

    /// What its run began with that was another's, a sentence each.
    pub fn origin(&self) -> &[String] {
        &self.progress.origin
    }

    /// How often training went back in the epoch under way.
    pub fn rewinds(&self) -> usize {
        self.progress.rewinds.len()
    }

    /// Whether its newest step ends an epoch, or no step is done, and training did not go back there.
    pub(crate) fn ends_epoch(&self) -> bool {
        self.progress.rewinds.is_empty()
            && self.progress.step == self.config.train.steps(self.progress.epoch, self.data.images)
    }

    /// A remark for the user where the test part is not the one that the run began with: nothing is trained or ranked by it.
    pub(crate) fn other_test_part(&self, test: &Dataset) -> Option<String> {
        let (began, now) = (self.test?, DataMark::of(test, !self.transform.classes.is_empty()).ok()?);
        (began != now).then(|| {
            format!("the test part is {now}, and was {began} when the run began: its results on it change")
        })
    }

    /// Whether it was trained on just these items, and their labels where it is told of them.
    pub fn was_trained_on(&self, part: &Dataset) -> bool {
        DataMark::of(part, !self.transform.classes.is_empty()).is_ok_and(|mark| mark == self.data)
    }

    /// The loss of always answering with the mean of the training part, per image of `data`, in the unit of the model's
    /// reconstruction. None for a checkpoint of a version that did not keep it.
    pub fn constant_loss(&self, data: &Dataset) -> Option<f64> {
        self.constant.as_ref().map(|constant| constant.loss(data, &self.transform))
    }

    /// Refuses a model of whose codes no distribution is known, so that none can be sampled.
    pub fn check_prior(&self) -> Result<()> {
        if self.model()?.prior().is_some() {
            return Ok(());
        }
        let got = format!("{}, which has no prior", self.config.model.variant.name());
        Err(Error::setting("sample", "a model with a prior, such as vae", got))
    }

    /// Refuses images of another size than the model was trained on.
    pub fn check_images(&self, data: &Dataset) -> Result<()> {
        if data.shape() == self.shape {
            return Ok(());
        }
        let [expected, got] = [self.shape, data.shape()].map(Items::shaped);
        // Only a form that was asked for is another.
        let way = if data.files.is_empty() { "" } else { ". Without --size and --grey they get that form" };
        Err(Error::shape(format!("data set {}", data.name), format!("{expected}, as in training"), got + way))
    }
}
