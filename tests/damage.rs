//! A run's folder that is not as the run left it: what is amiss is said, what can be gone on from is offered, and nothing
//! is lost.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;
use std::path::{Path, PathBuf};

use narrows::run::RunLock;
use tempfile::TempDir;
use tiny::command::{failure, misuse, narrows, place, success, train};
use tiny::listing;

/// A place with a finished run of two epochs in `run`.
fn with_run() -> (TempDir, PathBuf) {
    let place = place();
    success(&mut train(place.path(), &["vae", "--epochs", "2", "--run", "run"]));
    let run = place.path().join("run");
    (place, run)
}

fn resume(place: &Path, more: &[&str]) -> std::process::Command {
    let mut command = narrows(place, &["train", "--resume", "run"]);
    command.args(more);
    command
}

/// The notes of a command that succeeds.
fn notes(command: &mut std::process::Command) -> Vec<String> {
    let (_, said) = success(command);
    said.lines().filter_map(|line| line.strip_prefix("note: ")).map(str::to_owned).collect()
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

fn overwrite(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() - 40;
    bytes[at..at + 3].copy_from_slice(b"abc");
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_checkpoint_is_named_with_the_command_that_goes_on_from_another() {
    let (place, run) = with_run();
    let at = |name: &str| run.join(name);
    assert!(at("previous.safetensors").exists());
    let whole = fs::read(at("last.safetensors")).unwrap();
    cut(&at("last.safetensors"));
    let said = failure(&mut resume(place.path(), &["--epochs", "3"]));
    assert!(said.starts_with(
        "run/last.safetensors: expected a whole safetensors file, found a damaged or foreign one"
    ));
    assert!(
        said.contains(
            "previous.safetensors is whole, of epoch 1: narrows train --resume run --from previous"
        ),
        "{said}"
    );
    assert!(
        said.contains("best.safetensors is whole, of epoch 2: narrows train --resume run --from best"),
        "{said}"
    );
    fs::write(at("last.safetensors"), &whole).unwrap();
    overwrite(&at("last.safetensors"));
    let said = failure(&mut resume(place.path(), &["--epochs", "3"]));
    assert!(said.contains("as it was saved, found one that was changed since. "), "{said}");

    // The command that was offered does what it says, and keeps what was there.
    let damaged = fs::read(at("last.safetensors")).unwrap();
    let before = fs::read(at("metrics.jsonl")).unwrap();
    let told = notes(&mut resume(place.path(), &["--from", "previous", "--epochs", "3"]));
    assert!(
        told.contains(&"as found, last.safetensors with metrics.jsonl is now in run/aside-1".to_owned()),
        "{told:?}"
    );
    assert_eq!(fs::read(at("aside-1/last.safetensors")).unwrap(), damaged);
    assert_eq!(fs::read(at("aside-1/metrics.jsonl")).unwrap(), before);
    assert_eq!(fs::read_to_string(at("metrics.jsonl")).unwrap().lines().count(), 3);

    overwrite(&at("best.safetensors"));
    let said = failure(&mut narrows(place.path(), &["eval", "run"]));
    assert!(
        said.contains(
            "last.safetensors is whole, of epoch 3: --from last, or run/last.safetensors as the run"
        ),
        "{said}"
    );
    let told = notes(&mut resume(place.path(), &[]));
    let damaged = "best.safetensors is damaged, and stays until an epoch ranks better: checkpoint: expected ";
    assert!(told.iter().any(|note| note.starts_with(damaged)), "{told:?}");
    for other in ["last", "previous"] {
        success(&mut narrows(place.path(), &["eval", "run", "--from", other]));
    }
    success(&mut narrows(place.path(), &["interpolate", "run/last.safetensors", "--from", "0", "--to", "1"]));
    let said = failure(&mut narrows(place.path(), &["eval", "run/last.safetensors", "--from", "last"]));
    assert!(
        said.starts_with("--from: expected a run's folder with it, or no such flag with a file, got "),
        "{said}"
    );
    assert!(
        misuse(&mut narrows(place.path(), &["eval", "run", "--from", "first"]))
            .contains("best, last, previous")
    );
    let said = failure(&mut train(place.path(), &["--from", "best"]));
    assert_eq!(said, "--from: expected --resume RUN or --init RUN with it, got --from best alone");
    ["last", "previous"].iter().for_each(|name| overwrite(&at(&format!("{name}.safetensors"))));
    let said = failure(&mut resume(place.path(), &["--epochs", "4"]));
    let anew =
        "No other checkpoint of the run is whole; train it anew: narrows train --config run/config.toml";
    assert!(said.ends_with(anew), "{said}");
}

#[test]
fn a_checkpoint_that_is_missing_is_replaced_by_the_next_and_a_note() {
    let (place, run) = with_run();
    fs::remove_file(run.join("best.safetensors")).unwrap();
    let told = notes(&mut narrows(place.path(), &["sample", "run"]));
    let expected = "run has no best.safetensors; last.safetensors, of epoch 2, takes its place";
    assert_eq!(told.iter().filter(|note| *note == expected).count(), 1, "{told:?}");
    // As after a crash between the two moves.
    fs::remove_file(run.join("last.safetensors")).unwrap();
    let said = failure(&mut train(place.path(), &["--run", "run"]));
    assert!(said.ends_with("found a run"), "{said}");
    let told = notes(&mut resume(place.path(), &["--epochs", "2"]));
    let expected = "run has no last.safetensors; previous.safetensors, of epoch 1, takes its place";
    assert!(told.iter().any(|note| note == expected), "{told:?}");
    assert!(run.join("last.safetensors").exists());
    assert_eq!(fs::read_to_string(run.join("metrics.jsonl")).unwrap().lines().count(), 2);
}

#[test]
fn a_run_without_a_finished_epoch_is_not_used() {
    let place = place();
    // It stops before its first step is done.
    let said = failure(&mut train(place.path(), &["vae", "--lr", "1e30", "--json", "--run", "run"]));
    assert!(said.contains("The run's first state is kept in run: no epoch is finished"), "{said}");
    let way = "expected a trained model, found that this run has no finished epoch. Train it with: narrows train --resume run";
    for command in [
        &["eval", "run"][..],
        &["encode", "run"],
        &["embed", "run"],
        &["sample", "run"],
        &["report", "run"],
        &["reconstruct", "run"],
        &["traverse", "run"],
        &["interpolate", "run", "--from", "0", "--to", "1"],
        &["eval", "run", "--from", "last"],
        &["eval", "run/last.safetensors"],
    ] {
        assert_eq!(failure(&mut narrows(place.path(), command)), format!("run: {way}"), "{command:?}");
    }
    assert!(!listing(place.path()).iter().any(|name| name.ends_with(".png") || name.ends_with(".npy")));
}

#[test]
fn a_second_process_on_a_run_is_refused_and_readers_go_on() {
    let (place, run) = with_run();
    let held = RunLock::take(&run).unwrap();
    let by = format!("found one that is trained by process {} on ", std::process::id());
    let said = failure(&mut resume(place.path(), &["--epochs", "3"]));
    assert!(
        said.starts_with("run: expected a run that no other process trains, ") && said.contains(&by),
        "{said}"
    );
    let said = failure(&mut train(place.path(), &["--run", "run"]));
    let of = format!("--resume to continue this one, found a run of process {} on ", std::process::id());
    assert!(said.contains(&of), "{said}");
    success(&mut narrows(place.path(), &["eval", "run"]));
    fs::create_dir(place.path().join("new")).unwrap();
    let begun = RunLock::take(&place.path().join("new")).unwrap();
    let said = failure(&mut train(place.path(), &["--run", "new"]));
    assert!(said.contains(&by), "{said}");
    drop((held, begun));
    success(&mut resume(place.path(), &["--epochs", "3"]));
    assert!(!run.join("run.lock").exists());
}

#[test]
fn an_edited_configuration_is_refused_by_its_settings() {
    let (place, run) = with_run();
    let config = run.join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let edited =
        text.replace("learning_rate = 0.001", "learning_rate = 0.01").replace("latent = 3", "latent = 4");
    fs::write(&config, &edited).unwrap();
    let said = failure(&mut resume(place.path(), &["--epochs", "3"]));
    assert_eq!(
        said,
        "run/config.toml: expected the settings that the run was trained with, found model.latent = 4 (was 3), \
         train.learning_rate = 0.01 (was 0.001). To resume, put them back; to begin a new run from this one's \
         parameters: narrows train --config run/config.toml --init run"
    );
    assert_eq!(fs::read_to_string(&config).unwrap(), edited);
    // Remarks and order may change, and the number of epochs is a wish that is heard.
    let mut sections: Vec<&str> = text.split("\n\n").skip(1).collect();
    sections.reverse();
    let last = sections.pop().unwrap();
    let other =
        format!("# mine\n{last}\n\n{}", sections.join("\n\n")).replace("epochs = 2", "epochs = 3 # more");
    assert_ne!(other, text);
    fs::write(&config, other).unwrap();
    success(&mut resume(place.path(), &[]));
    assert!(run.join("epoch-003-reconstructions.png").exists());
    fs::write(&config, "[model\n").unwrap();
    let said = failure(&mut resume(place.path(), &["--epochs", "4"]));
    assert!(said.starts_with("run/config.toml: expected TOML, got in line 1"), "{said}");
}

#[test]
fn files_of_an_older_run_are_kept_apart_from_a_new_one() {
    let (place, run) = with_run();
    let best = fs::read(run.join("best.safetensors")).unwrap();
    for name in ["last.safetensors", "previous.safetensors", "config.toml"] {
        fs::remove_file(run.join(name)).unwrap();
    }
    fs::write(run.join("notes.txt"), "mine").unwrap();
    let told = notes(&mut train(place.path(), &["mlp", "--epochs", "1", "--run", "run"]));
    let moved = "files of an older run are kept in run/aside-1: best.safetensors, epoch-001-reconstructions.png, \
        epoch-001-samples.png, epoch-002-reconstructions.png, epoch-002-samples.png, metrics.jsonl, report.html, split.csv";
    assert!(told.iter().any(|note| note == moved), "{told:?}");
    assert_eq!(fs::read(run.join("aside-1/best.safetensors")).unwrap(), best);
    assert!(run.join("notes.txt").exists() && !run.join("epoch-002-samples.png").exists());
    assert_eq!(fs::read_to_string(run.join("metrics.jsonl")).unwrap().lines().count(), 1);
}

#[test]
fn torn_metrics_are_said_and_kept() {
    let (place, run) = with_run();
    let path = run.join("metrics.jsonl");
    let text = fs::read(&path).unwrap();
    let mut torn = text.clone();
    torn[20] = 0xff;
    fs::write(&path, &torn).unwrap();
    // A reader takes the lines that it can.
    success(&mut narrows(place.path(), &["report", "run"]));
    let told = notes(&mut resume(place.path(), &["--epochs", "3"]));
    for note in [
        "metrics.jsonl has 1 line that cannot be read, none of epoch 1",
        "as found, metrics.jsonl is now in run/aside-1",
    ] {
        assert!(told.iter().any(|told| told == note), "{note}: {told:?}");
    }
    assert_eq!(fs::read(run.join("aside-1/metrics.jsonl")).unwrap(), torn);
    let now = fs::read_to_string(&path).unwrap();
    let second = String::from_utf8(text).unwrap().lines().nth(1).unwrap().to_owned();
    assert_eq!((now.lines().next(), now.lines().count()), (Some(&second[..]), 2));
    // Two processes of an earlier version: "1 2 1 2 3".
    let third = now.lines().nth(1).unwrap();
    let first = second.replace("\"epoch\":2", "\"epoch\":1");
    fs::write(&path, format!("{first}\n{second}\n{first}\n{second}\n{third}\n")).unwrap();
    let told = notes(&mut resume(place.path(), &[]));
    let note = "metrics.jsonl has 2 lines too many of its epochs, its epochs out of order";
    assert!(told.iter().any(|told| told == note), "{told:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{first}\n{second}\n{third}\n"));
}

#[test]
fn changed_data_of_any_part_are_seen_before_training() {
    let (place, run) = with_run();
    let change = |part: &str, at: usize| {
        let path = place.path().join(format!("data/{part}-images-idx3-ubyte"));
        let mut bytes = fs::read(&path).unwrap();
        bytes[at] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    let before = fs::read(run.join("last.safetensors")).unwrap();
    change("t10k", 16 + 3);
    let told = notes(&mut resume(place.path(), &[]));
    assert!(
        told.iter().any(|note| note.starts_with("the test part is 11 images with the CRC-32 ")),
        "{told:?}"
    );
    // The last of the training images validate.
    change("train", 16 + 49 * 35);
    let said = failure(&mut resume(place.path(), &["--epochs", "3"]));
    assert!(said.starts_with("validation images: expected 5 images with the CRC-32 "), "{said}");
    change("train", 16 + 49 * 35);
    change("train", 16);
    let said = failure(&mut resume(place.path(), &["--epochs", "3"]));
    assert!(said.starts_with("training images: expected 45 images with the CRC-32 "), "{said}");
    assert_eq!(fs::read(run.join("last.safetensors")).unwrap(), before);
}

#[test]
fn resume_says_what_a_run_is_and_what_it_takes() {
    let (place, _) = with_run();
    let said = failure(&mut narrows(place.path(), &["train", "--resume", "run/best.safetensors"]));
    let expected =
        "run/best.safetensors: expected a run's folder, with last.safetensors: give run, found a file";
    assert_eq!(said, expected);
    let said = failure(&mut narrows(place.path(), &["train", "--resume", "data/train-images-idx3-ubyte"]));
    assert_eq!(
        said,
        "data/train-images-idx3-ubyte: expected a run's folder, with last.safetensors, found a file"
    );
    assert!(!listing(&place.path().join("data")).iter().any(|name| name == "run.lock"));
    // From elsewhere, data that are not there: what is advised is what it takes.
    let table: String = (0..30).map(|row| format!("{row},{},{}\n", row % 7, row % 3)).collect();
    fs::write(place.path().join("t.csv"), table).unwrap();
    let settings = ["train", "mlp", "--data", "t.csv", "--epochs", "1", "--batch", "8", "--run", "rows"];
    success(&mut narrows(place.path(), &settings));
    fs::create_dir_all(place.path().join("far/away")).unwrap();
    fs::rename(place.path().join("t.csv"), place.path().join("far/t.csv")).unwrap();
    let resume = ["train", "--resume", "../../rows", "--epochs", "2"];
    let said = failure(&mut narrows(&place.path().join("far/away"), &resume));
    assert!(said.ends_with("Give its path with --data-dir PATH") && !said.contains("--data PATH"), "{said}");
    let with_place = [&resume[..], &["--data-dir", "../t.csv"]].concat();
    success(&mut narrows(&place.path().join("far/away"), &with_place));
}

#[test]
fn what_a_killed_process_left_under_way_is_swept() {
    let (place, run) = with_run();
    fs::write(run.join(".narrows-a1B2c3.tmp"), "half").unwrap();
    fs::write(run.join(".other.tmp"), "of another program").unwrap();
    success(&mut resume(place.path(), &["--epochs", "3"]));
    let names = listing(&run);
    assert!(!names.iter().any(|name| name.starts_with(".narrows-")), "{names:?}");
    assert!(names.iter().any(|name| name == ".other.tmp"), "{names:?}");
}
