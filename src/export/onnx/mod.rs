//! ONNX files: encoder, decoder, and both in a row.

mod build;
mod changes;
mod layers;
pub mod proto;
mod told;

use prost::Message;

use self::build::Builder;
use self::proto::{IR_VERSION, ModelProto, OPSET, OperatorSetIdProto, StringStringEntryProto};
use super::{About, Outline};
use crate::data::Items;
use crate::reference::latent::LOGVAR;
use crate::{Error, Result};

/// What a file computes.
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

    /// The file's name.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Encoder => "encoder.onnx",
            Self::Decoder => "decoder.onnx",
            Self::Autoencoder => "autoencoder.onnx",
        }
    }
}

/// The content of a part's file.
///
/// # Errors
/// [`Error::Setting`] for a model of 2 GiB or more, which protocol buffers do not hold.
pub fn encoded(outline: &Outline, part: Part) -> Result<Vec<u8>> {
    let model = model(outline, part);
    let bytes = model.encoded_len();
    if i32::try_from(bytes).is_err() {
        let expected = "pytorch or safetensors for a model that is larger than ONNX's 2 GiB";
        return Err(Error::setting("--format", expected, format!("onnx for one of {bytes} bytes")));
    }
    Ok(model.encode_to_vec())
}

fn model(outline: &Outline, part: Part) -> ModelProto {
    let About { variant, epoch, columns, .. } = &outline.about;
    let what = match part {
        Part::Encoder => "The encoder",
        Part::Decoder => "The decoder",
        Part::Autoencoder => "Encoder and decoder in a row",
    };
    let doc = format!("{what} of a {variant} autoencoder, trained by narrows, of epoch {epoch}.");
    let mut graph = Builder::new(outline);
    match part {
        Part::Encoder => {
            let x = items(&mut graph);
            let told = graph.told();
            encoder(&mut graph, x, told.as_deref());
        }
        Part::Decoder => {
            let about = "codes, such as the encoder gives or a prior draws";
            let code = graph.input("code", &[outline.latent], about);
            let told = graph.told();
            decoder(&mut graph, code, told.as_deref());
        }
        Part::Autoencoder => {
            let x = items(&mut graph);
            let told = graph.told();
            let code = encoder(&mut graph, x, told.as_deref());
            decoder(&mut graph, code, told.as_deref());
        }
    }
    let mut properties = vec![
        ("variant", variant.clone()),
        ("latent", outline.latent.to_string()),
        ("epoch", epoch.to_string()),
    ];
    if !columns.is_empty() {
        properties.push(("columns", serde_json::json!(columns).to_string()));
    }
    if let Some(told) = &outline.told {
        properties.push(("classes", serde_json::json!(told.classes).to_string()));
    }
    let property = |(key, value): (&str, String)| StringStringEntryProto {
        key: Some(format!("narrows.{key}")),
        value: Some(value),
    };
    ModelProto {
        ir_version: Some(IR_VERSION),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPSET) }],
        producer_name: Some("narrows".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        doc_string: Some(doc.clone()),
        graph: Some(graph.finish(part.file().trim_end_matches(".onnx"), doc)),
        metadata_props: properties.into_iter().map(property).collect(),
    }
}

// What its numbers are, in words.
fn units(outline: &Outline) -> String {
    let units = if outline.about.bytes { "numbers from 0 to 255" } else { "numbers in the data's own units" };
    match (outline.items(), outline.about.columns.is_empty()) {
        (Items::Images, _) => format!("{units}, as [batch, height, width, channels]"),
        (Items::Rows, true) => format!("{units}, as [batch, columns]"),
        (Items::Rows, false) => format!("{units}, as [batch, columns] in the order of narrows.columns"),
    }
}

fn items(graph: &mut Builder<'_>) -> String {
    let outline = graph.outline();
    graph.input("x", &outline.extents(), &format!("{}: {}", outline.items().many(), units(outline)))
}

// The nodes from x, and what is told of its class, to the code, or its mean.
fn encoder(graph: &mut Builder<'_>, x: String, told: Option<&str>) -> String {
    let outline = graph.outline();
    let mut value = match outline.items() {
        Items::Images => graph.reshape("x", x, &[outline.pixels()]),
        Items::Rows => x,
    };
    for change in &outline.before {
        value = graph.change("x", *change, value);
    }
    if let (Some(class), Some(told)) = (told, &outline.told) {
        value = graph.beside_items("x", value, class, told);
    }
    for step in &outline.encoder {
        value = graph.step(step, value);
    }
    if !outline.gaussian_code {
        return graph.output("code", value, &[outline.latent], "codes");
    }
    let [mean, logvar] = graph.halves("encoder", value, outline.latent);
    let bounds = [*LOGVAR.start() as f32, *LOGVAR.end() as f32];
    let logvar = graph.clip("encoder", logvar, bounds);
    let mean = graph.output("mean", mean, &[outline.latent], "means of the codes' Gaussians: E[z given x]");
    graph.output("logvar", logvar, &[outline.latent], "logarithms of the variances of the codes' Gaussians");
    mean
}

// The nodes from a code, and what is told of its class, to what it is decoded to.
fn decoder(graph: &mut Builder<'_>, code: String, told: Option<&str>) {
    let outline = graph.outline();
    let mut value = code;
    if let Some(class) = told {
        value = graph.beside("code", &value, class, 1);
    }
    for step in &outline.decoder {
        value = graph.step(step, value);
    }
    for change in &outline.after {
        value = graph.change("reconstruction", *change, value);
    }
    let value = match outline.items() {
        Items::Images => graph.reshape("reconstruction", value, &outline.extents()),
        Items::Rows => value,
    };
    let about = format!("mean {} given the code: {}", outline.items().many(), units(outline));
    graph.output("reconstruction", value, &outline.extents(), &about);
}
