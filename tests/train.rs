//! Training: the same bits for the same seed, losses that fall, means that are right, and what is not finite.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;

use narrows::Error;
use narrows::data::{self, Dataset, Source, Split};
use narrows::graph::{Device, Shape};
use narrows::model::{ALL, CorruptionKind, LikelihoodKind, Model, ReductionKind};
use narrows::train::{Checkpoint, Config, Evaluator, Losses, Reconstructor, Run, Trainer, prior_codes};
use pollster::block_on;
use tempfile::TempDir;
use tiny::{config, dataset, device, listing, split};

fn trained_on(device: &Device, config: &Config, epochs: u32) -> Trainer {
    let mut trainer = block_on(Trainer::new(device, config, &split())).unwrap();
    for _ in 0..epochs {
        block_on(trainer.epoch(&mut |_| true)).unwrap();
    }
    trainer
}

fn trained(config: &Config, epochs: u32) -> Checkpoint {
    block_on(trained_on(device(), config, epochs).checkpoint()).unwrap()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn a_seed_repeats_to_the_bit_and_another_differs() {
    for variant in ALL {
        let mut config = config(variant.name());
        let [first, again] = [trained(&config, 2), trained(&config, 2)];
        assert_eq!(bits(&first.parameters), bits(&again.parameters), "{}", variant.name());
        assert_eq!(first, again, "{}", variant.name());
        config.train.seed = 1;
        assert_ne!(bits(&first.parameters), bits(&trained(&config, 2).parameters), "{}", variant.name());
    }
}

#[test]
fn every_variant_learns_real_images() {
    let sample = data::load(Source::Sample, None, None).unwrap();
    let part = |set: &Dataset, count| set.slice(0..count).unwrap();
    let few = Split::new(part(&sample.train, 1_100), part(&sample.test, 10), Some(100)).unwrap();
    for variant in ALL {
        let config = variant.preset();
        let mut trainer = block_on(Trainer::new(device(), &config, &few)).unwrap();
        let before = block_on(trainer.validate()).unwrap().unwrap();
        let report = block_on(trainer.epoch(&mut |_| true)).unwrap();
        let after = report.validation.unwrap();
        let [before, after] = [before, after].map(|losses| losses.objective(trainer.model()));
        assert!(after < 0.85 * before, "{}: from {before} to {after}", variant.name());
        assert!(report.best);
    }
}

fn evaluated(on: &Device, trained: &Checkpoint, images: &Dataset) -> Losses {
    let model = trained.model().unwrap();
    let mut evaluator = block_on(Evaluator::new(on, &model, images, trained.center.as_deref(), 5)).unwrap();
    let evaluation = block_on(evaluator.evaluate_checkpoint(trained)).unwrap();
    assert_eq!(evaluation.images as usize, images.len());
    evaluation.losses
}

fn assert_close(a: f64, b: f64, relative: f64, what: &str) {
    assert!((a - b).abs() <= relative * a.abs().max(b.abs()), "{what}: {a} against {b}");
}

/// Evaluations run in batches of 256; 300 images leave a part of one, which runs over the end.
#[test]
fn an_evaluation_counts_each_image_of_a_partial_batch_once() {
    for variant in ALL {
        let trained = trained(&config(variant.name()), 1);
        let images = dataset(300);
        let [gpu, cpu] = [device(), &Device::Cpu].map(|device| evaluated(device, &trained, &images));
        assert_close(gpu.reconstruction, cpu.reconstruction, 1e-5, variant.name());
        assert_close(gpu.penalty, cpu.penalty, 1e-5, variant.name());
        // Without noise, the whole's mean is the mean over any parts.
        if !trained.model().unwrap().has_prior() {
            let parts = [0..1, 1..44, 44..300].map(|range| images.slice(range).unwrap());
            let sums = parts
                .iter()
                .map(|part| part.len() as f64 * evaluated(device(), &trained, part).reconstruction);
            assert_close(sums.sum::<f64>() / 300.0, gpu.reconstruction, 1e-6, variant.name());
        }
    }
}

#[test]
fn evaluations_see_images_as_they_are() {
    let mut trained = trained(&config("denoising-dropout"), 1);
    let losses = evaluated(device(), &trained, &dataset(30));
    trained.config.model.variant = "mlp".to_owned();
    trained.config.model.corruption = CorruptionKind::None;
    assert_eq!(losses, evaluated(device(), &trained, &dataset(30)));
    // In training they are corrupted: another corruption is another run.
    let mut other = config("denoising-dropout");
    other.model.corruption_amount = 0.25;
    assert_ne!(bits(&trained.parameters), bits(&self::trained(&other, 1).parameters));
}

#[test]
fn corrupted_images_are_the_same_in_each_run_and_are_what_is_encoded() {
    let trained = trained(&config("denoising-dropout"), 1);
    let images = dataset(30);
    let mut reconstructor = block_on(Reconstructor::corrupted(device(), &trained, &images)).unwrap();
    let results = block_on(reconstructor.run()).unwrap();
    assert_eq!(results, block_on(reconstructor.run()).unwrap());
    let seen = results.seen.unwrap();
    let original = images.images.iter().map(|byte| f32::from(*byte) / 255.0);
    // Half the pixels are lost, the others twice as light.
    let lost = original.zip(&seen).filter(|(clean, seen)| {
        assert!(**seen == 0.0 || (**seen - 2.0 * clean).abs() < 1e-6, "{clean} seen as {seen}");
        *clean > 0.0 && **seen == 0.0
    });
    let share = lost.count() as f64 / images.images.iter().filter(|byte| **byte > 0).count() as f64;
    assert!((share - 0.5).abs() < 0.08, "{share} of the pixels are lost");
    let mut clean = block_on(Reconstructor::new(device(), &trained, &images)).unwrap();
    assert_ne!(block_on(clean.run()).unwrap().codes, results.codes);
}

#[test]
fn the_reference_trains_as_the_device_does() {
    for variant in ALL {
        let config = config(variant.name());
        let [mut gpu, mut cpu] = [device(), &Device::Cpu].map(|device| trained_on(device, &config, 1));
        let [a, b] = [&gpu, &cpu].map(|trainer| block_on(trainer.checkpoint()).unwrap());
        for (gpu, cpu) in a.parameters.iter().zip(&b.parameters) {
            assert!((gpu - cpu).abs() <= 1e-4 + 1e-3 * cpu.abs(), "{}: {gpu} against {cpu}", variant.name());
        }
        let [a, b] = [&mut gpu, &mut cpu].map(|trainer| block_on(trainer.epoch(&mut |_| true)).unwrap());
        for (a, b) in [(a.train, b.train), (a.validation.unwrap(), b.validation.unwrap())] {
            assert_close(a.reconstruction, b.reconstruction, 1e-3, variant.name());
            assert_close(a.penalty, b.penalty, 1e-2, variant.name());
        }
        assert_eq!((a.step, a.epoch), (b.step, b.epoch));
    }
}

#[test]
fn an_epoch_reports_its_steps_and_its_watcher_sees_them() {
    let mut trainer = block_on(Trainer::new(device(), &config("vae"), &split())).unwrap();
    let mut seen = Vec::new();
    for (epoch, end) in [(1, 6), (2, 11), (3, 16)] {
        let report = block_on(trainer.epoch(&mut |progress| {
            seen.push((progress.epoch, progress.step, progress.run_step));
            assert_eq!((progress.run_steps, progress.batch), (16, 8));
            true
        }));
        let report = report.unwrap();
        assert_eq!((report.epoch, report.step), (epoch, end));
        assert_eq!(seen.last().unwrap().2, end);
    }
    assert!(seen.is_sorted());
}

#[test]
fn the_penalty_weighs_in_the_scale_of_the_reports() {
    let mut config = config("vae");
    config.model.kl_weight = 0.5;
    let losses = Losses { reconstruction: 10.0, penalty: 4.0 };
    let model = |config: &Config| Model::new(&config.model, Shape::new(7, 5, 1)).unwrap();
    assert_eq!(losses.objective(&model(&config)), 12.0);
    assert_eq!(losses.elbo(&model(&config)), Some(-14.0));
    config.model.reduction = ReductionKind::Pixel;
    assert_eq!(losses.objective(&model(&config)), 80.0);
    config.model.likelihood = LikelihoodKind::SquaredError;
    assert_eq!(losses.elbo(&model(&config)), None);
    assert_eq!(losses.elbo(&model(&tiny::config("mlp"))), None);
}

#[test]
fn a_loss_that_is_not_finite_names_its_step_and_keeps_the_last_checkpoint() {
    let mut config = config("mlp");
    config.model.likelihood = LikelihoodKind::SquaredError;
    config.train.learning_rate = 1e20;
    let folder = TempDir::new().unwrap();
    let mut run = block_on(Run::create(folder.path(), device(), &config, &split())).unwrap();
    let before = fs::read(folder.path().join("last.safetensors")).unwrap();
    let error = block_on(run.train(&mut |_| true)).unwrap_err();
    let Error::NotFinite { step, what, .. } = &error else { panic!("{error}") };
    assert_eq!((*what, *step), ("the loss", 2));
    let text = error.to_string();
    let end = format!(
        " at step 2. Lower the learning rate; the last good checkpoint is kept in {}",
        folder.path().display()
    );
    assert!(text.starts_with("the loss is ") && text.ends_with(&end), "{text}");
    assert_eq!(listing(folder.path()), ["config.toml", "last.safetensors"]);
    assert_eq!(fs::read(folder.path().join("last.safetensors")).unwrap(), before);
    assert_eq!(Checkpoint::last(folder.path()).unwrap().step(), 0);
}

/// One step an epoch: its loss is finite, what it leaves is not.
#[test]
fn parameters_that_are_not_finite_are_never_saved() {
    for validation in [0, 9] {
        let mut config = config("mlp");
        config.model.likelihood = LikelihoodKind::SquaredError;
        config.model.reduction = ReductionKind::Image;
        config.train.learning_rate = f32::MAX;
        config.train.batch = 41;
        let split = Split::new(dataset(41 + validation), dataset(11), Some(validation)).unwrap();
        let folder = TempDir::new().unwrap();
        let mut run = block_on(Run::create(folder.path(), device(), &config, &split)).unwrap();
        let error = block_on(run.train(&mut |_| true)).unwrap_err();
        assert!(matches!(error, Error::NotFinite { step: 1, .. }), "{error}");
        assert_eq!(listing(folder.path()), ["config.toml", "last.safetensors"]);
        let kept = Checkpoint::last(folder.path()).unwrap();
        assert!(kept.parameters.iter().all(|value| value.is_finite()));
    }
}

#[test]
fn codes_of_the_prior_are_standard_normal_and_repeat() {
    let codes = prior_codes(3, 2_000, 5);
    assert_eq!(codes, prior_codes(3, 2_000, 5));
    assert_ne!(codes, prior_codes(4, 2_000, 5));
    assert_eq!(codes[..50], prior_codes(3, 10, 5));
    let mean = |f: fn(f64) -> f64| codes.iter().map(|z| f(f64::from(*z))).sum::<f64>() / codes.len() as f64;
    assert!(mean(|z| z).abs() < 0.04 && (mean(|z| z * z) - 1.0).abs() < 0.06);
}
