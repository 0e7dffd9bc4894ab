//! The flags for a configuration: a preset, a file, data. The flags of settings are in `settings`.

use std::path::{Path, PathBuf};

use crate::data::Source;
use crate::model::Registry;
use crate::report::shell_word;
use crate::train::{Config, DataConfig};
use crate::{Error, Result};
use serde::Serialize;

use super::settings::Given;

/// The preset if neither the command nor a file names one.
const DEFAULT_PRESET: &str = "vae";

/// The configuration: a preset, a TOML file over it, flags over that.
#[derive(clap::Args)]
pub(super) struct ConfigFlags {
    /// A preset: `narrows presets` lists them [default: that of --config, or vae]
    preset: Option<String>,
    /// TOML file with sections [model], [train] and [data], such as a run's config.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    settled: SettledFlags,
}

/// The images.
#[derive(clap::Args, Serialize)]
#[command(next_help_heading = "Data")]
#[serde(rename_all = "kebab-case")]
pub(super) struct DataFlags {
    /// Data set: sample (built in), fashion-mnist, mnist, idx (IDX files), folder (pictures of any size), npy (NumPy
    /// arrays), table (CSV, TSV), spiral, moons or mixture (points of the plane); or the path of a folder, a .npy file or a
    /// table (.csv, .tsv)
    #[arg(long, value_name = "SOURCE")]
    data: Option<String>,
    /// Folder of the data set's files
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Number of validation images: the last of the training part, or random ones of an array or a table [default: a
    /// tenth, at most 5000]
    #[arg(long, value_name = "N")]
    validation: Option<usize>,
    /// Height and width of a folder's pictures, as 64 or 48x64 [default: their common size if it is at most 128, else
    /// 64]
    #[arg(long, value_name = "HxW")]
    size: Option<String>,
    /// How a folder's pictures of other proportions get that size: crop (the middle), pad (with the mean colour of the
    /// edge) or stretch [default: crop]
    #[arg(long, value_name = "FIT")]
    fit: Option<String>,
    /// Transparent parts of a folder's pictures: white, black, or keep (opacity becomes a channel) [default: white]
    #[arg(long, value_name = "ALPHA")]
    alpha: Option<String>,
    /// Convert a folder's pictures to grey [default: only if all are grey]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    grey: Option<bool>,
    /// What stands between a table's fields [default: comma, tab, semicolon or bar, as the file shows]
    #[arg(long, value_name = "CHAR")]
    separator: Option<char>,
    /// Whether a table's first line holds names [default: where it has text]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    header: Option<bool>,
    /// The column with each row's label
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
    /// The column with each row's name
    #[arg(long, value_name = "NAME")]
    id: Option<String>,
    /// Missing values of a table: refuse, mean or median (of the training part, in their place) or drop (their rows)
    #[arg(long, value_name = "KIND")]
    missing: Option<String>,
}

/// What is settled of the data when a run begins: the scaling, and a table's columns.
#[derive(clap::Args, Serialize)]
#[command(next_help_heading = "Data")]
struct SettledFlags {
    /// How numbers are scaled: auto (as the data are), none, unit (to [0, 1]), standard, robust (median and quartiles)
    /// or log1p [default: auto: bytes and numbers in [0, 1] not at all, others as standard]
    #[arg(long, value_name = "KIND")]
    scale: Option<String>,
    /// What has a scale of its own: column or whole [default: each column of a row; pictures as a whole]
    #[arg(long, value_name = "WHAT")]
    scale_over: Option<String>,
    /// How wide floats are in the device's memory: f32 or f16 [default: f16 above 128 MiB, which every device holds]
    #[arg(long, value_name = "WIDTH")]
    precision: Option<String>,
    /// A table's columns to train on, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// A table's columns to leave out
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    drop: Option<Vec<String>>,
    /// Turn each category of a table's columns of text into a column of 0 and 1
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    categories: Option<bool>,
}

// Before a data set's name that is also a folder's.
const BY_NAME: &str = "source:";
// The place of a setting, for errors.
const ORIGIN: &str = "command line";

// The flags that were given, by name.
fn given(flags: &impl Serialize) -> Result<toml::Table> {
    toml::Table::try_from(flags).map_err(|error| Error::setting(ORIGIN, "what TOML can hold", error))
}

impl DataFlags {
    fn given(&self) -> Result<toml::Table> {
        given(self)
    }

    /// The data of `config`, changed by these flags. A folder and a count belong to a source: another source does not
    /// keep them.
    pub(super) fn over(&self, config: &Config) -> Result<DataConfig> {
        let mut config = config.clone();
        let mut flags = self.given()?;
        let mut place = flags.remove("data-dir");
        if let Some(toml::Value::String(data)) = flags.remove("data") {
            let (source, path) = self.named(&data)?;
            if source != config.data.source {
                config.data = DataConfig::default();
            }
            flags.insert("source".to_owned(), source.to_string().into());
            place = place.or(path.then(|| data.into()));
        }
        flags.extend(place.map(|place| ("dir".to_owned(), place)));
        let sections = toml::Table::from_iter([("data".to_owned(), flags.into())]);
        Ok(config.overlaid(sections, ORIGIN)?.data)
    }

    /// The given flags as they are typed, each after a space.
    pub(super) fn typed(&self) -> Result<String> {
        let flags = self.given()?.into_iter().map(|(name, value)| match value {
            toml::Value::String(text) => format!(" --{name} {}", shell_word(&text)),
            toml::Value::Boolean(value) => format!(" --{name}={value}"),
            value => format!(" --{name} {value}"),
        });
        Ok(flags.collect())
    }

    // The source that `--data` names, and whether it is the path of the data.
    fn named(&self, data: &str) -> Result<(Source, bool)> {
        if let Some(name) = data.strip_prefix(BY_NAME) {
            return Ok((name.parse()?, false));
        }
        match (data.parse::<Source>(), Source::at(Path::new(data))) {
            (Ok(source), None) => Ok((source, false)),
            (Ok(_), Some(_)) if self.data_dir.is_some() => Ok((data.parse()?, false)),
            (Ok(_), Some(_)) => {
                let expected = format!(
                    "./{data} for the data in this folder, or {BY_NAME}{data} for the data set of that name"
                );
                Err(Error::setting("--data", expected, format!("`{data}`, which is both")))
            }
            (Err(_), Some(_)) if self.data_dir.is_some() => {
                let got = format!("--data-dir and --data {data}");
                Err(Error::setting("--data-dir", "no such flag if --data is a path", got))
            }
            (Err(_), Some(source)) => Ok((source, true)),
            (Err(Error::Setting { expected, .. }), None) => {
                let expected = format!("{expected}, or the path of a folder, .npy file or table");
                Err(Error::setting("--data", expected, format!("`{data}`")))
            }
            (Err(error), None) => Err(error),
        }
    }
}

impl ConfigFlags {
    /// The configuration to resume with: the run's own, except for the number of epochs and the data's folder.
    pub(super) fn for_resume(&self, given_settings: &Given, run: &Config) -> Result<Config> {
        let (mut train, mut data) = (given_settings.train.clone(), self.data.given()?);
        let epochs = train.remove_entry("epochs").map(|epochs| toml::Table::from_iter([epochs]));
        data.remove("data-dir");
        let preset = self.preset.iter().map(|preset| format!("preset {preset}"));
        let file = self.config.iter().map(|_| "config".to_owned());
        let settled = given(&self.settled)?;
        let settings =
            [given_settings.model.clone(), train, data, settled].into_iter().flatten().map(|(name, _)| name);
        let other: Vec<String> = preset.chain(file).chain(settings).collect();
        if !other.is_empty() {
            let expected = "only --epochs and --data-dir with it (other settings cannot change in a run)";
            return Err(Error::setting("--resume", expected, other.join(", ")));
        }
        let mut config = run.clone();
        if let Some(epochs) = epochs {
            let sections = toml::Table::from_iter([("train".to_owned(), epochs.into())]);
            config = config.overlaid(sections, ORIGIN)?;
        }
        config.data.dir = self.data.data_dir.clone().or(config.data.dir);
        Ok(config)
    }

    /// Whether a file was given, which spells its settings out.
    pub(super) fn has_file(&self) -> bool {
        self.config.is_some()
    }

    /// The whole configuration, checked.
    pub(super) fn resolve(&self, registry: &Registry, settings: &Given) -> Result<Config> {
        let default = self.preset.as_deref().unwrap_or(DEFAULT_PRESET);
        let config = match &self.config {
            None => Config::preset_of(registry, default)?,
            Some(path) => self.of_file(registry, path, default)?,
        };
        let config = Config { data: self.data.over(&config)?, ..config };
        let settled = given(&self.settled)?;
        let sections =
            [("data", settled), ("model", settings.model.clone()), ("train", settings.train.clone())];
        let sections = sections.map(|(name, table)| (name.to_owned(), table.into()));
        let config = config.overlaid_of(registry, sections.into_iter().collect(), ORIGIN)?;
        config.check()?;
        Ok(config)
    }

    fn of_file(&self, registry: &Registry, path: &Path, default: &str) -> Result<Config> {
        let config = Config::load(registry, path, default)?;
        match &self.preset {
            Some(preset) if *preset != config.preset => {
                let setting = format!("{}: preset", path.display());
                Err(Error::setting(setting, format!("{preset}, as on the command line"), config.preset))
            }
            _ => Ok(config),
        }
    }
}
