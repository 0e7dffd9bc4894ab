//! Presets and settings, as JSON.

use narrows::model::{COMMON, Registry, Setting};
use narrows::train::{Config, DATA, TRAIN};
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::errors::raised;

/// The presets: name, summary, variant.
#[pyfunction]
pub(crate) fn presets() -> String {
    let registry = Registry::built_in();
    let described = registry.presets().map(|(variant, preset)| {
        json!({ "name": preset.name, "summary": preset.summary, "variant": variant.name() })
    });
    Value::from_iter(described).to_string()
}

/// All settings of a preset, by section.
#[pyfunction]
pub(crate) fn preset_settings(preset: &str) -> PyResult<String> {
    Ok(of(&Config::preset(preset).map_err(raised)?))
}

/// What each setting does: of every section its settings, those of a variant with its name.
#[pyfunction]
pub(crate) fn described() -> String {
    let list = |settings: &[Setting]| -> Value {
        settings
            .iter()
            .map(|setting| json!({ "name": setting.name, "help": setting.help, "when": setting.when }))
            .collect()
    };
    let registry = Registry::built_in();
    let own: Value = registry
        .variants()
        .iter()
        .map(|variant| json!({ "variant": variant.name(), "settings": list(variant.settings()) }))
        .collect();
    json!({ "model": list(COMMON), "own": own, "train": list(TRAIN), "data": list(DATA) }).to_string()
}

/// All settings of a configuration. Numbers that no JSON has are left out.
pub(crate) fn of(config: &Config) -> String {
    serde_json::to_value(config).unwrap_or_default().to_string()
}
