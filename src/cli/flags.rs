//! The flags that say what to train: a preset, a file, data. Settings are flags of `settings`.

use std::path::{Path, PathBuf};

use crate::data::Source;
use crate::model::Registry;
use crate::report::shell_word;
use crate::train::{Config, DataConfig};
use crate::{Error, Result};
use serde::Serialize;

use super::settings::Given;

/// What is used where neither the command nor a file names a preset.
const DEFAULT_PRESET: &str = "vae";

/// The configuration: a preset, a TOML file over it, flags over that.
#[derive(clap::Args)]
pub(super) struct ConfigFlags {
    /// A variant or another preset, as `narrows presets` lists them [default: the file's, or vae]
    preset: Option<String>,
    /// TOML file with sections [model], [train] and [data]; a run's config.toml is one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    data: DataFlags,
}

/// Which images.
#[derive(clap::Args, Serialize)]
#[command(next_help_heading = "Data")]
pub(super) struct DataFlags {
    /// sample (built in), fashion-mnist, mnist, idx (IDX files), folder (pictures of any size), npy (NumPy's
    /// arrays), the path of a folder or .npy file, whose format is detected, or points of the plane: spiral, moons,
    /// mixture
    #[arg(long = "data", value_name = "SOURCE")]
    #[serde(rename = "source")]
    data: Option<String>,
    /// Where its files are
    #[arg(long = "data-dir", value_name = "DIR")]
    #[serde(rename = "dir")]
    data_dir: Option<PathBuf>,
    /// Validation images: how many of the last training images to hold out [default: a tenth, at most 5000]
    #[arg(long, value_name = "N")]
    validation: Option<usize>,
    /// Height and width that a folder's pictures are cropped and resized to [default: their own where all have
    /// one of at most 128, else 64]
    #[arg(long, value_name = "N")]
    size: Option<u32>,
    /// Make a folder's pictures grey [default: only if all are]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    grey: Option<bool>,
}

// The flags of one section that were given, under their names in the file.
fn given(flags: &impl Serialize) -> Result<toml::Table> {
    toml::Table::try_from(flags).map_err(|error| Error::setting(ORIGIN, "what TOML can hold", error))
}

// Where a setting stands, for errors.
const ORIGIN: &str = "command line";

impl DataFlags {
    /// This configuration's data with what was given in its place. A folder and a count belong to a source,
    /// so another source does not take them over.
    pub(super) fn over(&self, config: &Config) -> Result<DataConfig> {
        let mut config = config.clone();
        let mut flags = given(self)?;
        if let Some((source, place)) = self.data.as_deref().map(|data| self.named(data)).transpose()? {
            if source != config.data.source {
                config.data = DataConfig::default();
            }
            flags.insert("source".to_owned(), source.to_string().into());
            let place = place.map(toml::Value::try_from).transpose();
            let place = place.map_err(|error| Error::setting("--data", "what TOML can hold", error))?;
            flags.extend(place.map(|place| ("dir".to_owned(), place)));
        }
        let sections = toml::Table::from_iter([("data".to_owned(), flags.into())]);
        Ok(config.overlaid(sections, ORIGIN)?.data)
    }
}

impl DataFlags {
    /// What was given, as it is typed, each flag behind a space.
    pub(super) fn typed(&self) -> String {
        let quoted = |path: &Path| shell_word(&path.display().to_string());
        let mut flags = String::new();
        let mut add = |name: &str, value: Option<String>| {
            flags.extend(value.map(|value| format!(" --{name} {value}")));
        };
        add("data", self.data.as_deref().map(shell_word));
        add("data-dir", self.data_dir.as_deref().map(quoted));
        add("validation", self.validation.map(|count| count.to_string()));
        add("size", self.size.map(|size| size.to_string()));
        flags.extend(self.grey.map(|grey| format!(" --grey={grey}")));
        flags
    }

    // The source that `--data` names, or the one that lies at the path it gives.
    fn named<'a>(&self, data: &'a str) -> Result<(Source, Option<&'a Path>)> {
        let path = Path::new(data);
        match (data.parse(), Source::at(path)) {
            (Ok(source), _) => Ok((source, None)),
            (Err(_), Some(_)) if self.data_dir.is_some() => {
                let expected = "none beside the path that --data gives";
                Err(Error::setting("--data-dir", expected, format!("both, and --data {data}")))
            }
            (Err(_), Some(source)) => Ok((source, Some(path))),
            (Err(Error::Setting { expected, .. }), None) => {
                let expected = format!("{expected}, or the path of a folder or .npy file");
                Err(Error::setting("--data", expected, format!("`{data}`")))
            }
            (Err(error), None) => Err(error),
        }
    }
}

impl ConfigFlags {
    /// The configuration to resume with: the run's own, but for the number of epochs and the data's place.
    pub(super) fn for_resume(&self, given: &Given, run: &Config) -> Result<Config> {
        let mut config = run.clone();
        let epochs = given.train.get("epochs").cloned();
        let epochs = epochs.map(|epochs| toml::Table::from_iter([("epochs".to_owned(), epochs)]));
        if let Some(epochs) = epochs {
            config =
                config.overlaid(toml::Table::from_iter([("train".to_owned(), epochs.into())]), ORIGIN)?;
        }
        config.data.dir = self.data.data_dir.clone().or(config.data.dir);
        let other = self.names_given(given)?;
        let other: Vec<String> =
            other.into_iter().filter(|name| !["epochs", "dir"].contains(&name.as_str())).collect();
        if other.is_empty() {
            return Ok(config);
        }
        let expected = "only --epochs and --data-dir with it: every other setting is the run's";
        Err(Error::setting("--resume", expected, other.join(", ")))
    }

    fn names_given(&self, settings: &Given) -> Result<Vec<String>> {
        let sections = [settings.model.clone(), settings.train.clone(), given(&self.data)?];
        let named = self.preset.iter().map(|preset| format!("preset {preset}"));
        let file = self.config.iter().map(|_| "config".to_owned());
        let settings = sections.into_iter().flat_map(|table| table.into_iter().map(|(name, _)| name));
        Ok(named.chain(file).chain(settings).collect())
    }

    /// The whole configuration, checked.
    pub(super) fn resolve(&self, registry: &Registry, given: &Given) -> Result<Config> {
        let default = self.preset.as_deref().unwrap_or(DEFAULT_PRESET);
        let config = match &self.config {
            None => Config::preset_of(registry, default)?,
            Some(path) => self.of_file(registry, path, default)?,
        };
        let data = self.data.over(&config)?;
        let sections = [("model", given.model.clone()), ("train", given.train.clone())];
        let sections = sections.map(|(name, table)| (name.to_owned(), table.into()));
        let config = Config { data, ..config.overlaid_of(registry, sections.into_iter().collect(), ORIGIN)? };
        config.check()?;
        Ok(config)
    }

    fn of_file(&self, registry: &Registry, path: &Path, default: &str) -> Result<Config> {
        let config = Config::load(registry, path, default)?;
        match &self.preset {
            Some(preset) if *preset != config.preset => {
                let setting = format!("{}: preset", path.display());
                Err(Error::setting(setting, format!("{preset}, as the command says"), config.preset))
            }
            _ => Ok(config),
        }
    }
}
