//! Trained models for other programs: ONNX files, and state dicts with a module for PyTorch.
//!
//! Both are written from one [`Outline`]: what encodes and decodes, as a list of plain operations, and its tensors in
//! PyTorch's layouts, which are ONNX's too. What comes in and goes out has the data's own units and narrows' array form,
//! `[batch, height, width, channels]` or `[batch, columns]`.

pub mod onnx;
mod outline;
mod pytorch;
mod values;
mod walk;

pub use outline::{About, Change, Convolution, Mean, Operation, Outline, Step, Told};
pub use pytorch::is_module;
pub use values::{Part, Value};

use crate::Result;
use crate::train::Checkpoint;

/// The state dict of what encodes and decodes.
pub const WEIGHTS: &str = "model.safetensors";
/// The module that reads it.
pub const MODULE: &str = "model.py";

/// A trained model in a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Its files, by name, whole: [`save_together`](crate::run::save_together) writes them.
    pub files: Vec<(&'static str, Vec<u8>)>,
    /// How they are used, a line each: what goes in and comes out by name, with shapes and units.
    pub usage: Vec<String>,
}

/// `encoder.onnx`, `decoder.onnx` and `autoencoder.onnx`.
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) for a variant whose codes or mean images are not what its networks give by
/// themselves, and for a model that is larger than an ONNX file may be.
pub fn to_onnx(checkpoint: &Checkpoint) -> Result<Exported> {
    let outline = Outline::new(checkpoint)?;
    let files = Part::ALL.into_iter().map(|part| Ok((part.file(), onnx::encoded(&outline, part)?)));
    Ok(Exported { files: files.collect::<Result<_>>()?, usage: onnx::usage(&outline) })
}

/// `model.safetensors` and `model.py`.
///
/// # Errors
/// As [`to_onnx`], but for the size; and for layers with names that Python does not allow.
pub fn to_pytorch(checkpoint: &Checkpoint) -> Result<Exported> {
    let outline = Outline::new(checkpoint)?;
    let module = pytorch::module(&outline)?.into_bytes();
    Ok(Exported {
        files: vec![(WEIGHTS, outline.tensors.to_bytes()?), (MODULE, module)],
        usage: pytorch::usage(&outline),
    })
}
