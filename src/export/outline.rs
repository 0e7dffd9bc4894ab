//! What encodes and decodes, as a list of plain operations with their tensors.

use super::walk::steps;
use crate::data::{Items, ScaleKind};
use crate::graph::Shape;
use crate::model::Likelihood;
use crate::reference::activation::Activation;
use crate::train::{Checkpoint, StateDict};
use crate::{Error, Result};

/// A trained model without what only training needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// From scaled rows `[batch, pixels]` to `[batch, latent]`, or to `[batch, 2 latent]` where the code is a Gaussian.
    pub encoder: Vec<Step>,
    /// From codes `[batch, latent]` to what the likelihood reads, `[batch, pixels]`.
    pub decoder: Vec<Step>,
    /// What is done to raw rows before the encoder, in order.
    pub before: Vec<Change>,
    /// What is done to the decoder's rows, in order: the mean image, then the way back to the data's own units.
    pub after: Vec<Change>,
    /// Height, width and channels of an item.
    pub image: Shape,
    /// Numbers of a code.
    pub latent: u32,
    /// Whether the encoder gives mean and log variance of a Gaussian code.
    pub gaussian_code: bool,
    /// What encoder and decoder read of the class of each item; None where they read nothing.
    pub told: Option<Told>,
    /// All weights, biases, statistics and scales, in PyTorch's layouts.
    pub tensors: StateDict,
    /// What people are told of it.
    pub about: About,
}

/// The class of each item, beside the rows that encoder and decoder read.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The names of the classes: the place of each is its label.
    pub classes: Vec<String>,
    /// The name of the weight `[width, classes]` that embeds a row with a one at the label; None where that row itself is read.
    pub embedding: Option<String>,
    /// Numbers for a class.
    pub width: u32,
    /// The item's pixels, of which each has the class as channels behind its own; None where it stands behind all numbers.
    /// Behind a code it always does.
    pub channels_of: Option<Shape>,
}

/// What people are told of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// The kind of autoencoder.
    pub variant: String,
    /// Epochs that it was trained for when it was saved.
    pub epoch: u32,
    /// The names of a table's columns.
    pub columns: Vec<String>,
    /// Whether its numbers are bytes, 0 to 255.
    pub bytes: bool,
    /// What was learned of the likelihood's variance.
    pub has_log_variance: bool,
}

/// An operation with the name of its layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// `encoder.0`: what its tensors' names begin with.
    pub layer: String,
    /// What is done.
    pub operation: Operation,
}

/// One operation on rows `[batch, columns]` or on planes `[batch, channels, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Rows in the order height, width, channels as planes.
    ToPlanes(Shape),
    /// Planes as rows in the order height, width, channels.
    ToRows(Shape),
    /// A dense layer on rows.
    Dense {
        /// Inputs and outputs.
        extents: [u32; 2],
        /// The name of its weight, `[out, in]`, or of that which it runs backward.
        weight: String,
        /// Whether it runs another layer's weight backward.
        tied: bool,
        /// The name of its bias.
        bias: Option<String>,
    },
    /// A convolution of planes. Its weight is `[out, in, height, width]`.
    Conv(Convolution),
    /// A transposed convolution of planes. Its weight is `[in, out, height, width]`.
    ConvTranspose(Convolution),
    /// The largest number of each window of planes.
    MaxPool {
        /// Rows and columns of a window.
        size: [u32; 2],
        /// From one window to the next.
        stride: [u32; 2],
    },
    /// Each pixel of planes repeated, down and across.
    Upsample([u32; 2]),
    /// Planes of another height and width about the middle.
    CropOrPad {
        /// What is added at the top and at the left; negative where it is cut off.
        before: [i64; 2],
        /// The same at the bottom and at the right.
        after: [i64; 2],
    },
    /// Batch normalisation by the running statistics.
    BatchNorm {
        /// Channels of planes, or columns of rows.
        channels: u32,
        /// Added to the variance.
        epsilon: f32,
        /// The share of a batch in the running statistics.
        momentum: f32,
        /// Whether it is one of planes.
        planes: bool,
    },
    /// Of each number.
    Activation(Activation),
    /// Nothing but in training.
    Dropout(f32),
}

/// A convolution or a transposed one.
#[derive(Clone, Debug, PartialEq)]
pub struct Convolution {
    /// Channels of input and output.
    pub channels: [u32; 2],
    /// Rows and columns of the kernel.
    pub kernel: [u32; 2],
    /// Pixels from one window to the next.
    pub stride: [u32; 2],
    /// Zeros above and at the left of the larger image; a transposed one's output loses as much.
    pub before: [u32; 2],
    /// The same below and at the right. Negative in a transposed convolution: so much is added to its output.
    pub after: [i64; 2],
    /// Height and width of the input.
    pub input: [u32; 2],
    /// Height and width of the output.
    pub output: [u32; 2],
    /// Whether it has a bias.
    pub bias: bool,
}

/// A change of each number of rows `[batch, pixels]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Bytes to [0, 1].
    FromBytes,
    /// The way back.
    ToBytes,
    /// By the tensors `shift` and `factor`, in the way of this kind.
    Scale(ScaleKind),
    /// The way back.
    Unscale(ScaleKind),
    /// Without the tensor `center`.
    Center,
    /// The way back.
    Uncenter,
    /// The likelihood's mean of the decoder's output.
    Mean(Mean),
}

/// The mean of a likelihood of logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mean {
    /// `1 / (1 + e^-y)`
    Bernoulli,
    /// `1 / (1 - e^-y) - 1 / y`, one half at zero (Loaiza-Ganem and Cunningham 2019, equation 6, in logits).
    ContinuousBernoulli,
}

impl Outline {
    /// Of a trained model.
    ///
    /// # Errors
    /// [`Error::Setting`] for a variant whose codes or mean images are not what its networks give by themselves.
    pub fn new(checkpoint: &Checkpoint) -> Result<Self> {
        let network = checkpoint.model()?.network()?;
        let image = checkpoint.shape.try_into()?;
        let mut about = About {
            variant: checkpoint.config.model.variant.name().to_owned(),
            epoch: checkpoint.epoch(),
            columns: checkpoint.columns.iter().map(ToString::to_string).collect(),
            bytes: checkpoint.bytes,
            has_log_variance: false,
        };
        let mean = match &network.likelihood {
            Likelihood::Bernoulli => Some(Mean::Bernoulli),
            Likelihood::ContinuousBernoulli => Some(Mean::ContinuousBernoulli),
            Likelihood::GaussianLearned(_) => {
                about.has_log_variance = true;
                None
            }
            Likelihood::Gaussian(_) | Likelihood::SquaredError => None,
        };
        let (transform, kind) = (&checkpoint.transform, checkpoint.transform.scaling.kind);
        let changes = [
            checkpoint.bytes.then_some([Change::FromBytes, Change::ToBytes]),
            (!transform.scaling.is_identity()).then_some([Change::Scale(kind), Change::Unscale(kind)]),
            transform.center.is_some().then_some([Change::Center, Change::Uncenter]),
        ];
        let changes: Vec<[Change; 2]> = changes.into_iter().flatten().collect();
        let back = changes.iter().rev().map(|[_, back]| *back);
        let encoder = steps(network.encoder.layers())?;
        let decoder = steps(network.decoder.layers())?;
        let mut outline = Self {
            before: changes.iter().map(|[on, _]| *on).collect(),
            after: mean.map(Change::Mean).into_iter().chain(back).collect(),
            image,
            latent: network.latent,
            gaussian_code: network.gaussian_code,
            told: network.condition.as_ref().map(|condition| Told {
                classes: transform.classes.clone(),
                embedding: condition.embedding.as_ref().map(|embedding| embedding.name.clone()),
                width: condition.width,
                channels_of: condition.channels_of,
            }),
            tensors: checkpoint.state_dict()?,
            about,
            encoder,
            decoder,
        };
        outline.keep_used(checkpoint)?;
        Ok(outline)
    }

    // Leaves the tensors of encoder, decoder, likelihood and scales.
    fn keep_used(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let mut used = StateDict::default();
        for name in self.tensor_names() {
            let Some((shape, values)) = self.tensors.tensors.get(&name) else {
                let got = format!("none in a checkpoint after epoch {}", checkpoint.epoch());
                return Err(Error::setting("export", format!("the tensor {name}"), got));
            };
            let values = values.to_vec();
            used.tensors.insert(name, shape, values);
        }
        self.tensors = used;
        Ok(())
    }

    fn tensor_names(&self) -> Vec<String> {
        let steps = self.encoder.iter().chain(&self.decoder);
        let mut names: Vec<String> = steps.flat_map(Step::tensors).collect();
        names.extend(self.before.iter().flat_map(|change| change.tensors()).map(ToString::to_string));
        names.extend(self.told.iter().filter_map(|told| told.embedding.clone()));
        names.extend(self.about.has_log_variance.then(|| LOG_VARIANCE.to_owned()));
        names
    }

    /// Images, or rows of a table.
    pub fn items(&self) -> Items {
        Items::of(self.image.into())
    }

    /// Numbers of an item.
    pub fn pixels(&self) -> u32 {
        self.image.columns().unwrap_or_default()
    }

    /// The extents of an item, without the batch.
    pub fn extents(&self) -> Vec<u32> {
        match self.items() {
            Items::Images => vec![self.image.height, self.image.width, self.image.channels],
            Items::Rows => vec![self.image.width],
        }
    }
}

/// The name of a likelihood's learned log variance.
pub(super) const LOG_VARIANCE: &str = "log_variance";

impl Change {
    /// The tensors that it reads.
    pub(super) fn tensors(self) -> &'static [&'static str] {
        match self {
            Self::Scale(_) | Self::Unscale(_) => &[crate::train::SHIFT, crate::train::FACTOR],
            Self::Center | Self::Uncenter => &[crate::train::CENTER],
            Self::FromBytes | Self::ToBytes | Self::Mean(_) => &[],
        }
    }
}

impl Step {
    /// The name of one of its tensors.
    pub(super) fn tensor(&self, name: &str) -> String {
        format!("{}.{name}", self.layer)
    }

    /// The names of its tensors, in the order in which ONNX takes them.
    pub(super) fn tensors(&self) -> Vec<String> {
        match &self.operation {
            Operation::Dense { weight, bias, .. } => [weight].into_iter().chain(bias).cloned().collect(),
            Operation::Conv(of) | Operation::ConvTranspose(of) => [Some("weight"), of.bias.then_some("bias")]
                .into_iter()
                .flatten()
                .map(|name| self.tensor(name))
                .collect(),
            Operation::BatchNorm { .. } => {
                ["weight", "bias", "running_mean", "running_var"].map(|name| self.tensor(name)).to_vec()
            }
            _ => Vec::new(),
        }
    }
}
