//! What `narrows train` says of a run before its first epoch and behind its last.

use std::path::Path;

use crate::data::{Dataset, Flattened, Split};
use crate::graph::{Device, Placement, Plan};
use crate::infer::all_alike;
use crate::report::shell_word;
use crate::run::{METRICS, Run, reconstructions_of_epoch, samples_of_epoch};
use crate::train::Trainer;

use super::output::note;
use super::progress::Reporter;

// Columns that a line names, and warnings of columns.
const SHOWN: usize = 8;

/// Says what is trained, on what and how.
pub(super) fn introduce(reporter: &mut Reporter, run: &Run, device: &Device, split: &Split) {
    let (plan, config) = (run.trainer().plan(), run.trainer().config());
    reporter.say(&format!(
        "{} on {}: {} training and {} validation {}, {} parameters, {} dispatches per step",
        config.preset,
        device.name(),
        split.train.len(),
        split.validation.len(),
        split.train.items().many(),
        plan.parameter_count(),
        plan.dispatches.len(),
    ));
    let scaling = &run.trainer().transform().scaling;
    if !scaling.is_identity() || !split.train.values.are_bytes() {
        reporter.say(&format!("scale:    {}", scaling.described(&split.train)));
        let units = match scaling.is_identity() {
            true => "losses, pictures and outputs are in the data's own".to_owned(),
            false => format!("losses are in {}, pictures and outputs in the data's own", scaling.units()),
        };
        reporter.say(&format!("units:    {units}"));
    }
    if let Some(memory) = memory(plan) {
        reporter.say(&format!("memory:   {memory}"));
    }
    if scaling.shift.len() > 1 {
        name_constant_columns(reporter, &split.train);
        for column in scaling.flattened(&split.train).iter().take(SHOWN) {
            note(&format!("warning: {}", of_flattened(column)));
        }
    }
    if run.trainer().constant().is_at_floor() {
        reporter.warn(&all_alike(split.train.items()));
    }
    reporter.say(&format!("reported: {}", split.train.items().reported()));
    reporter.say(&format!("minimized: {}", run.trainer().model().minimized()));
    run.trainer().origin().iter().for_each(|line| reporter.say(&format!("origin:   {line}")));
}

// How the images lie on the device, where that is not in one buffer.
fn memory(plan: &Plan) -> Option<String> {
    let (images, _) = plan.images?;
    match images.placement {
        Placement::Whole => None,
        Placement::Buffers { each } => {
            Some(format!("the training part lies in {} buffers", images.total.div_ceil(each)))
        }
        Placement::Ring { .. } => {
            Some("the training part streams, since it takes more than its share (--memory)".to_owned())
        }
    }
}

fn of_flattened(column: &Flattened) -> String {
    let Flattened { name, farthest, spread, .. } = column;
    format!(
        "column {name} has values as far as {farthest}, beside which its others look alike: half of them lie within \
         {spread:.1e} units of the scale. If they are wrong, correct them or leave the column out (--drop); else give \
         --scale robust or log1p"
    )
}

// Columns that say nothing of any row.
fn name_constant_columns(reporter: &mut Reporter, train: &Dataset) {
    let constant = train.constant_columns();
    let name = |at: &usize| train.columns.get(*at).map_or_else(|| at.to_string(), ToString::to_string);
    let shown: Vec<String> = constant.iter().take(SHOWN).map(name).collect();
    let more = if constant.len() > shown.len() { ", ..." } else { "" };
    let names = shown.join(", ");
    match constant.len() {
        0 => {}
        1 => reporter.say(&format!("columns:  {names} has one number in all rows")),
        count => reporter.say(&format!("columns:  {count} have one number in all rows: {names}{more}")),
    }
}

/// Lists the files, so that a new user sees the pictures.
pub(super) fn conclude(reporter: &mut Reporter, folder: &Path, trainer: &Trainer, report: &Path) {
    reporter.say(&format!("report:   {}", report.display()));
    reporter.say(&format!("model:    {}", folder.join("best.safetensors").display()));
    reporter.say(&format!("metrics:  {}", folder.join(METRICS).display()));
    let epoch = trainer.epochs_done();
    let pictures = [reconstructions_of_epoch(epoch), samples_of_epoch(epoch)];
    for (what, name) in ["pictures:", "         "].into_iter().zip(pictures) {
        let path = folder.join(name);
        if path.exists() {
            reporter.say(&format!("{what} {}", path.display()));
        }
    }
    let next = if trainer.model().prior().is_some() { "sample" } else { "reconstruct" };
    let folder = shell_word(&folder.display().to_string());
    reporter.say(&format!("next:     narrows {next} {folder}, narrows eval {folder},"));
    reporter.say(&format!(
        "          narrows score {folder} (what is unusual), narrows export {folder} (ONNX, PyTorch)"
    ));
}
