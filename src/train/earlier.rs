//! Files of earlier versions: configurations that spelled out every setting of every variant, and their checkpoints.

use serde_json::{Value, json};

use super::TRAIN;
use crate::graph::{MODEL, Slot, Slots, Warmup};
use crate::model::{COMMON, Model, Registry, Setting};

// What only such a configuration has all of.
const EVERY: [&str; 6] =
    ["kl_weight", "free_bits", "contraction_weight", "sparsity_weight", "sparsity_target", "deviation"];
const WARMUP: [&str; 3] = ["kl_warmup", "kl_warmup_epochs", "kl_cycles"];

/// Drops from a configuration of an earlier version what does not apply to its variant; leaves any other as it is.
pub(super) fn brought_up(mut table: toml::Table, registry: &Registry) -> toml::Table {
    let has_all = |model: &toml::Table| EVERY.iter().all(|name| model.contains_key(*name));
    let model = table.get("model").and_then(toml::Value::as_table);
    let Some(mut model) = model.filter(|model| has_all(model)).cloned() else { return table };
    let mut train = table.get("train").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    for name in WARMUP {
        model.extend(train.remove(name).map(|value| (name.to_owned(), value)));
    }
    let variant = model.get("variant").and_then(toml::Value::as_str).map(str::to_owned);
    if let Some(variant) = variant.and_then(|name| registry.variant(&name).ok()) {
        let own = variant.settings();
        let known = |name: &str| COMMON.iter().chain(own).any(|setting| setting.name == name);
        model.retain(|name, _| name == "variant" || known(name));
        drop_inapplicable(COMMON.iter().chain(own), &mut model);
    }
    drop_inapplicable(TRAIN, &mut train);
    table.insert("model".to_owned(), model.into());
    table.insert("train".to_owned(), train.into());
    table
}

fn drop_inapplicable<'a>(described: impl IntoIterator<Item = &'a Setting>, settings: &mut toml::Table) {
    let all = settings.clone();
    for setting in described.into_iter().filter(|setting| !setting.applies(&all)) {
        settings.remove(setting.name);
    }
}

/// The format of checkpoints that knew two sums, one optimizer, and rates in the run's state.
pub(super) const FORMAT: &str = "narrows checkpoint 1";

/// Words of the state in it: seed, step, epoch, cursor, learning rate, two corrections, and the share of the KL.
pub(super) const STATE_WORDS: usize = 9;

/// The header of a checkpoint of [`FORMAT`] as the present one; None for any other.
pub(super) fn header(fields: &Value) -> Option<Value> {
    if fields.get("format")?.as_str()? != FORMAT {
        return None;
    }
    let model = fields.get("config")?.get("model")?;
    let penalty = match (model.get("variant")?.as_str()?, model.get("sparsity").and_then(Value::as_str)) {
        ("vae", _) => Some("kl"),
        ("contractive", _) => Some("contraction"),
        ("sparse", Some("l1")) => Some("l1"),
        ("sparse", Some("kl")) => Some("sparsity"),
        _ => None,
    };
    let (sums, steps) = (fields.get("running_sum_bits")?, fields.get("running_steps")?);
    let names = ["reconstruction"].into_iter().chain(penalty);
    let term = |(at, name)| json!({ "term": name, "steps": steps, "sum_bits": sums[at] });
    let running: Vec<Value> = names.enumerate().map(term).collect();
    let mut fields = fields.clone();
    fields.as_object_mut()?.insert("running".to_owned(), running.into());
    Some(fields)
}

/// The slots of what stood in the state of a checkpoint of [`FORMAT`].
pub(super) fn add_rates(slots: &mut Slots, state: &[u32], model: &Model) {
    let number = |at: usize| f32::from_bits(state[at]);
    slots.insert(format!("{MODEL}.rates"), vec![3], (5..8).map(number).collect());
    if model.terms().iter().any(|term| term.warmup != Warmup::NONE) {
        slots.insert("kl.share".to_owned(), vec![1], vec![number(8)]);
    }
}

/// The factor of each learning rate, in a checkpoint of a version whose rates had none.
pub(super) fn add_factors(slots: &mut Slots) {
    let without = |(name, slot): (&str, &Slot)| name.ends_with(".rates") && slot.shape == [3];
    let found: Vec<(String, Vec<f32>)> = slots
        .iter()
        .filter(|entry| without(*entry))
        .map(|(name, slot)| (name.to_owned(), slot.values.clone()))
        .collect();
    for (name, mut values) in found {
        values.push(1.0);
        slots.insert(name, vec![4], values);
    }
}
