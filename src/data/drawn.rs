//! Which items were drawn for which part, as a run keeps it: items that are added to the data later move no others.

use std::collections::{HashMap, HashSet};

use super::part::Part;
use super::{Dataset, Parts, Split};
use crate::{Error, Result};

/// The part of each item of data that came in one piece: of its row, counted from 0, or its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrawnParts(Vec<(String, Part)>);

impl DrawnParts {
    /// Of a split; None where its parts came with the data.
    pub fn of(split: &Split) -> Option<Self> {
        if split.drawn.is_empty() {
            return None;
        }
        let listed =
            [(Part::Train, &split.train), (Part::Validation, &split.validation), (Part::Test, &split.test)];
        let mut items = Vec::new();
        for (part, set) in
            listed.into_iter().filter(|(part, _)| *part == Part::Train || split.drawn.contains(part))
        {
            // Rows that are in no order lie one part after another.
            let first = items.len();
            items.extend((0..set.len()).map(|at| (item(set, at, first), part)));
        }
        Some(Self(items))
    }

    /// As CSV, with the columns `item` and `part`.
    ///
    /// # Errors
    /// [`Error::Setting`] for what CSV cannot hold.
    pub fn to_csv(&self) -> Result<Vec<u8>> {
        let wrong = |error: csv::Error| Error::setting("split", "what CSV can hold", error);
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["item", "part"]).map_err(wrong)?;
        for (item, part) in &self.0 {
            writer.write_record([item, part.name()]).map_err(wrong)?;
        }
        writer.into_inner().map_err(|error| Error::setting("split", "what CSV can hold", error.error()))
    }

    /// Reads what [`Self::to_csv`] wrote.
    ///
    /// # Errors
    /// [`Error::Bytes`] for anything else, with the line.
    pub fn from_csv(bytes: &[u8]) -> Result<Self> {
        let wrong = |found: String| Error::Bytes {
            what: "split",
            expected: "lines of item,part with train, validation or test".to_owned(),
            found,
        };
        let line = |record: Result<csv::StringRecord, csv::Error>| {
            let record = record.map_err(|error| wrong(error.to_string()))?;
            let part = record.get(1).and_then(Part::named).filter(|_| record.len() == 2);
            let number = record.position().map_or(0, csv::Position::line);
            let part = part.ok_or_else(|| wrong(format!("another text in line {number}")))?;
            Ok((record[0].to_owned(), part))
        };
        let mut reader = csv::Reader::from_reader(bytes);
        let titles = reader.headers().map_err(|error| wrong(error.to_string()))?;
        if titles != vec!["item", "part"] || !bytes.ends_with(b"\n") {
            return Err(wrong("another first line, or half a last one".to_owned()));
        }
        let items: Vec<(String, Part)> = reader.into_records().map(line).collect::<Result<_>>()?;
        match items.iter().any(|(_, part)| *part == Part::Train) {
            true => Ok(Self(items)),
            false => Err(wrong("none of train".to_owned())),
        }
    }

    /// The parts with these items in them. Items that are not listed are left out, with a remark
    /// unless the data were limited.
    pub(super) fn laid_on(&self, parts: Parts, limited: bool) -> Result<Parts> {
        let Parts { mut train, mut validation, mut test, mut report, .. } = parts;
        train.note_places(0);
        let listed: HashMap<&str, Part> = self.0.iter().map(|(item, part)| (item.as_str(), *part)).collect();
        let mut places = Part::ALL.map(|_| Vec::new());
        for at in 0..train.len() {
            if let Some(part) = listed.get(item(&train, at, 0).as_str()) {
                places[*part as usize].push(at);
            }
        }
        let found: usize = places.iter().map(Vec::len).sum();
        if found < listed.len() {
            let there: HashSet<String> = (0..train.len()).map(|at| item(&train, at, 0)).collect();
            let missing = self.0.iter().find(|(item, _)| !there.contains(item));
            let missing = missing.map(|(item, _)| item.as_str()).unwrap_or_default();
            let expected = "the items that the run was trained on, as its split.csv lists them; bring them back, or give their place with --data-dir";
            let got = format!("{} of {}, without {missing}", found, listed.len());
            return Err(Error::setting(format!("data set {}", train.name), expected, got));
        }
        let later = train.len() - found;
        if later > 0 && !limited {
            let remark =
                format!("{later} items are not listed in the run's split.csv: they are in none of its parts");
            report.remarks.push(remark);
        }
        for (part, slot) in [(Part::Validation, &mut validation), (Part::Test, &mut test)] {
            let own = &places[part as usize];
            if !own.is_empty() {
                *slot = Some(train.chosen(own));
            }
        }
        Ok(Parts { train: train.chosen(&places[0]), validation, test, shuffled: false, report })
    }

    /// Whether items of a part were drawn.
    pub(super) fn parts(&self) -> Vec<Part> {
        let drawn = |part: &Part| self.0.iter().any(|(_, of)| of == part);
        [Part::Validation, Part::Test].into_iter().filter(drawn).collect()
    }
}

// The name of an item: its file, or its row.
fn item(set: &Dataset, at: usize, first: usize) -> String {
    match set.files.get(at) {
        Some(file) => file.to_string_lossy().into_owned(),
        None => set.places.get(at).copied().unwrap_or(first + at).to_string(),
    }
}
