//! Settings, described once for files, flags, help texts and refusals.

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ModelConfig;
use crate::{Error, Result};

/// One setting, as people read about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name in files; as a flag with dashes for underscores: `kl_weight`.
    pub name: &'static str,
    /// The name of its value in help texts: `BETA`. Empty for a setting that is no flag.
    pub value: &'static str,
    /// What it does, in a line, with its unit.
    pub help: &'static str,
    /// The setting that it depends on, with the values for which it applies; None where it always does.
    pub when: Option<(&'static str, &'static [&'static str])>,
}

impl Setting {
    /// A setting that always applies.
    pub const fn new(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, value, help, when: None }
    }

    /// A setting that applies where another one has one of these values.
    pub const fn when(self, setting: &'static str, values: &'static [&'static str]) -> Self {
        Self { when: Some((setting, values)), ..self }
    }

    /// Whether it applies among `settings`, which must be complete.
    pub fn applies(&self, settings: &toml::Table) -> bool {
        self.when.is_none_or(|(other, values)| {
            settings.get(other).and_then(toml::Value::as_str).is_some_and(|value| values.contains(&value))
        })
    }
}

/// Settings that [`settings!`](crate::settings) declared.
pub trait Described {
    /// Each of them, in the order of help texts.
    const DESCRIBED: &'static [Setting];
}

/// The settings that a variant has in addition to those of every model, declared by [`settings!`](crate::settings).
pub trait Settings:
    Described + Clone + Default + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Refuses settings that make no sense, alone or with the model's.
    fn check(&self, model: &ModelConfig) -> Result<()> {
        let _ = model;
        Ok(())
    }
}

/// Declares settings as a struct. Each field says all that there is to know of it, once: its documentation is the help
/// text; then follow its default, the name of its value in help texts (`""` for a setting that is no flag), and the
/// choices of another of its settings for which it applies. The calling crate needs serde:
/// `cargo add serde --features derive`.
///
/// ```
/// narrows::settings! {
///     /// Settings of a variant with noise.
///     pub struct NoiseSettings {
///         /// Kind of noise: none, uniform or normal
///         noise: String = "none".to_owned(), "KIND";
///         /// Amount of that noise, in pixel values of [0, 1]
///         amount: f32 = 0.1, "A", with noise = "uniform" | "normal";
///     }
/// }
/// ```
#[macro_export]
macro_rules! settings {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $(
                $(#[doc = $help:literal])+
                $(#[serde($($serde:tt)+)])?
                $field:ident: $type:ty = $default:expr, $value:literal $(, with $other:ident = $($choice:literal)|+)?;
            )*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[doc = $help])+
                $(#[serde($($serde)+)])?
                pub $field: $type,
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                // What a setting depends on is another field.
                $($(let _ = |settings: &Self| { let _ = &settings.$other; };)?)*
                Self { $($field: $default),* }
            }
        }

        impl $crate::model::Described for $name {
            const DESCRIBED: &'static [$crate::model::Setting] = &[$(
                $crate::model::Setting::new(stringify!($field), $value, concat!($($help),+).trim_ascii())
                    $(.when(stringify!($other), &[$($choice),+]))?
            ),*];
        }
    };
}

settings! {
    /// The settings of a variant that has none of its own.
    pub struct NoSettings {}
}

impl Settings for NoSettings {}

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

/// Refuses a count outside of `range`.
pub fn check_within(name: &str, count: u32, range: RangeInclusive<u32>) -> Result<()> {
    if range.contains(&count) {
        return Ok(());
    }
    Err(Error::setting(name, format!("from {} to {}", range.start(), range.end()), count))
}

/// Refuses a list of layers' widths with a 0.
pub fn check_widths(name: &str, widths: &[u32]) -> Result<()> {
    if !widths.contains(&0) {
        return Ok(());
    }
    Err(Error::setting(name, "layers of at least 1 unit", format!("{widths:?}")))
}
