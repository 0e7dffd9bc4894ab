//! What crosses between Rust and JavaScript: errors, plain objects, settings.

use narrows::Error;
use narrows::train::{EpochReport, Progress, TermMeans};
use serde_json::{Value, json};
use wasm_bindgen::JsValue;

/// What an exported function gives.
pub(crate) type Answer<T = JsValue> = Result<T, JsValue>;

/// An `Error` with the library's message, whose name is what a page tells apart.
pub(crate) fn thrown(error: Error) -> JsValue {
    let name = match &error {
        Error::NoDevice { .. } => "NoDevice",
        Error::DeviceLost { .. } => "DeviceLost",
        Error::DeviceMemory { .. } => "DeviceMemory",
        Error::NotFinite { .. } => "NotFinite",
        _ => "NarrowsError",
    };
    let thrown = js_sys::Error::new(&error.to_string());
    thrown.set_name(name);
    thrown.into()
}

/// A plain object.
pub(crate) fn object(value: &Value) -> Answer {
    js_sys::JSON::parse(&value.to_string())
}

/// The sections of a configuration out of a plain object; nothing of `undefined` and `null`.
pub(crate) fn table(settings: &JsValue) -> Answer<toml::Table> {
    if settings.is_undefined() || settings.is_null() {
        return Ok(toml::Table::new());
    }
    let text = String::from(js_sys::JSON::stringify(settings)?);
    serde_json::from_str(&text)
        .map_err(|error| thrown(Error::setting("settings", "sections with settings", error)))
}

/// The terms with their means.
pub(crate) fn means(means: &TermMeans) -> Value {
    let term = |(term, mean): (&narrows::graph::TermSpec, f64)| json!({ "name": term.name, "unit": term.unit, "over": term.over, "weight": term.weight, "mean": mean });
    means.iter().map(term).collect()
}

/// How far an epoch is.
pub(crate) fn progress(progress: &Progress) -> Value {
    json!({
        "epoch": progress.epoch, "step": progress.step, "steps": progress.steps, "runStep": progress.run_step,
        "runSteps": progress.run_steps, "batch": progress.batch, "terms": means(&progress.means),
    })
}

/// The results of an epoch.
pub(crate) fn report(report: &EpochReport) -> Value {
    json!({
        "epoch": report.epoch, "step": report.step, "best": report.best, "seconds": report.seconds,
        "imagesPerSecond": report.images_per_second, "learningRate": report.learning_rate,
        "objective": report.validation.as_ref().unwrap_or(&report.train).objective(),
        "train": means(&report.train), "validation": report.validation.as_ref().map(means),
    })
}
