//! The module of PyTorch that reads an exported state dict: Python as a person would write it.

mod changes;
mod layers;
mod told;

use super::values::listed;
use super::{About, MODULE, Outline, Part, WEIGHTS};
use crate::data::Items;
use crate::reference::latent::LOGVAR;
use crate::{Error, Result};

// What the text begins with.
const BEGINNING: &str = "\"\"\"An autoencoder of the kind ";

/// Whether a file is such a text.
pub fn is_module(text: &[u8]) -> bool {
    text.starts_with(BEGINNING.as_bytes())
}

// Letters of a line.
const WIDTH: usize = 88;

/// The text of `model.py`.
///
/// # Errors
/// [`Error::Setting`] for a layer's name that is none in Python.
pub(super) fn module(outline: &Outline) -> Result<String> {
    let layers = layers::declared(outline)?;
    let mut text = Text::default();
    changes::functions(&mut text, outline);
    layers::classes(&mut text, outline);
    text.lines(0, &["class Autoencoder(nn.Module):"]);
    let items = outline.items().many();
    let about = format!("Encoder and decoder. x and what is decoded are {items}: {}.", units(outline));
    text.documented(4, &about);
    text.lines(0, &["", "    def __init__(self):", "        super().__init__()"]);
    layers.iter().for_each(|line| text.lines(8, &[line]));
    told::declared(&mut text, outline);
    changes::buffers(&mut text, outline);
    encode(&mut text, outline);
    decode(&mut text, outline);
    forward(&mut text, outline);
    load(&mut text);
    Ok(head(outline, &text.0) + &text.0)
}

/// What goes in and comes out of each call, and what it means, a line each.
pub(super) fn usage(outline: &Outline) -> Vec<String> {
    let of_call = |(call, part): (&str, Part)| {
        let outputs = match part {
            Part::Encoder | Part::Decoder => outline.outputs(part),
            Part::Autoencoder => outline.outputs(Part::Decoder),
        };
        format!("{call}({}) -> {}", listed(&outline.inputs(part)), listed(&outputs))
    };
    let calls =
        [("model.encode", Part::Encoder), ("model.decode", Part::Decoder), ("model", Part::Autoencoder)];
    let load = format!("{MODULE}: from {} import load; model = load()", MODULE.trim_end_matches(".py"));
    let meanings = outline.meanings(["COLUMNS", "CLASSES"]);
    [load].into_iter().chain(calls.map(of_call)).chain(meanings).collect()
}

/// Python under way.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// Lines behind so many blanks; an empty one has none.
    pub(super) fn lines(&mut self, indent: usize, lines: &[&str]) {
        for line in lines {
            if !line.is_empty() {
                self.0.extend(std::iter::repeat_n(' ', indent));
                self.0.push_str(line);
            }
            self.0.push('\n');
        }
    }

    /// A documentation of one paragraph.
    pub(super) fn documented(&mut self, indent: usize, about: &str) {
        let mut lines = wrapped(&format!("\"\"\"{about}"), WIDTH - indent - 3);
        if let [line] = &mut lines[..] {
            line.push_str("\"\"\"");
        } else {
            lines.push("\"\"\"".to_owned());
        }
        lines.iter().for_each(|line| self.lines(indent, &[line]));
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let room = lines.last().is_some_and(|line| line.is_empty() || line.len() + 1 + word.len() <= width);
        if !room {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    lines
}

// What its numbers are, in words.
fn units(outline: &Outline) -> String {
    let extents: Vec<String> = outline.extents().iter().map(u32::to_string).collect();
    let numbers =
        if outline.about.bytes { "numbers from 0 to 255" } else { "numbers in the data's own units" };
    let order = match (outline.items(), outline.about.columns.is_empty()) {
        (Items::Images, _) => " (height, width, channels)",
        (Items::Rows, true) => "",
        (Items::Rows, false) => ", the columns of COLUMNS",
    };
    format!("{numbers}, [batch, {}]{order}", extents.join(", "))
}

// What encoding gives, and what is told of the class beside what is encoded and decoded.
fn code(outline: &Outline) -> &'static str {
    if outline.gaussian_code { "code, logvar" } else { "code" }
}

fn label(outline: &Outline) -> &'static str {
    if outline.told.is_some() { ", label" } else { "" }
}

// What stands before the rest: what that uses is imported, and nothing else.
fn head(outline: &Outline, rest: &str) -> String {
    let mut text = Text::default();
    let About { variant, epoch, columns, .. } = &outline.about;
    let version = env!("CARGO_PKG_VERSION");
    let lines = [
        &format!("\"\"\"An autoencoder of the kind {variant}, by narrows {version}, of epoch {epoch}.")[..],
        "",
        &format!("    from {} import load", MODULE.trim_end_matches(".py")),
        "",
        &format!("    model = load()  # the weights of {WEIGHTS}, beside this file"),
        &format!("    {} = model.encode(x{})", code(outline), label(outline)),
        &format!("    decoded = model.decode(code{})", label(outline)),
        "\"\"\"",
        "",
        "from pathlib import Path",
        "",
    ];
    text.lines(0, &lines);
    let imports = [
        ("torch.", "import torch"),
        ("load_file(", "from safetensors.torch import load_file"),
        ("nn.", "from torch import nn"),
        ("F.", "from torch.nn import functional as F"),
    ];
    for (_, import) in imports.iter().filter(|(used, _)| rest.contains(used)) {
        text.lines(0, &[import]);
    }
    text.lines(0, &[""]);
    let classes = outline.told.as_ref().map_or(&[][..], |told| &told.classes);
    for (list, names) in [("COLUMNS", &columns[..]), ("CLASSES", classes)] {
        if !names.is_empty() {
            text.lines(0, &[&format!("{list} = [")]);
            names.iter().for_each(|name| text.lines(4, &[&format!("{},", serde_json::json!(name))]));
            text.lines(0, &["]", ""]);
        }
    }
    text.lines(0, &[""]);
    text.0
}

fn encode(text: &mut Text, outline: &Outline) {
    let latent = outline.latent;
    text.lines(4, &["", &format!("def encode(self, x{}):", label(outline))]);
    let labels =
        if outline.told.is_some() { " label is the place of each class in CLASSES, [batch]." } else { "" };
    let about = match outline.gaussian_code {
        true => format!(
            "Means [batch, {latent}] and logarithms of the variances [batch, {latent}] of the codes' Gaussians. The code \
             of x is the mean."
        ),
        false => format!("Codes [batch, {latent}]."),
    };
    text.documented(8, &(about + labels));
    text.lines(8, &[&format!("h = x.reshape(-1, {})", outline.pixels())]);
    outline.before.iter().for_each(|change| text.lines(8, &[&changes::line(*change)]));
    told::beside_items(text, outline);
    layers::lines(text, &outline.encoder);
    if outline.gaussian_code {
        let (low, high) = (LOGVAR.start(), LOGVAR.end());
        text.lines(
            8,
            &["mean, logvar = h.chunk(2, dim=1)", &format!("return mean, logvar.clamp({low}, {high})")],
        );
    } else {
        text.lines(8, &["return h"]);
    }
}

fn decode(text: &mut Text, outline: &Outline) {
    text.lines(4, &["", &format!("def decode(self, code{}):", label(outline))]);
    let (items, latent) = (outline.items().many(), outline.latent);
    let classes = if outline.told.is_some() { " and the label of each [batch]" } else { "" };
    text.documented(8, &format!("The mean {items} given codes [batch, {latent}]{classes}."));
    text.lines(8, &["h = code"]);
    told::beside_codes(text, outline);
    layers::lines(text, &outline.decoder);
    outline.after.iter().for_each(|change| text.lines(8, &[&changes::line(*change)]));
    let extents: Vec<String> = outline.extents().iter().map(u32::to_string).collect();
    text.lines(8, &[&format!("return h.reshape(-1, {})", extents.join(", "))]);
}

fn forward(text: &mut Text, outline: &Outline) {
    let code = if outline.gaussian_code { "mean, _" } else { "code" };
    let decoded = if outline.gaussian_code { "mean" } else { "code" };
    let label = label(outline);
    text.lines(4, &["", &format!("def forward(self, x{label}):")]);
    text.documented(8, "Reconstructions of x, of its form and units.");
    text.lines(
        8,
        &[&format!("{code} = self.encode(x{label})"), &format!("return self.decode({decoded}{label})")],
    );
}

fn load(text: &mut Text) {
    text.lines(0, &["", "", "def load(path=None):"]);
    text.documented(4, &format!("The trained model, of the file {WEIGHTS} beside this one or of another."));
    text.lines(
        4,
        &[
            &format!("path = path or Path(__file__).with_name(\"{WEIGHTS}\")"),
            "model = Autoencoder()",
            "model.load_state_dict(load_file(path))",
            "return model.eval()",
        ],
    );
}

/// The refusal of a name.
fn no_name(layer: &str) -> Error {
    let expected = "layers whose names are words with a number, such as encoder.0";
    Error::setting("--format pytorch", expected, layer)
}
