//! Numbers per item as a file for other programs: `.npy`, `.csv` or `.jsonl`.

use std::io;

use crate::data::{Column, Dataset, Items};
use crate::train::Checkpoint;
use crate::{Error, Result};
use npyz::WriterBuilder;
use serde_json::{Map, Value};

/// A title, and what stands under it for an item. It is no part of a .npy file.
pub(super) type Known<'a> = (&'static str, Box<dyn Fn(usize) -> Value + 'a>);

/// Numbers of items, each under a name.
pub(super) struct Table<'a> {
    /// Of the columns.
    names: Vec<String>,
    /// The extents of an item in a .npy file, whose product is the number of names.
    shape: Vec<usize>,
    /// What stands before the numbers.
    before: Vec<Known<'a>>,
    /// What stands behind them.
    behind: Vec<Known<'a>>,
}

impl<'a> Table<'a> {
    /// Columns of numbers for each item of a data set.
    pub(super) fn new(names: Vec<String>, items: &'a Dataset) -> Self {
        Self { shape: vec![names.len()], names, before: Vec::new(), behind: known(items) }
    }

    /// Images or rows as a model gives them `[items, pixels]`, in the data's own units; `items` where they are of a data set.
    pub(super) fn of_items(checkpoint: &Checkpoint, items: Option<&'a Dataset>) -> Self {
        let names = match &checkpoint.columns[..] {
            [] => (0..checkpoint.shape.iter().product()).map(|at: usize| format!("p{at}")).collect(),
            columns => columns.iter().map(Column::to_string).collect(),
        };
        let shape = match Items::of(checkpoint.shape) {
            Items::Rows => vec![checkpoint.shape[1]],
            Items::Images => checkpoint.shape.to_vec(),
        };
        Self { names, shape, before: Vec::new(), behind: items.map(known).unwrap_or_default() }
    }

    /// The same with this before the numbers of each item.
    pub(super) fn after(self, before: Vec<Known<'a>>) -> Self {
        Self { before, ..self }
    }

    /// The same with these labels behind the numbers, and the names of their classes.
    pub(super) fn of_classes(mut self, labels: &'a [u32], classes: &'a [String]) -> Self {
        if !labels.is_empty() {
            let class = |at: usize| classes.get(labels[at] as usize).cloned().into();
            self.behind.push(("label", Box::new(|at| labels[at].into())));
            self.behind.push(("class", Box::new(class)));
        }
        self
    }

    /// The numbers `[items, names]` as a file of this ending.
    pub(super) fn bytes(&self, values: &[f32], ending: &str) -> Result<Vec<u8>> {
        let head = self.head(values.len() / self.names.len().max(1), ending)?;
        Ok([head, self.rows(0, values, ending)?].concat())
    }

    /// What a file of this ending has before its rows, of which there will be `count`.
    pub(super) fn head(&self, count: usize, ending: &str) -> Result<Vec<u8>> {
        let bytes = match ending {
            "npy" => self.npy_head(count),
            "jsonl" => Ok(Vec::new()),
            _ => csv_lines([self.titles()].into_iter()),
        };
        bytes.map_err(Error::io("write", "the table"))
    }

    /// The numbers `[rows, names]` of the items from `first` on, as a file of this ending has them.
    pub(super) fn rows(&self, first: usize, values: &[f32], ending: &str) -> Result<Vec<u8>> {
        let rows = || (first..).zip(values.chunks_exact(self.names.len().max(1)));
        let bytes = match ending {
            "npy" => Ok(bytemuck::cast_slice(values).to_vec()),
            "jsonl" => self.json_lines(rows()),
            _ => csv_lines(rows().map(|(at, values)| {
                let [before, behind] =
                    [&self.before, &self.behind].map(|known| known.iter().map(move |(_, of)| text(&of(at))));
                before.chain(values.iter().map(f32::to_string)).chain(behind).collect()
            })),
        };
        bytes.map_err(Error::io("write", "the table"))
    }

    // In the byte order of this machine, as `rows` has the numbers.
    fn npy_head(&self, count: usize) -> io::Result<Vec<u8>> {
        let shape: Vec<u64> = [count].iter().chain(&self.shape).map(|extent| *extent as u64).collect();
        let mut bytes = Vec::new();
        let options = npyz::WriteOptions::<f32>::new().default_dtype().shape(&shape);
        options.writer(&mut bytes).begin_nd().map(drop)?;
        Ok(bytes)
    }

    // A column of the data keeps its name: what is told of the item takes another.
    fn title(&self, title: &str) -> String {
        let mut title = title.to_owned();
        while self.names.contains(&title) {
            title.push('_');
        }
        title
    }

    fn titles(&self) -> Vec<String> {
        let [before, behind] =
            [&self.before, &self.behind].map(|known| known.iter().map(|(title, _)| self.title(title)));
        before.chain(self.names.iter().cloned()).chain(behind).collect()
    }

    fn json_lines<'b>(&self, rows: impl Iterator<Item = (usize, &'b [f32])>) -> io::Result<Vec<u8>> {
        let (mut bytes, titles) = (Vec::new(), self.titles());
        for (at, values) in rows {
            let [before, behind] =
                [&self.before, &self.behind].map(|known| known.iter().map(move |(_, of)| of(at)));
            let fields = before.chain(values.iter().map(|value| number(*value))).chain(behind);
            let object: Map<String, Value> = titles.iter().cloned().zip(fields).collect();
            serde_json::to_writer(&mut bytes, &object)?;
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}

/// In decimal, as it would be in CSV, not with the digits of an f64. What is not finite is null.
pub(super) fn number(value: f32) -> Value {
    serde_json::from_str(&value.to_string()).unwrap_or(Value::Null)
}

fn csv_lines(lines: impl Iterator<Item = Vec<String>>) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.write_record(line)?;
    }
    writer.into_inner().map_err(|error| error.into_error())
}

// Label, class, file, name and row of each item, as far as they are known.
fn known(items: &Dataset) -> Vec<Known<'_>> {
    let mut known: Vec<Known<'_>> = Vec::new();
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

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
