//! Small trained models, and what is read of them.

use narrows::data::Dataset;
use narrows::graph::Device;
use narrows::model::{Registry, VariantRef};
use narrows::train::{Checkpoint, Config, Evaluator, TermMeans, Trainer};
use pollster::block_on;

use super::{device, split};

pub fn trained_on(device: &Device, config: &Config, epochs: u32) -> Trainer {
    let mut trainer = block_on(Trainer::new(device, config, &split())).unwrap();
    for _ in 0..epochs {
        block_on(trainer.epoch(&mut |_| true)).unwrap();
    }
    trainer
}

pub fn trained(config: &Config, epochs: u32) -> Checkpoint {
    block_on(trained_on(device(), config, epochs).checkpoint()).unwrap()
}

pub fn variants() -> Vec<VariantRef> {
    Registry::built_in().variants().to_vec()
}

pub fn bits(checkpoint: &Checkpoint) -> Vec<(String, Vec<u32>)> {
    let slots = checkpoint.slots.iter();
    slots.map(|(name, slot)| (name.to_owned(), slot.values.iter().map(|x| x.to_bits()).collect())).collect()
}

pub fn values<'a>(checkpoint: &'a Checkpoint, name: &str) -> &'a [f32] {
    checkpoint.slots.get(name).unwrap().1
}

pub fn reconstruction(means: &TermMeans) -> f64 {
    means.reconstruction().unwrap().1
}

pub fn evaluated(on: &Device, trained: &Checkpoint, images: &Dataset) -> TermMeans {
    let model = trained.model().unwrap();
    let mut evaluator = block_on(Evaluator::new(on, &model, images, &trained.transform, 5)).unwrap();
    block_on(evaluator.evaluate_checkpoint(trained)).unwrap()
}

pub fn assert_close(a: f64, b: f64, relative: f64, what: &str) {
    assert!((a - b).abs() <= relative * a.abs().max(b.abs()), "{what}: {a} against {b}");
}
