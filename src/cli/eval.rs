//! `narrows eval`: the losses of a trained model on images it was not trained on.

use narrows::Result;
use narrows::model::Penalty;
use narrows::train::{Evaluator, PER_IMAGE};
use serde_json::json;

use super::DeviceFlags;
use super::output::line;
use super::trained::Trained;

/// Evaluate a trained model
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows eval runs/vae-001\n  \
    narrows eval runs/vae-001 --data fashion-mnist --json")]
pub(super) struct Eval {
    /// As one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    trained: Trained,
}

impl Eval {
    pub(super) async fn run(&self, device: &DeviceFlags) -> Result<()> {
        let (checkpoint, images) = self.trained.load()?;
        let device = device.open_for(&checkpoint).await?;
        let (model, center) = (checkpoint.model()?, checkpoint.center.as_deref());
        let seed = checkpoint.config.train.seed;
        let mut evaluator = Evaluator::new(&device, &model, &images, center, seed).await?;
        let losses = evaluator.evaluate_checkpoint(&checkpoint).await?.losses;
        let unit = model.config().likelihood.unit();
        let (part, count) = (self.trained.part().name(), images.len());
        let penalty = model.penalty();
        let kl = model.has_prior().then_some(losses.penalty);
        let elbo = losses.elbo(&model);
        let per_pixel = losses.reconstruction / images.pixels() as f64;
        if self.json {
            let mut object = json!({
                "data": images.name,
                "part": part,
                "images": count,
                "unit": unit,
                "per_image": PER_IMAGE,
                "reconstruction_per_image": losses.reconstruction,
                "reconstruction_per_pixel": per_pixel,
                "kl_nats_per_image": kl,
                "penalty": penalty.map(|penalty| penalty.name),
                "penalty_weight": penalty.map(|penalty| penalty.weight),
                "elbo_nats_per_image": elbo,
            });
            if penalty.is_some() && kl.is_none() {
                object["penalty_per_image"] = json!(losses.penalty);
            }
            return line(&object.to_string());
        }
        line(&format!("{count} {part} images of {}, means over images", images.name))?;
        line(&format!("reconstruction  {:>10.4} {unit} per image (sum over pixels)", losses.reconstruction))?;
        line(&format!("                {per_pixel:>10.6} {unit} per pixel (mean over pixels)"))?;
        match (kl, penalty) {
            (Some(kl), _) => line(&format!("kl              {kl:>10.4} nats per image (sum over the code)"))?,
            (None, Some(Penalty { name, meaning, .. })) => {
                line(&format!("{name:14}  {:>10.4} unweighted; {meaning}", losses.penalty))?;
            }
            (None, None) => {}
        }
        if let Some(elbo) = elbo {
            line(&format!("elbo            {elbo:>10.4} nats per image (one sample of z an image)"))?;
        }
        Ok(())
    }
}
