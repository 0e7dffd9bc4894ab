//! Training: the same bits for the same seed, losses that fall, means that are right, and what is not finite.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;

use narrows::Error;
use narrows::data::{self, Dataset, Source, Split};
use narrows::graph::{Device, MODEL, Store, StoreKind};
use narrows::model::{LikelihoodKind, ReductionKind, Registry};
use narrows::run::Run;
use narrows::train::{Checkpoint, Config, ScheduleKind, TermMeans, Trainer};
use pollster::block_on;
use tempfile::TempDir;
use tiny::trained::{assert_close, bits, evaluated, reconstruction, trained, trained_on, values, variants};
use tiny::{config, dataset, device, listing, pixels, split};

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
fn training_goes_on_on_other_data_with_all_that_was_learned_and_its_scaling() {
    let config = config("linear");
    let before = trained(&config, 2);
    let floats = {
        let values: Vec<f32> = pixels(30).iter().map(|byte| f32::from(*byte)).collect();
        Dataset::new("floats", [7, 5, 1], values, None).unwrap()
    };
    let parts = |train: Dataset| {
        let test = train.first(1).unwrap();
        Split::new(train, test, Some(0)).unwrap()
    };
    let go_on = |train| block_on(Trainer::on_other_data(device(), &before.config, &before, &parts(train)));
    let mut trainer = go_on(dataset(33)).unwrap();
    let begun = block_on(trainer.checkpoint()).unwrap();
    assert_eq!(begun.transform, before.transform);
    for (name, slot) in before.slots.iter() {
        let mut expected = slot.values.clone();
        if name == "model.rates" {
            // It fell, and begins anew; the corrections of the moments stay.
            assert!(expected[0] < config.train.learning_rate);
            expected[0] = config.train.learning_rate;
        }
        assert_eq!(values(&begun, name), expected, "{name}");
    }
    assert_eq!((begun.epoch(), begun.step()), (0, 0));
    block_on(trainer.epoch(&mut |_| true)).unwrap();
    assert_ne!(bits(&block_on(trainer.checkpoint()).unwrap()), bits(&before));
    assert!(go_on(floats).is_err_and(|error| error.to_string().contains("bytes, as before")));
    let wide = Dataset::new("wide", [7, 6, 1], vec![9_u8; 42 * 30], None).unwrap();
    assert!(go_on(wide).is_err_and(|error| matches!(error, Error::Shape { .. })));
}

// Evaluation sees pictures as they are: before the first step nothing shows.
#[test]
fn random_flips_shifts_and_crops_change_what_training_sees_and_nothing_else() {
    let plain = config("vae");
    // Bars would be the same mirrored.
    let noise: Vec<u8> = (0..35 * 50_usize).map(|i| (i * i * 167 / 64) as u8).collect();
    let noise = Dataset::new("noise", [7, 5, 1], noise, None).unwrap();
    let split = Split::new(noise, dataset(11), Some(9)).unwrap();
    // The losses before the first step, and the kernels of a step.
    let before = |config: &Config| {
        let mut trainer = block_on(Trainer::new(device(), config, &split)).unwrap();
        let losses = block_on(trainer.validate()).unwrap().unwrap();
        let dispatches = trainer.plan().dispatches.iter();
        (losses, dispatches.map(|dispatch| dispatch.kernel.name()).collect::<Vec<_>>())
    };
    let (losses, kernels) = before(&plain);
    assert_eq!(kernels[0], "batch next_batch");
    let changes: [fn(&mut Config); 3] = [
        |config| config.train.random_flip = true,
        |config| config.train.random_shift = Some(1),
        |config| config.train.random_crop = Some(0.7),
    ];
    for change in changes {
        let mut augmented = plain.clone();
        change(&mut augmented);
        let (the_same, others) = before(&augmented);
        assert_eq!(losses, the_same);
        assert_eq!(others[..2], ["batch permute", "augmentation augment"]);
        assert_eq!(others[2..], kernels[1..]);
        let after = |config: &Config| {
            let mut trainer = block_on(Trainer::new(device(), config, &split)).unwrap();
            block_on(trainer.epoch(&mut |_| true)).unwrap();
            bits(&block_on(trainer.checkpoint()).unwrap())
        };
        let first = after(&augmented);
        assert!(first == after(&augmented), "the same seed, the same bits");
        assert!(first != after(&plain), "what is augmented trains to something else");
    }
}

#[test]
fn rows_of_numbers_have_no_flips() {
    let mut config = config("vae");
    config.train.random_flip = true;
    let rows = Dataset::new("rows", [1, 5, 1], vec![7; 500], None).unwrap();
    let split = Split::new(rows.clone(), rows, Some(9)).unwrap();
    let said = block_on(Trainer::new(device(), &config, &split)).err().unwrap().to_string();
    assert!(said.starts_with("random_flip: expected pictures: a row of numbers has no sides"), "{said}");
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
        " at step 2. Lower the learning rate, clip gradients (--clip-norm), or let it go back by itself \
         (--on-nan rewind). The run's first state is kept in {}: no epoch is finished",
        folder.path().display()
    );
    assert!(text.starts_with("the loss is ") && text.ends_with(&end), "{text}");
    assert_eq!(listing(folder.path()), ["config.toml", "last.safetensors", "run.lock"]);
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
        assert_eq!(listing(folder.path()), ["config.toml", "last.safetensors", "run.lock"]);
        let kept = Checkpoint::last(&Registry::built_in(), folder.path()).unwrap();
        assert!(kept.slots.iter().all(|(_, slot)| slot.values.iter().all(|value| value.is_finite())));
    }
}

#[test]
fn a_game_is_reported_by_update_and_ranked_by_its_reconstruction_alone() {
    let config = config("adversarial");
    let mut trainer = block_on(Trainer::new(&Device::Cpu, &config, &split())).unwrap();
    let said = trainer.model().minimized();
    let [own, critic] = said.split("; by the update critic: ").collect::<Vec<_>>()[..] else {
        panic!("{said}")
    };
    assert!(
        own.starts_with("by the update model: reconstruction (") && own.contains(" + 0.01 x fool ("),
        "{own}"
    );
    assert!(critic.contains("1 x critic_prior (") && critic.contains(" + 1 x critic_code ("), "{critic}");
    let means = block_on(trainer.validate()).unwrap().unwrap();
    let [own, critic] = means.updates().collect::<Vec<_>>().try_into().unwrap();
    let fool = means.get("fool").unwrap();
    assert_eq!(means.objective(), reconstruction(&means));
    assert_close(
        means.total(),
        reconstruction(&means) + 0.35 * fool,
        1e-6,
        "35 pixels, and a weight of 0.01",
    );
    assert_eq!((own.total(), own.iter().count()), (means.total(), 2));
    let [prior, code] = ["critic_prior", "critic_code"].map(|name| means.get(name).unwrap());
    assert_close(critic.total(), prior + code, 1e-12, "the critic's");
}
