//! A variant with an operation from outside has the whole command line, and its codebook resumes to the same bits.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use narrows::gpu::GpuOptions;
use narrows::graph::{Device, Slots};
use narrows::model::Registry;
use narrows::train::{Checkpoint, Config, Trainer};
use own_op::{VectorQuantised, VectorQuantisedSettings};
use tempfile::TempDir;

fn run(folder: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_own-op")).current_dir(folder).args(line.split(' ')).output().unwrap()
}

fn success(folder: &Path, line: &str) -> String {
    let output = run(folder, line);
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{line}\n{out}\n{err}");
    out
}

fn refusal(folder: &Path, line: &str) -> String {
    let refused = run(folder, line);
    assert!(!refused.status.success(), "{line}");
    String::from_utf8(refused.stderr).unwrap()
}

fn registry() -> Registry {
    Registry::built_in().with(VectorQuantised)
}

const SMALL: &str = "--hidden 9 --latent 6 --pieces 3 --entries 5";

#[test]
fn it_trains_and_goes_on_to_the_same_bits() {
    let place = TempDir::new().unwrap();
    let train = format!("train vq-vae {SMALL} --commitment-weight 0.5");
    let said = success(place.path(), &format!("{train} --epochs 2 --run whole"));
    assert!(said.contains("0.5 x commitment (squared distance, summed over the code"), "{said}");
    success(place.path(), &format!("{train} --epochs 1 --run halves"));
    success(place.path(), "train --resume halves --epochs 2");
    let file = |run: &str, name: &str| fs::read(place.path().join(run).join(name)).unwrap();
    assert!(file("whole", "last.safetensors") == file("halves", "last.safetensors"));

    let checkpoint = Checkpoint::last(&registry(), &place.path().join("whole")).unwrap();
    assert_eq!(checkpoint.config.model.variant.name(), "vq-vae");
    let said = success(place.path(), "eval whole");
    assert!(said.contains("\ncommitment "), "{said}");
    success(place.path(), "reconstruct whole");
}

#[test]
fn it_is_planned_and_the_device_agrees_with_the_reference() {
    let place = TempDir::new().unwrap();
    for how in ["--check", "--device cpu"] {
        let said = success(place.path(), &format!("plan vq-vae --batch 5 {SMALL} {how}"));
        assert!(
            ["nearest", "look_up", "count", "sum", "renew"]
                .iter()
                .all(|entry| { said.contains(&format!("codebook::{entry}")) }),
            "{said}"
        );
    }
}

#[test]
fn its_settings_are_its_own_and_checked() {
    let place = TempDir::new().unwrap();
    assert!(success(place.path(), "presets").contains("vq-vae"));
    let help = success(place.path(), "train --help");
    for flag in ["--entries <K>", "--pieces <N>", "--codebook-decay <D>", "--commitment-weight <BETA>"] {
        assert!(help.contains(flag), "{help}");
    }
    for (flags, named) in [
        ("--entries 0", "entries"),
        ("--pieces 0", "pieces"),
        ("--latent 6 --pieces 4", "a code of 6"),
        ("--codebook-decay 1", "codebook_decay"),
        ("--commitment-weight=-1", "commitment_weight"),
        ("--kl-weight 1", "kl_weight"),
    ] {
        let said = refusal(place.path(), &format!("train vq-vae {flags}"));
        assert!(said.contains(named), "{flags}: {said}");
    }
    let text = "[model]\nvariant = 'vq-vae'\nlatent = 8\npieces = 2\nentries = 17\n";
    let config = Config::from_toml(&registry(), text, "vae", "own.toml").unwrap();
    let own: VectorQuantisedSettings = config.model.settings().unwrap();
    assert_eq!((own.entries, own.pieces, own.codebook_decay), (17, 2, 0.99));
    let text = "[model]\nvariant = 'vq-vae'\nentires = 17\n";
    let error = Config::from_toml(&registry(), text, "vae", "own.toml").unwrap_err().to_string();
    assert!(error.contains("entries"), "{error}");
}

#[test]
fn epochs_lower_the_reconstruction_and_evaluations_leave_the_codebook() {
    pollster::block_on(async {
        let text = "[model]\nvariant = 'vq-vae'\nhidden = [32]\nlatent = 8\npieces = 4\nentries = 16\n";
        let config = Config::from_toml(&registry(), text, "vq-vae", "own.toml").unwrap();
        let images = config.data.load().unwrap();
        let device = Device::open(&GpuOptions::default()).await.unwrap();
        let mut trainer = Trainer::new(&device, &config, &images).await.unwrap();
        let codebook = |slots: &Slots| {
            ["vectors", "sizes", "sums"]
                .map(|name| slots.get(&format!("codebook.{name}")).unwrap().1.to_vec())
        };
        let mut losses = Vec::new();
        for _ in 0..3 {
            let before = codebook(&trainer.replay().read_slots().await.unwrap());
            let report = trainer.epoch(&mut |_| true).await.unwrap();
            losses.push(report.validation.unwrap().reconstruction().unwrap().1);
            let after = codebook(&trainer.replay().read_slots().await.unwrap());
            assert!(before.iter().zip(&after).all(|(before, after)| before != after));
            trainer.validate().await.unwrap();
            assert!(after == codebook(&trainer.replay().read_slots().await.unwrap()));
        }
        assert!(losses.is_sorted_by(|before, after| after < before), "{losses:?}");
    });
}
