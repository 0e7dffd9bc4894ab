//! The library's clock is one that browsers have too: on wasm32 the standard library's panics.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

// Whether a line has the standard library's clock. A lint cannot tell: off wasm32, `web_time::Instant` is the same type.
fn has_clock(line: &str) -> bool {
    let (_, after) = line.split_once("std::time").unwrap_or_default();
    ["Instant", "SystemTime", "::*"].iter().any(|clock| after.contains(clock))
}

#[test]
fn the_library_takes_the_time_from_web_time() {
    let mut files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    assert!(files.len() > 50, "where is the library?");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let found = text.lines().find(|line| has_clock(line));
        assert_eq!(found, None, "{}: use web_time instead", path.display());
    }
}

#[test]
fn the_standard_librarys_clock_is_seen_however_it_is_imported() {
    for line in [
        "use std::time::Instant;",
        "use std::time::{Duration, Instant};",
        "let now = std::time::SystemTime::now();",
        "use std::time::*;",
    ] {
        assert!(has_clock(line), "{line}");
    }
    assert!(!has_clock("use std::time::Duration;") && !has_clock("use web_time::Instant;"));
}
