//! A run's `config.toml` against what it was trained with.

use std::collections::BTreeSet;
use std::path::Path;

use super::folder::CONFIG;
use crate::data::shell_word;
use crate::model::Registry;
use crate::train::{Checkpoint, Config};
use crate::{Error, Result};

impl Checkpoint {
    /// The configuration to resume the run in `folder` with: its own, with the number of epochs and the places of the data
    /// that its `config.toml` has. Without that file it is the checkpoint's.
    ///
    /// # Errors
    /// [`Error::File`] that names each other setting in the file that differs, and as [`Config::load`].
    pub fn config_in(&self, registry: &Registry, folder: &Path) -> Result<Config> {
        let path = folder.join(CONFIG);
        if !path.exists() {
            return Ok(self.config.clone());
        }
        let found = Config::load(registry, &path, &self.config.preset)?;
        let mut own = self.config.clone();
        own.train.epochs = found.train.epochs;
        let Config { data, .. } = found.clone();
        (own.data.dir, own.data.val) = (data.dir, data.val);
        (own.data.test, own.data.cache) = (data.test, data.cache);
        if own == found {
            return Ok(own);
        }
        let word = |path: &Path| shell_word(&path.display().to_string());
        let (config, run) = (word(&path), word(folder));
        Err(Error::File {
            expected: "the settings that the run was trained with".to_owned(),
            found: format!(
                "{}. To resume, put them back; to begin a new run from this one's parameters: narrows train --config \
                 {config} --init {run}",
                differences(&own, &found)?.join(", ")
            ),
            path,
        })
    }
}

// Each setting that is not the same in both, as it is and as it was.
fn differences(was: &Config, is: &Config) -> Result<Vec<String>> {
    // By the file's text, which has no more digits than tell a number from others.
    let [was, is] = [was, is].map(|config| {
        let table = config.to_toml()?.parse::<toml::Table>();
        table.map(toml::Value::Table).map_err(|error| Error::setting("config", "TOML", error))
    });
    let (was, is) = (was?, is?);
    let mut found = Vec::new();
    compare("", Some(&was), Some(&is), &mut found);
    Ok(found)
}

fn compare(name: &str, was: Option<&toml::Value>, is: Option<&toml::Value>, found: &mut Vec<String>) {
    let (old, new) = (was.and_then(toml::Value::as_table), is.and_then(toml::Value::as_table));
    if let (Some(old), Some(new)) = (old, new) {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in names {
            let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
            compare(&name, old.get(key), new.get(key), found);
        }
    } else if was != is {
        let shown = |value: Option<&toml::Value>| value.map_or("not set".to_owned(), ToString::to_string);
        found.push(format!("{name} = {} (was {})", shown(is), shown(was)));
    }
}
