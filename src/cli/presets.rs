//! `narrows presets`: the set-ups that `narrows train` can be given by name.

use narrows::Result;
use narrows::model::{preset, presets};

use super::output::line;

/// List the presets
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows presets\n  narrows presets denoising > mine.toml\n  \
    narrows train --config mine.toml")]
pub(super) struct Presets {
    /// Show every setting of this one as TOML, for --config
    name: Option<String>,
}

impl Presets {
    pub(super) fn run(&self) -> Result<()> {
        if let Some(name) = &self.name {
            let preset = preset(name)?;
            return line(&format!("# {}\n{}", preset.summary, preset.config.to_toml()?.trim_end()));
        }
        let all = presets();
        let widest = all.iter().map(|preset| preset.name.len()).max().unwrap_or_default();
        for preset in all {
            line(&format!("{:widest$}  {}", preset.name, preset.summary))?;
            line(&format!("{:widest$}  {}", "", preset.settings()))?;
        }
        Ok(())
    }
}
