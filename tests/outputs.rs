//! Results that cannot be written: an error, an exit code and nothing half-written, for every command that writes one.
#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use tiny::command::{failure, narrows, place, success, text, train};
use tiny::listing;

/// A command with a flag for a result, and the endings that its file may have.
struct Writer {
    command: &'static [&'static str],
    flag: &'static str,
    endings: &'static [&'static str],
    /// Whether its result may go to standard output.
    streams: bool,
    device: &'static str,
}

const ARRAYS: &[&str] = &["png", "npy", "csv", "jsonl"];

const fn writer(command: &'static [&'static str], endings: &'static [&'static str]) -> Writer {
    Writer { command, flag: "--out", endings, streams: true, device: "cpu" }
}

// It measures what the reference is not for.
const fn bench(flag: &'static str, endings: &'static [&'static str]) -> Writer {
    let command = &["bench", "--quick", "--only", "others", "--samples", "1"];
    Writer { command, flag, endings, streams: false, device: "auto" }
}

const WRITERS: [Writer; 11] = [
    writer(&["reconstruct", "run"], ARRAYS),
    writer(&["sample", "run"], ARRAYS),
    writer(&["interpolate", "run", "--from", "0", "--to", "3"], ARRAYS),
    writer(&["traverse", "run"], ARRAYS),
    writer(&["embed", "run", "--method", "pca"], &["svg", "png", "csv"]),
    writer(&["encode", "run"], &["npy", "csv"]),
    writer(&["decode", "run", "codes.npy"], ARRAYS),
    writer(&["score", "run"], &["csv", "npy", "jsonl"]),
    bench("--out", &["json"]),
    bench("--html", &["html"]),
    Writer {
        flag: "--worst-out",
        streams: false,
        ..writer(&["score", "run", "--worst", "3", "--out", "scores.csv"], &["png"])
    },
];

// A run, and codes for those that need some.
fn trained() -> TempDir {
    let place = place();
    success(train(place.path(), &["vae", "--epochs", "1", "--run", "run"]).args(["--device", "cpu"]));
    success(&mut narrows(place.path(), &["encode", "run", "--device", "cpu"]));
    // The worst are drawn after all are scored.
    success(&mut narrows(place.path(), &["score", "run", "--device", "cpu"]));
    place
}

impl Writer {
    fn at(&self, place: &Path, out: &str) -> Command {
        let mut command = narrows(place, self.command);
        command.args([self.flag, out, "--device", self.device]);
        command
    }
}

// What a command says that fails; it may have written another result before.
fn refusal(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    let said = text(&stderr);
    assert_eq!(status.code(), Some(1), "{command:?}: {said}");
    assert!(!said.contains("panicked"), "{command:?}: {said}");
    said
}

#[test]
fn every_command_that_writes_a_result_is_among_those_below() {
    let place = TempDir::new().unwrap();
    let (help, _) = success(&mut narrows(place.path(), &["--help"]));
    let names = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = names.map_while(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let mut found = 0;
    for name in names {
        let (help, _) = success(&mut narrows(place.path(), &[name, "--help"]));
        // Those of figures and export are folders: tests/export_cli.rs tries the latter's.
        for flag in help.lines().filter_map(|line| line.trim().split(' ').next()) {
            let writes = ["--out", "--html"].contains(&flag) || flag.ends_with("-out");
            let writes = writes && flag != "--leave-out";
            if writes && !["figures", "export"].contains(&name) {
                assert!(
                    WRITERS.iter().any(|writer| writer.command[0] == name && writer.flag == flag),
                    "{name} {flag}"
                );
                found += 1;
            }
        }
    }
    assert_eq!(found, WRITERS.len());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_leaves_what_was_there() {
    let place = trained();
    let place = place.path();
    for writer in &WRITERS {
        for ending in writer.endings {
            let device = format!("device.{ending}");
            std::os::unix::fs::symlink("/dev/full", place.join(&device)).ok();
            let said = refusal(&mut writer.at(place, &device));
            let expected = format!("error: {device}: cannot write: No space left on device");
            assert!(said.contains(&expected), "{:?}: {said}", writer.command);
        }
    }
}

#[test]
fn a_file_that_may_not_grow_is_an_error_and_leaves_what_was_there() {
    let place = trained();
    let place = place.path();
    for writer in &WRITERS {
        let out = format!("old.{}", writer.endings[0]);
        fs::write(place.join(&out), "old").unwrap();
        let before = listing(place);
        // What is beside the result fails first.
        let command: Vec<&str> =
            writer.command.iter().map(|word| if *word == "scores.csv" { "-" } else { word }).collect();
        let script = format!(
            "trap '' XFSZ && ulimit -f 0 && exec {} {} {} {out} --device {}",
            env!("CARGO_BIN_EXE_narrows"),
            command.join(" "),
            writer.flag,
            writer.device,
        );
        let mut shell = Command::new("sh");
        let shell = shell.current_dir(place).env("XDG_RUNTIME_DIR", place).args(["-c", &script]);
        let said = refusal(shell);
        assert!(said.contains(&format!("error: {out}: cannot write: ")), "{script}: {said}");
        assert_eq!(fs::read_to_string(place.join(&out)).unwrap(), "old", "{script}");
        assert_eq!(listing(place), before, "{script}");
    }
}

#[test]
fn a_place_that_takes_no_file_is_an_error_and_stays_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let place = trained();
    let place = place.path();
    let closed = place.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    // To a superuser it is open; no one makes files in the list of processes.
    let is_open = fs::write(closed.join("x"), "").is_ok_and(|()| fs::remove_file(closed.join("x")).is_ok());
    let closed = if is_open { "/proc" } else { "closed" };
    for writer in &WRITERS {
        let Writer { command, flag, endings, .. } = writer;
        let ending = endings[0];
        let folder = format!("folder.{ending}");
        fs::create_dir_all(place.join(&folder)).unwrap();
        let before = listing(place);
        let said = failure(&mut writer.at(place, &folder));
        assert_eq!(said, format!("{flag}: expected a file, got {folder}, which is a folder"), "{command:?}");
        let said = failure(&mut writer.at(place, &format!("none/x.{ending}")));
        assert_eq!(said, format!("{flag}: expected a file in a folder that exists, got none"), "{command:?}");
        let said = refusal(&mut writer.at(place, &format!("{closed}/x.{ending}")));
        let expected = format!("error: {closed}/x.{ending}: cannot create: ");
        assert!(said.contains(&expected), "{command:?}: {said}");
        assert_eq!(listing(place), before, "{command:?}");
        assert_eq!(listing(&place.join(&folder)), [""; 0], "{command:?}");
    }
    assert_eq!(listing(&place.join("closed")), [""; 0]);
}

#[test]
fn a_result_that_nobody_reads_is_not_called_written() {
    let place = trained();
    let place = place.path();
    let before = listing(place);
    for writer in WRITERS.iter().filter(|writer| writer.streams) {
        for format in writer.endings {
            let mut command = writer.at(place, "-");
            command.args(["--format", format]).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            drop(child.stdout.take());
            let Output { status, stderr, .. } = child.wait_with_output().unwrap();
            let said = text(&stderr);
            assert_eq!(status.code(), Some(141), "{:?}: {said}", writer.command);
            assert!(!said.contains("panicked") && !said.contains("standard output"), "{said}");
        }
        // One that may only be read from is closed too.
        let said = failure(writer.at(place, "-").stdout(fs::File::open("/dev/null").unwrap()));
        assert!(said.starts_with("standard output: cannot write: Bad file descriptor"), "{said}");
    }
    assert_eq!(listing(place), before);
}
