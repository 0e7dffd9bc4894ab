//! The plans of a model: to train it, to evaluate it, to encode, decode and reconstruct with it.

use super::blueprint::Blueprint;
use super::{ContractionKind, ModelConfig, Network, Penalty, ReductionKind, Variant, variant};
use crate::graph::{Batch, Graph, Plan, Shape, Tensor, Update, projected_contraction};
use crate::kernels::corruption::Corruption;
use crate::{Error, Result};

// 8 GiB of them: what 32-bit offsets reach with room to spare, and no device holds more in one buffer.
const MOST_WEIGHTS: u64 = 1 << 31;

/// A configured autoencoder for images of a given size.
#[derive(Clone)]
pub struct Model {
    config: ModelConfig,
    variant: &'static dyn Variant,
    blueprint: Blueprint,
    pixels: u32,
}

impl Model {
    /// A model for images of this shape.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) where the settings make no sense together, or layers do not
    /// fit the images or each other.
    pub fn new(config: &ModelConfig, image: Shape) -> Result<Self> {
        config.check()?;
        let variant = variant(&config.variant)?;
        let blueprint = Blueprint::new(config, variant, image)?;
        let weights = blueprint.weights();
        if weights > MOST_WEIGHTS {
            let expected = format!("layers of at most {MOST_WEIGHTS} weights together");
            return Err(Error::setting("hidden, latent, encoder, decoder", expected, weights));
        }
        let pixels = image.columns().unwrap_or_default();
        Ok(Self { config: config.clone(), variant, blueprint, pixels })
    }

    /// Its configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Numbers an image.
    pub fn pixels(&self) -> u32 {
        self.pixels
    }

    /// Height, width and channels of an image.
    pub fn image(&self) -> Shape {
        self.blueprint.image
    }

    /// Numbers of a code.
    pub fn latent(&self) -> u32 {
        self.blueprint.latent()
    }

    /// Whether codes can be drawn from a standard normal.
    pub fn has_prior(&self) -> bool {
        self.variant.has_prior()
    }

    /// What it minimizes beside the reconstruction, if anything.
    pub fn penalty(&self) -> Option<Penalty> {
        self.variant.penalty(&self.config)
    }

    /// Images of `total` to evaluate at once: enough for every device to be busy, and so few that the largest
    /// array of the exact contraction, a row of the widest hidden layer for each number of the code and each
    /// image, takes at most 64 MiB.
    pub fn evaluation_batch(&self, total: u32) -> u32 {
        let inner = self.blueprint.encoder.iter().rev().skip(1);
        let widest = match self.best_contraction() {
            ContractionKind::Exact => inner.map(|layer| layer.output.channels).max().unwrap_or(1),
            ContractionKind::Estimate => 1,
        };
        let an_image = 4 * u64::from(self.latent()) * u64::from(widest);
        let fitting = ((64 << 20) / an_image.max(1)).clamp(1, 256) as u32;
        fitting.min(total)
    }

    /// What the penalty weighs beside a reconstruction summed over pixels, as reports are. Zero without any.
    pub fn penalty_weight_per_image(&self) -> f64 {
        let pixels = match self.config.reduction {
            ReductionKind::Image => 1.0,
            ReductionKind::Pixel => f64::from(self.pixels),
        };
        self.penalty().map_or(0.0, |penalty| f64::from(penalty.weight)) * pixels
    }

    /// What training minimizes and what the penalty's weight multiplies, in a line for people.
    pub fn minimized(&self) -> String {
        let over = match self.config.reduction {
            ReductionKind::Image => "summed over pixels, averaged over images",
            ReductionKind::Pixel => "averaged over pixels and images",
        };
        match self.penalty() {
            None => format!("the reconstruction, {over}"),
            Some(Penalty { name, weight, meaning }) => {
                format!("the reconstruction, {over}, + {weight} x {name}: {meaning}")
            }
        }
    }

    fn network(&self, graph: &mut Graph) -> Network {
        Network::declare(graph, &self.config, &self.blueprint)
    }

    fn images(
        &self,
        graph: &mut Graph,
        total: u32,
        shuffle: bool,
        corruption: Option<Corruption>,
    ) -> Result<Batch> {
        graph.batch(total, self.pixels, shuffle, self.config.center, corruption)
    }

    /// One training step on a batch out of `total` images, corrupted as the configuration says.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a batch larger than the data set.
    pub fn training(
        &self,
        batch: u32,
        total: u32,
        shuffle: bool,
        update: impl Into<Update>,
        keep_all: bool,
    ) -> Result<Plan> {
        let mut graph = Graph::new(batch);
        let network = self.network(&mut graph);
        let images = self.images(&mut graph, total, shuffle, self.config.corruption())?;
        let objective = self.variant.objective(&network, &mut graph, images)?;
        graph.minimize(objective, self.config.reduction.into())?;
        graph.update(update, total)?;
        Ok(graph.finish(keep_all))
    }

    /// One step of an evaluation in order over `total` images, uncorrupted: each loss term of each image,
    /// unweighted.
    ///
    /// # Errors
    /// As [`Model::training`].
    pub fn evaluation(&self, batch: u32, total: u32) -> Result<Plan> {
        let mut graph = Graph::inference(batch);
        let network = self.network(&mut graph);
        let images = self.images(&mut graph, total, false, None)?;
        let objective = self.variant.objective(&network, &mut graph, images)?;
        graph.evaluate(objective, total)?;
        graph.advance(total)?;
        Ok(graph.finish(false))
    }

    /// One step in order over `total` images, uncorrupted, of the importance weights `p(x, z) / q(z|x)` of one sample
    /// z an image (Burda et al. 2015, equation 8): `-log p(x|z)` in `reconstruction` and `log p(z) - log q(z|x)` in
    /// `log_ratio`, nats of each image `[total]`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a model whose code is no Gaussian or whose likelihood is no probability, and as
    /// [`Model::training`].
    pub fn importance(&self, batch: u32, total: u32) -> Result<Plan> {
        let mut graph = Graph::inference(batch);
        let network = self.network(&mut graph);
        let images = self.images(&mut graph, total, false, None)?;
        let code = self.variant.posterior(&network, &mut graph, images.seen)?;
        let Some(code) = code.filter(|_| self.config.likelihood.is_probability()) else {
            let expected = "a variational autoencoder that is judged by a probability";
            return Err(Error::setting("importance-weighted bound", expected, &self.config.variant));
        };
        let z = graph.reparameterize(code)?;
        let output = network.decoder.record(&mut graph, z)?;
        graph.evaluate(network.likelihood.nll(output, images.clean), total)?;
        graph.collect_log_ratio("log_ratio", code, total)?;
        graph.advance(total)?;
        Ok(graph.finish(false))
    }

    /// One step in order over `total` images, uncorrupted, that leaves the squared Frobenius norm of the Jacobian
    /// of each one's code in `contraction` `[total]`. Of a Gaussian code that of its mean, by the estimate alone.
    ///
    /// # Errors
    /// [`Error::Setting`] for layers or a code that `kind` does not take, and as [`Model::training`].
    pub fn jacobian(&self, batch: u32, total: u32, kind: ContractionKind) -> Result<Plan> {
        let mut graph = Graph::inference(batch);
        let network = self.network(&mut graph);
        let x = self.images(&mut graph, total, false, None)?.seen;
        let outputs = network.encoder.record_each(&mut graph, x)?;
        let norm = match (self.has_prior(), kind) {
            (false, _) => network.contraction(&mut graph, x, &outputs, kind)?,
            (true, ContractionKind::Estimate) => {
                let v = graph.directions("direction", x.rows, x.columns)?;
                let change = network.encoder.tangent(&mut graph, &outputs, v)?.gaussian()?;
                projected_contraction(graph.code_mean(change)?)
            }
            (true, ContractionKind::Exact) => {
                let expected = "estimate for a Gaussian code, whose encoder gives more than the code";
                return Err(Error::setting("contraction", expected, "exact"));
            }
        };
        graph.evaluate(norm, total)?;
        graph.advance(total)?;
        Ok(graph.finish(false))
    }

    /// The exact kind where the encoder's layers and its code allow it.
    pub fn best_contraction(&self) -> ContractionKind {
        let exact = !self.has_prior() && self.blueprint.encoder.iter().all(|layer| layer.config.is_dense());
        if exact { ContractionKind::Exact } else { ContractionKind::Estimate }
    }

    /// One step in order over `total` images, uncorrupted, that leaves their codes, without noise, in `code`
    /// `[batch, latent]` and their mean reconstructions in `reconstruction` `[batch, pixels]`.
    ///
    /// # Errors
    /// As [`Model::training`].
    pub fn reconstruction(&self, batch: u32, total: u32) -> Result<Plan> {
        self.reconstructing(batch, total, None)
    }

    /// As [`Model::reconstruction`], from images that are corrupted as in training; they are left in `seen`
    /// `[batch, pixels]`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a model that is trained without corruption, and as [`Model::training`].
    pub fn denoising(&self, batch: u32, total: u32) -> Result<Plan> {
        let corruption = self.config.corruption().ok_or_else(|| {
            let expected = "one that the model is trained with, to see images as it did";
            Error::setting("corruption", expected, "none")
        })?;
        self.reconstructing(batch, total, Some(corruption))
    }

    fn reconstructing(&self, batch: u32, total: u32, corruption: Option<Corruption>) -> Result<Plan> {
        let mut graph = Graph::inference(batch);
        let network = self.network(&mut graph);
        let images = self.images(&mut graph, total, false, corruption)?;
        if corruption.is_some() {
            graph.output("seen", images.seen)?;
        }
        let code = self.variant.code(&network, &mut graph, images.seen)?;
        graph.output("code", code)?;
        self.decode(&mut graph, &network, code, "reconstruction")?;
        graph.advance(total)?;
        Ok(graph.finish(false))
    }

    /// One step that decodes the codes in `code` `[batch, latent]` to mean images in `image`
    /// `[batch, pixels]`.
    ///
    /// # Errors
    /// As [`Model::training`].
    pub fn decoding(&self, batch: u32) -> Result<Plan> {
        let mut graph = Graph::inference(batch);
        let network = self.network(&mut graph);
        let code = graph.input("code", batch, self.latent());
        self.decode(&mut graph, &network, code, "image")?;
        Ok(graph.finish(false))
    }

    fn decode(&self, graph: &mut Graph, network: &Network, code: Tensor, name: &str) -> Result<()> {
        let output = network.decoder.record(graph, code)?;
        let image = network.likelihood.mean(graph, output)?;
        graph.output(name, image)
    }
}
