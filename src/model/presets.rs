//! Presets: set-ups that the user names, and every variant's own.

use super::{ALL, CorruptionKind, LayerConfig, variant};
use crate::train::Config;
use crate::{Error, Result};

/// A named set-up. Flags and files say what is otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// The name on the command line and in files.
    pub name: &'static str,
    /// One line for help texts.
    pub summary: &'static str,
    /// Every setting.
    pub config: Config,
}

impl Preset {
    /// `config` under `name`.
    pub fn new(name: &'static str, summary: &'static str, mut config: Config) -> Self {
        name.clone_into(&mut config.preset);
        Self { name, summary, config }
    }

    /// What tells it from others, on one line: widths, activation, likelihood, corruption, optimizer.
    pub fn settings(&self) -> String {
        let Config { model, train, data, .. } = &self.config;
        let mut parts = Vec::new();
        if !model.hidden.is_empty() {
            let widths: Vec<String> = model.hidden.iter().map(u32::to_string).collect();
            parts.push(format!("hidden {} {}", widths.join("-"), model.activation));
        }
        for (side, layers) in [("encoder", &model.encoder), ("decoder", &model.decoder)] {
            if !layers.is_empty() {
                let layers: Vec<String> = layers.iter().map(LayerConfig::to_string).collect();
                parts.push(format!("{side} {} {}", layers.join(" "), model.activation));
            }
        }
        if model.latent > 0 {
            parts.push(format!("code {} {}", model.latent, model.code_activation));
        }
        if model.tied {
            parts.push("tied".to_owned());
        }
        parts.push(toml_name(&model.likelihood));
        if model.corruption != CorruptionKind::None {
            let rescaled = if model.corruption_rescale { " rescaled" } else { "" };
            parts.push(format!("{} {}{rescaled}", toml_name(&model.corruption), model.corruption_amount));
        }
        if let Some(penalty) = variant(&model.variant).ok().and_then(|variant| variant.penalty(model)) {
            parts.push(format!("{} x {}", penalty.weight, penalty.name));
        }
        parts.push(format!("{} {}", toml_name(&train.optimizer), train.learning_rate));
        if train.weight_decay > 0.0 {
            parts.push(format!("weight decay {}", train.weight_decay));
        }
        parts.push(format!("batch {}, {} epochs", train.batch, train.epochs));
        parts.push(data.source.to_string());
        parts.join(", ")
    }
}

// What a setting is called in a file.
fn toml_name(setting: &impl serde::Serialize) -> String {
    toml::Value::try_from(setting).ok().as_ref().and_then(toml::Value::as_str).unwrap_or_default().to_owned()
}

/// Every preset of every variant.
pub fn presets() -> Vec<Preset> {
    ALL.into_iter().flat_map(|variant| variant.presets()).collect()
}

/// The preset called `name`.
///
/// # Errors
/// [`Error::Setting`] that lists the names there are.
pub fn preset(name: &str) -> Result<Preset> {
    let mut all = presets();
    if let Some(at) = all.iter().position(|preset| preset.name == name) {
        return Ok(all.swap_remove(at));
    }
    let names: Vec<&str> = all.iter().map(|preset| preset.name).collect();
    Err(Error::setting("preset", format!("one of {}", names.join(", ")), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_has_a_preset_of_its_own_name_first_and_all_names_differ() {
        let all = presets();
        for (at, preset) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|other| other.name != preset.name), "{} twice", preset.name);
            assert_eq!(preset.config.preset, preset.name);
        }
        for variant in ALL {
            let own = variant.presets();
            assert_eq!(own[0].name, variant.name());
            assert_eq!(own[0].config, variant.preset());
            for preset in own {
                assert_eq!(preset.config.model.variant, variant.name(), "{}", preset.name);
            }
        }
    }

    #[test]
    fn every_preset_makes_sense_and_comes_back_from_its_file() {
        for Preset { name, config, .. } in presets() {
            config.check().unwrap_or_else(|error| panic!("{name}: {error}"));
            let table = config.to_toml().ok().and_then(|text| text.parse().ok());
            let again = table.and_then(|table| Config::new("linear").overlaid(table, name).ok());
            assert_eq!(again.as_ref(), Some(&config), "{name}");
        }
    }
}
