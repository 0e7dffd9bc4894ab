//! Every setting as a flag. What is given becomes a TOML table over the preset and the file.

use std::path::{Path, PathBuf};

use narrows::data::Source;
use narrows::report::shell_word;
use narrows::train::{Config, DataConfig};
use narrows::{Error, Result};
use serde::Serialize;

/// What is used where neither the command nor a file names a preset.
const DEFAULT_PRESET: &str = "vae";

/// The configuration: a preset, a TOML file over it, flags over that.
#[derive(clap::Args)]
pub(super) struct ConfigFlags {
    /// A variant or another preset, as `narrows presets` lists them [default: the file's, or vae]
    preset: Option<String>,
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
    /// bernoulli, continuous-bernoulli, gaussian, gaussian-learned or squared-error
    #[arg(long, value_name = "KIND")]
    likelihood: Option<String>,
    /// Standard deviation of the gaussian likelihood, in pixel values of [0, 1]
    #[arg(long, allow_negative_numbers = true, value_name = "S")]
    deviation: Option<f32>,
    /// What the KL to the prior is multiplied by: nats summed over the code, averaged over the images
    #[arg(long, allow_negative_numbers = true, value_name = "BETA")]
    kl_weight: Option<f32>,
    /// How the squared norm of the encoder's Jacobian is found: exact or estimate
    #[arg(long, value_name = "KIND")]
    contraction: Option<String>,
    /// What it is multiplied by: summed over code and pixels, averaged over the images
    #[arg(long, allow_negative_numbers = true, value_name = "LAMBDA")]
    contraction_weight: Option<f32>,
    /// Whether the decoder's weights are the encoder's, transposed
    #[arg(long, value_name = "BOOL")]
    tied: Option<bool>,
    /// Nats that each dimension of a Gaussian code may have for nothing, on average over a batch
    #[arg(long, allow_negative_numbers = true, value_name = "NATS")]
    free_bits: Option<f32>,
    /// sparse: none, l1 (|z| of each unit) or kl (of sparsity-target to each unit's mean over the batch; sigmoid code)
    #[arg(long, value_name = "KIND")]
    sparsity: Option<String>,
    /// What that is multiplied by: a sum over the units of the code, averaged over the images
    #[arg(long, allow_negative_numbers = true, value_name = "W")]
    sparsity_weight: Option<f32>,
    /// The mean activation that the sparsity kl wants each unit to have
    #[arg(long, allow_negative_numbers = true, value_name = "P")]
    sparsity_target: Option<f32>,
    /// Whether layers have biases
    #[arg(long, value_name = "BOOL")]
    bias: Option<bool>,
    /// Whether the mean training image is subtracted first
    #[arg(long, value_name = "BOOL")]
    center: Option<bool>,
    /// What is done to the images the encoder sees: none, gaussian (noise added), dropout or salt-and-pepper
    #[arg(long, value_name = "KIND")]
    corruption: Option<String>,
    /// Standard deviation of that noise in pixel values of [0, 1], or probability that a pixel is lost
    #[arg(long, allow_negative_numbers = true, value_name = "S")]
    corruption_amount: Option<f32>,
    /// Whether dropout multiplies what it keeps by 1 / (1 - amount)
    #[arg(long, value_name = "BOOL")]
    corruption_rescale: Option<bool>,
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
    #[arg(long, allow_negative_numbers = true, visible_alias = "lr", value_name = "RATE")]
    learning_rate: Option<f32>,
    /// How the learning rate goes over the epochs: constant, linear or cosine (both to zero)
    #[arg(long, value_name = "KIND")]
    schedule: Option<String>,
    /// How a Gaussian code's kl-weight comes in: none (there at once), linear or cyclical
    #[arg(long, value_name = "KIND")]
    kl_warmup: Option<String>,
    /// Epochs over which it does
    #[arg(long, value_name = "N")]
    kl_warmup_epochs: Option<u32>,
    /// cyclical: how often it rises in them, each time over half a cycle
    #[arg(long, value_name = "N")]
    kl_cycles: Option<u32>,
    /// Momentum of sgd
    #[arg(long, allow_negative_numbers = true, value_name = "M")]
    momentum: Option<f32>,
    /// Decay of adam's first moment
    #[arg(long, allow_negative_numbers = true, value_name = "B")]
    beta1: Option<f64>,
    /// Decay of adam's second moment
    #[arg(long, allow_negative_numbers = true, value_name = "B")]
    beta2: Option<f64>,
    /// Added to the root of adam's second moment
    #[arg(long, allow_negative_numbers = true, value_name = "E")]
    epsilon: Option<f32>,
    /// Decay of the parameters
    #[arg(long, allow_negative_numbers = true, value_name = "W")]
    weight_decay: Option<f32>,
    /// Decides first weights, order and noise: the same seed on the same device gives the same bits
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..1 << 63))]
    seed: Option<u64>,
}

/// Which images.
#[derive(clap::Args, Serialize)]
#[command(next_help_heading = "Data")]
pub(super) struct DataFlags {
    /// sample (built in), fashion-mnist, mnist, idx (IDX files), folder (pictures of any size), npy (NumPy's
    /// arrays), the path of a folder or .npy file, whose content tells, or points of the plane: spiral, moons,
    /// mixture
    #[arg(long = "data", value_name = "SOURCE")]
    #[serde(rename = "source")]
    data: Option<String>,
    /// Where its files are
    #[arg(long = "data-dir", value_name = "DIR")]
    #[serde(rename = "dir")]
    data_dir: Option<PathBuf>,
    /// How many of the last training images to hold out [default: a tenth, at most 5000]
    #[arg(long, value_name = "N")]
    validation: Option<usize>,
    /// Height and width that a folder's pictures are cropped and resized to [default: their own where all have
    /// one of at most 128, else 64]
    #[arg(long, value_name = "N")]
    size: Option<u32>,
    /// Make a folder's pictures grey [default: only if all are]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    grey: Option<bool>,
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

// The flags of one section that were given, under their names in the file.
fn given(flags: &impl Serialize) -> Result<toml::Table> {
    toml::Table::try_from(flags).map_err(|error| Error::setting(ORIGIN, "what TOML can hold", error))
}

// Where a setting stands, for errors.
const ORIGIN: &str = "command line";

impl DataFlags {
    /// This configuration's data with what was given in its place. A folder and a count belong to a source,
    /// so another source does not take them over.
    pub(super) fn over(&self, config: &Config) -> Result<DataConfig> {
        let mut config = config.clone();
        let mut flags = given(self)?;
        if let Some((source, place)) = self.data.as_deref().map(|data| self.named(data)).transpose()? {
            if source != config.data.source {
                config.data = DataConfig::default();
            }
            flags.insert("source".to_owned(), source.as_str().into());
            let place = place.map(toml::Value::try_from).transpose();
            let place = place.map_err(|error| Error::setting("--data", "what TOML can hold", error))?;
            flags.extend(place.map(|place| ("dir".to_owned(), place)));
        }
        let sections = toml::Table::from_iter([("data".to_owned(), flags.into())]);
        Ok(config.overlaid(sections, ORIGIN)?.data)
    }
}

impl DataFlags {
    /// What was given, as it is typed, each flag behind a space.
    pub(super) fn typed(&self) -> String {
        let quoted = |path: &Path| shell_word(&path.display().to_string());
        let mut flags = String::new();
        let mut add = |name: &str, value: Option<String>| {
            flags.extend(value.map(|value| format!(" --{name} {value}")));
        };
        add("data", self.data.as_deref().map(shell_word));
        add("data-dir", self.data_dir.as_deref().map(quoted));
        add("validation", self.validation.map(|count| count.to_string()));
        add("size", self.size.map(|size| size.to_string()));
        flags.extend(self.grey.map(|grey| format!(" --grey={grey}")));
        flags
    }

    // The source that `--data` names, or the one that lies at the path it gives.
    fn named<'a>(&self, data: &'a str) -> Result<(Source, Option<&'a Path>)> {
        let path = Path::new(data);
        match (data.parse(), Source::at(path)) {
            (Ok(source), _) => Ok((source, None)),
            (Err(_), Some(_)) if self.data_dir.is_some() => {
                let expected = "none beside the path that --data gives";
                Err(Error::setting("--data-dir", expected, format!("both, and --data {data}")))
            }
            (Err(_), Some(source)) => Ok((source, Some(path))),
            (Err(Error::Setting { expected, .. }), None) => {
                let expected = format!("{expected}, or the path of a folder or .npy file");
                Err(Error::setting("--data", expected, format!("`{data}`")))
            }
            (Err(error), None) => Err(error),
        }
    }
}

impl ConfigFlags {
    /// The configuration to go on with: the run's own, but for the number of epochs and the data's place.
    pub(super) fn for_resume(&self, run: &Config) -> Result<Config> {
        let mut config = run.clone();
        config.train.epochs = self.train.epochs.unwrap_or(run.train.epochs);
        config.data.dir = self.data.data_dir.clone().or(config.data.dir);
        let other =
            self.names_given()?.into_iter().filter(|name| !["epochs", "dir"].contains(&name.as_str()));
        let other: Vec<String> = other.collect();
        if other.is_empty() {
            return Ok(config);
        }
        let expected = "only --epochs and --data-dir beside it, all else is the run's";
        Err(Error::setting("--resume", expected, other.join(", ")))
    }

    fn names_given(&self) -> Result<Vec<String>> {
        let sections = [given(&self.model)?, given(&self.train)?, given(&self.data)?];
        let named = self.preset.iter().map(|preset| format!("preset {preset}"));
        let file = self.config.iter().map(|_| "config".to_owned());
        let settings = sections.into_iter().flat_map(|table| table.into_iter().map(|(name, _)| name));
        Ok(named.chain(file).chain(settings).collect())
    }

    /// The whole configuration, checked.
    pub(super) fn resolve(&self) -> Result<Config> {
        let default = self.preset.as_deref().unwrap_or(DEFAULT_PRESET);
        let config = match &self.config {
            None => Config::preset(default)?,
            Some(path) => self.of_file(path, default)?,
        };
        let data = self.data.over(&config)?;
        let sections = [("model", given(&self.model)?), ("train", given(&self.train)?)];
        let sections = sections.map(|(name, table)| (name.to_owned(), table.into()));
        let config = Config { data, ..config.overlaid(sections.into_iter().collect(), ORIGIN)? };
        config.check()?;
        Ok(config)
    }

    fn of_file(&self, path: &Path, default: &str) -> Result<Config> {
        let config = Config::load(path, default)?;
        match &self.preset {
            Some(preset) if *preset != config.preset => {
                let setting = format!("{}: preset", path.display());
                Err(Error::setting(setting, format!("{preset}, as the command says"), config.preset))
            }
            _ => Ok(config),
        }
    }
}
