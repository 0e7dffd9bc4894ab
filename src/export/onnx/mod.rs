//! ONNX files: encoder, decoder, and both in a row.

mod build;
mod changes;
mod layers;
pub mod proto;
mod told;

use prost::Message;

use self::build::Builder;
use self::proto::{IR_VERSION, ModelProto, OPSET, OperatorSetIdProto, StringStringEntryProto};
use super::values::{CLASSES, COLUMNS, listed};
use super::{About, Outline, Part};
use crate::data::Items;
use crate::reference::latent::LOGVAR;
use crate::{Error, Result};

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
    let About { variant, epoch, .. } = &outline.about;
    let what = match part {
        Part::Encoder => "The encoder",
        Part::Decoder => "The decoder",
        Part::Autoencoder => "Encoder and decoder in a row",
    };
    let doc = format!("{what} of a {variant} autoencoder, trained by narrows, of epoch {epoch}.");
    let mut graph = Builder::new(outline);
    match part {
        Part::Encoder => {
            let x = graph.input(&outline.x());
            let told = graph.told();
            encoder(&mut graph, x, told.as_deref());
        }
        Part::Decoder => {
            let code = graph.input(&outline.given_code());
            let told = graph.told();
            decoder(&mut graph, code, told.as_deref());
        }
        Part::Autoencoder => {
            let x = graph.input(&outline.x());
            let told = graph.told();
            let code = encoder(&mut graph, x, told.as_deref());
            decoder(&mut graph, code, told.as_deref());
        }
    }
    let property = |(key, value): (&str, String)| StringStringEntryProto {
        key: Some(key.to_owned()),
        value: Some(value),
    };
    ModelProto {
        ir_version: Some(IR_VERSION),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPSET) }],
        producer_name: Some("narrows".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        doc_string: Some(doc.clone()),
        graph: Some(graph.finish(part.file().trim_end_matches(".onnx"), doc)),
        metadata_props: properties(outline).into_iter().map(property).collect(),
    }
}

/// What goes in and comes out of each file, what it means, and the properties, a line each.
pub(super) fn usage(outline: &Outline) -> Vec<String> {
    let of_part = |part: Part| {
        format!("{}: {} -> {}", part.file(), listed(&outline.inputs(part)), listed(&outline.outputs(part)))
    };
    let names: Vec<&str> = properties(outline).into_iter().map(|(name, _)| name).collect();
    let properties = format!("properties of each file: {}", names.join(", "));
    let meanings = outline.meanings([COLUMNS, CLASSES]);
    Part::ALL.into_iter().map(of_part).chain(meanings).chain([properties]).collect()
}

// The properties of each file, by name. Lists of names are JSON.
fn properties(outline: &Outline) -> Vec<(&'static str, String)> {
    let About { variant, epoch, columns, .. } = &outline.about;
    let classes = outline.told.as_ref().map(|told| &told.classes);
    let lists = [(COLUMNS, Some(columns).filter(|columns| !columns.is_empty())), (CLASSES, classes)];
    let lists =
        lists.into_iter().filter_map(|(key, names)| Some((key, serde_json::json!(names?).to_string())));
    let own = [
        ("narrows.variant", variant.clone()),
        ("narrows.latent", outline.latent.to_string()),
        ("narrows.epoch", epoch.to_string()),
    ];
    own.into_iter().chain(lists).collect()
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
    let Some(logvar) = outline.logvar() else { return graph.output(&outline.code(), value) };
    let [mean, spread] = graph.halves("encoder", value, outline.latent);
    let bounds = [*LOGVAR.start() as f32, *LOGVAR.end() as f32];
    let spread = graph.clip("encoder", spread, bounds);
    let mean = graph.output(&outline.code(), mean);
    graph.output(&logvar, spread);
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
    graph.output(&outline.reconstruction(), value);
}
