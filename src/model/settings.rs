//! A variant's own settings: described once, for files, flags, help texts and refusals.

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ModelConfig;
use crate::{Error, Result};

/// One setting, as people read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name in files; as a flag with dashes for underscores: `kl_weight`.
    pub name: &'static str,
    /// What its value is called in help texts: `BETA`. Nothing of a setting that is no flag.
    pub value: &'static str,
    /// What it does, in a line, with its unit.
    pub help: &'static str,
    /// The setting that it depends on, and the values of that for which it applies; None where it always does.
    pub when: Option<(&'static str, &'static [&'static str])>,
}

impl Setting {
    /// A setting that always applies.
    pub const fn new(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, value, help, when: None }
    }

    /// One that applies where another setting has one of these values.
    pub const fn when(self, setting: &'static str, values: &'static [&'static str]) -> Self {
        Self { when: Some((setting, values)), ..self }
    }

    /// Whether it applies among `settings`, which have all that does.
    pub fn applies(&self, settings: &toml::Table) -> bool {
        self.when.is_none_or(|(other, values)| {
            settings.get(other).and_then(toml::Value::as_str).is_some_and(|value| values.contains(&value))
        })
    }
}

/// The settings that a variant has in addition to those of every model. Its fields are the settings: a `struct` with
/// `#[serde(default, deny_unknown_fields)]`.
pub trait Settings: Clone + Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Each of them, in the order of help texts.
    const DESCRIBED: &'static [Setting];

    /// Refuses settings that make no sense, alone or with the model's.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first.
    fn check(&self, model: &ModelConfig) -> Result<()> {
        let _ = model;
        Ok(())
    }
}

/// The settings of a variant that has none of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

impl Settings for NoSettings {
    const DESCRIBED: &'static [Setting] = &[];
}

// Refuses a value of a setting.
fn check<T: Copy + Display + Into<f64>>(
    name: &str,
    value: T,
    expected: &str,
    good: fn(f64) -> bool,
) -> Result<()> {
    if good(value.into()) { Ok(()) } else { Err(Error::setting(name, expected, value)) }
}

/// Refuses a weight that is negative or not finite.
///
/// # Errors
/// [`Error::Setting`] with the setting's name; so do the other checks.
pub fn check_weight(name: &str, weight: f32) -> Result<()> {
    check(name, weight, "a number that is not negative", |weight| weight.is_finite() && weight >= 0.0)
}

/// Refuses a number that is not positive or not finite.
pub fn check_positive<T: Copy + Display + Into<f64>>(name: &str, value: T) -> Result<()> {
    check(name, value, "a positive number", |value| value.is_finite() && value > 0.0)
}

/// Refuses a number outside of [0, 1).
pub fn check_fraction<T: Copy + Display + Into<f64>>(name: &str, value: T) -> Result<()> {
    check(name, value, "at least 0 and below 1", |value| (0.0..1.0).contains(&value))
}

/// Refuses a count of 0.
pub fn check_count(name: &str, count: u32) -> Result<()> {
    check(name, count, "at least 1", |count| count > 0.0)
}

/// Refuses a list of layers' widths with a 0.
pub fn check_widths(name: &str, widths: &[u32]) -> Result<()> {
    if !widths.contains(&0) {
        return Ok(());
    }
    Err(Error::setting(name, "layers of at least 1 unit", format!("{widths:?}")))
}

/// Takes those of `described` out of `settings` that do not apply.
///
/// # Errors
/// [`Error::Setting`] naming one of them that is `given`.
pub(super) fn keep_applicable(
    described: &[Setting],
    settings: &mut toml::Table,
    given: &toml::Table,
) -> Result<()> {
    for setting in described {
        let Some((other, values)) = setting.when.filter(|_| !setting.applies(settings)) else { continue };
        if let Some(value) = given.get(setting.name) {
            let expected = format!("nothing but with the {other} {}", values.join(" or "));
            return Err(Error::setting(setting.name, expected, value));
        }
        settings.remove(setting.name);
    }
    Ok(())
}

/// Refuses settings that do not apply beside the others.
pub(crate) fn check_applicable(
    section: &str,
    described: &[Setting],
    settings: &impl Serialize,
) -> Result<()> {
    let given = table(section, settings)?;
    keep_applicable(described, &mut given.clone(), &given)
}

/// `settings` with what is `given` in their place. What was set for another choice than is given now, as the amount of a
/// corruption that is none any more, is forgotten.
pub(crate) fn overlaid<T: Serialize + DeserializeOwned>(
    section: &str,
    described: &[Setting],
    settings: &T,
    given: &toml::Table,
) -> Result<T> {
    let mut all = table(section, settings)?;
    all.extend(given.clone());
    keep_applicable(described, &mut all, given)?;
    read(section, all)
}

/// The settings of a section, by their names in files.
pub(crate) fn table(section: &str, settings: &impl Serialize) -> Result<toml::Table> {
    toml::Table::try_from(settings).map_err(|error| Error::setting(section, "what TOML can hold", error))
}

pub(super) fn read<T: DeserializeOwned>(section: &str, settings: toml::Table) -> Result<T> {
    settings.try_into().map_err(|error| refusal(section, &error))
}

/// The refusal of a setting that does not exist here, with those that do and the nearest name.
pub(crate) fn unknown(place: &str, name: &str, known: &[&str], elsewhere: Option<String>) -> Error {
    let distance = |known: &str| strsim::levenshtein(known, name);
    let nearest = known.iter().copied().min_by_key(|known| distance(known));
    let typo = nearest.filter(|known| distance(known) <= 1 + name.len() / 4);
    let hint = match (typo, elsewhere) {
        (Some(nearest), _) => format!("{nearest} (the nearest name), or one of "),
        (None, Some(elsewhere)) => format!("a setting that applies ({elsewhere}), one of "),
        (None, None) => "one of ".to_owned(),
    };
    let others: Vec<&str> = known.iter().copied().filter(|known| Some(*known) != typo).collect();
    Error::setting(place, format!("{hint}{}", others.join(", ")), format!("`{name}`"))
}

/// A parser's refusal of a section as an error: it says "WHAT, expected THIS" and, on a line of its own, "in `SETTING`".
pub(crate) fn refusal(section: &str, error: &toml::de::Error) -> Error {
    let text = error.to_string();
    let (message, place) = text.trim().rsplit_once("\nin ").unwrap_or((text.trim(), ""));
    let setting = match place.trim_matches('`') {
        "" => section.to_owned(),
        place => format!("{section}.{place}"),
    };
    let (got, expected) = message.split_once(", expected ").unwrap_or((message, "another value"));
    Error::setting(setting, one_line(expected), one_line(got))
}

/// A message without its line breaks.
pub(crate) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_told_the_nearest_name_and_a_foreign_setting_where_it_belongs() {
        let known = ["hidden", "latent", "kl_weight"];
        let typo = unknown("model", "kl_wieght", &known, None).to_string();
        assert!(typo.contains("kl_weight (the nearest name)"), "{typo}");
        let foreign = unknown("model", "contraction", &known, Some("it is one of contractive".into()));
        assert!(foreign.to_string().contains("it is one of contractive"), "{foreign}");
    }
}
