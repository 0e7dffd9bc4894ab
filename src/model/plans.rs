//! The plans of a model: to train it, to evaluate it, to encode, decode and reconstruct with it.

use std::sync::Arc;

use super::step::Purpose;
use super::{Autoencoder, ContractionKind, Declare, ModelConfig, Prior, ReductionKind, Step};
use crate::graph::{Batch, Graph, Plan, Shape, TermSpec, Update, log_ratio, projected_contraction};
use crate::kernels::corruption::Corruption;
use crate::{Error, Result};

// The largest array of an evaluation: enough for every device to be busy, and none to be short of memory.
const LARGEST_ARRAY: usize = 64 << 20;
const LARGEST_BATCH: u32 = 256;

/// A configured autoencoder for images of a given size.
#[derive(Clone, Debug)]
pub struct Model {
    config: ModelConfig,
    image: Shape,
    pixels: u32,
    latent: u32,
    prior: Option<Prior>,
    posterior: bool,
    dense: bool,
    terms: Arc<[TermSpec]>,
}

impl Model {
    /// A model for images of this shape.
    ///
    /// # Errors
    /// [`Error::Setting`] where the settings make no sense together, or layers do not fit the images or each other.
    pub fn new(config: &ModelConfig, image: Shape) -> Result<Self> {
        config.check()?;
        let mut model = Self {
            config: config.clone(),
            image,
            pixels: image.columns().unwrap_or_default(),
            latent: 0,
            prior: None,
            posterior: false,
            dense: false,
            terms: Arc::new([]),
        };
        let mut graph = Graph::inference(1);
        let declared = model.declare(&mut graph)?;
        model.latent = declared.network().latent;
        model.dense = declared.network().encoder.is_dense();
        model.prior = declared.prior();
        let x = graph.input("x", 1, model.pixels)?;
        model.posterior = declared.posterior(&mut graph, x)?.is_some();
        model.terms = model.evaluation(1, 1)?.terms.into();
        Ok(model)
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
        self.image
    }

    /// Numbers of a code.
    pub fn latent(&self) -> u32 {
        self.latent
    }

    /// What codes can be drawn from; None where nothing is known of it.
    pub fn prior(&self) -> Option<Prior> {
        self.prior
    }

    /// Whether an image's code is a Gaussian, whose importance weights there are.
    pub fn has_posterior(&self) -> bool {
        self.posterior
    }

    /// The terms of its step, in the order in which they are recorded.
    pub fn terms(&self) -> &Arc<[TermSpec]> {
        &self.terms
    }

    /// What training minimizes, in a line for people.
    pub fn minimized(&self) -> String {
        let over = match self.config.reduction {
            ReductionKind::Image => "summed over pixels, averaged over images",
            ReductionKind::Pixel => "averaged over pixels and images",
        };
        let said = |term: &TermSpec| match (term.pixels, &term.setting) {
            (Some(_), _) => format!("{} ({}, {over})", term.name, term.unit),
            (None, setting) => {
                let weight = setting.as_ref().map_or(String::new(), |name| format!("; {name} is its weight"));
                let TermSpec { weight: by, name, unit, over, .. } = term;
                format!("{by} x {name} ({unit}, summed over {over}, averaged over images{weight})")
            }
        };
        self.terms.iter().map(said).collect::<Vec<_>>().join(" + ")
    }

    fn declare(&self, graph: &mut Graph) -> Result<Box<dyn Autoencoder>> {
        self.config.variant.0.declare(&mut Declare { graph, config: &self.config, image: self.image })
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

    /// One training step on a batch out of `total` images, corrupted as the configuration says. `update` says how
    /// parameters move where the variant does not.
    ///
    /// # Errors
    /// [`Error::Setting`] for a batch larger than the data set.
    pub fn training(
        &self,
        batch: u32,
        total: u32,
        shuffle: bool,
        update: &Update,
        keep_all: bool,
    ) -> Result<Plan> {
        let mut graph = Graph::new(batch);
        let declared = self.declare(&mut graph)?;
        let images = self.images(&mut graph, total, shuffle, self.config.corruption())?;
        declared.step(images, &mut Step::new(&mut graph, Purpose::Training(update), total))?;
        graph.advance(total)?;
        Ok(graph.finish(keep_all))
    }

    // One step in order over `total` images, uncorrupted, of whatever `record` leaves of them.
    fn in_order(
        &self,
        batch: u32,
        total: u32,
        corruption: Option<Corruption>,
        record: impl FnOnce(&dyn Autoencoder, &mut Graph, Batch) -> Result<()>,
    ) -> Result<Plan> {
        let mut graph = Graph::inference(batch);
        let declared = self.declare(&mut graph)?;
        let images = self.images(&mut graph, total, false, corruption)?;
        record(declared.as_ref(), &mut graph, images)?;
        graph.advance(total)?;
        Ok(graph.finish(false))
    }

    // With the batch that its largest array allows.
    fn in_fitting_batches(&self, total: u32, plan: impl Fn(u32) -> Result<Plan>) -> Result<Plan> {
        let batch = LARGEST_BATCH.min(total);
        let whole = plan(batch)?;
        let temporary = whole.buffers.iter().filter(|buffer| !buffer.persistent);
        let bytes = temporary.map(|buffer| 4 * buffer.words).max().unwrap_or(0);
        if bytes <= LARGEST_ARRAY {
            return Ok(whole);
        }
        plan((u64::from(batch) * LARGEST_ARRAY as u64 / bytes as u64).max(1) as u32)
    }

    /// One step of an evaluation in order over `total` images, uncorrupted: each loss term of each image,
    /// unweighted.
    ///
    /// # Errors
    /// As [`Model::training`].
    pub fn evaluation(&self, batch: u32, total: u32) -> Result<Plan> {
        self.in_order(batch, total, None, |model, graph, images| {
            model.step(images, &mut Step::new(graph, Purpose::Evaluation, total))
        })
    }

    /// As [`Model::evaluation`], in the largest batches that no array of makes too large.
    ///
    /// # Errors
    /// As [`Model::training`].
    pub fn evaluation_of(&self, total: u32) -> Result<Plan> {
        self.in_fitting_batches(total, |batch| self.evaluation(batch, total))
    }

    /// One step in order over `total` images, uncorrupted, of the importance weights `p(x, z) / q(z|x)` of one sample
    /// z an image (Burda et al. 2015, equation 8): `-log p(x|z)` in `reconstruction` and `log p(z) - log q(z|x)` in
    /// `log_ratio`, nats of each image `[total]`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a model whose code is no Gaussian or whose likelihood is no probability, and as
    /// [`Model::training`].
    pub fn importance(&self, batch: u32, total: u32) -> Result<Plan> {
        self.in_order(batch, total, None, |model, graph, images| {
            let network = model.network();
            let code = model.posterior(graph, images.seen)?;
            let Some(code) = code.filter(|_| network.likelihood.is_probability()) else {
                let expected = "a variational autoencoder that is judged by a probability";
                let got = self.config.variant.name();
                return Err(Error::setting("importance-weighted bound", expected, got));
            };
            let sample = graph.reparameterize(code)?;
            let output = network.decoder.record(graph, sample)?;
            let nll = network.likelihood.nll(output, images.clean).named("reconstruction");
            graph.evaluate(nll + log_ratio(code), total)
        })
    }

    /// One step in order over `total` images, uncorrupted, that leaves the squared Frobenius norm of the Jacobian
    /// of each one's code in `contraction` `[total]`. Of a Gaussian code that of its mean, by the estimate alone.
    ///
    /// # Errors
    /// [`Error::Setting`] for layers or a code that `kind` does not take, and as [`Model::training`].
    pub fn jacobian(&self, total: u32, kind: ContractionKind) -> Result<Plan> {
        self.in_fitting_batches(total, |batch| {
            self.in_order(batch, total, None, |model, graph, images| {
                let (x, network) = (images.seen, model.network());
                let outputs = network.encoder.record_each(graph, x)?;
                let norm = match (self.posterior, kind) {
                    (false, _) => network.contraction(graph, x, &outputs, kind)?,
                    (true, ContractionKind::Estimate) => {
                        let v = graph.directions("direction", x.rows, x.columns)?;
                        let change = network.encoder.tangent(graph, &outputs, v)?.gaussian()?;
                        projected_contraction(graph.code_mean(change)?)
                    }
                    (true, ContractionKind::Exact) => {
                        let expected = "estimate for a Gaussian code, whose encoder gives more than the code";
                        return Err(Error::setting("contraction", expected, "exact"));
                    }
                };
                graph.evaluate(norm.named("contraction"), total)
            })
        })
    }

    /// The exact kind where the encoder's layers and its code allow it.
    pub fn best_contraction(&self) -> ContractionKind {
        let exact = !self.posterior && self.dense;
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
        self.in_order(batch, total, corruption, |model, graph, images| {
            if corruption.is_some() {
                graph.output("seen", images.seen)?;
            }
            let code = model.code(graph, images.seen)?;
            graph.output("code", code)?;
            let image = model.decode(graph, code)?;
            graph.output("reconstruction", image)
        })
    }

    /// One step that decodes the codes in `code` `[batch, latent]` to mean images in `image`
    /// `[batch, pixels]`.
    ///
    /// # Errors
    /// As [`Model::training`].
    pub fn decoding(&self, batch: u32) -> Result<Plan> {
        let mut graph = Graph::inference(batch);
        let declared = self.declare(&mut graph)?;
        let code = graph.input("code", batch, self.latent())?;
        let image = declared.decode(&mut graph, code)?;
        graph.output("image", image)?;
        Ok(graph.finish(false))
    }
}
