//! Figures as files: picture, numbers, and a page with all of them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::page::figures_page;
use super::{Figure, Trained};
use crate::data::written::write_whole;
use crate::report::{Page, shell_word};
use crate::run::{CONFIG, make_folder};
use crate::train::Config;
use crate::{Error, Result};

/// A figure before it is written.
pub struct FigureOutput {
    /// Its panels.
    pub page: Page,
    /// What the panels show, in a few sentences.
    pub caption: String,
    /// The models it shows.
    pub models: Vec<Trained>,
    /// Its numbers, in order.
    pub numbers: Vec<Number>,
}

impl FigureOutput {
    /// An output without panels.
    pub fn new(title: &str) -> Self {
        Self { page: Page::new(title), caption: String::new(), models: Vec::new(), numbers: Vec::new() }
    }
}

/// A number that a figure shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Number {
    /// Its name for programs: `mlp.validation_per_pixel`
    pub name: String,
    /// Its name for people, with its unit.
    pub what: String,
    /// Its value.
    pub value: f64,
}

impl Number {
    /// A number.
    pub fn new(name: impl Into<String>, what: impl Into<String>, value: f64) -> Self {
        Self { name: name.into(), what: what.into(), value }
    }
}

/// A model, as a figure's record has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// What the figure calls it.
    pub name: String,
    /// Its set-up in words.
    pub setup: String,
    /// Seconds its training took.
    pub seconds: f64,
    /// The command that trains this model alone.
    pub command: String,
}

/// A figure's JSON file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The figure's name.
    pub figure: String,
    /// What it shows, in a line.
    pub title: String,
    /// What the picture shows, in a few sentences.
    pub caption: String,
    /// The images its models were trained on, those of several one after the other.
    pub data: String,
    /// The device that it was made on.
    pub device: String,
    /// Seconds from its first training to its files; models that were trained before took none of them.
    pub seconds: f64,
    /// The models.
    pub models: Vec<ModelRecord>,
    /// The numbers.
    pub numbers: Vec<Number>,
    /// The command that makes it again.
    pub command: String,
}

/// A folder of figures: `NAME.png`, `NAME.svg` and `NAME.json` of each, and `index.html` with all of them.
pub struct Gallery {
    folder: PathBuf,
    device: String,
    flags: String,
}

impl Gallery {
    /// Figures in `folder`, which is made where it is missing. `flags` follow a figure's name in the command that makes it
    /// again: ` --quick`.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::File`] for the record of an earlier figure that cannot be read. This is found before
    /// anything is trained.
    pub fn new(folder: &Path, device: &str, flags: &str) -> Result<Self> {
        make_folder(folder)?;
        let gallery = Self { folder: folder.to_owned(), device: device.to_owned(), flags: flags.to_owned() };
        gallery.shown()?;
        Ok(gallery)
    }

    /// Where runs are kept.
    pub fn runs(&self) -> PathBuf {
        self.folder.join("runs")
    }

    /// Writes a figure's files, each whole or not at all, and then the page. Returns the page's path.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number that is not finite, [`Error::Io`].
    pub fn save(&self, figure: Figure, output: &FigureOutput, seconds: f64) -> Result<PathBuf> {
        if let Some(number) = output.numbers.iter().find(|number| !number.value.is_finite()) {
            let what = format!("figure {}, {}", figure.name(), number.name);
            return Err(Error::setting(what, "a finite number", number.value));
        }
        let mut images: Vec<&str> = output.models.iter().map(|model| model.images.as_str()).collect();
        images.dedup();
        let record = Record {
            figure: figure.name().to_owned(),
            title: figure.summary().to_owned(),
            caption: output.caption.clone(),
            data: images.join("; "),
            device: self.device.clone(),
            seconds,
            models: output.models.iter().map(record).collect::<Result<_>>()?,
            numbers: output.numbers.clone(),
            command: format!("narrows figures {}{}", figure.name(), self.flags),
        };
        let picture = output.page.picture();
        let place = |ending: &str| self.folder.join(format!("{}.{ending}", figure.name()));
        write_whole(&place("svg"), picture.svg().as_bytes())?;
        write_whole(&place("png"), &picture.png()?)?;
        let json = serde_json::to_string_pretty(&record);
        let json = json.map_err(|error| Error::setting("figure", "finite numbers", error))?;
        write_whole(&place("json"), json.as_bytes())?;
        let place = self.folder.join("index.html");
        write_whole(&place, figures_page(&self.shown()?).as_bytes())?;
        Ok(place)
    }

    // Every figure in the folder, so that those of earlier invocations stay on the page.
    fn shown(&self) -> Result<Vec<(Record, String)>> {
        let mut shown = Vec::new();
        for figure in Figure::ALL {
            let [svg, json] =
                ["svg", "json"].map(|ending| self.folder.join(format!("{}.{ending}", figure.name())));
            if svg.exists() && json.exists() {
                let read = |path: &Path| std::fs::read_to_string(path).map_err(Error::io("read", path));
                let record: Record = serde_json::from_str(&read(&json)?).map_err(|error| Error::File {
                    path: json.clone(),
                    expected: "the record of a figure; remove it and make that figure again".to_owned(),
                    found: error.to_string(),
                })?;
                shown.push((record, read(&svg)?));
            }
        }
        Ok(shown)
    }
}

fn record(model: &Trained) -> Result<ModelRecord> {
    let config = &model.checkpoint.config;
    let (name, command) = (model.name.clone(), command(config, model.checkpoint.shape, &model.folder)?);
    Ok(ModelRecord { name, setup: config.set_up(), seconds: model.seconds, command })
}

// The preset with what differs from it as flags, or the run's own file where there is no flag for it.
fn command(config: &Config, shape: [usize; 3], folder: &Path) -> Result<String> {
    let table = |config: &Config| {
        let wrong = |error| Error::setting("config", "what TOML can hold", error);
        toml::Table::try_from(config).map_err(wrong)
    };
    let preset = Config::preset(&config.preset)?.fitted_to(shape.try_into()?)?;
    let (known, wanted) = (table(&preset)?, table(config)?);
    let mut command = format!("narrows train {}", config.preset);
    for section in ["model", "train", "data"] {
        for (name, value) in wanted.get(section).and_then(toml::Value::as_table).into_iter().flatten() {
            if known.get(section).and_then(|known| known.get(name)) == Some(value) || name == "variant" {
                continue;
            }
            let Some(value) = typed(value) else {
                let file = shell_word(&folder.join(CONFIG).display().to_string());
                return Ok(format!("narrows train --config {file}"));
            };
            let name = match name.as_str() {
                "source" => "data",
                "dir" => "data-dir",
                other => other,
            };
            command.push_str(&format!(" --{}={value}", name.replace('_', "-")));
        }
    }
    Ok(command)
}

// As it is typed; None for a value that no flag takes.
fn typed(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(shell_word(text)),
        toml::Value::Integer(number) => Some(number.to_string()),
        // A float with as few digits as tell it from others of 32 bits.
        toml::Value::Float(number) => Some((*number as f32).to_string()),
        toml::Value::Boolean(is) => Some(is.to_string()),
        toml::Value::Array(numbers) if numbers.iter().all(toml::Value::is_integer) => {
            let numbers: Vec<String> = numbers.iter().map(toml::Value::to_string).collect();
            (!numbers.is_empty()).then(|| numbers.join(","))
        }
        _ => None,
    }
}
