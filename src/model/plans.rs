//! The plans of a model: to train it, to evaluate it, to encode, decode and reconstruct with it.
//!
//! Every plan is refused for a batch larger than its data set, and goes over uncorrupted images in order where nothing
//! else is said.

use super::step::Purpose;
use super::{Autoencoder, ContractionKind, Model, Network, Step};
use crate::graph::{
    Augmentation, Batch, Graph, Images, Plan, Share, Slice, Tensor, Update, log_ratio, projected_contraction,
};
use crate::kernels::corruption::Corruption;
use crate::{Error, Result};

// The largest array of what is no training: enough for every device to be busy, and none to be short of memory.
const LARGEST_ARRAY: usize = 64 << 20;
const LARGEST_BATCH: u32 = 256;

impl Model {
    /// One training step on a batch out of `total` images, augmented by [`Model::with_augmentation`] and corrupted as the
    /// configuration says. `update` says how
    /// parameters move where the variant does not.
    ///
    /// # Errors
    /// [`Error::Setting`] for a batch larger than the data set, as of all plans.
    pub fn training(
        &self,
        batch: u32,
        total: u32,
        shuffle: bool,
        update: &Update,
        keep_all: bool,
    ) -> Result<Plan> {
        self.training_of(Share::all(batch), total, shuffle, update, keep_all)
    }

    /// As [`Model::training`], for a rank that takes a share of each batch.
    pub fn training_of(
        &self,
        share: Share,
        total: u32,
        shuffle: bool,
        update: &Update,
        keep_all: bool,
    ) -> Result<Plan> {
        let mut graph = Graph::new(share.images).sharing(share);
        let declared = self.declare(&mut graph)?;
        let images = self.images(total);
        let images = graph.batch(images, shuffle, self.augmentation, self.config.corruption())?;
        declared.step(images, &mut Step::new(&mut graph, Purpose::Training(update), total))?;
        graph.advance(total)?;
        Ok(graph.finish(keep_all))
    }

    fn images(&self, total: u32) -> Images {
        let Self { image, rows, placement, classes, .. } = *self;
        Images { total, shape: image, rows, placement, center: self.config.center, classes }
    }

    // One step over the images, of whatever `record` leaves of them.
    fn in_order(
        &self,
        batch: u32,
        total: u32,
        corruption: Option<Corruption>,
        record: impl FnOnce(&dyn Autoencoder, &mut Graph, Batch) -> Result<()>,
    ) -> Result<Plan> {
        let mut graph = Graph::inference(batch);
        if self.draws_alike {
            graph = graph.drawing_alike();
        }
        let declared = self.declare(&mut graph)?;
        let images = graph.batch(self.images(total), false, Augmentation::default(), corruption)?;
        record(declared.as_ref(), &mut graph, images)?;
        graph.advance(total)?;
        Ok(graph.finish(false))
    }

    // With the batch that its largest array allows, of `most` items.
    fn in_fitting_batches(&self, most: u32, plan: impl Fn(u32) -> Result<Plan>) -> Result<Plan> {
        let batch = LARGEST_BATCH.min(most);
        let whole = plan(batch)?;
        let temporary = whole.buffers.iter().filter(|buffer| !buffer.persistent);
        let bytes = temporary.map(|buffer| 4 * buffer.words).max().unwrap_or(0);
        if bytes <= LARGEST_ARRAY {
            return Ok(whole);
        }
        plan((u64::from(batch) * LARGEST_ARRAY as u64 / bytes as u64).max(1) as u32)
    }

    /// One step of an evaluation: each loss term of each image, unweighted.
    pub fn evaluation(&self, batch: u32, total: u32) -> Result<Plan> {
        self.in_order(batch, total, None, |model, graph, images| {
            model.step(images, &mut Step::new(graph, Purpose::Evaluation, total))
        })
    }

    /// As [`Model::evaluation`], in the largest batches of which no array is too large.
    pub fn evaluation_of(&self, total: u32) -> Result<Plan> {
        self.in_fitting_batches(total, |batch| self.evaluation(batch, total))
    }

    /// One step of the importance weights `p(x, z) / q(z|x)` of one sample z per image (Burda et al. 2015, equation 8):
    /// `-log p(x|z)` in `reconstruction` and `log p(z) - log q(z|x)` in `log_ratio`, nats of each image `[total]`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a model whose code is no Gaussian or whose likelihood is no probability.
    pub fn importance(&self, total: u32) -> Result<Plan> {
        self.in_fitting_batches(total, |batch| {
            self.in_order(batch, total, None, |model, graph, images| {
                let network = model.network();
                let code = model.posterior(graph, images.seen, images.classes)?;
                let Some(code) = code.filter(|_| network.likelihood.is_probability()) else {
                    let expected = "a variational autoencoder that is judged by a probability";
                    let got = self.config.variant.name();
                    return Err(Error::setting("importance-weighted bound", expected, got));
                };
                let sample = graph.reparameterize(code)?;
                let output = network.decode(graph, sample, images.classes)?;
                let nll = network.likelihood.nll(output, images.clean).named("reconstruction");
                graph.evaluate(nll + log_ratio(code), total)
            })
        })
    }

    /// One step that leaves the squared Frobenius norm of the Jacobian of each image's code in `contraction` `[total]`.
    /// Of a Gaussian code that of its mean, by the estimate alone.
    ///
    /// # Errors
    /// [`Error::Setting`] for layers or a code that `kind` does not take.
    pub fn jacobian(&self, total: u32, kind: ContractionKind) -> Result<Plan> {
        self.in_fitting_batches(total, |batch| {
            self.in_order(batch, total, None, |model, graph, images| {
                let (x, network) = (images.seen, model.network());
                let given = network.given(graph, x, images.classes)?;
                let outputs = network.encoder.record_each(graph, given)?;
                let norm = match (self.has_posterior(), kind) {
                    (false, _) => network.contraction(graph, x, &outputs, kind)?,
                    (true, ContractionKind::Estimate) => {
                        let v = graph.directions("direction", x.rows, x.columns)?;
                        // The class stays as it is.
                        let still = images.classes.map(|classes| graph.scale(classes, 0.0)).transpose()?;
                        let v = network.given(graph, v, still)?;
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

    /// One step that leaves the codes of images, without noise, in `code` `[batch, latent]`.
    pub fn encoding(&self, total: u32) -> Result<Plan> {
        self.in_fitting_batches(total, |batch| {
            self.in_order(batch, total, None, |model, graph, images| {
                let code = model.code(graph, images.seen, images.classes)?;
                graph.output("code", code)
            })
        })
    }

    /// One step that leaves the codes of images, without noise, in `code` `[batch, latent]` and their mean
    /// reconstructions in `reconstruction` `[batch, pixels]`; with a corruption, also what was encoded in `seen`
    /// `[batch, pixels]`.
    pub fn reconstruction(&self, total: u32, corruption: Option<Corruption>) -> Result<Plan> {
        self.in_fitting_batches(total, |batch| {
            self.in_order(batch, total, corruption, |model, graph, images| {
                if corruption.is_some() {
                    graph.output("seen", images.seen)?;
                }
                let code = model.code(graph, images.seen, images.classes)?;
                graph.output("code", code)?;
                let image = model.decode(graph, code, images.classes)?;
                graph.output("reconstruction", image)
            })
        })
    }

    /// The networks that codes and reconstructions come from, where nothing else has a part in them.
    ///
    /// # Errors
    /// [`Error::Setting`] for a variant whose codes or mean images are not what its networks give by themselves, such as
    /// codes of a codebook.
    pub fn network(&self) -> Result<Network> {
        let [mut whole, mut plain] = [Graph::inference(1), Graph::inference(1)];
        let declared = self.declare(&mut whole)?;
        let network = self.declare(&mut plain)?.network().clone();
        if self.used(whole, declared.as_ref())? == self.used(plain, &network)? {
            return Ok(network);
        }
        let name = self.config.variant.name();
        let expected = "one whose codes and mean images are what its encoder and decoder give";
        Err(Error::setting("variant", expected, format!("{name}, which computes more than these")))
    }

    // The input `classes` `[batch, classes]` of a conditional model.
    pub(super) fn told(&self, graph: &mut Graph, batch: u32) -> Result<Option<Tensor>> {
        (self.classes > 0).then(|| graph.input("classes", batch, self.classes)).transpose()
    }

    // What makes a code, and an image of it: each kernel, with where its operands are.
    fn used(&self, mut graph: Graph, model: &dyn Autoencoder) -> Result<Vec<(String, Vec<Slice>)>> {
        let x = graph.input("x", 1, self.pixels())?;
        let classes = self.told(&mut graph, 1)?;
        let code = model.code(&mut graph, x, classes)?;
        graph.output("code", code)?;
        let image = model.decode(&mut graph, code, classes)?;
        graph.output("image", image)?;
        let dispatches = graph.finish(true).dispatches.into_iter();
        Ok(dispatches.map(|dispatch| (format!("{:?}", dispatch.kernel), dispatch.operands)).collect())
    }

    /// One step that decodes the codes in `code` `[batch, latent]`, each of the class that `classes` `[batch, classes]` says
    /// where the model is conditional, to mean images in `image` `[batch, pixels]`.
    pub fn decoding(&self, batch: u32) -> Result<Plan> {
        let mut graph = Graph::inference(batch);
        let declared = self.declare(&mut graph)?;
        let code = graph.input("code", batch, self.latent())?;
        let classes = self.told(&mut graph, batch)?;
        let image = declared.decode(&mut graph, code, classes)?;
        graph.output("image", image)?;
        Ok(graph.finish(false))
    }

    /// As [`Model::decoding`], of so many codes or, where an array would be too large, of fewer.
    pub fn decoding_of(&self, most: u32) -> Result<Plan> {
        self.in_fitting_batches(most, |batch| self.decoding(batch))
    }
}
