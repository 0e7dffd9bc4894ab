//! The same stem everywhere: a shader has its kernel, its reference and its test, and none stands alone.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;

// Files that belong to several shaders, or to none.
const KERNELS_ALONE: [(&str, &str); 4] = [
    ("mod", "the trait"),
    ("call", "what a kernel describes"),
    ("prepare", "how a device takes a kernel"),
    ("state", "the layout of lib/state.wgsl"),
];
const REFERENCES_ALONE: [(&str, &str); 3] =
    [("mod", "the list"), ("compare", "the comparator"), ("words", "what all of them read and write")];

// The variants of a matrix product share what surrounds them, and so do the convolutions; pooling and its gradient.
fn stem_of_shader(name: &str) -> String {
    let family =
        ["matmul", "conv", "pool"].into_iter().find(|family| name.starts_with(&format!("{family}_")));
    family.unwrap_or(name).to_owned()
}

fn stems(folder: &str, extension: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let wanted = paths.filter(|path| path.extension().is_some_and(|found| found == extension));
    wanted.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

fn without(mut stems: BTreeSet<String>, exceptions: &[(&str, &str)]) -> BTreeSet<String> {
    for (name, reason) in exceptions {
        assert!(stems.remove(*name), "{name} ({reason}) is gone: strike it from the exceptions");
    }
    stems
}

#[test]
fn every_shader_has_its_kernel_reference_and_test_and_none_stands_alone() {
    let shaders: BTreeSet<String> =
        narrows_shaders::ALL.iter().map(|shader| stem_of_shader(shader.name)).collect();
    assert_eq!(without(stems("src/kernels", "rs"), &KERNELS_ALONE), shaders, "src/kernels");
    assert_eq!(without(stems("src/reference", "rs"), &REFERENCES_ALONE), shaders, "src/reference");
    let tests = stems("tests", "rs");
    let untested: Vec<_> = shaders.difference(&tests).collect();
    assert!(untested.is_empty(), "no file in tests/ for {untested:?}");
}

#[test]
fn every_shader_file_is_in_the_catalogue() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let read = |stem: &String| std::fs::read_to_string(folder.join(format!("{stem}.wgsl"))).unwrap();
    let stems = stems("shaders", "wgsl");
    // A file may be in several shaders, as the variants of a matrix product are.
    for stem in &stems {
        let text = read(stem);
        let listed = narrows_shaders::ALL.iter().any(|shader| shader.source.contains(&text));
        assert!(listed, "no shader has {stem}.wgsl");
    }
    for shader in narrows_shaders::ALL {
        let has = stems.iter().any(|stem| shader.source.contains(&read(stem)));
        assert!(has, "{} has no file", shader.name);
    }
}

#[test]
fn every_kernel_and_reference_is_in_its_room() {
    for room in ["src/kernels", "src/reference"] {
        let list = Path::new(env!("CARGO_MANIFEST_DIR")).join(room).join("mod.rs");
        let list = std::fs::read_to_string(list).unwrap();
        for stem in stems(room, "rs").iter().filter(|stem| *stem != "mod") {
            assert!(list.contains(&format!("pub mod {stem};")), "{room}/{stem}.rs is not in its mod.rs");
        }
    }
}
