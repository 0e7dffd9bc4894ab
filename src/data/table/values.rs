//! The numbers of a table's columns, row by row.

use std::collections::{BTreeMap, BTreeSet};

use super::number::{Notation, is_missing};
use super::text::{Table, field};
use super::{Column, Missing};
use crate::data::LoadReport;
use crate::{Error, Result};

impl Table<'_> {
    // Missing values that are to be filled are NaN.
    pub(super) fn values(&self, columns: &[Column], places: &[usize], missing: Missing) -> Result<Vec<f32>> {
        let fills = matches!(missing, Missing::Mean | Missing::Median);
        let notation =
            |place: &usize| Notation::of(self.fields(*place), self.commas).unwrap_or(Notation::Point);
        let notations: Vec<Notation> = places.iter().map(notation).collect();
        let mut values = Vec::with_capacity(self.records.len() * columns.len());
        for (line, record) in &self.records {
            for ((column, place), notation) in columns.iter().zip(places).zip(&notations) {
                let text = field(record, *place);
                let value = match &column.category {
                    Some(_) if is_missing(text) && !fills => {
                        return Err(self.refused(text, *line, &column.name));
                    }
                    Some(category) => f32::from(u8::from(text == category)),
                    None if is_missing(text) && fills => f32::NAN,
                    None => {
                        let value =
                            notation.number(text).map(|value| value as f32).filter(|value| value.is_finite());
                        value.ok_or_else(|| self.refused(text, *line, &column.name))?
                    }
                };
                values.push(value);
            }
        }
        Ok(values)
    }

    fn refused(&self, text: &str, line: u64, column: &str) -> Error {
        let place = format!("in {} {line}, column {column}", self.place);
        if is_missing(text) {
            let expected = "a number in each field, or --missing mean, median or drop";
            return self.wrong(expected, format!("a missing value {place}"));
        }
        self.wrong("a number in each field, at most 3.4e38 in size", format!("{text:?} {place}"))
    }

    /// Remarks about categories that a trained model's columns do not know.
    pub(super) fn note_unknown(&self, columns: &[Column], places: &[usize], report: &mut LoadReport) {
        let mut known: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for (column, place) in columns.iter().zip(places) {
            if let Some(category) = &column.category {
                known.entry(*place).or_default().insert(category);
            }
        }
        for (place, categories) in known {
            let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
            for text in self.fields(place).filter(|text| !categories.contains(text)) {
                *unknown.entry(text).or_default() += 1;
            }
            let rows = |count: usize| if count == 1 { "row has" } else { "rows have" };
            for (category, count) in unknown {
                report.remarks.push(format!(
                    "{count} {} {category:?} in {}, which training did not: 0 for each of its categories",
                    rows(count),
                    self.names[place]
                ));
            }
        }
    }
}
