//! Every setting as a flag. What is given becomes a TOML table over the preset and the file.

use std::path::PathBuf;

use narrows::train::Config;
use narrows::{Error, Result};
use serde::Serialize;

/// The configuration: a variant's preset, a TOML file over it, flags over that.
#[derive(clap::Args)]
pub(super) struct ConfigFlags {
    /// linear, mlp or vae [default: the file's, or vae]
    variant: Option<String>,
    /// TOML file with sections [model], [train] and [data]; a run's config.toml is one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    model: ModelFlags,
    #[command(flatten)]
    train: TrainFlags,
    #[command(flatten)]
    data: DataFlags,
}

#[derive(clap::Args, Serialize)]
#[command(next_help_heading = "Model")]
struct ModelFlags {
    /// Widths of the encoder's hidden layers, as 400,200; the decoder mirrors them ("" for none)
    #[arg(long, value_name = "WIDTHS", value_parser = parse_widths)]
    hidden: Option<Widths>,
    /// Width of the code
    #[arg(long, value_name = "N")]
    latent: Option<u32>,
    /// identity, relu, leaky_relu, elu, selu, sigmoid, tanh, softplus, gelu or silu
    #[arg(long, value_name = "F")]
    activation: Option<String>,
    /// Activation of the encoder's last layer
    #[arg(long, value_name = "F")]
    code_activation: Option<String>,
    /// Activation of the decoder's last layer (bernoulli: identity, it takes logits)
    #[arg(long, value_name = "F")]
    output_activation: Option<String>,
    /// bernoulli, gaussian, gaussian-learned or squared-error
    #[arg(long, value_name = "KIND")]
    likelihood: Option<String>,
    /// Standard deviation of the gaussian likelihood, in pixel values of [0, 1]
    #[arg(long, value_name = "S")]
    deviation: Option<f32>,
    /// What the KL (sum over the code, mean over images) is multiplied by
    #[arg(long, value_name = "BETA")]
    kl_weight: Option<f32>,
    /// Whether layers have biases
    #[arg(long, value_name = "BOOL")]
    bias: Option<bool>,
    /// Whether the mean training image is subtracted first
    #[arg(long, value_name = "BOOL")]
    center: Option<bool>,
    /// First weights: glorot-uniform or he-uniform
    #[arg(long, value_name = "SCHEME")]
    init: Option<String>,
    /// What the optimizer sees: image (sum over pixels) or pixel (mean over pixels)
    #[arg(long, value_name = "KIND")]
    reduction: Option<String>,
}

#[derive(clap::Args, Serialize)]
#[command(next_help_heading = "Training")]
struct TrainFlags {
    /// Passes over the training images
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// Images a step
    #[arg(long, value_name = "N")]
    batch: Option<u32>,
    /// sgd, adam or adamw
    #[arg(long, value_name = "KIND")]
    optimizer: Option<String>,
    /// Learning rate
    #[arg(long, visible_alias = "lr", value_name = "RATE")]
    learning_rate: Option<f32>,
    /// Momentum of sgd
    #[arg(long, value_name = "M")]
    momentum: Option<f32>,
    /// Decay of adam's first moment
    #[arg(long, value_name = "B")]
    beta1: Option<f64>,
    /// Decay of adam's second moment
    #[arg(long, value_name = "B")]
    beta2: Option<f64>,
    /// Added to the root of adam's second moment
    #[arg(long, value_name = "E")]
    epsilon: Option<f32>,
    /// Decay of the parameters
    #[arg(long, value_name = "W")]
    weight_decay: Option<f32>,
    /// Decides first weights, order and noise: the same seed on the same device gives the same bits
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Which images.
#[derive(clap::Args, Serialize)]
#[command(next_help_heading = "Data")]
pub(super) struct DataFlags {
    /// sample (built in), fashion-mnist, mnist, or idx for any folder of IDX files
    #[arg(long = "data", value_name = "SOURCE")]
    #[serde(rename = "source")]
    data: Option<String>,
    /// Folder with the files, plain or gzipped
    #[arg(long = "data-dir", value_name = "DIR")]
    #[serde(rename = "dir")]
    data_dir: Option<PathBuf>,
    /// How many of the last training images to hold out [default: a tenth, at most 5000]
    #[arg(long, value_name = "N")]
    validation: Option<usize>,
}

/// A list of widths as one value of a flag.
#[derive(Clone, Serialize)]
#[serde(transparent)]
struct Widths(Vec<u32>);

fn parse_widths(text: &str) -> std::result::Result<Widths, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let widths = parts.map(|part| part.parse().map_err(|_| format!("{part:?} is not a width")));
    widths.collect::<std::result::Result<_, _>>().map(Widths)
}

fn table(section: &str, flags: &impl Serialize) -> Result<(String, toml::Value)> {
    let values =
        toml::Table::try_from(flags).map_err(|error| Error::setting("flags", "what TOML can hold", error))?;
    Ok((section.to_owned(), toml::Value::Table(values)))
}

impl DataFlags {
    /// This configuration with the given flags in place of its own data.
    pub(super) fn over(&self, config: &Config) -> Result<Config> {
        config.overlaid([table("data", self)?].into_iter().collect(), "flags")
    }
}

impl ConfigFlags {
    /// Whether anything but `epochs` and the data's place was given: what a resumed run may not change.
    pub(super) fn for_resume(&self, config: &Config) -> Result<Config> {
        let mut resumed = self.data.over(config)?;
        resumed.train.epochs = self.train.epochs.unwrap_or(config.train.epochs);
        let given = self.over(config)?;
        let allowed = Config { data: given.data.clone(), ..resumed.clone() };
        if given != allowed || self.variant.is_some() || self.config.is_some() {
            let expected = "only --epochs and the data's place beside --resume; all else is the run's";
            return Err(Error::setting("flags", expected, "other settings"));
        }
        Ok(resumed)
    }

    fn over(&self, config: &Config) -> Result<Config> {
        let sections =
            [table("model", &self.model)?, table("train", &self.train)?, table("data", &self.data)?];
        config.overlaid(sections.into_iter().collect(), "flags")
    }

    /// The whole configuration, checked.
    pub(super) fn resolve(&self) -> Result<Config> {
        let file = self.config.as_deref().map(|path| (path, std::fs::read_to_string(path)));
        let named = match (&self.variant, file) {
            (Some(variant), _) => variant.clone(),
            (None, Some((path, text))) => variant_in(&text.map_err(Error::io("read", path))?),
            (None, None) => DEFAULT_VARIANT.to_owned(),
        };
        let mut config = Config::preset(&named)?;
        if let Some(path) = &self.config {
            config = config.overlaid_file(path)?;
            if config.model.variant != named {
                let expected = format!("{named}, as the command says");
                return Err(Error::setting(
                    format!("{}: variant", path.display()),
                    expected,
                    config.model.variant,
                ));
            }
        }
        let config = self.over(&config)?;
        config.check()?;
        Ok(config)
    }
}

const DEFAULT_VARIANT: &str = "vae";

// Damaged TOML is reported where the file is laid over the preset.
fn variant_in(text: &str) -> String {
    let table: toml::Table = text.parse().unwrap_or_default();
    let variant = table.get("model").and_then(|model| model.get("variant")).and_then(toml::Value::as_str);
    variant.unwrap_or(DEFAULT_VARIANT).to_owned()
}
