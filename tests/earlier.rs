//! What an earlier version of the program left: a checkpoint of format 1 and a configuration that spelled out every
//! setting resume to what its own uninterrupted run came to, but for the rounding of a step's kernels, which are others.
//!
//! `tests/format1` is a run of the last version that wrote that format, on its CPU reference: `stopped.safetensors` was
//! interrupted at step 410 of 563, in the third epoch of four; `whole.safetensors` never stopped. Between them lie the
//! end of a warm-up, most of a cosine schedule, running statistics and the sums of an epoch under way. The test trains on
//! the CPU reference too, whatever devices there are: it alone has the same bits on every machine.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use narrows::graph::Device;
use narrows::model::{Registry, VaeSettings, WarmupKind};
use narrows::run::read_metrics;
use narrows::train::{Checkpoint, Config, ScheduleKind, Trainer};
use pollster::block_on;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format1").join(name)
}

fn config() -> Config {
    Config::load(&Registry::built_in(), &file("config.toml"), "mlp").unwrap()
}

// The numbers in a text, and what stands between them.
fn numbers(text: &str) -> (Vec<f64>, Vec<&str>) {
    let words = || text.split(|letter: char| !(letter.is_ascii_alphanumeric() || ".+-_".contains(letter)));
    (
        words().filter_map(|word| word.parse().ok()).collect(),
        words().filter(|word| word.parse::<f64>().is_err()).collect(),
    )
}

// Within two units in the last place of f32.
fn assert_alike(resumed: &str, whole: &str) {
    let ((ours, between), (theirs, between_theirs)) = (numbers(resumed), numbers(whole));
    assert_eq!((between, ours.len()), (between_theirs, theirs.len()));
    for (own, other) in ours.iter().zip(&theirs) {
        assert!((own - other).abs() <= 1e-7 + 3e-7 * other.abs(), "{own} is not {other}");
    }
}

#[test]
fn a_run_of_format_1_goes_on_to_what_the_program_that_began_it_came_to() {
    let [stopped, whole] = ["stopped", "whole"].map(|name| {
        let path = file(&format!("{name}.safetensors"));
        let bytes = std::fs::read(&path).unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains("narrows checkpoint 1"), "{name}");
        Checkpoint::load(path).unwrap()
    });
    assert_eq!((stopped.epoch(), stopped.step(), stopped.kernels.as_deref()), (2, 410, None));
    assert_eq!((whole.epoch(), whole.step()), (4, 563));
    for name in ["encoder.1.running_mean", "moment1.decoder.0.weight", "model.rates", "kl.share"] {
        assert_ne!(stopped.slots.get(name).unwrap(), whole.slots.get(name).unwrap(), "{name}");
    }

    let config = config();
    let data = config.data.load().unwrap();
    let mut trainer = block_on(Trainer::new(&Device::Cpu, &config, &data)).unwrap();
    trainer.restore(&stopped).unwrap();
    while trainer.epochs_done() < config.train.epochs {
        block_on(trainer.epoch(&mut |_| true)).unwrap();
    }
    let mut resumed = block_on(trainer.checkpoint()).unwrap();
    // What that format did not keep.
    assert!(whole.constant.is_none() && resumed.constant.take().is_some());
    assert!(!whole.bytes && std::mem::take(&mut resumed.bytes));
    // Nor does it stand elsewhere, or rank its epochs otherwise: only the marks of the other parts are new.
    let before = |checkpoint: &Checkpoint| {
        let all = format!("{checkpoint:?}");
        all.rsplit_once(", validation: ").map(|(before, _)| before.to_owned()).unwrap()
    };
    assert_alike(&before(&resumed), &before(&whole));
    // Saved again it is of the present format, and the same.
    assert_eq!(Checkpoint::from_bytes(&stopped.to_bytes().unwrap()).unwrap(), stopped);
}

#[test]
fn a_configuration_that_spelled_out_every_setting_means_what_it_meant() {
    let config = config();
    config.check().unwrap();
    assert_eq!((config.preset.as_str(), config.model.variant.name()), ("vae", "vae"));
    let expected = VaeSettings {
        free_bits: 0.05,
        kl_warmup: WarmupKind::Linear,
        kl_warmup_epochs: 3,
        ..VaeSettings::default()
    };
    assert_eq!(config.model.settings::<VaeSettings>().unwrap(), expected);
    assert_eq!((config.train.schedule, config.train.seed), (ScheduleKind::Cosine, 7));
    // What does not apply is gone, and what is left is written without it.
    assert_eq!(
        (config.model.deviation, config.model.corruption_amount, config.train.momentum),
        (None, None, None)
    );
    let text = config.to_toml().unwrap();
    assert_eq!(Config::from_toml(&Registry::built_in(), &text, "mlp", "again").unwrap(), config);
    for setting in ["contraction", "sparsity", "deviation", "momentum = 0.0", "kl_cycles"] {
        assert!(!text.contains(setting), "{setting}: {text}");
    }
}

#[test]
fn the_metrics_of_an_earlier_run_are_read() {
    let lines = read_metrics(&file("metrics.jsonl")).unwrap();
    assert_eq!(lines.iter().map(|line| line.epoch).collect::<Vec<_>>(), [1, 2]);
    for line in &lines {
        let names: Vec<&str> = line.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["reconstruction", "kl"]);
        let validation = line.validation.as_ref().unwrap();
        let sum: f64 = validation.terms.values().sum();
        assert!((validation.elbo.unwrap() + sum).abs() < 1e-12 && (validation.objective - sum).abs() < 1e-12);
    }
}

/// The weight belongs to the penalty, whichever name comes first.
#[test]
fn the_objective_of_an_earlier_line_weighs_its_penalty() {
    let place = tempfile::TempDir::new().unwrap();
    let path = place.path().join("metrics.jsonl");
    let line = r#"{"epoch":1,"step":9,"unit":"nats","penalty":"contraction","penalty_weight":0.5,"train":
        {"reconstruction_per_image":4.0,"reconstruction_per_pixel":0.5,"penalty_per_image":2.0},
        "validation":null,"best":true,"seconds":1.0,"images_per_second":1.0}"#;
    std::fs::write(&path, line.replace('\n', " ")).unwrap();
    let [line] = &read_metrics(&path).unwrap()[..] else { panic!("one line") };
    assert_eq!((line.train.objective, line.train.elbo, line.columns[1].weight), (5.0, None, 0.5));
    assert!(line.validation.is_none());
}
