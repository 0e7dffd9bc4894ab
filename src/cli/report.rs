//! `narrows report`: a run's HTML report, written again.

use std::path::PathBuf;

use crate::Result;
use crate::report::report_run;
use crate::train::Checkpoint;

use super::Context;
use super::flags::DataFlags;
use super::loading::loaded_for;
use super::output::{note, wrote};
use super::trained::{From, drawn_parts, remarked};

/// Write a run's report again
#[derive(clap::Args)]
#[command(after_help = "Example:\n  narrows report runs/vae-001\n\n\
    `narrows train` writes report.html at its end. This command writes it for runs that were stopped or moved.")]
pub(super) struct Report {
    /// A run's folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    data: DataFlags,
}

impl Report {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let checkpoint = remarked(Checkpoint::find_to_report(&context.registry, &self.run, self.from.0)?);
        let data = self.data.over(&checkpoint.config)?;
        let drawn = drawn_parts(&self.run, &checkpoint.config.data, &data)?;
        let split = loaded_for(&data.seen_from(&self.run), &checkpoint, self.data.required(), drawn)?;
        let device = context.device.open_for(&checkpoint).await?;
        let (place, verdict) = report_run(&self.run, &device, &checkpoint, &split).await?;
        verdict.warnings.iter().for_each(|warning| note(&format!("warning: {warning}")));
        wrote(&place, &format!("epoch {} of the run", checkpoint.epoch()))
    }
}
