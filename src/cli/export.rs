//! `narrows export`: trained models for other programs.

use std::path::{Path, PathBuf};

use super::Context;
use super::output::{Place, wrote};
use super::trained::Model;
use crate::export::{Files, MODULE, is_module, to_onnx, to_pytorch};
use crate::run::save_together;
use crate::train::Checkpoint;
use crate::{Error, Result};

const FORMATS: [&str; 3] = ["onnx", "pytorch", "safetensors"];

/// Export a trained model
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows export runs/vae-001\n  \
    narrows export runs/vae-001 --format pytorch --out vae\n  \
    narrows export runs/vae-001 --format safetensors --out vae.safetensors\n\n\
    onnx writes encoder.onnx, decoder.onnx and autoencoder.onnx to a folder; pytorch model.safetensors, a state dict in\n\
    PyTorch's layouts, and model.py, a module that reads it; safetensors the state dict of all that was learned, which\n\
    `narrows train --init FILE` takes. What goes in and comes out has the data's own units, f32 [batch, height, width,\n\
    channels] or [batch, columns]: bytes are numbers from 0 to 255. docs/export.md has examples.")]
pub(super) struct Export {
    #[command(flatten)]
    model: Model,
    /// Format: onnx, pytorch or safetensors
    #[arg(long, value_name = "FORMAT", value_parser = FORMATS, default_value = FORMATS[0])]
    format: String,
    /// Folder for the files, made where it is missing; of safetensors a file, or - for standard output [default: in the
    /// current folder, RUN's name followed by -onnx or -pytorch, or by .safetensors]
    #[arg(long, value_name = "PLACE")]
    out: Option<PathBuf>,
}

impl Export {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        context.device.check_none("export")?;
        let ending = if self.format == "safetensors" { ".safetensors" } else { &format!("-{}", self.format) };
        let out = match &self.out {
            Some(out) => out.clone(),
            None => PathBuf::from(name(self.model.place()) + ending),
        };
        match &self.format[..] {
            "safetensors" => self.state_dict(context, &out),
            "onnx" => self.folder(context, &out, to_onnx),
            _ => self.folder(context, &out, to_pytorch),
        }
    }

    fn state_dict(&self, context: &Context, out: &Path) -> Result<()> {
        let place = Place::new(out, None, &["safetensors"])?;
        if place.file().is_some_and(|out| Checkpoint::load_of(&context.registry, out).is_ok()) {
            let got = format!("{}, which is a checkpoint of narrows", out.display());
            return Err(Error::setting("--out", "a new file, or one that is no checkpoint", got));
        }
        let checkpoint = self.model.load(context)?;
        let dict = checkpoint.state_dict()?;
        let content = format!("{} tensors after epoch {}", dict.tensors.iter().count(), checkpoint.epoch());
        place.write(&dict.to_bytes()?, &content)
    }

    fn folder(&self, context: &Context, out: &Path, files: fn(&Checkpoint) -> Result<Files>) -> Result<()> {
        check_folder(out)?;
        let checkpoint = self.model.load(context)?;
        let files = files(&checkpoint)?;
        save_together(out, &files)?;
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        wrote(out, &format!("{} after epoch {}", names.join(", "), checkpoint.epoch()))
    }
}

// Before slow work.
fn check_folder(out: &Path) -> Result<()> {
    if out.exists() && !out.is_dir() {
        return Err(Error::setting("--out", "a folder, or a name that is free", out.display()));
    }
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        return Err(Error::setting("--out", "a folder in a folder that exists", parent.display()));
    }
    let module = out.join(MODULE);
    let is_foreign = std::fs::read(&module).is_ok_and(|text| !is_module(&text));
    if is_foreign {
        let got = format!("{}, which narrows did not write", module.display());
        return Err(Error::setting("--out", format!("a folder without another {MODULE}"), got));
    }
    Ok(())
}

// A run's, or that of a checkpoint without its ending.
fn name(run: &Path) -> String {
    let whole = run.canonicalize();
    let run = whole.as_deref().unwrap_or(run);
    let name = if run.is_dir() { run.file_name() } else { run.file_stem() };
    name.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}
