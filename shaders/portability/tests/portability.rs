//! Every entry point of every shader translates to the languages of all platforms.
#![allow(clippy::panic, missing_docs)]

use narrows_shaders_portability::{Language, translate_all};

fn check(language: Language) {
    let translations = translate_all(language).unwrap_or_else(|failures| panic!("{failures}"));
    assert!(translations.iter().all(|translation| !translation.bytes.is_empty()));
}

#[test]
fn every_entry_point_translates_to_vulkans_language() {
    check(Language::SpirV);
}

#[test]
fn every_entry_point_translates_to_metals_language() {
    check(Language::Msl);
}

#[test]
fn every_entry_point_translates_to_direct3ds_language() {
    check(Language::Hlsl);
}

#[test]
fn every_entry_point_without_subgroups_translates_to_opengls_language() {
    check(Language::Glsl);
}
