//! Rooms that look one way: a folder of `src/` imports only those that stand before it.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};

// Each may import those before it. The crate of shaders stands before all of them.
const ROOMS: [&str; 17] = [
    "gpu",
    "rng",
    "reference",
    "kernels",
    "ranks",
    "graph",
    "data",
    "model",
    "train",
    "infer",
    "export",
    "picture",
    "run",
    "report",
    "bench",
    "figures",
    "cli",
];
// Which are in no room: the list of rooms, the error that all of them return, and what starts the command.
const OUTSIDE: [&str; 3] = ["error.rs", "lib.rs", "main.rs"];

fn place(room: &str) -> Option<usize> {
    ROOMS.iter().position(|name| *name == room)
}

// The code of a file, its lines kept and comments gone.
fn code(text: &str) -> String {
    let line = |line: &str| format!("{}\n", line.split("//").next().unwrap());
    text.lines().map(line).collect()
}

// The first names of the paths that begin behind `crate::`: one, or those of a list in braces.
fn first_names(path: &str) -> Vec<&str> {
    let name =
        |path: &str| path.len() - path.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').len();
    let Some(list) = path.strip_prefix('{') else { return vec![&path[..name(path)]] };
    let (mut depth, mut names, mut begins) = (0, Vec::new(), true);
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            _ if begins && !letter.is_whitespace() => {
                names.push(&list[at..at + name(&list[at..])]);
                begins = false;
            }
            _ => {}
        }
    }
    names
}

// What a file of `room` imports of rooms that do not stand before it, each with its line. `inner` says how many modules
// lie between the file and the room.
fn offences(room: &str, inner: usize, text: &str) -> Vec<(usize, String)> {
    let code = code(text);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count();
        for name in first_names(&code[at + "crate::".len()..]) {
            if place(name) > place(room) {
                found.push((line + 1, format!("{room} imports {name}: {}", text.lines().nth(line).unwrap())));
            }
        }
    }
    // A path upwards that leaves the room reaches the crate, where the rooms are.
    let upwards = format!("use {}", "super::".repeat(inner + 1));
    for (line, text) in code.lines().enumerate() {
        let text = text.strip_prefix("pub ").unwrap_or(text);
        if text.starts_with(&upwards) {
            found.push((line + 1, format!("{room} leaves by super: {text}")));
        }
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            all.push(path);
        }
    }
    all
}

#[test]
fn every_room_imports_only_rooms_before_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in files(&source) {
        let inside = path.strip_prefix(&source).unwrap();
        let names: Vec<String> = inside.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        if let [name] = &names[..] {
            assert!(OUTSIDE.contains(&name.as_str()), "src/{name} is in no room");
            continue;
        }
        let room = &names[0];
        assert!(place(room).is_some(), "src/{room} is no room: give it a place in ROOMS");
        let inner = names.len() - 1 - usize::from(names.last().unwrap() == "mod.rs");
        let found = offences(room, inner, &std::fs::read_to_string(&path).unwrap());
        wrong
            .extend(found.into_iter().map(|(line, what)| format!("src/{}:{line}: {what}", inside.display())));
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{} imports of rooms that stand behind:\n{}", wrong.len(), wrong.join("\n"));
    for room in ROOMS {
        assert!(source.join(room).is_dir(), "src/{room} is gone: strike it from ROOMS");
    }
}

#[test]
fn only_rooms_that_keep_or_read_files_know_of_a_file_system() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for room in ["gpu", "rng", "reference", "kernels", "graph", "model", "train", "infer", "export"] {
        for path in files(&source.join(room)) {
            let code = code(&std::fs::read_to_string(&path).unwrap());
            assert!(!code.contains("std::fs") && !code.contains("File::open"), "{}", path.display());
        }
    }
}

#[test]
fn an_import_of_a_room_behind_is_found() {
    let lines = |room, inner, text| -> Vec<usize> {
        offences(room, inner, text).into_iter().map(|(line, _)| line).collect()
    };
    assert_eq!(lines("data", 1, "use crate::{Error, Result};\nuse crate::rng::key;\nuse super::idx;"), []);
    assert_eq!(lines("data", 1, "\nuse crate::model::Model;"), [2]);
    assert_eq!(lines("data", 1, "fn f() {\n    crate::train::packed(&[])\n}"), [2]);
    assert_eq!(lines("data", 1, "use crate::{\n    Error,\n    rng::{key, train},\n    run::Run,\n};"), [1]);
    assert_eq!(lines("data", 1, "pub use super::super::model::Model;"), [1]);
    assert_eq!(lines("data", 0, "use super::model::Model;"), [1]);
    assert_eq!(lines("data", 1, "// as crate::model\n/// [`Model`](crate::model::Model)"), []);
}
