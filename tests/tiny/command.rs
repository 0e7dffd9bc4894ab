//! The program as a child process, in a place of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::write_idx;

/// A folder with the data set of `tiny` in `data`.
pub fn place() -> TempDir {
    let place = TempDir::new().unwrap();
    fs::create_dir(place.path().join("data")).unwrap();
    write_idx(&place.path().join("data"));
    place
}

pub fn narrows(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
    // Mesa complains of a missing one on standard error.
    command.current_dir(place).args(arguments).env("XDG_RUNTIME_DIR", place);
    // What the user of this machine measured changes nothing.
    command.env("NARROWS_CACHE", place.join("no-cache"));
    command
}

pub const TINY: [&str; 10] =
    ["--data", "idx", "--data-dir", "data", "--hidden", "12", "--latent", "3", "--batch", "8"];

pub fn train(place: &Path, arguments: &[&str]) -> Command {
    let mut command = narrows(place, &["train"]);
    command.args(TINY).args(arguments);
    command
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub fn success(command: &mut Command) -> (String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{status}: {}", text(&stderr));
    (text(&stdout), text(&stderr))
}

/// The one line that a command fails with, after `error: `.
pub fn failure(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let stderr = text(&stderr);
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(stdout.is_empty(), "{}", text(&stdout));
    // Drivers may have said something before.
    let (_, said) = stderr.rsplit_once("error: ").unwrap_or_else(|| panic!("{stderr}"));
    assert_eq!(said.lines().count(), 1, "{stderr}");
    said.trim_end().to_owned()
}

/// A usage error by the parser of arguments.
pub fn misuse(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    assert_eq!(status.code(), Some(2), "{}", text(&stderr));
    text(&stderr)
}
