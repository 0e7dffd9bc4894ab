//! Autoencoders in handwritten WGSL, trained on any GPU through wgpu.
//!
//! A model is compiled once into a [`Plan`](graph::Plan), a flat list of dispatches; a training step is that
//! list, replayed, on a GPU or on the CPU reference. From the bottom up:
//!
//! - [`gpu`] opens a device, [`rng`] draws numbers, [`kernels`] are the shaders with their parameters and shapes, [`mod@reference`] the
//!   same in plain Rust.
//! - [`graph`] records operations with their derivatives and makes a plan of them, of a whole batch or of a share, which
//!   several [`ranks`] exchange.
#![cfg_attr(
    feature = "train",
    doc = "- [`model`] has the autoencoders, [`data`] the images; [`train`] trains in memory, [`infer`] uses trained models, [`run`] keeps runs in folders, [`picture`] makes pictures."
)]
#![cfg_attr(feature = "export", doc = "- [`export`] writes trained models for ONNX Runtime and PyTorch.")]
#![cfg_attr(
    feature = "plot",
    doc = "- [`report`] draws plots and pages, [`mod@bench`] measures devices, [`figures`] makes every figure of the book's section."
)]
//!
//! Without default features there is nothing above [`graph`]. The feature `train` adds models and training, `sample` a
//! built-in sample of Fashion-MNIST, `export` the export of models, `plot` plots, benchmarks and figures, `cli` the command.
#![cfg_attr(
    feature = "train",
    doc = r#"
# A variational autoencoder in one screen

```no_run
use narrows::{gpu::GpuOptions, graph::Device, train::{Config, Trainer}};

# fn main() -> narrows::Result<()> {
# pollster::block_on(async {
let config = Config::preset("vae")?;
let images = config.data.load()?; // a sample of Fashion-MNIST that is built in
let device = Device::open(&GpuOptions::default()).await?; // or Device::Cpu
let mut trainer = Trainer::new(&device, &config, &images).await?;
for _ in 0..config.train.epochs {
    let report = trainer.epoch(&mut |_progress| true).await?;
    // Nats per image: summed over its pixels, or its code, and averaged over images.
    for (term, mean) in report.train.iter() {
        println!("epoch {}: {} {mean:.2}", report.epoch, term.name);
    }
}
trainer.checkpoint().await?.save("vae.safetensors")
# })
# }
```

[`Run`](run::Run) does the same with a folder that keeps metrics, checkpoints and pictures, and resumes with bit-identical
results. [`Reconstructor`](infer::Reconstructor), [`Decoder`](infer::Decoder) and [`Evaluator`](train::Evaluator) use a
trained model.

# A plan and its dispatches

```
use narrows::{gpu::{MatMulVariant, Variants}, graph::Shape, model::Model, train::Config};

let config = Config::preset("vae")?;
let model = Model::new(&config.model, Shape::new(28, 28, 1))?;
let plan = model.training(128, 60_000, true, &config.train.update(60_000)?, false)?;
assert_eq!(plan.parameter_count(), 784 * 400 + 400 + 400 * 40 + 40 + 20 * 400 + 400 + 400 * 784 + 784);
println!("{}", plan.table(&Variants::one(MatMulVariant::Tile64x4)));
# Ok::<(), narrows::Error>(())
```
"#
)]
// On a page what only the folders of runs use is there without them, and a device belongs to one thread.
#![cfg_attr(target_arch = "wasm32", allow(dead_code, unused_imports, clippy::arc_with_non_send_sync))]

#[cfg(feature = "plot")]
pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "train")]
pub mod data;
mod error;
#[cfg(feature = "export")]
pub mod export;
#[cfg(feature = "plot")]
pub mod figures;
pub mod gpu;
pub mod graph;
#[cfg(feature = "train")]
pub mod infer;
pub mod kernels;
#[cfg(feature = "train")]
pub mod model;
#[cfg(feature = "train")]
pub mod picture;
pub mod ranks;
pub mod reference;
#[cfg(feature = "plot")]
pub mod report;
pub mod rng;
#[cfg(all(feature = "train", not(target_arch = "wasm32")))]
pub mod run;
#[cfg(feature = "train")]
pub mod train;

pub use error::{Error, Result};
