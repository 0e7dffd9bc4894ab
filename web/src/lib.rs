//! narrows on a page: devices, data, training and trained models for JavaScript, thin over the library.
//!
//! Everything here answers with promises and plain objects, whose types are in `types.d.ts`. A failure is an `Error` with
//! the library's message; its `name` says what kind it is, and the rest is for people.
#![cfg(target_arch = "wasm32")]

mod device;
mod images;
mod side_by_side;
mod trained;
mod trainer;
mod wire;

use narrows::model::Registry;
use narrows::train::Config;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

use wire::{Answer, object, thrown};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

// A panic is a fault of ours: it becomes an exception that says where, in place of "unreachable executed".
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| wasm_bindgen::throw_str(&format!("narrows has a fault: {panic}"))));
}

/// The presets: name, what it is, and all settings.
#[wasm_bindgen(unchecked_return_type = "Preset[]")]
pub fn presets() -> Answer {
    let registry = Registry::built_in();
    let described = registry.presets().map(|(_, preset)| {
        let config = Config::preset_of(&registry, preset.name)?;
        Ok(json!({ "name": preset.name, "summary": preset.summary, "settings": settings(&config) }))
    });
    let all: narrows::Result<Vec<Value>> = described.collect();
    object(&Value::Array(all.map_err(thrown)?))
}

// Numbers that no JSON has, as an infinite patience, are left out.
fn settings(config: &Config) -> Value {
    serde_json::to_value(config).unwrap_or_default()
}
