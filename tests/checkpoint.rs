//! Checkpoint files: written whole or not at all, and refused by name where they are damaged or foreign.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use narrows::model::Registry;
use narrows::train::{Checkpoint, Config, Trainer};
use narrows::{Error, Result};
use pollster::block_on;
use safetensors::SafeTensors;
use serde_json::{Value, json};
use tempfile::TempDir;
use tiny::{config, device, listing, normalized, split};

fn trained(variant: &str) -> Checkpoint {
    trained_as(&config(variant))
}

fn trained_as(config: &Config) -> Checkpoint {
    let mut trainer = block_on(Trainer::new(device(), config, &split())).unwrap();
    block_on(trainer.epoch(&mut |_| true)).unwrap();
    block_on(trainer.checkpoint()).unwrap()
}

fn saved(checkpoint: &Checkpoint) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.safetensors");
    checkpoint.save(&path).unwrap();
    (folder, path)
}

fn refusal(path: &Path) -> String {
    let text = Checkpoint::load(path).unwrap_err().to_string();
    text.strip_prefix(&format!("{}: ", path.display())).unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn a_checkpoint_comes_back_as_it_was_saved() {
    for variant in Registry::built_in().variants() {
        let variant = variant.name();
        let checkpoint = trained(variant);
        let (folder, path) = saved(&checkpoint);
        assert_eq!(Checkpoint::load(&path).unwrap(), checkpoint, "{variant}");
        assert_eq!(listing(folder.path()), ["model.safetensors"]);
    }
}

#[test]
fn parameters_stand_in_the_file_under_their_names() {
    let checkpoint = trained("vae");
    let (_folder, path) = saved(&checkpoint);
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for (name, slot) in checkpoint.slots.iter() {
        let tensor = file.tensor(name).unwrap();
        assert_eq!(tensor.shape(), slot.shape, "{name}");
        assert_eq!(tensor.data(), bytemuck::cast_slice::<f32, u8>(&slot.values), "{name}");
    }
    assert_eq!(file.tensor("encoder.1.weight").unwrap().shape(), [6, 12]);
    assert!(file.tensor("moment2.decoder.1.bias").is_ok());
    assert_eq!(file.tensor("model.rates").unwrap().shape(), [4]);
}

#[test]
fn running_statistics_stand_beside_the_parameters_where_there_are_any() {
    let checkpoint = trained_as(&normalized());
    let (_folder, path) = saved(&checkpoint);
    assert_eq!(Checkpoint::load(&path).unwrap(), checkpoint);
    let bytes = fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let first = |name: &str| {
        let tensor = file.tensor(name).unwrap();
        (tensor.shape().to_vec(), bytemuck::pod_read_unaligned::<f32>(&tensor.data()[..4]))
    };
    // Neither where they began any more, nor among what the optimizer moves.
    let (shape, mean) = first("encoder.1.running_mean");
    assert!(shape == [3] && mean != 0.0, "{shape:?}, {mean}");
    let (shape, variance) = first("decoder.1.running_variance");
    assert!(shape == [12] && variance != 1.0 && variance > 0.0, "{shape:?}, {variance}");
    assert!(file.tensor("momentum.encoder.1.scale").is_ok());
    assert!(file.tensor("momentum.encoder.1.running_mean").is_err());
    rewrite(&path, |name| name != "encoder.1.running_mean", |_| {});
    let text = refusal(&path);
    let expected = "expected a tensor \"encoder.1.running_mean\" of shape [3], found nothing of that name";
    assert!(text.starts_with(expected), "{text}");
    assert!(trained("mlp").slots.iter().all(|(name, _)| !name.contains("running")));
}

#[test]
fn a_save_that_fails_leaves_the_old_file_and_nothing_else() {
    let checkpoint = trained("mlp");
    let (folder, path) = saved(&checkpoint);
    let missing = folder.path().join("missing").join("model.safetensors");
    let is_io = |outcome: Result<()>, at: &Path| matches!(outcome, Err(Error::Io { path, .. }) if path == at);
    assert!(is_io(checkpoint.save(&missing), &missing));
    // A folder in the file's place: everything goes well up to the last move.
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    assert!(is_io(checkpoint.save(&taken), &taken));
    assert_eq!(listing(folder.path()), ["model.safetensors", "taken"]);
    assert_eq!(Checkpoint::load(&path).unwrap(), checkpoint);
}

#[cfg(unix)]
#[test]
fn a_checkpoint_can_be_read_by_whom_the_umask_allows() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = saved(&trained("mlp"));
    let plain = folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&plain));
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let (_folder, path) = saved(&trained("mlp"));
    let whole = fs::read(&path).unwrap();
    for length in [0, 7, 8, 300, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let text = refusal(&path);
        assert!(
            text.starts_with("expected a whole safetensors file, found a damaged or foreign one"),
            "{text}"
        );
    }
    fs::write(&path, "GIF89a, as it were, and more of it").unwrap();
    assert!(refusal(&path).starts_with("expected a whole safetensors file, found a damaged or foreign one"));
    fs::remove_file(&path).unwrap();
    assert!(refusal(&path).starts_with("cannot read: "));
}

/// Writes the file again with some tensors left out and the header changed.
fn rewrite(path: &Path, keep: impl Fn(&str) -> bool, change: impl FnOnce(&mut Value)) {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut header = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["narrows"]).unwrap();
    change(&mut header);
    let metadata = (!header.is_null()).then(|| HashMap::from([("narrows".to_owned(), header.to_string())]));
    let tensors = file.iter().filter(|(name, _)| keep(name));
    fs::write(path, safetensors::serialize(tensors, metadata).unwrap()).unwrap();
}

#[test]
fn a_foreign_or_later_file_is_refused() {
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 4] = [
        (
            |header| *header = Value::Null,
            "expected a checkpoint of narrows, found safetensors of another program",
        ),
        (
            |header| *header = json!({ "format": "narrows checkpoint 3", "new": 1 }),
            "expected \"narrows checkpoint 2\", found \"narrows checkpoint 3\"",
        ),
        (
            |header| header["config"]["model"]["latent"] = json!("many"),
            "expected a model that can be, found its configuration: model.latent: expected u32, got invalid type: \
             string \"many\"",
        ),
        (
            |header| header["config"]["model"]["variant"] = json!("gan"),
            "expected a model that can be, found its configuration: model.variant: expected one of linear, mlp, ",
        ),
    ];
    let checkpoint = trained("mlp");
    for (change, expected) in changes {
        let (_folder, path) = saved(&checkpoint);
        rewrite(&path, |_| true, change);
        let text = refusal(&path);
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn a_file_without_a_tensor_or_with_another_shape_is_refused() {
    let checkpoint = trained("linear");
    for (missing, expected) in [
        (
            "encoder.0.weight",
            "expected a tensor \"encoder.0.weight\" of shape [3, 35], found nothing of that name",
        ),
        (
            "moment1.encoder.0.weight",
            "expected a tensor \"moment1.encoder.0.weight\" of shape [3, 35], found nothing of that name",
        ),
        ("model.rates", "expected a tensor \"model.rates\" of shape [4], found nothing of that name"),
        ("center", "expected a tensor \"center\" of 35 words, found none"),
        ("state", "expected a tensor \"state\" of 5 words, found none"),
    ] {
        let (_folder, path) = saved(&checkpoint);
        rewrite(&path, |name| name != missing, |_| {});
        let text = refusal(&path);
        assert!(text.starts_with(expected), "{text}");
    }
    let (_folder, path) = saved(&checkpoint);
    rewrite(&path, |_| true, |header| header["config"]["model"]["latent"] = json!(2));
    assert!(refusal(&path).contains("\"encoder.0.weight\" of shape [2, 35], found [3, 35]"));
}

#[test]
fn a_number_that_is_not_finite_is_refused() {
    let (_folder, path) = saved(&trained("mlp"));
    let whole = fs::read(&path).unwrap();
    for (name, value) in [("encoder.0.weight", f32::NAN), ("decoder.1.bias", f32::INFINITY)] {
        let file = SafeTensors::deserialize(&whole).unwrap();
        let at = file.tensor(name).unwrap().data().as_ptr() as usize - whole.as_ptr() as usize;
        let mut damaged = whole.clone();
        damaged[at + 4..at + 8].copy_from_slice(&value.to_le_bytes());
        fs::write(&path, damaged).unwrap();
        assert_eq!(refusal(&path), format!("expected finite numbers in the tensor {name:?}, found {value}"));
    }
}

#[test]
fn a_place_beyond_the_last_image_is_refused() {
    let (_folder, path) = saved(&trained("mlp"));
    let mut bytes = fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let cursor = file.tensor("state").unwrap().data().as_ptr() as usize - bytes.as_ptr() as usize + 4 * 4;
    bytes[cursor..cursor + 4].copy_from_slice(&41_u32.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    assert_eq!(refusal(&path), "expected a cursor below the 41 images, found 41");
}

#[test]
fn a_header_that_claims_the_absurd_takes_no_memory() {
    let checkpoint = trained("mlp");
    for (shape, latent) in [
        (json!([u64::MAX, u64::MAX, 3]), 3),
        (json!([0, 5, 1]), 3),
        (json!([60_000, 3, 1]), 10_000),
        (json!([7, 5, 1]), u32::MAX),
    ] {
        let (_folder, path) = saved(&checkpoint);
        rewrite(
            &path,
            |_| true,
            |header| {
                header["shape"] = shape.clone();
                header["config"]["model"]["latent"] = json!(latent);
                header["config"]["model"]["hidden"] = json!([]);
            },
        );
        let text = refusal(&path);
        assert!(text.starts_with("expected "), "{shape}: {text}");
    }
}

#[test]
fn a_folder_stands_for_its_best_checkpoint_and_else_its_last() {
    let folder = TempDir::new().unwrap();
    let registry = Registry::built_in();
    let [last, best] = [trained("mlp"), trained("vae")];
    let text = Checkpoint::find(&registry, folder.path()).unwrap_err().to_string();
    assert!(
        text.ends_with("expected a run's folder, with last.safetensors, found a folder without it"),
        "{text}"
    );
    last.save(folder.path().join("last.safetensors")).unwrap();
    assert_eq!(Checkpoint::find(&registry, folder.path()).unwrap(), last);
    best.save(folder.path().join("best.safetensors")).unwrap();
    assert_eq!(Checkpoint::find(&registry, folder.path()).unwrap(), best);
    assert_eq!(Checkpoint::find(&registry, &folder.path().join("last.safetensors")).unwrap(), last);
    assert_eq!(Checkpoint::last(&registry, folder.path()).unwrap(), last);
}
