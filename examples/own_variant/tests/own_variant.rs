//! A variant from outside has the whole command line: it trains, resumes to the same bits, is planned and checked.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use narrows::model::Registry;
use narrows::train::{Checkpoint, Config};
use own_variant::Spherical;
use tempfile::TempDir;

fn run(folder: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_own-variant"))
        .current_dir(folder)
        .args(line.split(' '))
        .output()
        .unwrap()
}

fn success(folder: &Path, line: &str) -> String {
    let output = run(folder, line);
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{line}\n{out}\n{err}");
    out
}

const TRAIN: &str = "train spherical --hidden 9 --latent 3 --radius-weight 0.5";

#[test]
fn it_trains_and_goes_on_to_the_same_bits() {
    let place = TempDir::new().unwrap();
    let said = success(place.path(), &format!("{TRAIN} --epochs 2 --run whole"));
    assert!(said.contains("0.5 x radius (squared distance, summed over the code"), "{said}");
    success(place.path(), &format!("{TRAIN} --epochs 1 --run halves"));
    success(place.path(), "train --resume halves --epochs 2");
    let file = |run: &str, name: &str| fs::read(place.path().join(run).join(name)).unwrap();
    assert!(file("whole", "last.safetensors") == file("halves", "last.safetensors"));

    let registry = Registry::built_in().with(Spherical);
    let checkpoint = Checkpoint::last(&registry, &place.path().join("whole")).unwrap();
    assert_eq!(checkpoint.config.model.variant.name(), "spherical");
    let said = success(place.path(), "eval whole");
    assert!(said.contains("\nradius "), "{said}");
}

#[test]
fn it_is_planned_and_the_device_agrees_with_the_reference() {
    let place = TempDir::new().unwrap();
    for how in ["--check", "--device cpu"] {
        let said = success(place.path(), &format!("plan spherical --batch 5 --hidden 9 --latent 3 {how}"));
        assert!(said.contains("row mean"), "{said}");
    }
}

#[test]
fn its_settings_are_its_own() {
    let place = TempDir::new().unwrap();
    assert!(success(place.path(), "presets").contains("spherical"));
    assert!(success(place.path(), "train --help").contains("--radius-weight <W>"));
    let refused = run(place.path(), "train spherical --kl-weight 2");
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("kl_weight") && said.contains("radius_weight"), "{said}");
    let refused = run(place.path(), "train vae --radius-weight 2");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("radius_weight is one of spherical"), "{said}");

    let registry = Registry::built_in().with(Spherical);
    let text = "[model]\nvariant = 'spherical'\nradius_weight = 0.25\n";
    let config = Config::from_toml(&registry, text, "vae", "own.toml").unwrap();
    let own: own_variant::SphericalSettings = config.model.settings().unwrap();
    assert_eq!(own.radius_weight, 0.25);
    let text = "[model]\nvariant = 'spherical'\nradius_weigth = 0.25\n";
    let error = Config::from_toml(&registry, text, "vae", "own.toml").unwrap_err().to_string();
    assert!(error.contains("radius_weight"), "{error}");
}
