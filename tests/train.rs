//! Training: the same bits for the same seed, losses that fall, means that are right, and what is not finite.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;

use narrows::Error;
use narrows::data::{self, Dataset, Source, Split};
use narrows::graph::{Device, MODEL, Store, StoreKind};
use narrows::infer::{ActiveUnits, Decoder, ImportanceBound, Reconstructor, prior_codes};
use narrows::model::{CorruptionKind, LikelihoodKind, ReductionKind, Registry, VariantRef};
use narrows::run::Run;
use narrows::train::{Checkpoint, Config, Evaluator, ScheduleKind, TermMeans, Trainer};
use pollster::block_on;
use tempfile::TempDir;
use tiny::{config, dataset, device, listing, normalized, split};

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

fn variants() -> Vec<VariantRef> {
    Registry::built_in().variants().to_vec()
}

fn bits(checkpoint: &Checkpoint) -> Vec<(String, Vec<u32>)> {
    let slots = checkpoint.slots.iter();
    slots.map(|(name, slot)| (name.to_owned(), slot.values.iter().map(|x| x.to_bits()).collect())).collect()
}

fn values<'a>(checkpoint: &'a Checkpoint, name: &str) -> &'a [f32] {
    checkpoint.slots.get(name).unwrap().1
}

fn reconstruction(means: &TermMeans) -> f64 {
    means.reconstruction().unwrap().1
}

#[test]
fn a_seed_repeats_to_the_bit_and_another_differs() {
    for variant in variants() {
        let mut config = config(variant.name());
        let [first, again] = [trained(&config, 2), trained(&config, 2)];
        assert_eq!(bits(&first), bits(&again), "{}", variant.name());
        assert_eq!(first, again, "{}", variant.name());
        config.train.seed = 1;
        assert_ne!(bits(&first), bits(&trained(&config, 2)), "{}", variant.name());
    }
}

#[test]
fn every_variant_learns_real_images() {
    let sample = data::load(Source::Sample, None, None).unwrap();
    let part = |set: &Dataset, count| set.slice(0..count).unwrap();
    let few = Split::new(part(&sample.train, 1_100), part(&sample.test, 10), Some(100)).unwrap();
    for variant in variants() {
        let config = Config::preset(variant.name()).unwrap();
        let mut trainer = block_on(Trainer::new(device(), &config, &few)).unwrap();
        let before = block_on(trainer.validate()).unwrap().unwrap();
        let report = block_on(trainer.epoch(&mut |_| true)).unwrap();
        let after = report.validation.unwrap();
        // Where two updates play against each other, only the reconstruction has to fall.
        let game = |means: &TermMeans| means.iter().any(|(term, _)| term.update != MODEL);
        let [before, after] = [before, after]
            .map(|means| if game(&means) { reconstruction(&means) } else { means.objective() });
        assert!(after < 0.85 * before, "{}: from {before} to {after}", variant.name());
        assert!(report.best);
    }
}

fn evaluated(on: &Device, trained: &Checkpoint, images: &Dataset) -> TermMeans {
    let model = trained.model().unwrap();
    let mut evaluator = block_on(Evaluator::new(on, &model, images, trained.center.as_deref(), 5)).unwrap();
    let evaluation = block_on(evaluator.evaluate_checkpoint(trained)).unwrap();
    assert_eq!(evaluation.images as usize, images.len());
    evaluation.means
}

fn assert_close(a: f64, b: f64, relative: f64, what: &str) {
    assert!((a - b).abs() <= relative * a.abs().max(b.abs()), "{what}: {a} against {b}");
}

/// Evaluations run in batches of 256; 300 images leave a part of one, which runs over the end.
#[test]
fn an_evaluation_counts_each_image_of_a_partial_batch_once() {
    for variant in variants() {
        let trained = trained(&config(variant.name()), 1);
        let images = dataset(300);
        let [gpu, cpu] = [device(), &Device::Cpu].map(|device| evaluated(device, &trained, &images));
        for ((term, gpu), (_, cpu)) in gpu.iter().zip(cpu.iter()) {
            assert_close(gpu, cpu, 1e-5, &format!("{} {}", variant.name(), term.name));
        }
        // Without noise, the whole's mean is the mean over any parts.
        if !trained.model().unwrap().has_posterior() {
            let parts = [0..1, 1..44, 44..300].map(|range| images.slice(range).unwrap());
            let sums = parts
                .iter()
                .map(|part| part.len() as f64 * reconstruction(&evaluated(device(), &trained, part)));
            assert_close(sums.sum::<f64>() / 300.0, reconstruction(&gpu), 1e-6, variant.name());
        }
    }
}

#[test]
fn evaluations_see_images_as_they_are() {
    let mut trained = trained(&config("denoising-dropout"), 1);
    let means = evaluated(device(), &trained, &dataset(30));
    trained.config.model.variant = Registry::built_in().variant("mlp").unwrap().clone();
    trained.config.model.corruption = CorruptionKind::None;
    trained.config.model.corruption_amount = None;
    trained.config.model.corruption_rescale = None;
    assert_eq!(means, evaluated(device(), &trained, &dataset(30)));
    // In training they are corrupted: another corruption is another run.
    let mut other = config("denoising-dropout");
    other.model.corruption_amount = Some(0.25);
    assert_ne!(bits(&trained), bits(&self::trained(&other, 1)));
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
    for variant in variants() {
        let config = config(variant.name());
        let [mut gpu, mut cpu] = [device(), &Device::Cpu].map(|device| trained_on(device, &config, 1));
        let [a, b] = [&gpu, &cpu].map(|trainer| block_on(trainer.checkpoint()).unwrap());
        let plan = gpu.plan();
        let parameters = plan.stores.iter().filter(|store| store.kind == StoreKind::Parameters);
        for (name, _) in parameters.flat_map(Store::slots) {
            for (gpu, cpu) in values(&a, &name).iter().zip(values(&b, &name)) {
                let close = (gpu - cpu).abs() <= 1e-4 + 1e-3 * cpu.abs();
                assert!(close, "{} {name}: {gpu} against {cpu}", variant.name());
            }
        }
        let [a, b] = [&mut gpu, &mut cpu].map(|trainer| block_on(trainer.epoch(&mut |_| true)).unwrap());
        for (a, b) in [(a.train, b.train), (a.validation.unwrap(), b.validation.unwrap())] {
            for ((term, a), (_, b)) in a.iter().zip(b.iter()) {
                let relative = if term.pixels.is_some() { 1e-3 } else { 1e-2 };
                assert_close(a, b, relative, &format!("{} {}", variant.name(), term.name));
            }
        }
        assert_eq!((a.step, a.epoch), (b.step, b.epoch));
    }
}

// What is evaluated in training, from a checkpoint and in a run's pictures are the same running statistics.
#[test]
fn a_normalized_model_is_used_by_its_running_statistics_wherever_it_is_used() {
    let config = normalized();
    let mut trainer = trained_on(device(), &config, 0);
    let early = block_on(trainer.checkpoint()).unwrap();
    let validation = block_on(trainer.epoch(&mut |_| true)).unwrap().validation.unwrap();
    let trained = block_on(trainer.checkpoint()).unwrap();
    for name in ["encoder.1.running_mean", "decoder.1.running_variance"] {
        assert_ne!(values(&early, name), values(&trained, name), "{name}");
    }
    let images = split().validation;
    assert_eq!(evaluated(device(), &trained, &images), validation);
    let alone: f64 = (0..images.len())
        .map(|at| evaluated(&Device::Cpu, &trained, &images.slice(at..at + 1).unwrap()))
        .map(|means| reconstruction(&means))
        .sum();
    assert_close(alone / images.len() as f64, reconstruction(&validation), 1e-5, "each image alone");
    let mut forgetful = trained.clone();
    for (name, slot) in early.slots.iter().filter(|(name, _)| name.contains("running")) {
        forgetful.slots.insert(name.to_owned(), slot.shape.clone(), slot.values.clone());
    }
    assert_ne!(evaluated(device(), &forgetful, &images), validation);

    let mut following = block_on(Reconstructor::new(device(), &early, &images)).unwrap();
    following.follow(trainer.replay()).unwrap();
    let mut loaded = block_on(Reconstructor::new(device(), &trained, &images)).unwrap();
    let shown = block_on(loaded.run()).unwrap();
    assert_eq!(block_on(following.run()).unwrap(), shown);
    let mut following = block_on(Decoder::new(device(), &early, 9)).unwrap();
    following.follow(trainer.replay()).unwrap();
    let mut loaded = block_on(Decoder::new(device(), &trained, 9)).unwrap();
    let decoded = block_on(loaded.decode(&shown.codes)).unwrap();
    assert_eq!(block_on(following.decode(&shown.codes)).unwrap(), decoded);
    for (decoded, shown) in decoded.iter().zip(&shown.images) {
        assert!((decoded - shown).abs() < 1e-6);
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
fn one_sample_estimates_the_elbo_and_more_bound_the_likelihood_closer() {
    let trained = trained(&config("vae"), 3);
    let images = dataset(300);
    let bound =
        |on: &Device, samples| block_on(ImportanceBound::estimate(on, &trained, &images, samples)).unwrap();
    let [one, many] = [1, 64].map(|samples| bound(device(), samples));
    assert_eq!((one.samples, one.each.len(), many.each.len()), (1, 300, 300));
    assert_eq!(many, bound(device(), 64));
    assert_close(bound(&Device::Cpu, 3).mean(), bound(device(), 3).mean(), 1e-6, "device against reference");

    let model = trained.model().unwrap();
    let seed = trained.config.train.seed;
    let mut evaluator = block_on(Evaluator::new(device(), &model, &images, None, seed)).unwrap();
    let means = block_on(evaluator.evaluate_checkpoint(&trained)).unwrap().means;
    // The same samples, so that all but the divergence is equal; its estimate has a deviation of about 1 an image.
    let (kl, closed) = (-(one.mean() + reconstruction(&means)), means.get("kl").unwrap());
    assert!((kl - closed).abs() < 0.3, "{kl}, in closed form {closed}");
    let elbo = means.elbo().unwrap();
    assert!(elbo < many.mean() && one.mean() < many.mean(), "{elbo}, {}, {}", one.mean(), many.mean());
    let above = one.each.iter().zip(&many.each).filter(|(one, many)| one > many).count();
    assert!(above < 150, "{above} of 300 images have a better first sample than all on average");
}

#[test]
fn only_a_gaussian_code_and_a_probability_have_an_importance_weighted_bound() {
    let refusal = |config: &Config, samples| {
        let outcome =
            block_on(ImportanceBound::estimate(device(), &trained(config, 1), &dataset(5), samples));
        outcome.unwrap_err().to_string()
    };
    let mut squared = config("vae");
    squared.model.likelihood = LikelihoodKind::SquaredError;
    for config in [config("mlp"), squared] {
        assert!(
            refusal(&config, 2).starts_with("importance-weighted bound: expected a variational autoencoder")
        );
    }
    assert_eq!(refusal(&config("vae"), 0), "samples: expected at least 1, got 0");
}

#[test]
fn the_units_of_a_trained_code_are_told_from_idle_ones() {
    let mut active = trained(&config("vae"), 3);
    let units = block_on(ActiveUnits::measure(device(), &active, &dataset(60))).unwrap();
    assert_eq!((units.variances.len(), units.count()), (3, 3), "{units:?}");
    // The second unit's mean no longer depends on the image.
    let (shape, mut head) = active.slots.get("encoder.1.weight").map(|(s, head)| (s, head.to_vec())).unwrap();
    head[12..24].fill(0.0);
    active.slots.insert("encoder.1.weight".to_owned(), shape, head);
    let units = block_on(ActiveUnits::measure(device(), &active, &dataset(60))).unwrap();
    assert_eq!((units.variances[1], units.count()), (0.0, 2), "{units:?}");
}

#[test]
fn a_falling_learning_rate_and_a_warm_up_follow_the_runs_steps() {
    let mut config = config("vae");
    config.train.schedule = ScheduleKind::Linear;
    config.model.set("kl_warmup", "linear").unwrap();
    config.model.set("kl_warmup_epochs", 2).unwrap();
    let mut trainer = block_on(Trainer::new(device(), &config, &split())).unwrap();
    let state = |trainer: &Trainer| {
        let checkpoint = block_on(trainer.checkpoint()).unwrap();
        let [rate, share] = ["model.rates", "kl.share"].map(|name| values(&checkpoint, name)[0]);
        (checkpoint.step(), rate / config.train.learning_rate, share)
    };
    assert_eq!(state(&trainer), (0, 1.0, 0.0));
    // 6, 11 and 16 steps complete the passes over 41 images.
    for (steps, rate, share) in [(6, 10.0 / 16.0, 6.0 / 11.0), (11, 5.0 / 16.0, 1.0), (16, 0.0, 1.0)] {
        block_on(trainer.epoch(&mut |_| true)).unwrap();
        let (step, left, kl) = state(&trainer);
        assert_eq!(step, steps);
        assert!((left - rate).abs() < 1e-6 && (kl - share).abs() < 1e-6, "step {step}: {left}, {kl}");
    }
}

#[test]
fn the_objective_weighs_its_terms_in_the_scale_of_the_reports() {
    let mut config = config("vae");
    config.model.set("kl_weight", 0.5).unwrap();
    let means = |config: &Config| {
        let trainer = block_on(Trainer::new(&Device::Cpu, config, &split())).unwrap();
        evaluated(&Device::Cpu, &block_on(trainer.checkpoint()).unwrap(), &dataset(5))
    };
    let parts = |means: &TermMeans| (reconstruction(means), means.get("kl").unwrap());
    let each_image = means(&config);
    let (nll, kl) = parts(&each_image);
    assert!(nll > 0.0 && kl > 0.0);
    assert_close(each_image.objective(), nll + 0.5 * kl, 1e-12, "objective");
    assert_close(each_image.elbo().unwrap(), -(nll + kl), 1e-12, "ELBO");
    // Of an image of 35 pixels; in the scale of a sum over them.
    config.model.reduction = ReductionKind::Pixel;
    let each_pixel = means(&config);
    assert_eq!(parts(&each_pixel), (nll, kl));
    assert_close(each_pixel.objective(), nll + 35.0 * 0.5 * kl, 1e-12, "objective");
    config.model.likelihood = LikelihoodKind::SquaredError;
    assert_eq!(means(&config).elbo(), None);
    for other in ["mlp", "iwae"] {
        assert_eq!(means(&tiny::config(other)).elbo(), None, "{other}");
    }
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
    assert_eq!((what.as_str(), *step), ("the loss", 2));
    let text = error.to_string();
    let end = format!(
        " at step 2. Lower the learning rate; the last good checkpoint is kept in {}",
        folder.path().display()
    );
    assert!(text.starts_with("the loss is ") && text.ends_with(&end), "{text}");
    assert_eq!(listing(folder.path()), ["config.toml", "last.safetensors"]);
    assert_eq!(fs::read(folder.path().join("last.safetensors")).unwrap(), before);
    assert_eq!(Checkpoint::last(&Registry::built_in(), folder.path()).unwrap().step(), 0);
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
        let kept = Checkpoint::last(&Registry::built_in(), folder.path()).unwrap();
        assert!(kept.slots.iter().all(|(_, slot)| slot.values.iter().all(|value| value.is_finite())));
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

#[test]
fn a_model_is_trained_kept_and_used_without_a_path() {
    for variant in variants() {
        let trained = trained(&config(variant.name()), 1);
        let bytes = trained.to_bytes().unwrap();
        let loaded = Checkpoint::from_bytes(&bytes).unwrap();
        assert_eq!(loaded, trained, "{}", variant.name());
        let used = |checkpoint: &Checkpoint| {
            let images = dataset(12);
            let mut reconstructor = block_on(Reconstructor::new(device(), checkpoint, &images)).unwrap();
            let shown = block_on(reconstructor.run()).unwrap();
            let mut decoder = block_on(Decoder::new(device(), checkpoint, 12)).unwrap();
            (block_on(decoder.decode(&shown.codes)).unwrap(), shown)
        };
        let (decoded, shown) = used(&loaded);
        assert_eq!((decoded.clone(), shown.clone()), used(&trained), "{}", variant.name());
        assert_eq!((decoded.len(), shown.images.len()), (12 * 35, 12 * 35));
        assert!(decoded.iter().chain(&shown.images).all(|value| value.is_finite()));
        let cut = Checkpoint::from_bytes(&bytes[..bytes.len() - 1]).unwrap_err().to_string();
        assert!(cut.starts_with("checkpoint: expected a whole safetensors file, found a damaged"), "{cut}");
    }
}
