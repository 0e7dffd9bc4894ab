//! The flags for a configuration: a preset, a file, data. The flags of settings are in `settings`.

use std::path::{Path, PathBuf};

use crate::data::{Source, table};
use crate::model::{Registry, Setting};
use crate::report::shell_word;
use crate::train::{Config, DATA, DataConfig};
use crate::{Error, Result};

use super::settings::{self, Given};

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
    settled: DataSettings<true>,
}

/// The images.
#[derive(clap::Args)]
#[command(next_help_heading = "Data")]
pub(super) struct DataFlags {
    /// Data set: sample (built in), fashion-mnist, mnist, idx (IDX files), folder (pictures of any size), npy (NumPy
    /// arrays), table (CSV, TSV), spiral, moons or mixture (points of the plane); or the path of a folder, a picture, a
    /// .npy or .npz file or a table (.csv, .tsv, .parquet)
    #[arg(long, value_name = "SOURCE", visible_alias = "train")]
    data: Option<String>,
    /// Folder of the data set's files
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    settings: DataSettings<false>,
}

// What a run settles of its data when it begins.
const SETTLED: [&str; 6] = ["scale", "scale_over", "precision", "columns", "drop", "categories"];

/// A flag for each setting of data: those that a run settles when it begins, or those that any reader may give.
pub(super) struct DataSettings<const SETTLES: bool>(toml::Table);

impl<const SETTLES: bool> DataSettings<SETTLES> {
    fn described() -> impl Iterator<Item = &'static Setting> {
        let flags = DATA.iter().filter(|setting| !setting.value.is_empty());
        flags.filter(|setting| SETTLED.contains(&setting.name) == SETTLES)
    }

    /// Those that are given as they are typed, each after a space.
    pub(super) fn typed(&self) -> String {
        let settings = self.0.iter().map(|(name, value)| {
            let value = match (value.as_str(), value.as_array()) {
                (Some(text), _) => shell_word(text),
                (None, Some(names)) => {
                    table::word(&names.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>())
                }
                (None, None) => value.to_string(),
            };
            format!(" --{}={value}", name.replace('_', "-"))
        });
        settings.collect()
    }

    /// `config` with these settings.
    pub(super) fn over(&self, config: &Config) -> Result<Config> {
        config.overlaid(toml::Table::from_iter([("data".to_owned(), self.0.clone().into())]), ORIGIN)
    }
}

impl<const SETTLES: bool> clap::FromArgMatches for DataSettings<SETTLES> {
    fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(settings::given_of(matches, Self::described())))
    }

    fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<const SETTLES: bool> clap::Args for DataSettings<SETTLES> {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args(Self::described().map(|setting| settings::flag(setting, "Data".to_owned(), "")))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

// What decides the order of the data.
const ORDER: [&str; 2] = ["batch", "seed"];

/// Whether a run that goes on with `config` is another run than that of `run`.
pub(super) fn is_fork(config: &Config, run: &Config) -> bool {
    let mut train = config.train.clone();
    train.epochs = run.train.epochs;
    train != run.train
}

// Before a data set's name that is also a folder's.
const BY_NAME: &str = "source:";
// The place of a setting, for errors.
const ORIGIN: &str = "command line";

impl DataFlags {
    /// The data of `config`, changed by these flags. Settings of data belong to a source: another source does not keep
    /// them.
    pub(super) fn over(&self, config: &Config) -> Result<DataConfig> {
        let (mut config, mut given) = (config.clone(), self.settings.0.clone());
        let mut place = self.data_dir.clone();
        if let Some(data) = &self.data {
            let (source, path) = self.named(data)?;
            if source != config.data.source {
                config.data = DataConfig::default();
            }
            given.insert("source".to_owned(), source.to_string().into());
            place = place.or(path.then(|| data.into()));
            if place.is_some() && place != config.data.dir {
                config.data = config.data.of_other_place();
            }
        }
        config.data.dir = place.or(config.data.dir);
        let sections = toml::Table::from_iter([("data".to_owned(), given.into())]);
        Ok(config.overlaid(sections, ORIGIN)?.data)
    }

    /// The columns that are asked for by name, beside those of a trained model.
    pub(super) fn required(&self) -> Vec<String> {
        let given = ["label", "id"].into_iter().filter_map(|setting| self.settings.0.get(setting)?.as_str());
        given.map(str::to_owned).collect()
    }

    /// Whether they say where the data are.
    pub(super) fn is_given(&self) -> bool {
        self.data.is_some() || self.data_dir.is_some()
    }

    /// The given flags as they are typed, each after a space.
    pub(super) fn typed(&self) -> String {
        let data = self.data.iter().map(|data| format!(" --data {}", shell_word(data)));
        let dir =
            self.data_dir.iter().map(|dir| format!(" --data-dir {}", shell_word(&dir.display().to_string())));
        data.chain(dir).chain([self.settings.typed()]).collect()
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
                let expected = format!("{expected}, or the path of a folder, a .npy or .npz file or a table");
                let got = match Path::new(data).exists() {
                    true => "which is a pipe or a device: save its content as a file first",
                    false => "which is neither a name nor a place that exists",
                };
                Err(Error::setting("--data", expected, format!("`{data}`, {got}")))
            }
            (Err(error), None) => Err(error),
        }
    }
}

impl ConfigFlags {
    /// The configuration to resume with: the run's own, except for the data's folder and settings of training. The number of
    /// epochs alone leaves it the same run; others, as [`is_fork`] says, make it another.
    pub(super) fn for_resume(&self, given: &Given, run: &Config) -> Result<Config> {
        let preset = self.preset.iter().map(|preset| format!("preset {preset}"));
        let file = self.config.iter().map(|_| "config".to_owned());
        let tables = [&given.model, &self.data.settings.0, &self.settled.0];
        let settings = tables.into_iter().flatten().map(|(name, _)| name.clone());
        let order = given.train.keys().filter(|name| ORDER.contains(&name.as_str())).cloned();
        let data = self.data.data.iter().map(|_| "data".to_owned());
        let other: Vec<String> = preset.chain(file).chain(data).chain(settings).chain(order).collect();
        if !other.is_empty() {
            let expected = "only settings of training, but --batch and --seed, and --data-dir with it; a new run with other \
                            settings can begin with this run's parameters: --init RUN";
            return Err(Error::setting("--resume", expected, other.join(", ")));
        }
        let sections = toml::Table::from_iter([("train".to_owned(), given.train.clone().into())]);
        let mut config = run.overlaid(sections, ORIGIN)?;
        config.train.check()?;
        config.data.dir = self.data.data_dir.clone().or(config.data.dir);
        Ok(config)
    }

    /// Whether a file was given, which spells its settings out.
    pub(super) fn has_file(&self) -> bool {
        self.config.is_some()
    }

    /// The whole configuration, checked.
    pub(super) fn resolve(&self, registry: &Registry, given: &Given) -> Result<Config> {
        let default = self.preset.as_deref().unwrap_or(DEFAULT_PRESET);
        let config = match &self.config {
            None => Config::preset_of(registry, default)?,
            Some(path) => self.of_file(registry, path, default)?,
        };
        let config = Config { data: self.data.over(&config)?, ..config };
        let sections = [
            ("data", self.settled.0.clone()),
            ("model", given.model.clone()),
            ("train", given.train.clone()),
        ];
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
