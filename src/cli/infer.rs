//! `narrows reconstruct`, `sample`, `encode` and `eval`: using a trained model.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use narrows::data::{self, Dataset};
use narrows::report::{Grid, interleaved};
use narrows::train::{Checkpoint, Decoder, Evaluator, Reconstructor, prior_codes};
use narrows::{Error, Result};
use npyz::WriterBuilder;
use serde_json::json;

use super::DeviceFlags;
use super::flags::DataFlags;
use super::train::unit;

/// A trained model and the images to use it on.
#[derive(clap::Args)]
struct Trained {
    /// A checkpoint, or a run's folder for its best one
    checkpoint: PathBuf,
    #[command(flatten)]
    data: DataFlags,
    /// Which images: test, validation or train
    #[arg(long, value_name = "PART", default_value = "test", help_heading = "Data")]
    part: String,
}

fn load(path: &Path) -> Result<Checkpoint> {
    if !path.is_dir() {
        return Checkpoint::load(path);
    }
    let best = path.join("best.safetensors");
    Checkpoint::load(&if best.exists() { best } else { path.join("last.safetensors") })
}

impl Trained {
    fn load(&self) -> Result<(Checkpoint, Dataset)> {
        let checkpoint = load(&self.checkpoint)?;
        let config = self.data.over(&checkpoint.config)?.data;
        let split = data::load(config.source, config.dir.as_deref(), config.validation)?;
        let part = match self.part.as_str() {
            "test" => split.test,
            "validation" => split.validation,
            "train" => split.train,
            other => return Err(Error::setting("--part", "test, validation or train", other)),
        };
        checkpoint.check_images(&part)?;
        Ok((checkpoint, part))
    }
}

/// Reconstruct images as a picture
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  narrows reconstruct runs/vae-001 --count 40 --out reconstructions.png\n\n\
    Rows alternate: originals, and under them their reconstructions from E[z given x]."
)]
pub(super) struct Reconstruct {
    #[command(flatten)]
    trained: Trained,
    /// How many images, from the first
    #[arg(long, value_name = "N", default_value_t = 40)]
    count: usize,
    /// Where to write the picture
    #[arg(long, value_name = "PNG", default_value = "reconstructions.png")]
    out: PathBuf,
}

impl Reconstruct {
    pub(super) async fn run(&self, device: &DeviceFlags) -> Result<()> {
        let (checkpoint, images) = self.trained.load()?;
        let images = images.slice(0..self.count.min(images.len()))?;
        let device = device.open_with(checkpoint.matmul.as_deref()).await?;
        let originals: Vec<f32> = images.images.iter().map(|pixel| f32::from(*pixel) / 255.0).collect();
        let results = Reconstructor::new(&device, &checkpoint, &images).await?.run().await?;
        let columns = images.len().min(10);
        let grid = interleaved(&originals, &results.images, images.pixels(), columns);
        Grid { images: &grid, shape: checkpoint.shape, columns }.save(&self.out)?;
        println!("{}: {} images above their reconstructions", self.out.display(), images.len());
        Ok(())
    }
}

/// Draw new images as a picture
#[derive(clap::Args)]
#[command(after_help = "Example:\n  narrows sample runs/vae-001 --count 100 --seed 7 --out samples.png")]
pub(super) struct Sample {
    /// A checkpoint, or a run's folder for its best one
    checkpoint: PathBuf,
    /// How many images
    #[arg(long, value_name = "N", default_value_t = 64)]
    count: usize,
    /// Decides the codes that are drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Where to write the picture
    #[arg(long, value_name = "PNG", default_value = "samples.png")]
    out: PathBuf,
}

impl Sample {
    pub(super) async fn run(&self, device: &DeviceFlags) -> Result<()> {
        let checkpoint = load(&self.checkpoint)?;
        let model = checkpoint.model()?;
        if !model.has_prior() {
            let got = format!("{}, whose codes have no prior to draw from", checkpoint.config.model.variant);
            return Err(Error::setting("sample", "a variational autoencoder", got));
        }
        let device = device.open_with(checkpoint.matmul.as_deref()).await?;
        let codes = prior_codes(self.seed, self.count, checkpoint.config.model.latent as usize);
        let images = Decoder::new(&device, &checkpoint, self.count).await?.decode(&codes).await?;
        let columns = (self.count as f64).sqrt().ceil() as usize;
        Grid { images: &images, shape: checkpoint.shape, columns }.save(&self.out)?;
        println!("{}: {} images decoded from codes of N(0, 1)", self.out.display(), self.count);
        Ok(())
    }
}

/// Write codes
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows encode runs/vae-001 --out codes.npy\n  \
    narrows encode runs/vae-001 --part train --out codes.csv\n\n\
    .npy holds f32 [images, latent]; .csv has a header z0,z1,... and the label where there is one.")]
pub(super) struct Encode {
    #[command(flatten)]
    trained: Trained,
    /// Where to write: .npy or .csv
    #[arg(long, value_name = "FILE", default_value = "codes.npy")]
    out: PathBuf,
}

impl Encode {
    pub(super) async fn run(&self, device: &DeviceFlags) -> Result<()> {
        let extension = self.out.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if !matches!(extension, "npy" | "csv") {
            return Err(Error::setting("--out", "a name ending in .npy or .csv", self.out.display()));
        }
        let (checkpoint, images) = self.trained.load()?;
        let device = device.open_with(checkpoint.matmul.as_deref()).await?;
        let codes = Reconstructor::new(&device, &checkpoint, &images).await?.run().await?.codes;
        let latent = checkpoint.config.model.latent as usize;
        let written = match extension {
            "npy" => write_npy(&self.out, &codes, latent),
            _ => write_csv(&self.out, &codes, latent, images.labels.as_deref()),
        };
        written.map_err(Error::io("write", &self.out))?;
        println!(
            "{}: codes E[z given x] of {} images, {latent} numbers each",
            self.out.display(),
            images.len()
        );
        Ok(())
    }
}

fn write_npy(path: &Path, codes: &[f32], latent: usize) -> std::io::Result<()> {
    let shape = [(codes.len() / latent) as u64, latent as u64];
    let file = BufWriter::new(File::create(path)?);
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(file).begin_nd()?;
    writer.extend(codes.iter().copied())?;
    writer.finish()
}

fn write_csv(path: &Path, codes: &[f32], latent: usize, labels: Option<&[u8]>) -> std::io::Result<()> {
    let mut writer = csv::Writer::from_path(path)?;
    let label = labels.map(|_| "label".to_owned());
    writer.write_record((0..latent).map(|z| format!("z{z}")).chain(label))?;
    for (row, code) in codes.chunks_exact(latent).enumerate() {
        let label = labels.and_then(|labels| labels.get(row)).map(u8::to_string);
        writer.write_record(code.iter().map(f32::to_string).chain(label))?;
    }
    writer.flush()
}

/// Evaluate a trained model
#[derive(clap::Args)]
#[command(after_help = "Example:\n  narrows eval runs/vae-001 --json")]
pub(super) struct Eval {
    #[command(flatten)]
    trained: Trained,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

impl Eval {
    pub(super) async fn run(&self, device: &DeviceFlags) -> Result<()> {
        let (checkpoint, images) = self.trained.load()?;
        let device = device.open_with(checkpoint.matmul.as_deref()).await?;
        let (model, center) = (checkpoint.model()?, checkpoint.center.as_deref());
        let seed = checkpoint.config.train.seed;
        let mut evaluator = Evaluator::new(&device, &model, &images, center, seed).await?;
        let losses = evaluator.evaluate_parameters(&checkpoint.parameters).await?.losses;
        let pixels = images.pixels() as f64;
        let unit = unit(&checkpoint.config);
        let elbo = model.has_prior().then(|| -losses.objective(1.0));
        if self.json {
            let object = json!({
                "part": self.trained.part,
                "images": images.len(),
                "unit": unit,
                "reconstruction_per_image": losses.reconstruction,
                "reconstruction_per_pixel": losses.reconstruction / pixels,
                "kl_per_image": losses.kl,
                "elbo_per_image": elbo,
            });
            println!("{object}");
            return Ok(());
        }
        println!("{} {} images, means over images", images.len(), self.trained.part);
        println!("reconstruction  {:>10.4} {unit} per image (sum over pixels)", losses.reconstruction);
        println!(
            "                {:>10.6} {unit} per pixel (mean over pixels)",
            losses.reconstruction / pixels
        );
        if let Some(elbo) = elbo {
            println!("kl              {:>10.4} nats per image (sum over the code)", losses.kl);
            println!("elbo            {elbo:>10.4} {unit} per image (one sample of z an image)");
        }
        Ok(())
    }
}
