//! Figures as files: picture, numbers, and a page with all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Figure, Settings, Studio, Trained};
use crate::data::Split;
use crate::model::Preset;
use crate::report::{Page, figures_page};
use crate::train::{Config, write_whole};
use crate::{Error, Result};

/// What a figure came to.
pub struct Plate {
    /// Its panels.
    pub page: Page,
    /// What is seen, in a few sentences.
    pub caption: String,
    /// The models it is of.
    pub models: Vec<Trained>,
    /// Its numbers, in order.
    pub numbers: Vec<Number>,
}

/// A number that a figure shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Number {
    /// Its name for programs: `mlp.validation_per_pixel`
    pub name: String,
    /// Its name for people, with its unit.
    pub what: String,
    /// What it is.
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
    /// What trains it alone.
    pub command: String,
}

/// All that is kept of a figure beside its picture: the content of its JSON file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The figure's name.
    pub figure: String,
    /// What it shows, in a line.
    pub title: String,
    /// What is seen.
    pub caption: String,
    /// The images its models were trained on.
    pub data: String,
    /// What it was made on.
    pub device: String,
    /// Seconds from the beginning of its first training to its files, without the models that were there.
    pub seconds: f64,
    /// The models.
    pub models: Vec<ModelRecord>,
    /// The numbers.
    pub numbers: Vec<Number>,
    /// What makes it again.
    pub command: String,
}

/// A folder of figures: `NAME.png`, `NAME.svg` and `NAME.json` of each, and `index.html` with all that are there.
pub struct Gallery {
    folder: PathBuf,
    device: String,
    command: String,
}

impl Gallery {
    /// Figures in `folder`, which is made where it is missing. `command` is what makes a figure whose name is put
    /// behind `narrows figures`: ` --quick`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn new(folder: &Path, device: &str, command: &str) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        Ok(Self { folder: folder.to_owned(), device: device.to_owned(), command: command.to_owned() })
    }

    /// Where runs are kept.
    pub fn runs(&self) -> PathBuf {
        self.folder.join("runs")
    }

    /// Writes a figure's files, each whole or not at all, and the page anew. Gives the page's place.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number that is not finite, [`Error::Io`].
    pub fn hang(&self, figure: Figure, plate: &Plate, studio: &Studio<'_>, seconds: f64) -> Result<PathBuf> {
        if let Some(number) = plate.numbers.iter().find(|number| !number.value.is_finite()) {
            let what = format!("figure {}, {}", figure.name(), number.name);
            return Err(Error::setting(what, "a finite number", number.value));
        }
        let models =
            plate.models.iter().map(|model| record(model, &studio.settings)).collect::<Result<_>>()?;
        let record = Record {
            figure: figure.name().to_owned(),
            title: figure.summary().to_owned(),
            caption: plate.caption.clone(),
            data: described(studio),
            device: self.device.clone(),
            seconds,
            models,
            numbers: plate.numbers.clone(),
            command: format!("narrows figures {}{}", figure.name(), self.command),
        };
        let picture = plate.page.picture();
        let place = |ending: &str| self.folder.join(format!("{}.{ending}", figure.name()));
        write_whole(&place("svg"), picture.svg().as_bytes())?;
        write_whole(&place("png"), &picture.png()?)?;
        let json = serde_json::to_string_pretty(&record);
        let json = json.map_err(|error| Error::setting("figure", "finite numbers", error))?;
        write_whole(&place("json"), json.as_bytes())?;
        self.index()
    }

    // From what is in the folder, so that figures of earlier invocations stay on the page.
    fn index(&self) -> Result<PathBuf> {
        let mut shown = BTreeMap::new();
        for (number, figure) in Figure::ALL.into_iter().enumerate() {
            let [svg, json] =
                ["svg", "json"].map(|ending| self.folder.join(format!("{}.{ending}", figure.name())));
            if svg.exists() && json.exists() {
                let read = |path: &Path| std::fs::read_to_string(path).map_err(Error::io("read", path));
                let record: Record = serde_json::from_str(&read(&json)?).map_err(|error| Error::File {
                    path: json.clone(),
                    expected: "the record of a figure".to_owned(),
                    found: error.to_string(),
                })?;
                shown.insert(number, (record, read(&svg)?));
            }
        }
        let place = self.folder.join("index.html");
        let shown: Vec<(Record, String)> = shown.into_values().collect();
        write_whole(&place, figures_page(&shown).as_bytes())?;
        Ok(place)
    }
}

fn described(studio: &Studio<'_>) -> String {
    let Split { train, validation, .. } = studio.split.as_ref();
    format!("{}: {} images to train on, {} to validate", train.name, train.len(), validation.len())
}

fn record(model: &Trained, settings: &Settings) -> Result<ModelRecord> {
    let config = &model.checkpoint.config;
    Ok(ModelRecord {
        name: model.name.clone(),
        setup: Preset::new("", "", config.clone()).settings(),
        seconds: model.seconds,
        command: command(config, settings, &model.folder)?,
    })
}

// A preset where it is one but for what is named, else the file that the run keeps.
fn command(config: &Config, settings: &Settings, folder: &Path) -> Result<String> {
    let Config { train, data, .. } = config;
    let mut preset = Config::preset(&config.preset)?;
    preset.data = data.clone();
    preset.train.epochs = train.epochs;
    preset.train.seed = train.seed;
    if preset != *config || data.dir.is_some() || *data != settings.data {
        return Ok(format!("narrows train --config {}", folder.join("config.toml").display()));
    }
    let validation = data.validation.map_or_else(String::new, |count| format!(" --validation {count}"));
    let (name, epochs, seed) = (&config.preset, train.epochs, train.seed);
    Ok(format!("narrows train {name} --data {}{validation} --epochs {epochs} --seed {seed}", data.source))
}
