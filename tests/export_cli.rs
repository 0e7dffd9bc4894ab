//! `narrows export` and `narrows train --init FILE` as a user meets them: places, mistakes, full disks.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use tiny::command::{failure, misuse, narrows, place, success, text, train};
use tiny::listing;

const ONNX: [&str; 3] = ["autoencoder.onnx", "decoder.onnx", "encoder.onnx"];

fn trained() -> TempDir {
    let place = place();
    success(&mut train(place.path(), &["mlp", "--epochs", "1", "--run", "runs/mine"]));
    place
}

fn export(place: &Path, arguments: &[&str]) -> Command {
    narrows(place, &[&["export", "runs/mine"], arguments].concat())
}

#[test]
fn each_format_goes_to_a_place_with_the_runs_name_or_the_one_that_is_given() {
    let place = trained();
    let (out, _) = success(&mut export(place.path(), &[]));
    let expected = "\
mine-onnx: encoder.onnx, decoder.onnx, autoencoder.onnx after epoch 1
  encoder.onnx: x [batch, 7, 5, 1] -> code [batch, 3]
  decoder.onnx: code [batch, 3] -> reconstruction [batch, 7, 5, 1]
  autoencoder.onnx: x [batch, 7, 5, 1] -> code [batch, 3], reconstruction [batch, 7, 5, 1]
  x, reconstruction: f32, numbers from 0 to 255, as [batch, height, width, channels]
  properties of each file: narrows.variant, narrows.latent, narrows.epoch
";
    assert_eq!(out, expected);
    assert_eq!(listing(&place.path().join("mine-onnx")), ONNX);
    let (out, _) = success(&mut export(place.path(), &["--format", "pytorch", "--out", "elsewhere"]));
    let expected = "\
elsewhere: model.safetensors, model.py after epoch 1
  model.py: from model import load; model = load()
  model.encode(x [batch, 7, 5, 1]) -> code [batch, 3]
";
    assert!(out.starts_with(expected), "{out}");
    assert_eq!(listing(&place.path().join("elsewhere")), ["model.py", "model.safetensors"]);
    let (out, _) = success(&mut export(place.path(), &["--format", "safetensors"]));
    assert_eq!(out, "mine.safetensors: 8 tensors after epoch 1\n");
    // A file alone, and one of the run's checkpoints.
    success(&mut narrows(place.path(), &["export", "runs/mine/last.safetensors"]));
    success(&mut export(place.path(), &["--from", "last", "--out", "last-onnx"]));
    assert_eq!(listing(&place.path().join("last-onnx")), ONNX);
    // The same run gives the same bytes, also where files are there already.
    let first = fs::read(place.path().join("mine-onnx/encoder.onnx")).unwrap();
    fs::write(place.path().join("mine-onnx/encoder.onnx"), "old").unwrap();
    success(&mut export(place.path(), &[]));
    assert_eq!(fs::read(place.path().join("mine-onnx/encoder.onnx")).unwrap(), first);
    assert_eq!(listing(&place.path().join("mine-onnx")), ONNX);
}

#[test]
fn an_exported_state_dict_begins_a_run_and_one_of_another_model_is_refused() {
    let place = trained();
    success(&mut export(place.path(), &["--format", "safetensors"]));
    let begin = |flags: &[&str]| {
        let flags = [&["mlp", "--epochs", "1", "--seed", "5", "--init", "mine.safetensors"], flags].concat();
        train(place.path(), &flags)
    };
    let (out, _) = success(&mut begin(&["--run", "again"]));
    assert!(out.contains("origin:   begun with the parameters of mine.safetensors: 8 of 8\n"), "{out}");
    let config = fs::read_to_string(place.path().join("again/config.toml")).unwrap();
    assert!(
        config.contains("# Origin: begun with the parameters of mine.safetensors: 8 of 8.\n"),
        "{config}"
    );
    let (out, _) = success(&mut begin(&["--run", "other", "--bias", "false"]));
    assert!(out.contains("origin:   begun with the parameters of mine.safetensors: 4 of 4"), "{out}");
    let left = "not here: decoder.0.bias; decoder.1.bias; encoder.0.bias; encoder.1.bias";
    assert!(out.contains(left), "{out}");
    let said = failure(&mut begin(&["--from", "last", "--run", "never"]));
    assert!(said.starts_with("--from: expected a run's folder with it"), "{said}");
    fs::write(place.path().join("mine.safetensors"), "no safetensors").unwrap();
    let said = failure(&mut begin(&["--run", "never"]));
    assert!(said.starts_with("mine.safetensors: expected a whole safetensors file"), "{said}");
    assert!(!place.path().join("never").exists());
}

#[test]
fn places_that_cannot_be_are_refused_before_anything_is_written() {
    let place = trained();
    fs::write(place.path().join("taken"), "a file").unwrap();
    fs::create_dir(place.path().join("work")).unwrap();
    fs::write(place.path().join("work/model.py"), "print('mine')\n").unwrap();
    fs::create_dir_all(place.path().join("odd/decoder.onnx")).unwrap();
    let refused = |arguments: &[&str]| failure(&mut export(place.path(), arguments));
    let said = refused(&["--out", "taken"]);
    let folder = "--out: expected a folder for encoder.onnx, decoder.onnx, autoencoder.onnx, got";
    assert_eq!(said, format!("{folder} taken, which is a file"));
    for name in ["model.onnx", "elsewhere/model.ONNX", "model.py", "model.safetensors", "model.pt"] {
        assert_eq!(refused(&["--out", name]), format!("{folder} {name}, which is a file's name"));
    }
    let said = refused(&["--out", "-"]);
    let but = "which is standard output: only --format safetensors goes there";
    assert_eq!(said, format!("{folder} -, {but}"));
    let said = refused(&["--format", "pytorch", "--out", "model.pt"]);
    let expected =
        "--out: expected a folder for model.safetensors, model.py, got model.pt, which is a file's name";
    assert_eq!(said, expected);
    let said = refused(&["--out", "no/such"]);
    assert_eq!(said, "--out: expected a folder in a folder that exists, got no");
    let said = refused(&["--out", "odd"]);
    assert_eq!(said, "odd/decoder.onnx: expected a file, or nothing of that name, found something else");
    assert_eq!(listing(&place.path().join("odd")), ["decoder.onnx"]);
    let said = refused(&["--format", "pytorch", "--out", "work"]);
    let expected =
        "--out: expected a folder without another model.py, got work/model.py, which narrows did not write";
    assert_eq!(said, expected);
    assert_eq!(listing(&place.path().join("work")), ["model.py"]);
    let said = refused(&["--format", "safetensors", "--out", "weights"]);
    assert_eq!(said, "--out: expected a name ending in .safetensors, got weights");
    let said = refused(&["--format", "safetensors", "--out", "runs/mine/best.safetensors"]);
    let expected = "--out: expected a new file, or one that is no checkpoint, got runs/mine/best.safetensors, which is a \
                    checkpoint of narrows";
    assert_eq!(said, expected);
    let said = refused(&["--device", "cpu"]);
    assert_eq!(said, "--device: expected no such flag with export, which needs no device, got cpu");
    let said = misuse(&mut export(place.path(), &["--format", "pickle"]));
    assert!(said.contains("[possible values: onnx, pytorch, safetensors]"), "{said}");
    let said = failure(&mut narrows(place.path(), &["export", "runs/none"]));
    let expected =
        "runs/none: expected a run's folder or a checkpoint, found nothing of that name. Runs: runs/mine";
    assert_eq!(said, expected);
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let place = trained();
    success(&mut export(place.path(), &["--out", "old"]));
    let old: Vec<_> = ONNX.map(|name| fs::read(place.path().join("old").join(name)).unwrap()).into();
    // Files of at most 2 blocks of 512 bytes.
    let narrow = |arguments: &str| {
        let program = env!("CARGO_BIN_EXE_narrows");
        let script = format!("trap '' XFSZ; ulimit -f 2; exec {program} export runs/mine {arguments}");
        let mut command = Command::new("sh");
        command.current_dir(place.path()).args(["-c", &script]).env("XDG_RUNTIME_DIR", place.path());
        failure(&mut command)
    };
    for (arguments, file) in [
        ("--out new", "new/encoder.onnx"),
        ("--out old", "old/encoder.onnx"),
        ("--format pytorch --out new", "new/model.safetensors"),
        ("--format safetensors --out new.safetensors", "new.safetensors"),
    ] {
        let said = narrow(arguments);
        assert!(said.starts_with(&format!("{file}: cannot write: File too large")), "{said}");
    }
    assert_eq!(listing(place.path()), ["data", "old", "runs"]);
    assert_eq!(listing(&place.path().join("old")), ONNX);
    let kept: Vec<_> = ONNX.map(|name| fs::read(place.path().join("old").join(name)).unwrap()).into();
    assert_eq!(kept, old);
    // Not even root makes folders there.
    let said = failure(&mut export(place.path(), &["--out", "/proc/here"]));
    assert!(said.starts_with("/proc/here: cannot create: "), "{said}");
    let said =
        failure(&mut export(place.path(), &["--format", "safetensors", "--out", "/proc/x.safetensors"]));
    // The file under way has another name, which is nobody's business.
    assert!(said.starts_with("/proc/x.safetensors: cannot create: ") && !said.contains(".tmp"), "{said}");
}

#[test]
fn a_state_dict_streams_to_standard_output_and_a_closed_pipe_is_an_exit_code() {
    let place = trained();
    success(&mut export(place.path(), &["--format", "safetensors", "--out", "file.safetensors"]));
    let streamed = || export(place.path(), &["--format", "safetensors", "--out", "-"]);
    let Output { status, stdout, stderr } = streamed().output().unwrap();
    assert!(status.success() && text(&stderr).contains("standard output: 8 tensors after epoch 1"));
    assert_eq!(stdout, fs::read(place.path().join("file.safetensors")).unwrap());
    let mut child = streamed().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(141));
}
