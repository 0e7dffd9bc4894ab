//! Trains a variational autoencoder through the library, then draws from it.
//!
//!     cargo run --release --example train
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

use std::error::Error;
use std::path::Path;

use narrows::data::{self, Source};
use narrows::gpu::GpuOptions;
use narrows::graph::Device;
use narrows::infer::{Decoder, prior_codes};
use narrows::picture::Grid;
use narrows::train::{Config, Trainer};

fn main() -> Result<(), Box<dyn Error>> {
    pollster::block_on(train(Path::new("runs/example")))
}

async fn train(folder: &Path) -> Result<(), Box<dyn Error>> {
    let config = Config::preset("vae")?;
    let data = data::load(Source::Sample, None, None)?;
    let device = Device::open(&GpuOptions::default()).await?;
    let mut trainer = Trainer::new(&device, &config, &data).await?;
    for epoch in 1..=3 {
        let report = trainer.epoch(&mut |_progress| true).await?;
        println!("epoch {epoch}: -ELBO {:.2} nats per image", report.train.objective());
    }

    std::fs::create_dir_all(folder)?;
    let checkpoint = trainer.checkpoint().await?;
    checkpoint.save(folder.join("model.safetensors"))?;

    let codes = prior_codes(config.train.seed, 64, config.model.latent as usize);
    let images = Decoder::new(&device, &checkpoint, 64).await?.decode(&codes).await?;
    Grid { images: &images, shape: checkpoint.shape, columns: 8 }.save(&folder.join("samples.png"))?;
    println!("wrote model.safetensors and samples.png to {}", folder.display());
    Ok(())
}
