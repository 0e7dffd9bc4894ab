//! The same stem everywhere: what a new operation needs before it is whole.
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_shader_file_is_in_the_catalogue_with_a_kernel_a_reference_and_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::fs::read_dir(root.join("shaders")).unwrap_or_else(|error| panic!("shaders: {error}"));
    let paths = folder.flatten().map(|entry| entry.path());
    let shaders = paths.filter(|path| path.extension().is_some_and(|extension| extension == "wgsl"));
    let names: BTreeSet<String> =
        shaders.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    let listed = narrows_shaders::ALL.iter().map(|shader| shader.name.to_owned()).collect();
    assert_eq!(names, listed, "the files in shaders/, and ALL in shaders/src/catalogue.rs");

    // The variants of an operation share its stem: matmul_tile is a matmul.
    let stems: BTreeSet<&str> = names.iter().filter_map(|name| name.split('_').next()).collect();
    let wanted =
        |stem: &&str| ["src/kernels", "src/reference", "tests"].map(|room| format!("{room}/{stem}.rs"));
    let missing: Vec<String> =
        stems.iter().flat_map(wanted).filter(|file| !root.join(file).exists()).collect();
    assert!(missing.is_empty(), "missing: {}", missing.join(", "));
}
