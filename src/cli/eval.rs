//! `narrows eval`: the losses of a trained model on images it was not trained on.

use std::collections::BTreeMap;

use crate::Result;
use crate::data::{Dataset, Items};
use crate::graph::TermSpec;
use crate::infer::{ActiveUnits, ImportanceBound, Verdict};
use crate::model::LikelihoodKind;
use crate::run::Columns;
use crate::train::{Evaluator, TermMeans, figure};
use serde_json::{Value, json};

use super::Context;
use super::output::{line, note};
use super::trained::{Trained, counted};

/// Evaluate a trained model
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows eval runs/vae-001\n  \
    narrows eval runs/vae-001 --data fashion-mnist --samples 1000 --json")]
pub(super) struct Eval {
    /// Samples of z per image for the importance-weighted bound of a variational autoencoder; 0 for no bound
    #[arg(long, value_name = "K", default_value_t = 64)]
    samples: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    trained: Trained,
}

// Results beyond the losses: those of a model with a posterior, and what all are worth.
type Beyond = (Option<ImportanceBound>, Option<ActiveUnits>, Verdict);

impl Eval {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let (checkpoint, images, part) = self.trained.load(context, None)?;
        let device = context.device.open_for(&checkpoint).await?;
        let model = checkpoint.model()?;
        let seed = checkpoint.config.train.seed;
        let mut evaluator = Evaluator::new(&device, &model, &images, &checkpoint.transform, seed).await?;
        let means = evaluator.evaluate_checkpoint(&checkpoint).await?;
        let bounded = self.samples > 0 && model.config().likelihood != LikelihoodKind::SquaredError;
        let (mut bound, mut units) = (None, None);
        if model.has_posterior() {
            if bounded {
                bound = Some(ImportanceBound::estimate(&device, &checkpoint, &images, self.samples).await?);
            }
            units = ActiveUnits::measure(&device, &checkpoint, &images).await?;
        }
        let verdict = Verdict::of(&checkpoint, &images, &means, units.as_ref());
        verdict.warnings.iter().for_each(|warning| note(&format!("warning: {warning}")));
        let beyond = (bound, units, verdict);
        if self.json {
            return line(&self.as_json(&means, &beyond, &images, &part).to_string());
        }
        let many = images.items().many();
        line(&format!("{} of {}, means over {many}", counted(&images, &part), images.name))?;
        print_means(&means, images.items())?;
        print_beyond(&beyond, images.items())
    }

    fn as_json(&self, means: &TermMeans, beyond: &Beyond, images: &Dataset, part: &str) -> Value {
        let columns = Columns::from(means);
        let units: BTreeMap<&str, &str> =
            means.iter().map(|(term, _)| (term.name.as_str(), term.unit.as_str())).collect();
        let mut object = json!({
            "data": images.name,
            "part": part,
            "images": images.len(),
            "per_image": images.items().reported(),
            "terms": columns.terms,
            "units": units,
            "objective": columns.objective,
            "reconstruction_per_pixel": columns.reconstruction_per_pixel,
            "elbo_nats_per_image": columns.elbo,
        });
        let (bound, units, verdict) = beyond;
        if let Some(constant) = verdict.constant {
            object["constant_per_image"] = json!(constant);
        }
        object["warnings"] = json!(verdict.warnings);
        if let Some(bound) = bound {
            object["importance_bound_nats_per_image"] = json!(bound.mean());
            object["importance_samples"] = json!(bound.samples);
        }
        if let Some(units) = units {
            object["active_units"] = json!(units.count());
            object["active_threshold"] = json!(ActiveUnits::THRESHOLD);
            object["unit_variances"] = json!(units.variances);
        }
        object
    }
}

fn print_means(means: &TermMeans, items: Items) -> Result<()> {
    let one = items.one();
    for (term, value) in means.iter() {
        let TermSpec { name, unit, over, .. } = term;
        let mean = figure(value, 4);
        line(&format!("{name:14}  {mean:>10} {unit} per {one}, summed over {}", items.over(over)))?;
        if let Some(pixels) = term.pixels {
            let per_pixel = figure(value / f64::from(pixels), 6);
            line(&format!("{:14}  {per_pixel:>10} {unit} per {}", "", items.number()))?;
        }
        if term.weight != 1.0 {
            let setting = term.setting.as_deref().unwrap_or("its weight");
            line(&format!("{:14}  {:>10} {setting}, not included above", "", term.weight))?;
        }
    }
    match means.elbo() {
        Some(bound) => line(&format!("elbo            {:>10} nats per {one}", figure(bound, 4))),
        None => Ok(()),
    }
}

fn print_beyond((bound, units, verdict): &Beyond, items: Items) -> Result<()> {
    let (one, many) = (items.one(), items.many());
    if let Some((constant, unit)) = verdict.constant.map(|constant| (constant, &verdict.unit)) {
        line(&format!(
            "constant        {:>10} {unit} per {one} of always answering with the mean of the training part",
            figure(constant, 4)
        ))?;
    }
    if let Some(bound) = bound {
        let (nats, samples) = (figure(bound.mean(), 4), bound.samples);
        line(&format!(
            "importance      {nats:>10} nats per {one} (bound on log p(x) of {samples} samples of z)"
        ))?;
    }
    let Some(units) = units else { return Ok(()) };
    let (count, all, least) = (units.count(), units.variances.len(), ActiveUnits::THRESHOLD);
    line(&format!(
        "active units    {count:>10} of {all} (variance over the {many} of E[z given x] above {least})"
    ))
}
