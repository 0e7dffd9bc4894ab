//! A trained model beside a constant answer, and warnings of one that learned nothing.

use super::ActiveUnits;
use crate::Result;
use crate::data::{Dataset, Items};
use crate::graph::Device;
use crate::reference::loss::LEAST_LOG_VARIANCE;
use crate::train::{Checkpoint, ConstantModel, Evaluator, TermMeans, figure, tenth};

// Nats of an image: e to this power is 1.1, the number of codes that can be told apart.
const LEAST_KL: f64 = 0.1;
// What a step moves a log variance by is less.
const AT_FLOOR: f32 = LEAST_LOG_VARIANCE + 0.1;
// How many times a constant answer's loss is more than first weights explain.
const FAR: f64 = 1000.0;

/// What a model's losses on some images are worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What the losses are counted in.
    pub unit: String,
    /// The loss of always answering with the mean of the training part, per image; None for a checkpoint of a version that
    /// did not keep it.
    pub constant: Option<f64>,
    /// The model's own: the negative ELBO where it has one, else the reconstruction.
    pub reached: Option<f64>,
    /// Signs that it learned nothing, or that its loss misleads, each with what helps.
    pub warnings: Vec<String>,
}

impl Verdict {
    /// Evaluates the model of a checkpoint on `images`, which must not be empty.
    pub async fn measure(device: &Device, checkpoint: &Checkpoint, images: &Dataset) -> Result<Self> {
        let (model, seed) = (checkpoint.model()?, checkpoint.config.train.seed);
        let mut evaluator = Evaluator::new(device, &model, images, &checkpoint.transform, seed).await?;
        let means = evaluator.evaluate_checkpoint(checkpoint).await?;
        let units = match model.has_posterior() {
            true => ActiveUnits::measure(device, checkpoint, images).await?,
            false => None,
        };
        Ok(Self::of(checkpoint, images, &means, units.as_ref()))
    }

    /// Of the means of its terms over `images`, and its active units where codes have a prior.
    pub fn of(
        checkpoint: &Checkpoint,
        images: &Dataset,
        means: &TermMeans,
        units: Option<&ActiveUnits>,
    ) -> Self {
        let unit = means.reconstruction().map_or("nats", |(term, _)| term.unit.as_str()).to_owned();
        let (constant, reached) = (checkpoint.constant_loss(images), means.explained());
        let mut warnings = Vec::new();
        if checkpoint.constant.as_ref().is_some_and(ConstantModel::is_at_floor) {
            warnings.push(all_alike(images.items()));
        } else if images.len() > 1 {
            // One image may be one that anything explains.
            let no_better = constant.zip(reached).is_some_and(|(constant, reached)| reached >= constant);
            warnings.extend(no_better.then(|| {
                "the model is no better than always answering with the mean. Train longer (--epochs), or change the \
                 learning rate (--lr) or the scale (--scale)"
                    .to_owned()
            }));
            warnings.extend(collapse(checkpoint, images, means, units));
        }
        warnings.extend(floor(checkpoint, images));
        Self { unit, constant, reached, warnings }
    }

    /// Both losses in a sentence; `part` names the images. None where one is unknown.
    pub fn compared(&self, part: &str) -> Option<String> {
        let (Self { unit, .. }, constant, reached) = (self, self.constant?, self.reached?);
        Some(format!(
            "always answering with the mean costs {} {unit} on {part}, this model {}",
            figure(constant, 4),
            figure(reached, 4)
        ))
    }
}

/// The warning where a variance is learned of training rows that are all alike.
pub fn all_alike(items: Items) -> String {
    format!(
        "the training {} are all alike, so there is nothing to learn: the loss falls only with the learned variance, down \
         to its floor of 1e-6. Give other data, or fix the variance (--likelihood gaussian --deviation 0.1)",
        items.many()
    )
}

/// The warning where the first epoch's mean loss is a thousand times that of a constant answer, or in nats, which may be
/// near 0, that of one nat for each number: the first steps went too far.
pub fn too_high(first: &TermMeans, constant: f64, learning_rate: f32) -> Option<String> {
    let (term, _) = first.reconstruction()?;
    let (reached, least) =
        (first.explained()?, if term.unit == "nats" { f64::from(term.pixels?) } else { 0.0 });
    if reached <= FAR * constant.abs().max(least) {
        return None;
    }
    Some(format!(
        "the loss of the first epoch is {reached:.3e} {}, where always answering with the mean costs {constant:.3e}: the \
         first steps went too far. Lower the learning rate (--lr {}), let it rise (--warmup 500), or look at the scale (--scale)",
        term.unit,
        tenth(learning_rate)
    ))
}

fn collapse(
    checkpoint: &Checkpoint,
    images: &Dataset,
    means: &TermMeans,
    units: Option<&ActiveUnits>,
) -> Option<String> {
    let near_zero = means.get("kl").is_some_and(|kl| kl < LEAST_KL);
    let sign = match units.filter(|units| units.count() == 0) {
        Some(units) => format!("none of its {} units is active", units.variances.len()),
        None => near_zero.then(|| "its KL is near zero".to_owned())?,
    };
    let weighs = checkpoint.config.model.variant.settings().iter().any(|own| own.name == "kl_weight");
    let weigh = if weighs {
        ", weigh the KL less (--kl-weight 0.1) or let it grow (--kl-warmup linear)"
    } else {
        " or change the learning rate (--lr)"
    };
    let many = images.items().many();
    Some(format!(
        "the code collapsed: {sign}, so it says next to nothing of the {many}. Train longer (--epochs){weigh}"
    ))
}

fn floor(checkpoint: &Checkpoint, images: &Dataset) -> Option<String> {
    let (_, learned) = checkpoint.slots.get("log_variance")?;
    learned.first().filter(|learned| **learned < AT_FLOOR)?;
    let out = if checkpoint.columns.is_empty() {
        ""
    } else {
        ", leave out columns that follow from others (--drop)"
    };
    Some(format!(
        "the learned variance is at its floor of 1e-6: the model gives back the {} of its training almost exactly, and \
         its loss would fall without end. Fix the variance (--likelihood gaussian --deviation 0.1){out}",
        images.items().many()
    ))
}
