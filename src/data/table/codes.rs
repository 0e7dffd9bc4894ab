//! Tables of codes: the columns z0, z1 and so on, and the label of each row.

use std::fs;
use std::path::Path;

use super::number::is_missing;
use super::rows::is_no_label;
use super::text::{Table, field, is_parquet, name_of};
use super::{Column, Missing, TableForm};
use crate::data::classes::labelled;
use crate::data::codes::wrong;
use crate::data::{Dataset, LoadReport};
use crate::{Error, Result};

/// Codes `[rows, latent]` of a table at `path`, or of this text, which errors call so, with labels where it has them.
pub(in crate::data) fn read_codes(path: &Path, text: Option<&[u8]>, latent: usize) -> Result<Dataset> {
    let table = match text {
        Some(text) => Table::without_flags(path, text)?,
        None if is_parquet(path) => Table::read(path, &TableForm::default())?,
        None => Table::without_flags(path, &fs::read(path).map_err(Error::io("read", path))?)?,
    };
    let names: Vec<String> = (0..latent).map(|at| format!("z{at}")).collect();
    let place = |name: &String| table.names.iter().position(|other| other == name);
    // Codes of a wider model are no codes of this one.
    let wider = format!("z{latent}");
    if place(&wider).is_some() {
        return Err(wrong(latent, format!("{}, which has {wider} too", path.display())));
    }
    let nameless = (0..latent).map(|at| name_of(at, "")).eq(table.names.iter().cloned());
    let places =
        names.iter().enumerate().map(|(at, name)| if nameless { Ok(at) } else { place(name).ok_or(name) });
    let places: Result<Vec<usize>, &String> = places.collect();
    let places = places.map_err(|name| wrong(latent, format!("{}, without {name}", path.display())))?;
    for (line, record) in &table.records {
        if let Some(at) = places.iter().position(|place| is_missing(field(record, *place))) {
            let found = format!("a missing value in {} {line}, column {}", table.place, names[at]);
            return Err(table.wrong("a number for each of a code's columns", found));
        }
    }
    let columns: Vec<Column> =
        names.into_iter().map(|name| Column { name, category: None, fill: None }).collect();
    let values = table.values(&columns, &places, Missing::Refuse)?;
    let codes = Dataset::new(path.display().to_string(), [1, latent, 1], values, None)?;
    // The name says more than the number.
    let label = ["class", "label"].iter().find_map(|name| place(&(*name).to_owned()));
    let label =
        label.filter(|label| table.records.iter().all(|(_, record)| !is_no_label(field(record, *label))));
    let labels = label.map(|label| table.labels(label, true)).transpose()?;
    Ok(labelled([(codes, labels)].into(), "labels", &mut LoadReport::default())?.remove(0))
}
