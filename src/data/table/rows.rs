//! The rows of a table that are taken, with their labels and names.

use std::collections::BTreeSet;

use super::TableForm;
use super::number::is_missing;
use super::text::{Table, field};
use crate::Result;
use crate::data::LoadReport;

// `none`, `NA`, `-` and `missing` may be the names of classes.
const NO_LABEL: [&str; 3] = ["", "nan", "null"];

/// Whether a field says no label.
pub(super) fn is_no_label(text: &str) -> bool {
    NO_LABEL.contains(&text.trim().to_lowercase().as_str())
}

impl Table<'_> {
    /// The place of the column with labels or names, if there is one. New rows of a trained model need neither, unless the
    /// form requires them.
    pub(super) fn place_beside(
        &self,
        setting: &str,
        column: Option<&String>,
        form: &TableForm,
        trained: bool,
    ) -> Result<Option<usize>> {
        let wanted = |name: &&String| !trained || form.required.contains(name) || self.names.contains(name);
        column.filter(wanted).map(|name| self.place(name, setting)).transpose()
    }

    /// The same of the labels' column, unless it is empty, with a remark.
    pub(super) fn label(&self, place: Option<usize>, report: &mut LoadReport) -> Option<usize> {
        let place = place?;
        let says = |(_, record): &(u64, csv::StringRecord)| !is_no_label(field(record, place));
        if self.records.iter().any(says) {
            return Some(place);
        }
        let (name, path) = (&self.names[place], self.path.display());
        report.remarks.push(format!("there are no labels: the column {name} of {path} is empty"));
        None
    }

    /// Leaves out the rows that lack a value in one of these columns, or a label. The places in the file of those that are
    /// left, counted from 0; none where all are.
    pub(super) fn drop_rows(
        &mut self,
        places: &[usize],
        label: Option<usize>,
        report: &mut LoadReport,
    ) -> Vec<usize> {
        let whole = |record: &csv::StringRecord| {
            !places.iter().any(|place| is_missing(field(record, *place)))
                && !label.is_some_and(|place| is_no_label(field(record, place)))
        };
        let before = self.records.len();
        let rows: Vec<usize> = (0..before).filter(|row| whole(&self.records[*row].1)).collect();
        if rows.len() == before {
            return Vec::new();
        }
        self.records.retain(|(_, record)| whole(record));
        let (left_out, path) = (before - rows.len(), self.path.display());
        report.remarks.push(format!("{left_out} of {before} rows of {path} lack values and are left out"));
        rows
    }

    /// The label of each row, as text.
    pub(super) fn labels(&self, place: usize, trained: bool) -> Result<Vec<String>> {
        if let Some((line, _)) = self.records.iter().find(|(_, record)| is_no_label(field(record, place))) {
            let name = &self.names[place];
            let way = if trained { "the column out of the file" } else { "the labels out, without --label" };
            let found = format!(
                "none in {} {line}, column {name}; fill it in, leave such rows out with --missing drop, or {way}",
                self.place
            );
            return Err(self.wrong("a label in each row", found));
        }
        Ok(self.records.iter().map(|(_, record)| field(record, place).to_owned()).collect())
    }

    /// The name of each row. A remark says that several have one.
    pub(super) fn ids(&self, place: usize, report: &mut LoadReport) -> Vec<String> {
        let ids: Vec<String> =
            self.records.iter().map(|(_, record)| field(record, place).to_owned()).collect();
        let distinct = ids.iter().collect::<BTreeSet<_>>().len();
        if distinct < ids.len() {
            let (repeat, name) = (ids.len() - distinct, &self.names[place]);
            report.remarks.push(format!("ids are not unique: {repeat} of {} repeat in {name}", ids.len()));
        }
        ids
    }
}
