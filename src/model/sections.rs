//! Sections of a configuration: what is given laid over what was there, and refused by name.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Setting;
use crate::{Error, Result};

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
