//! The columns of a table as numbers.

use std::collections::BTreeSet;

use super::text::{Table, field, is_missing, number};
use super::{Column, Missing, TableForm};
use crate::data::LoadReport;
use crate::{Error, Result};

const MOST_CATEGORIES: usize = 256;

impl Table<'_> {
    // The columns that a form means, text refused or divided into categories.
    pub(super) fn columns(&self, form: &TableForm, report: &mut LoadReport) -> Result<Vec<Column>> {
        for name in &form.drop {
            self.place(name, "drop")?;
        }
        form.columns.iter().try_for_each(|name| self.place(name, "columns").map(drop))?;
        form.id.iter().try_for_each(|name| self.place(name, "id").map(drop))?;
        form.label.iter().try_for_each(|name| self.place(name, "label").map(drop))?;
        let aside = |name: &String| {
            form.drop.contains(name) || form.label.as_ref() == Some(name) || form.id.as_ref() == Some(name)
        };
        let taken = if form.columns.is_empty() { &self.names } else { &form.columns };
        let (mut columns, mut texts, mut empty) = (Vec::new(), Vec::new(), Vec::new());
        for name in taken.iter().filter(|name| !aside(name)) {
            let place = self.place(name, "columns")?;
            let fields = || {
                self.records.iter().map(|(_, record)| field(record, place)).filter(|text| !is_missing(text))
            };
            let column = |category| Column { name: name.clone(), category, fill: None };
            if fields().next().is_none() {
                empty.push(name.as_str());
            } else if fields().all(|text| number(text).is_some()) {
                columns.push(column(None));
            } else if form.categories {
                let categories: BTreeSet<&str> = fields().collect();
                if categories.len() > MOST_CATEGORIES {
                    let found = format!("{} in {name}; leave it out with --drop {name}", categories.len());
                    return Err(
                        self.wrong(format!("at most {MOST_CATEGORIES} categories in a column"), found)
                    );
                }
                columns.extend(categories.into_iter().map(|category| column(Some(category.to_owned()))));
            } else {
                texts.push(name.as_str());
            }
        }
        if !empty.is_empty() {
            report.remarks.push(format!("columns without any value are left out: {}", empty.join(", ")));
        }
        if !texts.is_empty() {
            let names = texts.join(",");
            let found = format!(
                "text in {}; leave them out with --drop {names}, or give --categories",
                texts.join(", ")
            );
            return Err(self.wrong("columns of numbers", found));
        }
        if columns.is_empty() {
            return Err(self.wrong("at least one column of numbers", "none"));
        }
        Ok(columns)
    }

    // Row by row. Missing values that are to be filled are NaN.
    pub(super) fn values(&self, columns: &[Column], places: &[usize], missing: Missing) -> Result<Vec<f32>> {
        let fills = matches!(missing, Missing::Mean | Missing::Median);
        let mut values = Vec::with_capacity(self.records.len() * columns.len());
        for (line, record) in &self.records {
            for (column, place) in columns.iter().zip(places) {
                let text = field(record, *place);
                let value = match &column.category {
                    Some(_) if is_missing(text) && !fills => {
                        return Err(self.refused(text, *line, &column.name));
                    }
                    Some(category) => f32::from(u8::from(text == category)),
                    None if is_missing(text) && fills => f32::NAN,
                    None => {
                        let value = number(text).map(|value| value as f32).filter(|value| value.is_finite());
                        value.ok_or_else(|| self.refused(text, *line, &column.name))?
                    }
                };
                values.push(value);
            }
        }
        Ok(values)
    }

    fn refused(&self, text: &str, line: u64, column: &str) -> Error {
        let place = format!("in line {line}, column {column}");
        if is_missing(text) {
            let expected = "a number in each field, or --missing mean, median or drop";
            return self.wrong(expected, format!("a missing value {place}"));
        }
        self.wrong("a number in each field", format!("{text:?} {place}"))
    }
}
