//! Tables: CSV, TSV and, with the feature `parquet`, Parquet files: a row for each item, its numeric columns as the numbers
//! of a `[1, columns, 1]` image.
//!
//! - The separator is a comma, a tab, a semicolon or a bar: the one that divides the first lines most often and alike.
//!   The first line holds names unless all of its fields are numbers. Quotes as RFC 4180 has them; a byte order mark is
//!   skipped. Text is UTF-8.
//! - Numbers may have a decimal comma where another character divides the fields, and every number of the column is written so.
//! - Columns of text are refused by name, unless they are dropped, or turned into a column of 0 and 1 for each category.
//! - Empty fields, `NA`, `NaN`, `null`, `?` and the like are missing values. They are refused with row and column, unless
//!   they are to be filled by the mean or median of the training part (in a column of categories, by none of them), or
//!   their rows dropped.
//! - One column may be the label, one the name of each row. A label that is empty, `NaN` or `null` is missing: its row may be
//!   dropped, else it is refused; a column without any label gives none. A first column without a name that numbers the rows, as pandas
//!   writes its index, is left out.

mod codes;
mod columns;
mod names;
mod number;
mod parquet;
mod rows;
mod text;
mod trained;
mod values;

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub(super) use self::codes::read_codes;
pub use self::names::{names, word};
use self::text::Table;
use super::part::{Content, Part, PartFiles};
use super::scaling::quantile;
use super::{Dataset, LoadReport, Parts, Reading, Values, classes};
use crate::{Error, Result};

/// What becomes of missing values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// They are refused, with their row and column.
    #[default]
    Refuse,
    /// The mean of the column's training part takes their place.
    Mean,
    /// Its median does.
    Median,
    /// Their rows are left out.
    Drop,
}

/// How a table is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableForm {
    /// What stands between fields; seen by itself where it is not given.
    pub separator: Option<char>,
    /// Whether the first line holds names; seen by itself where it is not given.
    pub header: Option<bool>,
    /// The columns to take; all where none is given.
    pub columns: Vec<String>,
    /// Columns to leave out.
    pub drop: Vec<String>,
    /// The column with the label.
    pub label: Option<String>,
    /// The column with the name of each row.
    pub id: Option<String>,
    /// Whether each category of a text column becomes a column of 0 and 1.
    pub categories: bool,
    /// What becomes of missing values.
    pub missing: Missing,
    /// Which of `label` and `id` new rows of a trained model must have; they need not have others.
    pub required: Vec<String>,
}

impl TableForm {
    // Whether a column stands beside the numbers: the label's or the name's.
    fn is_beside(&self, column: &str) -> bool {
        self.label.as_deref() == Some(column) || self.id.as_deref() == Some(column)
    }
}

/// A number of a row: a column of the table, or one category of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The column's name in the table.
    pub name: String,
    /// The text that gives 1 where other texts give 0; None for a column of numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// What takes the place of a missing value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<f32>,
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.category {
            Some(category) => write!(f, "{}={category}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Reads a table. With the `columns` of a trained model those are taken, by their names; without, all that `form` says.
/// Missing values that are to be filled are NaN.
///
/// # Errors
/// [`Error::Io`] for a file that cannot be read, [`Error::File`] for one that is no table of numbers, with the line and the
/// column, [`Error::Setting`] for a column that is not there.
pub fn read(name: &str, path: &Path, form: &TableForm, columns: &[Column]) -> Result<(Dataset, LoadReport)> {
    one_of(name, Table::read(path, form)?, form, columns)
}

/// Reads the text of a table, as [`read`] does a file. Errors name it `name`.
///
/// # Errors
/// As [`read`].
pub fn from_bytes(
    name: &str,
    bytes: &[u8],
    form: &TableForm,
    columns: &[Column],
) -> Result<(Dataset, LoadReport)> {
    one_of(name, Table::of_bytes(Path::new(name), bytes, form)?, form, columns)
}

fn one_of(
    name: &str,
    table: Table<'_>,
    form: &TableForm,
    columns: &[Column],
) -> Result<(Dataset, LoadReport)> {
    let mut report = LoadReport::default();
    let rows = rows_of(name, table, &Wanted { form, columns, shape: None }, &mut report)?;
    Ok((labelled([rows].into(), form, &mut report)?.remove(0), report))
}

/// The parts at `path`: of a folder `train.csv`, `val.csv` (or `valid`, `validation`) and `test.csv`, or with the ending tsv;
/// a single table is a training part. As [`read`]; a table for a model of images is refused.
pub(super) fn read_parts(path: &Path, reading: &Reading) -> Result<Parts> {
    let Reading { table: form, columns, shape, .. } = reading;
    let name = path.file_stem().map_or_else(|| "table".into(), |stem| stem.to_string_lossy());
    let is_dir = path.is_dir();
    let files = PartFiles::within(path, is_named_as_table);
    let file = |part: Part| files.get(part, Content::Items).filter(|_| is_dir);
    let Some(first) = (if is_dir { file(Part::Train) } else { Some(path) }) else {
        let (expected, found) = ("a file train.csv".to_owned(), "none".to_owned());
        return Err(Error::File { path: path.to_owned(), expected, found });
    };
    let mut report = LoadReport::default();
    let wanted = Wanted { form, columns, shape: *shape };
    let mut parts = vec![read_rows(&name, first, &wanted, &mut report)?];
    let columns = parts[0].0.columns.clone();
    let wanted = Wanted { columns: &columns, ..wanted };
    let files = [Part::Validation, Part::Test].map(file);
    for file in files.iter().flatten() {
        parts.push(read_rows(&name, file, &wanted, &mut report)?);
    }
    let mut parts = labelled(parts, form, &mut report)?.into_iter();
    let Some(train) = parts.next() else { return Err(Error::shape("table", "a training part", "none")) };
    let [held_out, test] = files.map(|file| file.and_then(|_| parts.next()));
    Ok(Parts { validation: held_out, test, report, ..Parts::new(train) })
}

/// Whether a folder has a training part in tables.
pub(super) fn has_parts(folder: &Path) -> bool {
    PartFiles::within(folder, is_named_as_table).get(Part::Train, Content::Items).is_some()
}

/// Whether it is a file whose name is that of a table.
pub(super) fn is_named_as_table(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ["csv", "tsv", "tab", "parquet"].contains(&ending.as_str())) && path.is_file()
}

// Rows without labels, and the labels' texts.
type Rows = (Dataset, Option<Vec<String>>);

// Labels are numbered over all parts together.
fn labelled(parts: Vec<Rows>, form: &TableForm, report: &mut LoadReport) -> Result<Vec<Dataset>> {
    let what = format!("different values of {}", form.label.as_deref().unwrap_or("the label"));
    classes::labelled(parts, &what, report)
}

// What is taken of a table.
struct Wanted<'a> {
    form: &'a TableForm,
    // Of a trained model, or of the training part; empty where there is none, or they have no names.
    columns: &'a [Column],
    // Of a trained model's items.
    shape: Option<[usize; 3]>,
}

fn read_rows(name: &str, path: &Path, wanted: &Wanted<'_>, report: &mut LoadReport) -> Result<Rows> {
    rows_of(name, Table::read(path, wanted.form)?, wanted, report)
}

fn rows_of(name: &str, mut table: Table<'_>, wanted: &Wanted<'_>, report: &mut LoadReport) -> Result<Rows> {
    let Wanted { form, columns, shape } = *wanted;
    table.check_kind(shape)?;
    let trained = !columns.is_empty();
    let columns = match shape {
        _ if trained => columns.to_vec(),
        Some([_, width, _]) => table.nameless(width, form, report)?,
        None => table.columns(form, report)?,
    };
    let places = table.places_of(&columns, form)?;
    let label = table.place_beside("label", form.label.as_ref(), form, trained)?;
    let id = table.place_beside("id", form.id.as_ref(), form, trained)?;
    let label = table.label(label, report);
    let rows = match form.missing {
        Missing::Drop => table.drop_rows(&places, label, report),
        _ => Vec::new(),
    };
    if table.records.is_empty() {
        return Err(table.wrong("at least one row", "none"));
    }
    if trained {
        table.note_unknown(&columns, &places, report);
    }
    let values = table.values(&columns, &places, form.missing)?;
    let labels = label.map(|place| table.labels(place, trained)).transpose()?;
    let ids = id.map(|place| table.ids(place, report)).unwrap_or_default();
    let set = Dataset::new(name, [1, columns.len(), 1], values, None)?;
    Ok((Dataset { columns, ids, places: rows, ..set }, labels))
}

/// Fills missing values of all parts by what the first, the training part, says, or what its columns know already.
pub(super) fn fill(parts: &mut [&mut Dataset], missing: Missing) {
    let Some(train) = parts.first().filter(|train| !train.columns.is_empty()) else { return };
    let width = train.pixels();
    let middle = |(at, column): (usize, &Column)| {
        column.fill.unwrap_or_else(|| {
            let numbers = train.values.iter().skip(at).step_by(width).filter(|value| !value.is_nan());
            let mut known: Vec<f64> = numbers.map(f64::from).collect();
            known.sort_by(f64::total_cmp);
            match missing {
                Missing::Median => quantile(&known, 0.5) as f32,
                _ => (known.iter().sum::<f64>() / known.len().max(1) as f64) as f32,
            }
        })
    };
    let fills: Vec<f32> = train.columns.iter().enumerate().map(middle).collect();
    for part in parts {
        part.columns.iter_mut().zip(&fills).for_each(|(column, fill)| column.fill = Some(*fill));
        if let Values::Floats(numbers) = &mut part.values {
            let mut floats = std::mem::take(numbers).into_vec();
            let missing = floats.iter_mut().zip(fills.iter().cycle()).filter(|(value, _)| value.is_nan());
            missing.for_each(|(value, fill)| *value = *fill);
            *numbers = floats.into();
        }
    }
}
