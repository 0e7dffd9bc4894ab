//! Built-in variants use only what is public: their files compile outside of the crate, and mean the same there.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

// What `crate::` leads to in the files below.
use narrows::graph::Shape;
use narrows::model::{Model, Registry};
use narrows::train::Config;
use narrows::{Error, Result, graph, model, reference, settings};

#[path = "../src/model/adversarial.rs"]
mod adversarial;
#[path = "../src/model/cnn.rs"]
mod cnn;
#[path = "../src/model/contractive.rs"]
mod contractive;
#[path = "../src/model/denoising.rs"]
mod denoising;
#[path = "../src/model/iwae.rs"]
mod iwae;
#[path = "../src/model/linear.rs"]
mod linear;
#[path = "../src/model/mlp.rs"]
mod mlp;
#[path = "../src/model/sparse.rs"]
mod sparse;
#[path = "../src/model/vae.rs"]
mod vae;

// Each takes the place of the built-in one of its name, behind those that are left.
fn outside() -> Registry {
    Registry::built_in()
        .with(linear::Linear)
        .with(mlp::Mlp)
        .with(cnn::Cnn)
        .with(denoising::Denoising)
        .with(contractive::Contractive)
        .with(sparse::Sparse)
        .with(vae::Vae)
        .with(iwae::Iwae)
        .with(adversarial::Adversarial)
}

// Every dispatch of a training step, with its operands.
fn step(registry: &Registry, preset: &str) -> String {
    let mut config = Config::preset_of(registry, preset).unwrap();
    config.model = config.model.with_classes(4).unwrap();
    let model = Model::new(&config.model, Shape::new(28, 28, 1)).unwrap();
    let plan = model.training(3, 10, true, &config.train.update(10).unwrap(), false).unwrap();
    format!("{}\n{}\n{:?}", config.to_toml().unwrap(), model.minimized(), plan.dispatches)
}

#[test]
fn every_built_in_variant_compiles_outside_of_the_crate_and_is_the_same_there() {
    let (inside, outside) = (Registry::built_in(), outside());
    let names = |registry: &Registry| format!("{:?}", registry.variants());
    assert_eq!(names(&inside), names(&outside), "a new variant belongs in this test too");
    for (_, preset) in inside.presets() {
        assert!(step(&inside, preset.name) == step(&outside, preset.name), "{}", preset.name);
    }
}
