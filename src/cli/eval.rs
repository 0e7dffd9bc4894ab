//! `narrows eval`: the losses of a trained model on images it was not trained on.

use narrows::Result;
use narrows::data::Dataset;
use narrows::graph::Device;
use narrows::model::{Model, Penalty};
use narrows::train::{ActiveUnits, Checkpoint, Evaluator, ImportanceBound, Losses, PER_IMAGE};
use serde_json::{Value, json};

use super::DeviceFlags;
use super::output::line;
use super::trained::Trained;

/// Evaluate a trained model
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows eval runs/vae-001\n  \
    narrows eval runs/vae-001 --data fashion-mnist --samples 1000 --json")]
pub(super) struct Eval {
    /// Samples of z an image for the importance-weighted bound of a variational autoencoder; 0 leaves it out
    #[arg(long, value_name = "K", default_value_t = 64)]
    samples: u32,
    /// As one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    trained: Trained,
}

// What is found beyond the losses, of a model with a prior.
struct Latent {
    bound: Option<ImportanceBound>,
    units: ActiveUnits,
}

impl Eval {
    pub(super) async fn run(&self, device: &DeviceFlags) -> Result<()> {
        let (checkpoint, images) = self.trained.load()?;
        let device = device.open_for(&checkpoint).await?;
        let (model, center) = (checkpoint.model()?, checkpoint.center.as_deref());
        let seed = checkpoint.config.train.seed;
        let mut evaluator = Evaluator::new(&device, &model, &images, center, seed).await?;
        let losses = evaluator.evaluate_checkpoint(&checkpoint).await?.losses;
        let latent = self.latent(&device, &checkpoint, &model, &images).await?;
        if self.json {
            return line(&self.as_json(&losses, latent.as_ref(), &model, &images).to_string());
        }
        let part = self.trained.part().name();
        line(&format!("{} {part} images of {}, means over images", images.len(), images.name))?;
        print_losses(&losses, &model)?;
        let Some(Latent { bound, units }) = latent else { return Ok(()) };
        if let Some(bound) = bound {
            let (nats, samples) = (bound.mean(), bound.samples);
            line(&format!(
                "importance      {nats:>10.4} nats per image (bound on log p(x) of {samples} samples of z)"
            ))?;
        }
        let (count, all, least) = (units.count(), units.variances.len(), ActiveUnits::THRESHOLD);
        line(&format!(
            "active units    {count:>10} of {all} (variance over the images of E[z given x] above {least})"
        ))
    }

    async fn latent(
        &self,
        device: &Device,
        checkpoint: &Checkpoint,
        model: &Model,
        images: &Dataset,
    ) -> Result<Option<Latent>> {
        if !model.has_prior() {
            return Ok(None);
        }
        let bounded = self.samples > 0 && model.config().likelihood.is_probability();
        let bound = match bounded {
            true => Some(ImportanceBound::estimate(device, checkpoint, images, self.samples).await?),
            false => None,
        };
        Ok(Some(Latent { bound, units: ActiveUnits::measure(device, checkpoint, images).await? }))
    }

    fn as_json(&self, losses: &Losses, latent: Option<&Latent>, model: &Model, images: &Dataset) -> Value {
        let penalty = model.penalty();
        let mut object = json!({
            "data": images.name,
            "part": self.trained.part().name(),
            "images": images.len(),
            "unit": model.config().likelihood.unit(),
            "per_image": PER_IMAGE,
            "reconstruction_per_image": losses.reconstruction,
            "reconstruction_per_pixel": losses.reconstruction / images.pixels() as f64,
            "kl_nats_per_image": model.has_prior().then_some(losses.penalty),
            "penalty": penalty.map(|penalty| penalty.name),
            "penalty_weight": penalty.map(|penalty| penalty.weight),
            "elbo_nats_per_image": losses.elbo(model),
        });
        if penalty.is_some() && !model.has_prior() {
            object["penalty_per_image"] = json!(losses.penalty);
        }
        let Some(Latent { bound, units }) = latent else { return object };
        if let Some(bound) = bound {
            object["importance_bound_nats_per_image"] = json!(bound.mean());
            object["importance_samples"] = json!(bound.samples);
        }
        object["active_units"] = json!(units.count());
        object["active_threshold"] = json!(ActiveUnits::THRESHOLD);
        object["unit_variances"] = json!(units.variances);
        object
    }
}

fn print_losses(losses: &Losses, model: &Model) -> Result<()> {
    let unit = model.config().likelihood.unit();
    let per_pixel = losses.reconstruction / f64::from(model.pixels());
    line(&format!("reconstruction  {:>10.4} {unit} per image (sum over pixels)", losses.reconstruction))?;
    line(&format!("                {per_pixel:>10.6} {unit} per pixel (mean over pixels)"))?;
    match model.penalty() {
        Some(_) if model.has_prior() => {
            line(&format!("kl              {:>10.4} nats per image (sum over the code)", losses.penalty))?;
        }
        Some(Penalty { name, meaning, .. }) => {
            line(&format!("{name:14}  {:>10.4} unweighted; {meaning}", losses.penalty))?;
        }
        None => {}
    }
    match losses.elbo(model) {
        Some(elbo) => {
            line(&format!("elbo            {elbo:>10.4} nats per image (one sample of z an image)"))
        }
        None => Ok(()),
    }
}
