//! The file of a table as fields of text: encoding, separator, header, quotes.

use std::collections::BTreeSet;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use super::number::{Notation, is_missing};
use super::{TableForm, parquet};
use crate::data::nearest::listed;
use crate::data::origin::{compressed, open};
use crate::data::shell_word;
use crate::{Error, Result};

const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// A table's names and fields.
pub(super) struct Table<'a> {
    pub(super) path: &'a Path,
    pub(super) names: Vec<String>,
    /// Each with its line in the file, or its row where `place` says so.
    pub(super) records: Vec<(u64, StringRecord)>,
    pub(super) place: &'static str,
    /// Whether numbers may have decimal commas: a comma does not divide the fields.
    pub(super) commas: bool,
    /// Whether the first column has no name.
    pub(super) unnamed: bool,
    /// Whether no column has: the first line is a row.
    pub(super) headless: bool,
    /// Whether the reader has flags that say how the table is read.
    pub(super) has_flags: bool,
}

impl<'a> Table<'a> {
    pub(super) fn new(path: &'a Path, names: Vec<String>) -> Self {
        Self {
            path,
            names,
            records: Vec::new(),
            place: "line",
            commas: false,
            unnamed: false,
            headless: false,
            has_flags: true,
        }
    }

    pub(super) fn read(path: &'a Path, form: &TableForm) -> Result<Self> {
        open(path, "a table")?;
        if is_parquet(path) {
            return parquet::read(path, form);
        }
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        Self::of_bytes(path, &bytes, form)
    }

    /// A table of text in memory. Errors call it as a file at `path`.
    pub(super) fn of_bytes(path: &'a Path, bytes: &[u8], form: &TableForm) -> Result<Self> {
        Self::new(path, Vec::new()).of_text(bytes, form)
    }

    /// A table of text for a reader without flags, as what comes on standard input. Errors call it as a file at `path`.
    pub(super) fn without_flags(path: &'a Path, bytes: &[u8]) -> Result<Self> {
        let table = Self { has_flags: false, ..Self::new(path, Vec::new()) };
        table.of_text(bytes, &TableForm::default())
    }

    fn of_text(mut self, bytes: &[u8], form: &TableForm) -> Result<Self> {
        if let Some(found) = compressed(bytes, self.path) {
            return Err(self.wrong("a table of text", found));
        }
        let text = self.decoded(bytes)?;
        let separator = match form.separator {
            Some(separator) => u8::try_from(separator)
                .map_err(|_| Error::setting("--separator", "a character of ASCII", separator))?,
            None => separator_of(text.as_bytes()),
        };
        self.commas = separator != b',';
        let mut reader = ReaderBuilder::new();
        let reader = reader.has_headers(false).flexible(true).delimiter(separator);
        for record in reader.from_reader(text.as_bytes()).records() {
            let record = record.map_err(|error| self.wrong("a table", error.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            self.records.push((line, record));
        }
        let Some((_, first)) = self.records.first() else {
            return Err(self.wrong("at least one row", "none"));
        };
        let width = first.len();
        let is_name = |field: &str| Notation::Point.number(field).is_none() && !is_missing(field);
        let is_number = |field: &str| self.commas && Notation::Comma.number(field).is_some();
        let named =
            form.header.unwrap_or_else(|| first.iter().any(|field| is_name(field) && !is_number(field)));
        if named {
            let (_, names) = self.records.remove(0);
            self.unnamed = field(&names, 0).is_empty();
            self.names = names.iter().enumerate().map(|(at, name)| name_of(at, name)).collect();
        } else {
            self.headless = true;
            self.names = (0..width).map(|at| name_of(at, "")).collect();
        }
        self.check(separator)?;
        Ok(self)
    }

    // The text of a file, without a byte order mark.
    fn decoded<'b>(&self, bytes: &'b [u8]) -> Result<&'b str> {
        let convert = |encoding: &str| {
            let iconv = format!("convert it with: iconv -f {encoding} -t UTF-8");
            if !self.path.is_file() {
                return iconv;
            }
            let [file, new] = [self.path.to_owned(), self.path.with_extension("utf8.csv")]
                .map(|path| shell_word(&path.display().to_string()));
            format!("{iconv} {file} > {new}")
        };
        // UTF-16 of plain text has a zero in every other byte.
        let start = &bytes[..bytes.len().min(64)];
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") || start.contains(&0) {
            return Err(self.wrong("text in UTF-8", format!("UTF-16; {}", convert("UTF-16"))));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            let found = format!("other bytes in line {line}, as Latin-1 has; {}", convert("WINDOWS-1252"));
            self.wrong("text in UTF-8", found)
        })?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    // Refuses names that are not one for each column, and rows of other lengths.
    fn check(&self, separator: u8) -> Result<()> {
        if self.records.is_empty() {
            let way = if self.has_flags { "; give --header=false if they are a row" } else { "" };
            return Err(self.wrong("at least one row", format!("names alone{way}")));
        }
        let (mut names, width) = (BTreeSet::new(), self.names.len());
        if let Some(twice) = self.names.iter().find(|name| !names.insert(*name)) {
            return Err(self.wrong("a name for each column", format!("{twice} twice; rename one of them")));
        }
        match self.records.iter().find(|(_, record)| record.len() != width) {
            Some((line, record)) => {
                let way = if self.has_flags { ", or give another --separator" } else { "" };
                let found = format!(
                    "{} in line {line}; put quotes around a field that holds {:?}{way}",
                    record.len(),
                    char::from(separator)
                );
                Err(self.wrong(format!("{width} fields in each row"), found))
            }
            None => Ok(()),
        }
    }

    pub(super) fn wrong(&self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        Error::File { path: self.path.to_owned(), expected: expected.into(), found: found.into() }
    }

    pub(super) fn place(&self, name: &str, setting: &str) -> Result<usize> {
        self.names.iter().position(|other| other == name).ok_or_else(|| {
            let expected =
                format!("one of the columns {} of {}", listed(name, &self.names), self.path.display());
            Error::setting(format!("--{setting}"), expected, name)
        })
    }

    /// The fields of a column that are not missing.
    pub(super) fn fields(&self, place: usize) -> impl Iterator<Item = &str> + Clone {
        self.records.iter().map(move |(_, record)| field(record, place)).filter(|text| !is_missing(text))
    }

    /// The first column where it has no name and numbers the rows, as pandas writes its index.
    pub(super) fn index(&self) -> Option<&String> {
        let name = self.names.first().filter(|_| self.unnamed && self.names.len() > 1)?;
        let numbers: BTreeSet<u64> = self.fields(0).filter_map(|text| text.parse().ok()).collect();
        (numbers.len() == self.records.len()).then_some(name)
    }
}

/// Whether a file is named as one of Parquet.
pub(super) fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}

pub(super) fn field(record: &StringRecord, place: usize) -> &str {
    record.get(place).unwrap_or_default().trim()
}

pub(super) fn name_of(at: usize, name: &str) -> String {
    match name.trim() {
        "" => format!("column{}", at + 1),
        name => name.to_owned(),
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
