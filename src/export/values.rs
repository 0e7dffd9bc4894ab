//! What an export takes and gives: names, types, shapes and units.

use std::fmt;

use super::Outline;
use crate::data::Items;

/// What a file, or a call of a module, computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Codes of items.
    Encoder,
    /// Items of codes.
    Decoder,
    /// Both in a row.
    Autoencoder,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Encoder, Self::Decoder, Self::Autoencoder];

    /// The name of its ONNX file.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Encoder => "encoder.onnx",
            Self::Decoder => "decoder.onnx",
            Self::Autoencoder => "autoencoder.onnx",
        }
    }
}

// Classes that a line names.
const SHOWN: usize = 10;

/// The properties of ONNX files that name columns and classes.
pub(super) const COLUMNS: &str = "narrows.columns";
pub(super) const CLASSES: &str = "narrows.classes";

/// An input or output. It is shown as `x [batch, 28, 28, 1]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Its name.
    pub name: &'static str,
    /// Whether it holds whole numbers of 64 bits rather than floats of 32.
    pub whole: bool,
    /// Its extents, without the batch.
    pub extents: Vec<u32>,
    /// What it is, and its units.
    pub about: String,
}

impl fmt::Display for Value {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} {}[batch", self.name, if self.whole { "int64 " } else { "" })?;
        self.extents.iter().try_for_each(|extent| write!(to, ", {extent}"))?;
        write!(to, "]")
    }
}

/// Values side by side, as `code [batch, 20], label int64 [batch]`.
pub(super) fn listed(values: &[Value]) -> String {
    values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
}

impl Outline {
    /// What a part takes.
    pub fn inputs(&self, part: Part) -> Vec<Value> {
        let first = match part {
            Part::Encoder | Part::Autoencoder => self.x(),
            Part::Decoder => self.given_code(),
        };
        [first].into_iter().chain(self.label()).collect()
    }

    /// What a part gives.
    pub fn outputs(&self, part: Part) -> Vec<Value> {
        let codes = || [self.code()].into_iter().chain(self.logvar());
        match part {
            Part::Encoder => codes().collect(),
            Part::Decoder => vec![self.reconstruction()],
            Part::Autoencoder => codes().chain([self.reconstruction()]).collect(),
        }
    }

    pub(super) fn x(&self) -> Value {
        self.of_items("x", self.items().many())
    }

    pub(super) fn reconstruction(&self) -> Value {
        self.of_items("reconstruction", &format!("mean {} given the code", self.items().many()))
    }

    /// Of a conditional model.
    pub(super) fn label(&self) -> Option<Value> {
        let about = format!("the label of each item: the place of its class in {CLASSES}, from 0");
        self.told.as_ref().map(|_| Value { name: "label", whole: true, extents: Vec::new(), about })
    }

    pub(super) fn given_code(&self) -> Value {
        self.codes("code", "codes, such as the encoder gives or a prior draws")
    }

    /// What the encoder gives of each item, or the mean where that is a Gaussian.
    pub(super) fn code(&self) -> Value {
        match self.gaussian_code {
            true => self.codes("mean", "means of the codes' Gaussians: E[z given x]"),
            false => self.codes("code", "codes"),
        }
    }

    /// Of a Gaussian code.
    pub(super) fn logvar(&self) -> Option<Value> {
        let about = "logarithms of the variances of the codes' Gaussians";
        self.gaussian_code.then(|| self.codes("logvar", about))
    }

    fn codes(&self, name: &'static str, about: &str) -> Value {
        Value { name, whole: false, extents: vec![self.latent], about: about.to_owned() }
    }

    fn of_items(&self, name: &'static str, what: &str) -> Value {
        Value {
            name,
            whole: false,
            extents: self.extents(),
            about: format!("{what}: {}", self.units(COLUMNS)),
        }
    }

    // What the numbers of items are, in words; the list of a table's columns is called so.
    fn units(&self, columns: &str) -> String {
        let units =
            if self.about.bytes { "numbers from 0 to 255" } else { "numbers in the data's own units" };
        match (self.items(), self.about.columns.is_empty()) {
            (Items::Images, _) => format!("{units}, as [batch, height, width, channels]"),
            (Items::Rows, true) => format!("{units}, as [batch, columns]"),
            (Items::Rows, false) => format!("{units}, as [batch, columns] in the order of {columns}"),
        }
    }

    /// What the values are that are not numbers of a code, a line each; the lists of columns and classes are called so.
    pub(super) fn meanings(&self, [columns, classes]: [&str; 2]) -> Vec<String> {
        let items = format!("x, reconstruction: f32, {}", self.units(columns));
        let label = self.told.as_ref().map(|told| {
            let (last, shown) = (told.classes.len().saturating_sub(1), told.classes.iter().take(SHOWN));
            let names = shown.cloned().collect::<Vec<_>>().join(", ");
            let more = if last >= SHOWN { ", ..." } else { "" };
            format!("label: from 0 to {last}, the place of the class in {classes}: {names}{more}")
        });
        [items].into_iter().chain(label).collect()
    }
}
