//! The file of a table as fields of text: separator, header, quotes.

use std::collections::BTreeSet;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use super::TableForm;
use crate::data::origin::open;
use crate::{Error, Result};

const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];
const MISSING: [&str; 9] = ["", "na", "n/a", "nan", "null", "none", "?", "-", "missing"];

/// A table's names and fields.
pub(super) struct Table<'a> {
    pub(super) path: &'a Path,
    pub(super) names: Vec<String>,
    /// Each with its line in the file.
    pub(super) records: Vec<(u64, StringRecord)>,
}

impl<'a> Table<'a> {
    pub(super) fn read(path: &'a Path, form: &TableForm) -> Result<Self> {
        open(path, "a table")?;
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let separator = match form.separator {
            Some(separator) => u8::try_from(separator)
                .map_err(|_| Error::setting("--separator", "a character of ASCII", separator))?,
            None => separator_of(bytes),
        };
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(bytes);
        let mut table = Self { path, names: Vec::new(), records: Vec::new() };
        for record in reader.records() {
            let record = record.map_err(|error| table.wrong("a table of UTF-8 text", error.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            table.records.push((line, record));
        }
        let Some((_, first)) = table.records.first() else {
            return Err(table.wrong("at least one row", "none"));
        };
        let width = first.len();
        if form
            .header
            .unwrap_or_else(|| first.iter().any(|field| number(field).is_none() && !is_missing(field)))
        {
            let (_, names) = table.records.remove(0);
            table.names = names.iter().enumerate().map(|(at, name)| named(at, name)).collect();
        } else {
            table.names = (0..width).map(|at| named(at, "")).collect();
        }
        if table.records.is_empty() {
            return Err(table.wrong("at least one row", "none"));
        }
        let names: BTreeSet<&String> = table.names.iter().collect();
        if names.len() < width {
            let twice =
                table.names.iter().find(|name| table.names.iter().filter(|other| other == name).count() > 1);
            return Err(
                table.wrong("a name for each column", format!("{} twice", twice.map_or("one", |name| name)))
            );
        }
        match table.records.iter().find(|(_, record)| record.len() != width) {
            Some((line, record)) => Err(table
                .wrong(format!("{width} fields in each row"), format!("{} in line {line}", record.len()))),
            None => Ok(table),
        }
    }

    pub(super) fn wrong(&self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        Error::File { path: self.path.to_owned(), expected: expected.into(), found: found.into() }
    }

    pub(super) fn place(&self, name: &str, setting: &str) -> Result<usize> {
        self.names.iter().position(|other| other == name).ok_or_else(|| {
            let expected = format!("one of the columns {} of {}", self.names.join(", "), self.path.display());
            Error::setting(format!("--{setting}"), expected, name)
        })
    }
}

pub(super) fn field(record: &StringRecord, place: usize) -> &str {
    record.get(place).unwrap_or_default().trim()
}

fn named(at: usize, name: &str) -> String {
    match name.trim() {
        "" => format!("column{}", at + 1),
        name => name.to_owned(),
    }
}

pub(super) fn is_missing(text: &str) -> bool {
    MISSING.contains(&text.trim().to_lowercase().as_str())
}

// A finite number, or a truth as 0 or 1.
pub(super) fn number(text: &str) -> Option<f64> {
    match text.trim() {
        "true" | "True" | "TRUE" => Some(1.0),
        "false" | "False" | "FALSE" => Some(0.0),
        text => text.parse::<f64>().ok().filter(|value| value.is_finite()),
    }
}

// The one that stands equally often in each of the first lines, most often of all; a comma if none does.
fn separator_of(bytes: &[u8]) -> u8 {
    let lines: Vec<&[u8]> =
        bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).take(10).collect();
    let count = |separator: u8| {
        let mut counts = lines.iter().map(|line| outside_quotes(line, separator));
        let first = counts.next().unwrap_or(0);
        if counts.all(|count| count == first) { first } else { 0 }
    };
    let best = SEPARATORS.into_iter().rev().max_by_key(|separator| count(*separator));
    best.filter(|separator| count(*separator) > 0).unwrap_or(b',')
}

fn outside_quotes(line: &[u8], separator: u8) -> usize {
    let mut quoted = false;
    let seen = line.iter().filter(|byte| {
        quoted ^= **byte == b'"';
        !quoted && **byte == separator
    });
    seen.count()
}
