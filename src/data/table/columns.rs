//! The columns of a table that a form means.

use std::collections::BTreeSet;

use super::names::{drop_flag, label_flag};
use super::number::{Notation, is_missing};
use super::text::{Table, field};
use super::{Column, TableForm};
use crate::data::LoadReport;
use crate::{Error, Result};

const MOST_CATEGORIES: usize = 256;

impl Table<'_> {
    // Text is refused or divided into categories.
    pub(super) fn columns(&self, form: &TableForm, report: &mut LoadReport) -> Result<Vec<Column>> {
        let asked = [("drop", &form.drop), ("columns", &form.columns)];
        let asked =
            asked.into_iter().flat_map(|(setting, names)| names.iter().map(move |name| (setting, name)));
        let named = [("id", &form.id), ("label", &form.label)];
        let named = named.into_iter().filter_map(|(setting, name)| Some((setting, name.as_ref()?)));
        asked.chain(named).try_for_each(|(setting, name)| self.place(name, setting).map(drop))?;
        let aside = |name: &String| form.drop.contains(name) || form.is_beside(name);
        let index = self.index().filter(|name| form.columns.is_empty() && !aside(name));
        report.remarks.extend(index.map(|index| {
            format!("the first column has no name and numbers the rows: it is left out (--id {index} keeps it as their names)")
        }));
        let taken = if form.columns.is_empty() { &self.names } else { &form.columns };
        let (mut columns, mut texts, mut empty, mut commas) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for name in taken.iter().filter(|name| !aside(name) && index != Some(name)) {
            let place = self.place(name, "columns")?;
            let column = |category| Column { name: name.clone(), category, fill: None };
            match Notation::of(self.fields(place), self.commas) {
                _ if self.fields(place).next().is_none() => empty.push(name.as_str()),
                Some(notation) => {
                    commas.extend((notation == Notation::Comma).then_some(name.as_str()));
                    columns.push(column(None));
                }
                None if form.categories => {
                    let categories = self.categories(name, place)?;
                    columns.extend(categories.into_iter().map(|category| column(Some(category.to_owned()))));
                }
                None => texts.push(name.as_str()),
            }
        }
        if !empty.is_empty() {
            report.remarks.push(format!("columns without any value are left out: {}", empty.join(", ")));
        }
        if !commas.is_empty() {
            let names = commas.join(", ");
            report.remarks.push(format!("numbers with decimal commas are read as such in {names}"));
        }
        if !texts.is_empty() {
            return Err(self.refused_texts(&texts));
        }
        if columns.is_empty() {
            let expected =
                "at least one column of numbers: name others with --columns, or give --categories for text";
            return Err(self.wrong(expected, "none"));
        }
        Ok(columns)
    }

    fn categories(&self, name: &str, place: usize) -> Result<BTreeSet<&str>> {
        let categories: BTreeSet<&str> = self.fields(place).collect();
        if categories.len() > MOST_CATEGORIES {
            let found = format!("{} in {name}; leave it out with {}", categories.len(), drop_flag(&[name]));
            return Err(self.wrong(format!("at most {MOST_CATEGORIES} categories in a column"), found));
        }
        Ok(categories)
    }

    // A column whose numbers are most of it has a mistake in it; another is text.
    fn refused_texts(&self, texts: &[&str]) -> Error {
        let flag = drop_flag(texts);
        for name in texts {
            let Ok(place) = self.place(name, "columns") else { continue };
            let is_number = |text: &str| Notation::Point.number(text).is_some();
            let (count, numbers) =
                (self.fields(place).count(), self.fields(place).filter(|text| is_number(text)).count());
            let wrong = |text: &str| !is_missing(text) && !is_number(text);
            let first = self.records.iter().find(|(_, record)| wrong(field(record, place)));
            if let Some((line, record)) = first.filter(|_| 2 * numbers > count) {
                let (text, at) = (field(record, place), self.place);
                return self.wrong(
                    "a number in each field of a column",
                    format!(
                        "{text:?} in {at} {line}, column {name}; correct it, or leave the column out with {}",
                        drop_flag(&[name])
                    ),
                );
            }
        }
        let with_comma = |name: &&&str| {
            self.place(name, "columns").is_ok_and(|place| Notation::of(self.fields(place), true).is_some())
        };
        let commas = texts.iter().find(with_comma).map_or(String::new(), |name| {
            format!(". {name} has decimal commas, which are read where another separator, such as ;, divides the fields")
        });
        let ways = match texts {
            [one] => {
                format!("leave it out with {flag}, take it as each row's class with {}", label_flag(one))
            }
            _ => format!("leave them out with {flag}"),
        };
        let found = format!("text in {}; {ways}, or give --categories{commas}", texts.join(", "));
        self.wrong("columns of numbers", found)
    }
}
