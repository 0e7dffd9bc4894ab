//! `narrows export`: trained models for other programs.

use std::path::{Path, PathBuf};

use super::Context;
use super::output::{Place, line, wrote};
use super::trained::Model;
use crate::export::{Exported, MODULE, Part, WEIGHTS, is_module, to_onnx, to_pytorch};
use crate::run::save_together;
use crate::train::Checkpoint;
use crate::{Error, Result};

const FORMATS: [&str; 3] = ["onnx", "pytorch", "safetensors"];

const EXAMPLES: &str = "Examples:
  narrows export runs/vae-001
  narrows export runs/vae-001 --format pytorch --out vae
  narrows export runs/vae-001 --format safetensors --out vae.safetensors

Files:
  onnx         encoder.onnx       x -> code; of vae and iwae, whose codes are Gaussians, mean and logvar
               decoder.onnx       code -> reconstruction
               autoencoder.onnx   x -> code, or mean and logvar; and reconstruction
  pytorch      model.py           model = load(), then model.encode(x), model.decode(code), model(x)
               model.safetensors  the state dict of that module
  safetensors  one file           the state dict of all that was learned, for `narrows train --init FILE`

Values:
  x, reconstruction   f32 [batch, height, width, channels] or [batch, columns], in the data's own
                      units: bytes are numbers from 0 to 255
  code, mean, logvar  f32 [batch, latent]
  label               int64 [batch], beside x or code for conditional models alone: the place of the
                      class in their list, from 0

Properties of each ONNX file: narrows.variant, narrows.latent, narrows.epoch, and as JSON lists
narrows.columns of a table and narrows.classes of a conditional model. In model.py these lists
are COLUMNS and CLASSES.";

/// Export a trained model
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Export {
    #[command(flatten)]
    model: Model,
    /// Format: onnx, pytorch or safetensors
    #[arg(long, value_name = "FORMAT", value_parser = FORMATS, default_value = FORMATS[0])]
    format: String,
    /// Folder for the files of onnx or pytorch, made where it is missing; of safetensors the file, or - for standard output
    /// [default: in the current folder, RUN's name followed by -onnx or -pytorch, or by .safetensors]
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
            "onnx" => self.folder(context, &out, &Part::ALL.map(Part::file), to_onnx),
            _ => self.folder(context, &out, &[WEIGHTS, MODULE], to_pytorch),
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

    fn folder(
        &self,
        context: &Context,
        out: &Path,
        names: &[&str],
        exported: fn(&Checkpoint) -> Result<Exported>,
    ) -> Result<()> {
        check_folder(out, &names.join(", "))?;
        let checkpoint = self.model.load(context)?;
        let Exported { files, usage } = exported(&checkpoint)?;
        save_together(out, &files)?;
        wrote(out, &format!("{} after epoch {}", names.join(", "), checkpoint.epoch()))?;
        usage.iter().try_for_each(|said| line(&format!("  {said}")))
    }
}

// What looks like the name of a file rather than of a folder.
const FILES: [&str; 6] = ["onnx", "py", "safetensors", "pt", "pth", "zip"];

// Before slow work.
fn check_folder(out: &Path, names: &str) -> Result<()> {
    let named_as_file =
        out.extension().is_some_and(|end| FILES.iter().any(|file| end.eq_ignore_ascii_case(file)));
    let but = match out {
        _ if out.is_dir() => None,
        _ if out == Path::new("-") => Some("which is standard output: only --format safetensors goes there"),
        _ if out.exists() => Some("which is a file"),
        _ if named_as_file => Some("which is a file's name"),
        _ => None,
    };
    if let Some(but) = but {
        let got = format!("{}, {but}", out.display());
        return Err(Error::setting("--out", format!("a folder for {names}"), got));
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
