//! A run that was interrupted and resumed against one that was not: every file, bit for bit.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;
use std::path::Path;

use narrows::Error;
use narrows::data::Split;
use narrows::gpu::GpuOptions;
use narrows::graph::Device;
use narrows::model::{LikelihoodKind, Registry};
use narrows::run::{Run, RunEvent, RunLock};
use narrows::train::{Checkpoint, Config, OptimizerKind, ScheduleKind};
use pollster::block_on;
use serde_json::Value;
use tempfile::TempDir;
use tiny::{config, dataset, device, listing, normalized, split};

fn configs() -> Vec<Config> {
    let momentum = {
        let mut config = config("mlp");
        config.train.momentum = Some(0.9);
        config.train.learning_rate = 0.05;
        config
    };
    let learned = {
        let mut config = config("vae");
        config.model.likelihood = LikelihoodKind::GaussianLearned;
        config.model.center = true;
        config.train.optimizer = OptimizerKind::AdamW;
        config.train.weight_decay = 0.01;
        config
    };
    let scheduled = {
        let mut config = config("vae");
        config.train.schedule = ScheduleKind::Cosine;
        config.model.set("free_bits", 0.1).unwrap();
        config.model.set("kl_warmup", "cyclical").unwrap();
        config.model.set("kl_warmup_epochs", 2).unwrap();
        config.model.set("kl_cycles", 3).unwrap();
        config
    };
    let clipped = {
        let mut config = config("mlp");
        config.train.clip_norm = Some(0.05);
        config
    };
    let augmented = {
        let mut config = config("denoising");
        config.model.center = true;
        config.model.likelihood = LikelihoodKind::SquaredError;
        config.train.learning_rate = 1e-3;
        (config.train.random_flip, config.train.random_shift) = (true, Some(2));
        config.train.random_crop = Some(0.6);
        config
    };
    let variants = ["vae", "linear", "iwae", "adversarial"].map(config);
    [learned, momentum, scheduled, normalized(), clipped, augmented].into_iter().chain(variants).collect()
}

fn last(folder: &Path) -> Checkpoint {
    Checkpoint::last(&Registry::built_in(), folder).unwrap()
}

fn create(folder: &Path, config: &Config) -> Run {
    block_on(Run::create(folder, device(), config, &split())).unwrap()
}

fn resume_with(folder: &Path, change: impl FnOnce(&mut Config), data: &Split) -> Result<Run, Error> {
    let checkpoint = last(folder);
    let mut config = checkpoint.config.clone();
    change(&mut config);
    block_on(Run::resume(RunLock::take(folder)?, device(), &checkpoint, &config, data))
}

fn resume(folder: &Path) -> Run {
    resume_with(folder, |_| {}, &split()).unwrap()
}

fn to_the_end(mut run: Run) {
    block_on(run.train(&mut |_| true)).unwrap();
}

fn stop_at(mut run: Run, mut stop: impl FnMut(&RunEvent<'_>) -> bool) {
    let outcome = block_on(run.train(&mut |event| !stop(&event)));
    assert!(matches!(outcome, Err(Error::Stopped)), "{outcome:?}");
}

fn metrics_without_times(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        for time in ["seconds", "images_per_second"] {
            assert!(line.as_object_mut().unwrap().remove(time).is_some());
        }
        line
    };
    text.lines().map(line).collect()
}

fn assert_same_run(folder: &Path, whole: &Path, what: &str) {
    assert_eq!(listing(folder), listing(whole), "{what}");
    assert_eq!(metrics_without_times(folder), metrics_without_times(whole), "{what}");
    for name in listing(whole).into_iter().filter(|name| name != "metrics.jsonl") {
        let same = fs::read(folder.join(&name)).unwrap() == fs::read(whole.join(&name)).unwrap();
        assert!(same, "{what}: {name} differs");
    }
}

fn whole(config: &Config) -> TempDir {
    let folder = TempDir::new().unwrap();
    to_the_end(create(folder.path(), config));
    folder
}

#[test]
fn a_run_resumed_after_an_epoch_equals_an_uninterrupted_one() {
    for config in configs() {
        let folder = TempDir::new().unwrap();
        stop_at(create(folder.path(), &config), |event| matches!(event, RunEvent::Epoch(_)));
        let checkpoint = last(folder.path());
        // 41 images in batches of 8: the sixth step completes the first pass.
        assert_eq!((checkpoint.epoch(), checkpoint.step()), (1, 6));
        to_the_end(resume(folder.path()));
        assert_same_run(folder.path(), whole(&config).path(), config.model.variant.name());
    }
}

#[test]
fn a_run_resumed_in_the_middle_of_an_epoch_equals_an_uninterrupted_one() {
    for config in configs() {
        let folder = TempDir::new().unwrap();
        let early = |event: &RunEvent<'_>| matches!(event, RunEvent::Progress(_));
        stop_at(create(folder.path(), &config), early);
        let checkpoint = last(folder.path());
        assert_eq!(checkpoint.epoch(), 0);
        assert!((1..6).contains(&checkpoint.step()), "stopped at step {}", checkpoint.step());
        // And again, in the second epoch.
        let later = |event: &RunEvent<'_>| matches!(event, RunEvent::Progress(p) if p.epoch == 2);
        stop_at(resume(folder.path()), later);
        let checkpoint = last(folder.path());
        // How far depends on the steps that were submitted together: up to the last before validation.
        assert!(
            (7..=11).contains(&checkpoint.step()) && checkpoint.epoch() == 1,
            "stopped at step {}",
            checkpoint.step()
        );
        to_the_end(resume(folder.path()));
        assert_same_run(folder.path(), whole(&config).path(), config.model.variant.name());
    }
}

#[test]
fn a_run_resumed_with_more_epochs_equals_one_that_had_them_from_the_start() {
    let longer = config("vae");
    let mut shorter = longer.clone();
    shorter.train.epochs = 1;
    let folder = whole(&shorter);
    to_the_end(
        resume_with(folder.path(), |config| config.train.epochs = longer.train.epochs, &split()).unwrap(),
    );
    assert_same_run(folder.path(), whole(&longer).path(), "more epochs");
}

#[test]
fn a_run_that_died_before_its_checkpoint_does_the_epoch_again() {
    let config = config("mlp");
    let folder = TempDir::new().unwrap();
    stop_at(create(folder.path(), &config), |event| matches!(event, RunEvent::Epoch(_)));
    let metrics = folder.path().join("metrics.jsonl");
    let text = fs::read_to_string(&metrics).unwrap();
    fs::write(&metrics, format!("{text}{}{{\"epoch\":1,\"st", text.replace("\"epoch\":1", "\"epoch\":2")))
        .unwrap();
    to_the_end(resume(folder.path()));
    assert_same_run(folder.path(), whole(&config).path(), "died");
}

#[test]
fn a_complete_run_resumed_changes_nothing() {
    let config = config("linear");
    let folder = whole(&config);
    to_the_end(resume(folder.path()));
    assert_same_run(folder.path(), whole(&config).path(), "complete");
}

fn refusal(folder: &Path, change: impl FnOnce(&mut Config), data: &Split) -> String {
    resume_with(folder, change, data).err().unwrap().to_string()
}

#[test]
fn a_run_is_not_resumed_as_another_model_or_with_other_settings() {
    let folder = whole(&config("mlp"));
    let changes: [fn(&mut Config); 4] = [
        // As many parameters, but not the same model.
        |config| config.model.activation = narrows::reference::activation::Activation::Tanh,
        |config| config.model.hidden = vec![13],
        |config| config.train.optimizer = OptimizerKind::Adam,
        |config| config.train.learning_rate *= 2.0,
    ];
    for change in changes {
        let text = refusal(folder.path(), change, &split());
        assert!(text.starts_with("checkpoint: expected one of this model and these settings"), "{text}");
    }
    let text = refusal(folder.path(), |config| config.train.epochs = 2, &split());
    assert_eq!(text, "epochs: expected at least the 3 that are done, got 2");
}

#[test]
fn a_run_whose_learning_rate_falls_over_its_epochs_is_not_made_longer() {
    let mut config = config("mlp");
    config.train.schedule = ScheduleKind::Linear;
    let folder = whole(&config);
    let text = refusal(folder.path(), |config| config.train.epochs = 5, &split());
    assert_eq!(text, "epochs: expected the 3 over which the run's learning rate falls to zero, got 5");
    assert!(resume_with(folder.path(), |_| {}, &split()).is_ok());
}

#[test]
fn a_run_is_not_resumed_on_other_images() {
    let folder = whole(&config("mlp"));
    let fewer = Split::new(dataset(49), dataset(11), Some(9)).unwrap();
    let text = refusal(folder.path(), |_| {}, &fewer);
    assert!(text.starts_with("training images: expected 41 images with the CRC-32 "), "{text}");
    assert!(text.contains("got 40 images"), "{text}");
    let mut changed = split();
    let mut bytes = changed.train.bytes().to_vec();
    bytes[3] ^= 1;
    changed.train.values = bytes.into();
    assert!(refusal(folder.path(), |_| {}, &changed).contains("got 41 images with the CRC-32 "));
}

#[test]
fn a_new_run_does_not_overwrite_another() {
    let config = config("mlp");
    let folder = whole(&config);
    let before = fs::read(folder.path().join("last.safetensors")).unwrap();
    let error = block_on(Run::create(folder.path(), device(), &config, &split())).err().unwrap();
    assert!(
        error
            .to_string()
            .ends_with("expected a folder without a run, or --resume to continue this one, found a run")
    );
    assert_eq!(fs::read(folder.path().join("last.safetensors")).unwrap(), before);
}

#[test]
fn a_run_that_cannot_begin_leaves_no_folder() {
    let parent = TempDir::new().unwrap();
    let mut config = config("mlp");
    config.train.batch = 42;
    let folder = parent.path().join("run");
    let error = block_on(Run::create(&folder, device(), &config, &split())).err().unwrap();
    assert_eq!(error.to_string(), "batch: expected between 1 and the 41 images there are, got 42");
    assert!(listing(parent.path()).is_empty());
    fs::write(&folder, "a file").unwrap();
    for place in [&folder, &folder.join("run")] {
        let error = block_on(Run::create(place, device(), &config, &split())).err().unwrap();
        let expected = "expected a folder, or nothing of that name, found a file";
        assert_eq!(error.to_string(), format!("{}: {expected}", folder.display()));
    }
}

#[test]
fn a_device_that_is_lost_in_a_run_costs_nothing_before_the_last_checkpoint() {
    let only_defaults = std::env::var_os("NARROWS_TEST_DEFAULTS").is_some();
    let options = GpuOptions { only_defaults, ..GpuOptions::default() };
    let own = block_on(Device::open(&options)).unwrap();
    let config = config("denoising");
    let folder = TempDir::new().unwrap();
    let mut run = block_on(Run::create(folder.path(), &own, &config, &split())).unwrap();
    let Device::Gpu(gpu) = &own else { panic!("a GPU") };
    let lost = block_on(run.train(&mut |event| {
        if matches!(event, RunEvent::Progress(progress) if progress.epoch == 2) {
            gpu.device.destroy();
        }
        true
    }));
    assert!(matches!(lost, Err(Error::DeviceLost { .. })), "{lost:?}");
    drop(run);
    assert_eq!(last(folder.path()).epoch(), 1);
    to_the_end(resume(folder.path()));
    assert_same_run(folder.path(), whole(&config).path(), "after the loss of a device");
}
