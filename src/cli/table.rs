//! Numbers per item as a file for other programs: `.npy`, `.csv` or `.jsonl`.

use std::io;

use crate::data::{Column, Dataset, Items};
use crate::train::Checkpoint;
use crate::{Error, Result};
use npyz::WriterBuilder;
use serde_json::{Map, Value};

/// Numbers of items, each under a name.
pub(super) struct Table<'a> {
    /// Of the columns.
    pub(super) names: Vec<String>,
    /// `[items, names]`
    pub(super) values: &'a [f32],
    /// The extents of an item in a .npy file, whose product is the number of names.
    pub(super) shape: Vec<usize>,
    /// What else is known of the items, where they are those of a data set.
    pub(super) items: Option<&'a Dataset>,
    /// Whether a first column numbers the items, from 0.
    pub(super) is_numbered: bool,
}

impl<'a> Table<'a> {
    /// A row of numbers for each item of a data set.
    pub(super) fn new(names: Vec<String>, values: &'a [f32], items: &'a Dataset) -> Self {
        let shape = vec![names.len()];
        Self { names, values, shape, items: Some(items), is_numbered: false }
    }

    /// Images or rows as a model gave them `[items, pixels]`, in the data's own units; `items` where they are of a data set.
    pub(super) fn of_items(checkpoint: &Checkpoint, values: &'a [f32], items: Option<&'a Dataset>) -> Self {
        let names = match &checkpoint.columns[..] {
            [] => (0..checkpoint.shape.iter().product()).map(|at: usize| format!("p{at}")).collect(),
            columns => columns.iter().map(Column::to_string).collect(),
        };
        let shape = match Items::of(checkpoint.shape) {
            Items::Rows => vec![checkpoint.shape[1]],
            Items::Images => checkpoint.shape.to_vec(),
        };
        Self { names, values, shape, items, is_numbered: false }
    }

    /// As a file of this ending.
    pub(super) fn bytes(&self, ending: &str) -> Result<Vec<u8>> {
        let bytes = match ending {
            "npy" => self.npy(),
            "jsonl" => self.jsonl(),
            _ => self.csv(),
        };
        bytes.map_err(Error::io("write", "the table"))
    }

    fn npy(&self) -> io::Result<Vec<u8>> {
        let count = self.values.len() / self.names.len().max(1);
        let shape: Vec<u64> = [count].iter().chain(&self.shape).map(|extent| *extent as u64).collect();
        let mut bytes = Vec::new();
        let mut writer =
            npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
        writer.extend(self.values.iter().copied())?;
        writer.finish()?;
        Ok(bytes)
    }

    fn csv(&self) -> io::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let index = self.is_numbered.then(|| "index".to_owned());
        let known = self.known();
        let titles = known.iter().map(|(title, _)| (*title).to_owned());
        writer.write_record(index.into_iter().chain(self.names.iter().cloned()).chain(titles))?;
        for (at, values) in self.values.chunks_exact(self.names.len().max(1)).enumerate() {
            let index = self.is_numbered.then(|| at.to_string());
            let about = known.iter().map(|(_, of)| text(&of(at)));
            writer.write_record(index.into_iter().chain(values.iter().map(f32::to_string)).chain(about))?;
        }
        writer.into_inner().map_err(|error| error.into_error())
    }

    // A number that is not finite is null.
    fn jsonl(&self) -> io::Result<Vec<u8>> {
        let (mut bytes, known) = (Vec::new(), self.known());
        for (at, values) in self.values.chunks_exact(self.names.len().max(1)).enumerate() {
            let mut object = Map::new();
            if self.is_numbered {
                object.insert("index".to_owned(), at.into());
            }
            // In decimal, as it would be in CSV, not with the digits of an f64.
            let number = |value: &f32| serde_json::from_str(&value.to_string()).unwrap_or(Value::Null);
            object.extend(self.names.iter().cloned().zip(values.iter().map(number)));
            object.extend(known.iter().map(|(title, of)| ((*title).to_owned(), of(at))));
            serde_json::to_writer(&mut bytes, &object)?;
            bytes.push(b'\n');
        }
        Ok(bytes)
    }

    // Label, class, file, name and row of each item, as far as they are known.
    fn known(&self) -> Vec<Known<'a>> {
        let Some(items) = self.items else { return Vec::new() };
        let mut known: Vec<Known<'a>> = Vec::new();
        if let Some(labels) = &items.labels {
            known.push(("label", Box::new(|at| labels[at].into())));
            if !items.classes.is_empty() {
                known.push(("class", Box::new(|at| items.class(labels[at]).into())));
            }
        }
        if !items.files.is_empty() {
            known.push(("file", Box::new(|at| items.files[at].display().to_string().into())));
        }
        if !items.ids.is_empty() {
            known.push(("id", Box::new(|at| items.ids[at].clone().into())));
        }
        if !items.places.is_empty() {
            known.push(("row", Box::new(|at| items.places[at].into())));
        }
        known
    }
}

// A title, and what stands under it for an item.
type Known<'a> = (&'static str, Box<dyn Fn(usize) -> Value + 'a>);

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
