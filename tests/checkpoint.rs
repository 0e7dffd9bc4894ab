//! Checkpoint files: written whole or not at all, and refused by name where they are damaged or foreign.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use narrows::data::{Dataset, ScaleKind, Split};
use narrows::model::Registry;
use narrows::run::{Found, Kept};
use narrows::train::{Checkpoint, Config, Trainer};
use narrows::{Error, Result};
use pollster::block_on;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
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
    let mut header: Value = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["narrows"]).unwrap();
    // As of a version without checksums: what is changed is not seen by them.
    for checksum in ["crc32", "header_crc32"] {
        assert!(header.as_object_mut().unwrap().remove(checksum).is_some());
    }
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
            "expected a model that can be, found its configuration: model.latent: expected a whole number, as \
             400, got \"many\"",
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
        ("center", "expected a tensor \"center\" of 35 words of F32, found nothing of that name"),
        ("state", "expected a tensor \"state\" of 5 words of U32, found nothing of that name"),
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

/// The file with the first word of a tensor changed.
fn with_word(path: &Path, name: &str, at: usize, word: u32) {
    let mut bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let at = file.tensor(name).unwrap().data().as_ptr() as usize - bytes.as_ptr() as usize + 4 * at;
    bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
    fs::write(path, bytes).unwrap();
}

// With a mean image and a scale.
fn of_floats() -> Checkpoint {
    let numbers =
        |count: usize| tiny::pixels(count).iter().map(|byte| f32::from(*byte) - 3.0).collect::<Vec<_>>();
    let set = |count| Dataset::new("floats", [7, 5, 1], numbers(count), None).unwrap();
    let mut config = config("linear");
    config.data.scale = ScaleKind::Standard;
    config.model.center = true;
    let split = Split::new(set(50), set(11), Some(9)).unwrap();
    block_on(block_on(Trainer::new(device(), &config, &split)).unwrap().checkpoint()).unwrap()
}

#[test]
fn a_tensor_that_was_changed_after_it_was_saved_is_named_whichever_it_is() {
    let (_folder, path) = saved(&of_floats());
    let whole = fs::read(&path).unwrap();
    let names: Vec<String> =
        SafeTensors::deserialize(&whole).unwrap().names().into_iter().map(str::to_owned).collect();
    for special in
        ["center", "constant", "scale.shift", "scale.factor", "scale.range", "state", "model.rates"]
    {
        assert!(names.iter().any(|name| name == special), "{special}: {names:?}");
    }
    for name in &names {
        fs::write(&path, &whole).unwrap();
        // A number as good as any other.
        with_word(&path, name, 0, 0.25_f32.to_bits());
        assert_eq!(
            refusal(&path),
            format!("expected the tensor {name:?} as it was saved, found one that was changed since")
        );
        if name == "state" {
            continue;
        }
        fs::write(&path, &whole).unwrap();
        rewrite(&path, |_| true, |_| {});
        with_word(&path, name, 0, f32::NAN.to_bits());
        assert_eq!(refusal(&path), format!("expected finite numbers in the tensor {name:?}, found NaN"));
    }
}

#[test]
fn any_byte_that_is_changed_is_seen() {
    let (_folder, path) = saved(&trained("linear"));
    let whole = fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    // In the header all but the spaces that fill it up, of the tensors some.
    let text = whole[..header].iter().rposition(|byte| *byte != b' ').unwrap() + 1;
    for at in (0..text).step_by(3).chain((header..whole.len()).step_by(97)) {
        let mut damaged = whole.clone();
        damaged[at] ^= 4;
        assert!(Checkpoint::from_bytes(&damaged).is_err(), "byte {at}");
    }
}

#[test]
fn integers_under_the_name_of_floats_are_refused() {
    let (_folder, path) = saved(&of_floats());
    rewrite(&path, |_| true, |_| {});
    let bytes = fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    for (changed, from, to) in [
        ("encoder.0.weight", Dtype::F32, Dtype::U32),
        ("center", Dtype::F32, Dtype::U32),
        ("constant", Dtype::F32, Dtype::I32),
        ("scale.shift", Dtype::F32, Dtype::U32),
        ("scale.factor", Dtype::F32, Dtype::U32),
        ("scale.range", Dtype::F32, Dtype::U32),
        ("state", Dtype::U32, Dtype::F32),
    ] {
        let tensors = file.iter().map(|(name, tensor)| {
            let dtype = if name == changed { to } else { tensor.dtype() };
            (name, TensorView::new(dtype, tensor.shape().to_vec(), tensor.data()).unwrap())
        });
        fs::write(&path, safetensors::serialize(tensors, metadata.metadata().clone()).unwrap()).unwrap();
        let text = refusal(&path);
        let named = text.starts_with(&format!("expected a tensor {changed:?} of "));
        assert!(named && text.contains(&format!("{from:?}")) && text.contains(&format!("{to:?}")), "{text}");
    }
}

#[test]
fn a_state_and_a_header_that_contradict_each_other_are_refused() {
    type Change = fn(&mut Value);
    let checkpoint = trained("mlp");
    // 41 images in batches of 8: after the first epoch 6 steps are done, and the second pass is at image 7.
    for (word, value, expected) in [
        (0, 1, "expected a state of step 6 of the seed 0, "),
        (2, 7, "expected a state of step 6 of the seed 0, "),
        (3, 0, "expected a state of step 6 of the seed 0, "),
        (4, 8, "expected a state of step 6 of the seed 0, "),
        (4, 41, "expected a cursor below the 41 images, found 41"),
        (4, u32::MAX, "expected a cursor below the 41 images, found 4294967295"),
    ] {
        let (_folder, path) = saved(&checkpoint);
        rewrite(&path, |_| true, |_| {});
        with_word(&path, "state", word, value);
        let text = refusal(&path);
        assert!(text.starts_with(expected), "{word}, {value}: {text}");
    }
    let changes: [(Change, &str); 8] = [
        (|header| header["epoch"] = json!(3), "expected between 16 and 21 steps after 3 epochs, found 6"),
        (|header| header["epoch"] = json!(4), "expected at most the 3 epochs of its configuration, found 4"),
        (
            |header| header["epoch"] = json!(u32::MAX),
            "expected at most the 3 epochs of its configuration, found ",
        ),
        (|header| header["step"] = json!(5), "expected between 6 and 11 steps after 1 epochs, found 5"),
        (|header| header["step"] = json!(u64::MAX), "expected between 6 and 11 steps after 1 epochs, found "),
        (
            |header| header["running"][0]["steps"] = json!(1),
            "expected a sum of the term reconstruction over 0 steps, found 1",
        ),
        (
            |header| header["running"][0]["sum_bits"] = json!(f64::INFINITY.to_bits()),
            "expected a finite sum of the term reconstruction, found inf",
        ),
        (
            |header| header["best_bits"] = json!(f64::NAN.to_bits()),
            "expected a finite objective of the best epoch, found NaN",
        ),
    ];
    for (change, expected) in changes {
        let (_folder, path) = saved(&checkpoint);
        rewrite(&path, |_| true, change);
        let text = refusal(&path);
        assert!(text.starts_with(expected), "{text}");
    }
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
fn more_layers_than_any_model_has_are_refused_before_they_are_planned() {
    let checkpoint = trained("mlp");
    for (setting, layer) in [("hidden", json!(1)), ("encoder", json!({ "layer": "dense", "units": 1 }))] {
        let (_folder, path) = saved(&checkpoint);
        let layers = vec![layer; 100_000];
        rewrite(
            &path,
            |_| true,
            |header| {
                header["config"]["model"]["hidden"] = json!([]);
                header["config"]["model"][setting] = json!(layers);
            },
        );
        let expected = format!(
            "expected a model that can be, found {setting}: expected at most 1000 layers, got 100000"
        );
        assert_eq!(refusal(&path), expected);
    }
}

#[test]
fn a_folder_stands_for_its_best_checkpoint_and_else_its_last() {
    // Runs beside it would be named.
    let place = TempDir::new().unwrap();
    let folder = place.path().join("run");
    fs::create_dir(&folder).unwrap();
    let registry = Registry::built_in();
    let [last, best] = [trained("mlp"), trained("vae")];
    let found = |path: &Path| Checkpoint::find(&registry, path, None);
    let text = found(&folder).unwrap_err().to_string();
    assert!(
        text.ends_with("expected a run's folder, with last.safetensors, found a folder without it"),
        "{text}"
    );
    last.save(folder.join("last.safetensors")).unwrap();
    let Found { checkpoint, remark } = found(&folder).unwrap();
    assert_eq!(checkpoint, last);
    let remark = remark.unwrap();
    assert!(
        remark.ends_with("has no best.safetensors; last.safetensors, of epoch 1, takes its place"),
        "{remark}"
    );
    best.save(folder.join("best.safetensors")).unwrap();
    let kept = |checkpoint: &Checkpoint| Found { checkpoint: checkpoint.clone(), remark: None };
    assert_eq!(found(&folder).unwrap(), kept(&best));
    assert_eq!(Checkpoint::find(&registry, &folder, Some(Kept::Last)).unwrap(), kept(&last));
    assert_eq!(found(&folder.join("last.safetensors")).unwrap(), kept(&last));
    assert_eq!(Checkpoint::last(&registry, &folder).unwrap(), last);
}
