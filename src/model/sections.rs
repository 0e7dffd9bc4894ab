//! Sections of a configuration: settings replaced by what is given, and refused by name.

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::Table;

use super::Described;
use crate::{Error, Result};

/// Takes settings that do not apply out of `settings`, and refuses those of them that are `given`.
pub(super) fn keep_applicable<T: Described>(settings: &mut Table, given: &Table) -> Result<()> {
    for setting in T::DESCRIBED {
        let Some((other, values)) = setting.when.filter(|_| !setting.applies(settings)) else { continue };
        if let Some(value) = given.get(setting.name) {
            let expected = format!("nothing but with the {other} {}", values.join(" or "));
            return Err(Error::setting(setting.name, expected, value));
        }
        settings.remove(setting.name);
    }
    Ok(())
}

/// Refuses settings of a section that do not apply.
pub(crate) fn check_applicable<T: Described + Serialize>(section: &str, settings: &T) -> Result<()> {
    let given = table(section, settings)?;
    keep_applicable::<T>(&mut given.clone(), &given)
}

/// The settings of a section with what is `given` in their place. Settings of a choice that is no longer made, as the
/// amount of a corruption that is now none, are dropped.
pub(crate) fn overlaid<T>(section: &str, settings: &T, given: &Table) -> Result<T>
where
    T: Described + Serialize + DeserializeOwned,
{
    let mut all = table(section, settings)?;
    all.extend(given.clone());
    keep_applicable::<T>(&mut all, given)?;
    read(section, all)
}

fn table(section: &str, settings: &impl Serialize) -> Result<Table> {
    Table::try_from(settings).map_err(|error| Error::setting(section, "what TOML can hold", error))
}

pub(super) fn read<T: DeserializeOwned>(section: &str, settings: Table) -> Result<T> {
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

/// A parser's refusal of a section, which reads "WHAT, expected THIS" and, on a line of its own, "in `SETTING`".
pub(super) fn refusal(section: &str, error: &toml::de::Error) -> Error {
    let text = error.to_string();
    let (message, place) = text.trim().rsplit_once("\nin ").unwrap_or((text.trim(), ""));
    let setting = match place.trim_matches('`') {
        "" => section.to_owned(),
        place => format!("{section}.{place}"),
    };
    let (got, expected) = message.split_once(", expected ").unwrap_or((message, "another value"));
    let (got, is_number) = plain_value(got);
    Error::setting(setting, plain_type(expected, is_number), one_line(&got))
}

// What serde calls a type of Rust, in words. A number that is none of these is outside of their range.
fn plain_type(expected: &str, is_number: bool) -> String {
    // TOML's whole numbers have 63 bits and a sign.
    let most = match expected {
        "u8" => u8::MAX.into(),
        "u16" => u16::MAX.into(),
        "u32" => u32::MAX.into(),
        "u64" | "usize" => i64::MAX as u64,
        "f32" | "f64" => return "a number, as 0.5".to_owned(),
        "a boolean" => return "true or false".to_owned(),
        "a string" => return "a word".to_owned(),
        "a sequence" => return "a list".to_owned(),
        other => return one_line(other),
    };
    if is_number { format!("a whole number from 0 to {most}") } else { "a whole number, as 400".to_owned() }
}

// The value of "invalid type: integer `5`" as it was written, and whether it is a number.
fn plain_value(got: &str) -> (String, bool) {
    if let Some(word) = got.strip_prefix("unknown variant ") {
        return (word.trim_matches('`').to_owned(), false);
    }
    let Some(value) = ["invalid type: ", "invalid value: "].iter().find_map(|what| got.strip_prefix(what))
    else {
        return (got.to_owned(), false);
    };
    let of_kind = |kind: &str| Some(value.strip_prefix(kind)?.trim_matches('`').to_owned());
    if let Some(number) = of_kind("integer ").or_else(|| of_kind("floating point ")) {
        return (number, true);
    }
    let word = of_kind("string ").or_else(|| of_kind("boolean "));
    let word = word.or_else(|| (value == "sequence").then(|| "a list".to_owned()));
    (word.unwrap_or_else(|| value.to_owned()), false)
}

/// A message without its line breaks.
pub(crate) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
