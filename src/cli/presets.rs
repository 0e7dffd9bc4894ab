//! `narrows presets`: the configurations that `narrows train` takes by name.

use super::Context;
use super::output::line;
use crate::Result;
use crate::train::Config;

/// List the presets
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows presets\n  narrows presets denoising > mine.toml\n  \
    narrows train --config mine.toml")]
pub(super) struct Presets {
    /// Show all settings of this preset as TOML, for --config
    name: Option<String>,
}

impl Presets {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        let registry = &context.registry;
        if let Some(name) = &self.name {
            let (config, (_, preset)) = (Config::preset_of(registry, name)?, registry.preset(name)?);
            return line(&format!("# {}\n{}", preset.summary, config.to_toml()?.trim_end()));
        }
        let widest = registry.presets().map(|(_, preset)| preset.name.len()).max().unwrap_or_default();
        for (_, preset) in registry.presets() {
            line(&format!("{:widest$}  {}", preset.name, preset.summary))?;
            let config = Config::preset_of(registry, preset.name)?;
            line(&format!("{:widest$}  {}", "", config.set_up()))?;
        }
        Ok(())
    }
}
