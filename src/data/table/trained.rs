//! The columns of a trained model in a table of new rows.

use std::collections::BTreeSet;

use super::number::{Notation, is_missing};
use super::text::Table;
use super::{Column, TableForm};
use crate::data::nearest::{FEW, nearest};
use crate::data::{Items, LoadReport};
use crate::{Error, Result};

// Names of missing columns in an error.
const NAMED: usize = 3;

impl Table<'_> {
    /// Refuses a table for a model of images.
    pub(super) fn check_kind(&self, shape: Option<[usize; 3]>) -> Result<()> {
        match shape.filter(|shape| Items::of(*shape) == Items::Images) {
            None => Ok(()),
            Some(shape) => {
                let expected = format!("{}, as in training", Items::shaped(shape));
                let got = format!("a table of {} columns, {}", self.names.len(), self.path.display());
                Err(Error::setting("data set", expected, got))
            }
        }
    }

    /// The columns for a model of `width` columns without names: all but the label's and the name's, which must be numbers.
    pub(super) fn nameless(
        &self,
        width: usize,
        form: &TableForm,
        report: &mut LoadReport,
    ) -> Result<Vec<Column>> {
        let is_text = |place: usize| {
            !form.is_beside(&self.names[place]) && Notation::of(self.fields(place), self.commas).is_none()
        };
        let texts: Vec<&str> =
            (0..self.names.len()).filter(|at| is_text(*at)).map(|at| self.names[at].as_str()).collect();
        if texts.is_empty() {
            return self.columns(form, report);
        }
        let expected =
            format!("{width} columns of numbers and no others, as the model was trained on an array");
        let found = format!("text in {}; take it out, or name it with --id or --label", texts.join(", "));
        Err(self.wrong(expected, found))
    }

    /// The places of a model's columns, by their names.
    pub(super) fn places_of(&self, columns: &[Column], form: &TableForm) -> Result<Vec<usize>> {
        let place = |column: &Column| self.names.iter().position(|name| *name == column.name);
        columns.iter().map(place).collect::<Option<_>>().ok_or_else(|| self.without_columns(columns, form))
    }

    fn without_columns(&self, columns: &[Column], form: &TableForm) -> Error {
        let there = |name: &str| self.names.iter().any(|other| other == name);
        let mut seen = BTreeSet::new();
        let wanted: Vec<&str> =
            columns.iter().map(|column| column.name.as_str()).filter(|name| seen.insert(*name)).collect();
        let missing: Vec<&str> = wanted.iter().copied().filter(|name| !there(name)).collect();
        let expected = match wanted.len() {
            1 => "the model's column".to_owned(),
            count => format!("the model's {count} columns"),
        };
        if missing.len() == wanted.len() && self.seems_without_header() {
            let found = format!(
                "numbers in place of their names: there seems to be no header line; put one before the rows, such as {}",
                wanted[..wanted.len().min(NAMED)].join(",")
            );
            return self.wrong(expected, found + if wanted.len() > NAMED { ",..." } else { "" });
        }
        let free = |name: &&str| !wanted.contains(name) && !form.is_beside(name);
        let free: Vec<&str> = self.names.iter().map(String::as_str).filter(free).collect();
        let named = missing.iter().take(NAMED).map(|name| match nearest(name, free.iter().copied()) {
            Some(other) => format!("{name} (the nearest name is {other})"),
            None => (*name).to_owned(),
        });
        let named = named.collect::<Vec<_>>().join(", ");
        let more = match missing.len().saturating_sub(NAMED) {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        let among =
            if self.names.len() > FEW { String::new() } else { format!(" among {}", self.names.join(", ")) };
        self.wrong(expected, format!("none called {named}{more}{among}"))
    }

    // Most of what should be names are numbers, or were made for columns without any.
    fn seems_without_header(&self) -> bool {
        let is_number = |name: &&String| Notation::Point.number(name).is_some() || is_missing(name);
        self.headless || 2 * self.names.iter().filter(is_number).count() > self.names.len()
    }
}
