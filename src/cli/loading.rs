//! The loading of data, with a bar while pictures are decoded, and its notes.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};
use web_time::Instant;

use crate::Result;
use crate::data::{self, Dataset, DrawnParts, Reading, Source, Split, Watch};
use crate::train::{Checkpoint, DataConfig};

use super::output::{hidden_bar, note, notes};

// What loads faster needs no bar.
const PATIENCE: Duration = Duration::from_millis(300);

/// The data in their parts.
pub(super) fn loaded(data: &DataConfig) -> Result<Split> {
    in_parts(data, data.reading()?)
}

/// The data in their parts, those of `drawn` where they are known, for a trained model and in its units. Of the columns that a
/// table may have beside the model's, the `required` must be there.
pub(super) fn loaded_for(
    data: &DataConfig,
    model: &Checkpoint,
    required: Vec<String>,
    drawn: Option<DrawnParts>,
) -> Result<Split> {
    let mut split = in_parts(data, Reading { drawn, ..reading_for(data, model, required)? })?;
    for part in [&mut split.train, &mut split.validation, &mut split.test] {
        in_units(data, model, part);
    }
    Ok(split)
}

/// The same in one piece.
pub(super) fn loaded_whole(data: &DataConfig, model: &Checkpoint, required: Vec<String>) -> Result<Dataset> {
    let load = |reading: &Reading| data::load_whole(data.source, data.dir.as_deref(), reading);
    let (mut whole, report) = with_bar(reading_for(data, model, required)?, load)?;
    notes(&report);
    in_units(data, model, &mut whole);
    Ok(whole)
}

fn reading_for(data: &DataConfig, model: &Checkpoint, required: Vec<String>) -> Result<Reading> {
    let mut reading = data.reading_for(model.shape, &model.columns)?;
    reading.table.required = required;
    Ok(Reading { classes: model.transform.classes.clone(), ..reading })
}

fn in_parts(data: &DataConfig, reading: Reading) -> Result<Split> {
    let load = |reading: &Reading| data::load_as(data.source, data.dir.as_deref(), data.validation, reading);
    let split = with_bar(reading, load)?;
    notes(&split.report);
    Ok(split)
}

// An array does not say what its numbers are in, so those of another type than the model's may be far from them.
fn in_units(data: &DataConfig, model: &Checkpoint, part: &mut Dataset) {
    let is_other = data.source == Source::Npy && part.values.are_bytes() != model.bytes;
    if let Some(remark) = is_other.then(|| model.take_array(part)).flatten() {
        note(&format!("note: {remark}"));
    }
}

fn with_bar<T>(reading: Reading, load: impl FnOnce(&Reading) -> Result<T>) -> Result<T> {
    let bar = hidden_bar("decoding {bar:12} {pos} of {len} pictures, {eta} left")?;
    let watch = if std::io::stderr().is_terminal() { watch(bar.clone()) } else { Watch::default() };
    let loaded = load(&Reading { watch, ..reading });
    bar.finish_and_clear();
    loaded
}

fn watch(bar: ProgressBar) -> Watch {
    let began = Instant::now();
    Watch::new(move |_, of| {
        bar.inc(1);
        if bar.is_hidden() && began.elapsed() > PATIENCE {
            bar.set_length(of as u64);
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    })
}
