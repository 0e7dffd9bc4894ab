//! Every preset with every likelihood: its defaults train.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use narrows::data::{self, Source, Split};
use narrows::model::{LikelihoodKind, Registry};
use narrows::train::{Config, Trainer};
use pollster::block_on;
use tiny::device;

const KINDS: [LikelihoodKind; 5] = [
    LikelihoodKind::Bernoulli,
    LikelihoodKind::ContinuousBernoulli,
    LikelihoodKind::Gaussian,
    LikelihoodKind::GaussianLearned,
    LikelihoodKind::SquaredError,
];

/// Few images of Fashion-MNIST, made small.
fn split() -> Split {
    let all = data::load(Source::Sample, None, Some(100)).unwrap();
    let small = |set: &data::Dataset, count: usize| {
        let at = |index: usize| {
            let (image, pixel) = (index / 196, index % 196);
            set.bytes()[image * 784 + (pixel / 14) * 56 + (pixel % 14) * 2]
        };
        let bytes: Vec<u8> = (0..count * 196).map(at).collect();
        let labels = set.labels.as_ref().map(|labels| labels[..count].to_vec());
        data::Dataset::new("small", [14, 14, 1], bytes, labels).unwrap()
    };
    let mut split = Split::new(small(&all.train, 800), small(&all.test, 10), Some(0)).unwrap();
    split.validation = small(&all.validation, 100);
    split
}

#[test]
fn the_defaults_of_every_preset_train_with_every_likelihood() {
    let (registry, split) = (Registry::built_in(), split());
    for (_, preset) in registry.presets() {
        let usual = Config::preset(preset.name).unwrap();
        for likelihood in KINDS {
            let mut config = usual.clone();
            config.model.likelihood = likelihood;
            if config.check().is_err() {
                continue;
            }
            let (mut config, _) =
                config.suited_to(&split.train, &usual, |name| name == "likelihood").unwrap();
            config.train.epochs = 3;
            // As many steps as thousands of images have with the preset's batch.
            config.train.batch = config.train.batch.min(20);
            let what = format!("{} with {likelihood:?}", preset.name);
            let mut trainer = block_on(Trainer::new(device(), &config, &split)).unwrap();
            let reports: Vec<_> = (0..3)
                .map(|_| {
                    block_on(trainer.epoch(&mut |_| true)).unwrap_or_else(|error| panic!("{what}: {error}"))
                })
                .collect();
            let reached = reports[2].validation.as_ref().unwrap().explained();
            let checkpoint = block_on(trainer.checkpoint()).unwrap();
            let constant = checkpoint.constant_loss(split.held_out()).unwrap();
            // A preset for points of the plane, and a bound that is no likelihood of one answer.
            if preset.name != "score" {
                assert!(
                    reached.is_none_or(|reached| reached < constant),
                    "{what}: {reached:?}, constant {constant}"
                );
            }
        }
    }
}
