//! A flag for each setting, made from the descriptions of the model, its variants and training. The given flags become
//! a TOML table that overrides the preset and the file.

use clap::{Arg, ArgMatches, Command};

use crate::data::table;
use crate::model::{COMMON, Registry, Setting};
use crate::train::TRAIN;
use crate::{Error, Result};

/// The given settings, by section.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    pub(super) model: toml::Table,
    pub(super) train: toml::Table,
}

/// The command with flags for the settings of the model, of every variant, and of training.
pub(super) fn with_settings(command: Command, registry: &Registry) -> Command {
    let common = COMMON.iter().map(|setting| (setting, "Model".to_owned(), String::new()));
    let train = TRAIN.iter().map(|setting| (setting, "Training".to_owned(), String::new()));
    let mut there: Vec<&str> = Vec::new();
    let mut flags = Vec::new();
    for (setting, heading, of) in common.chain(own(registry)).chain(train) {
        if !setting.value.is_empty() && !there.contains(&setting.name) {
            there.push(setting.name);
            flags.push(flag(setting, heading, &of));
        }
    }
    command.args(flags)
}

/// Refuses a variant's setting whose flag means something else in one of these commands.
pub(super) fn check_flags<'a>(
    commands: impl Iterator<Item = &'a Command>,
    registry: &Registry,
) -> Result<()> {
    let flags: Vec<&str> = commands.flat_map(Command::get_arguments).filter_map(Arg::get_long).collect();
    for variant in registry.variants() {
        let mut settings = variant.settings().iter().map(|setting| setting.name.replace('_', "-"));
        if let Some(flag) = settings.find(|flag| flags.contains(&flag.as_str())) {
            let setting = format!("setting of the variant {}", variant.name());
            return Err(Error::setting(setting, "a name that no other flag has", format!("--{flag}")));
        }
    }
    Ok(())
}

// The settings of the variants, each with the names of its variants.
fn own(registry: &Registry) -> impl Iterator<Item = (&'static Setting, String, String)> {
    let settings = registry.variants().iter().flat_map(|variant| variant.settings());
    settings.map(|setting| {
        let has = |other: &&Setting| other.name == setting.name;
        let owners = registry.variants().iter().filter(|variant| variant.settings().iter().any(|s| has(&s)));
        let owners: Vec<&str> = owners.map(|variant| variant.name()).collect();
        (setting, "Model, by variant".to_owned(), format!("{}: ", owners.join(", ")))
    })
}

/// The flag of a setting.
pub(super) fn flag(setting: &Setting, heading: String, of: &str) -> Arg {
    let when = setting.when.map_or(String::new(), |(other, values)| {
        format!(" (with {} {})", other.replace('_', "-"), values.join(", "))
    });
    let flag = Arg::new(setting.name)
        .long(setting.name.replace('_', "-"))
        .value_name(setting.value)
        .help(format!("{of}{}{when}", setting.help))
        .help_heading(heading)
        .allow_negative_numbers(true);
    // `--grey` alone says yes.
    let switch = setting.value == "SWITCH";
    let flag =
        if switch { flag.num_args(0..=1).require_equals(true).default_missing_value("true") } else { flag };
    if setting.name == "learning_rate" { flag.visible_alias("lr") } else { flag }
}

/// The settings among the flags of the command line.
pub(super) fn given(matches: &ArgMatches, registry: &Registry) -> Given {
    let own = registry.variants().iter().flat_map(|variant| variant.settings());
    Given { model: given_of(matches, COMMON.iter().chain(own)), train: given_of(matches, TRAIN) }
}

/// Those of some settings.
pub(super) fn given_of<'a>(
    matches: &ArgMatches,
    settings: impl IntoIterator<Item = &'a Setting>,
) -> toml::Table {
    let flags = settings.into_iter().filter(|setting| !setting.value.is_empty());
    let given = flags.filter_map(|setting| {
        let text = matches.get_one::<String>(setting.name)?;
        Some((setting.name.to_owned(), typed(setting, text)))
    });
    given.collect()
}

// A list of widths or names, a name, a number or a boolean if the text can be read as one, else a string.
fn typed(setting: &Setting, text: &str) -> toml::Value {
    match setting.value {
        "NAMES" | "CLASSES" => return table::names(text).into(),
        "NAME" | "CHAR" | "PATH" | "FOLDER" => return text.into(),
        _ => {}
    }
    let text = text.trim();
    if setting.value == "WIDTHS" {
        let number = |part: &str| part.parse::<i64>().map_or_else(|_| part.into(), toml::Value::Integer);
        let parts = text.split(',').map(|part| number(part.trim()));
        return toml::Value::Array(if text.is_empty() { Vec::new() } else { parts.collect() });
    }
    let integer = text.parse::<i64>().ok().map(toml::Value::Integer);
    let float = || text.parse::<f64>().ok().map(toml::Value::Float);
    let truth = || text.parse::<bool>().ok().map(toml::Value::Boolean);
    integer.or_else(float).or_else(truth).unwrap_or_else(|| text.into())
}

#[cfg(test)]
#[allow(unreachable_pub)]
mod tests {
    use super::*;
    use crate::model::{Declare, Network, Preset, Settings, Variant};

    crate::settings! {
        /// One of them is a flag already.
        pub struct SizedSettings {
            /// Nothing
            depth: u32 = 1, "N";
            /// Nothing either
            data_dir: u32 = 1, "N";
        }
    }

    impl Settings for SizedSettings {}

    struct Sized;

    impl Variant for Sized {
        const NAME: &'static str = "sized";
        const SUMMARY: &'static str = "a plain autoencoder";
        const PRESETS: &'static [Preset] = &[Preset::new(Self::NAME, Self::SUMMARY, &[])];
        type Settings = SizedSettings;
        type Model = Network;

        fn declare(&self, _: SizedSettings, declare: &mut Declare<'_>) -> Result<Network> {
            declare.network(1)
        }
    }

    #[test]
    fn a_setting_whose_flag_means_something_else_is_refused() {
        let command = Command::new("train").arg(Arg::new("data_dir").long("data-dir"));
        let check = |registry: &Registry| check_flags([&command].into_iter(), registry);
        assert!(check(&Registry::built_in()).is_ok());
        let refused = check(&Registry::built_in().with(Sized)).err().map(|error| error.to_string());
        let expected = "setting of the variant sized: expected a name that no other flag has, got --data-dir";
        assert_eq!(refused.as_deref(), Some(expected));
    }
}
