//! A variant's own settings: described once, for files, flags, help texts and refusals.

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

/// Takes those of `described` out of `settings` that do not apply.
///
/// # Errors
/// [`Error::Setting`] naming one of them that is `given`.
pub(crate) fn keep_applicable(
    described: &[Setting],
    settings: &mut toml::Table,
    given: &toml::Table,
) -> Result<()> {
    for setting in described {
        if setting.applies(settings) {
            continue;
        }
        let Some((other, values)) = setting.when else { continue };
        if let Some(value) = given.get(setting.name) {
            let expected = format!("nothing but with the {other} {}", values.join(" or "));
            return Err(Error::setting(setting.name, expected, value));
        }
        settings.remove(setting.name);
    }
    Ok(())
}

/// The settings that a variant has beside those of every model. Its fields are the settings: a `struct` with
/// `#[serde(default, deny_unknown_fields)]`.
pub trait Settings: Clone + Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Each of them, in the order of help texts.
    const DESCRIBED: &'static [Setting];

    /// Whether they make sense, alone and with the model's.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first that does not.
    fn check(&self, model: &ModelConfig) -> Result<()> {
        let _ = model;
        Ok(())
    }
}

/// Of a variant that has none of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

impl Settings for NoSettings {
    const DESCRIBED: &'static [Setting] = &[];
}

/// A weight: a number that is not negative.
///
/// # Errors
/// [`Error::Setting`] for any other.
pub fn check_weight(name: &str, weight: f32) -> Result<()> {
    if weight.is_finite() && weight >= 0.0 {
        return Ok(());
    }
    Err(Error::setting(name, "a number that is not negative", weight))
}

/// The refusal of a setting that does not exist here, with what does and the nearest name.
pub(crate) fn unknown(place: &str, name: &str, known: &[&str], elsewhere: Option<String>) -> Error {
    let nearest = known.iter().copied().min_by_key(|known| distance(known, name));
    let typo = nearest.filter(|known| distance(known, name) <= 1 + name.len() / 4);
    let hint = match (typo, elsewhere) {
        (Some(nearest), _) => format!("{nearest} (the nearest name), or one of "),
        (None, Some(elsewhere)) => format!("a setting that applies ({elsewhere}), one of "),
        (None, None) => "one of ".to_owned(),
    };
    let others: Vec<&str> = known.iter().copied().filter(|known| Some(*known) != typo).collect();
    Error::setting(place, format!("{hint}{}", others.join(", ")), format!("`{name}`"))
}

// Levenshtein's: how many letters are to be changed, added or left out.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
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
        assert_eq!([distance("", "abc"), distance("kitten", "sitting")], [3, 3]);
    }
}
