//! Which items were drawn for which part, as a run keeps it: items that are added to the data later move no others.

use std::collections::{HashMap, HashSet};

use super::part::Part;
use super::{Dataset, Parts, Split};
use crate::{Error, Result};

const TITLES: [&str; 3] = ["item", "part", "id"];

/// The part of each item of data that came in one piece: of its row, counted from 0, or its file; and its name, where each
/// has one of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrawnParts(Vec<Drawn>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Drawn {
    item: String,
    part: Part,
    id: Option<String>,
}

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
            let id = |at| set.ids.get(at).cloned();
            items.extend((0..set.len()).map(|at| Drawn { item: item(set, at, first), part, id: id(at) }));
        }
        let ids: HashSet<_> = items.iter().filter_map(|drawn| drawn.id.as_ref()).collect();
        if ids.len() < items.len() {
            items.iter_mut().for_each(|drawn| drawn.id = None);
        }
        Some(Self(items))
    }

    /// As CSV, with the columns `item` and `part`, and `id` where items have names.
    ///
    /// # Errors
    /// [`Error::Setting`] for what CSV cannot hold.
    pub fn to_csv(&self) -> Result<Vec<u8>> {
        let wrong = |error: csv::Error| Error::setting("split", "what CSV can hold", error);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let named = self.0.iter().all(|drawn| drawn.id.is_some());
        let titles = TITLES.into_iter().take(if named { 3 } else { 2 });
        writer.write_record(titles).map_err(wrong)?;
        for Drawn { item, part, id } in &self.0 {
            writer.write_record([item, part.name()].into_iter().chain(id.as_deref())).map_err(wrong)?;
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
        // Lines of another length than the first are an error.
        let line = |record: Result<csv::StringRecord, csv::Error>| {
            let record = record.map_err(|error| wrong(error.to_string()))?;
            let number = record.position().map_or(0, csv::Position::line);
            let part = record.get(1).and_then(Part::named);
            let part = part.ok_or_else(|| wrong(format!("another text in line {number}")))?;
            Ok(Drawn { item: record[0].to_owned(), part, id: record.get(2).map(str::to_owned) })
        };
        let mut reader = csv::Reader::from_reader(bytes);
        let titles = reader.headers().map_err(|error| wrong(error.to_string()))?;
        if ![&TITLES[..], &TITLES[..2]].iter().any(|known| titles == *known) || !bytes.ends_with(b"\n") {
            return Err(wrong("another first line, or half a last one".to_owned()));
        }
        let items: Vec<Drawn> = reader.into_records().map(line).collect::<Result<_>>()?;
        match items.iter().any(|drawn| drawn.part == Part::Train) {
            true => Ok(Self(items)),
            false => Err(wrong("none of train".to_owned())),
        }
    }

    /// The parts with these items in them. Items that are not listed are left out, with a remark
    /// unless the data were limited.
    pub(super) fn laid_on(&self, parts: Parts, limited: bool) -> Result<Parts> {
        let Parts { mut train, mut validation, mut test, mut report, .. } = parts;
        train.note_places(0);
        let names = self.names_in(&train);
        let listed: HashMap<&str, Part> =
            self.0.iter().map(|drawn| (drawn.key(names.are_ids), drawn.part)).collect();
        let mut places = Part::ALL.map(|_| Vec::new());
        for (at, name) in names.of_items.iter().enumerate() {
            if let Some(part) = listed.get(name.as_str()) {
                places[*part as usize].push(at);
            }
        }
        let there: HashSet<&str> = names.of_items.iter().map(String::as_str).collect();
        let mut missing =
            self.0.iter().map(|drawn| drawn.key(names.are_ids)).filter(|key| !there.contains(key));
        if let Some(first) = missing.next() {
            let expected = "the items that the run was trained on, as its split.csv lists them; bring them back, or give their place with --data-dir";
            let found = listed.len() - 1 - missing.count();
            let got = format!("{found} of {}, without {first}", listed.len());
            return Err(Error::setting(format!("data set {}", train.name), expected, got));
        }
        let later = train.len() - places.iter().map(Vec::len).sum::<usize>();
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
        let drawn = |part: &Part| self.0.iter().any(|drawn| drawn.part == *part);
        [Part::Validation, Part::Test].into_iter().filter(drawn).collect()
    }

    // What the items of data go by: their own names where they are those that are listed, else files or rows.
    fn names_in(&self, set: &Dataset) -> Names {
        let own: HashSet<&str> = set.ids.iter().map(String::as_str).collect();
        if self.0.iter().any(|drawn| drawn.id.as_deref().is_some_and(|id| own.contains(id))) {
            return Names { of_items: set.ids.clone(), are_ids: true };
        }
        // Earlier lists counted only the rows that were left where others had been dropped.
        let listed: HashSet<&str> = self.0.iter().map(|drawn| drawn.item.as_str()).collect();
        let counted: Vec<String> = (0..set.len()).map(|at| at.to_string()).collect();
        let are_counted = listed.len() == set.len() && counted.iter().all(|at| listed.contains(at.as_str()));
        let items = || (0..set.len()).map(|at| item(set, at, 0)).collect();
        Names { of_items: if are_counted { counted } else { items() }, are_ids: false }
    }
}

struct Names {
    of_items: Vec<String>,
    are_ids: bool,
}

impl Drawn {
    fn key(&self, by_id: bool) -> &str {
        self.id.as_deref().filter(|_| by_id).unwrap_or(&self.item)
    }
}

// The name of an item: its file, or its row.
fn item(set: &Dataset, at: usize, first: usize) -> String {
    match set.files.get(at) {
        Some(file) => file.to_string_lossy().into_owned(),
        None => set.places.get(at).copied().unwrap_or(first + at).to_string(),
    }
}
