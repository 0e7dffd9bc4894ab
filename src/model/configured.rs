//! A configured autoencoder for images of a given size: what is known of it before it is trained.

use std::sync::Arc;

use super::{Autoencoder, ContractionKind, Declare, ModelConfig, Prior, ReductionKind};
use crate::Result;
use crate::data::Items;
use crate::graph::{Augmentation, Graph, Placement, Rows, Shape, TermSpec};

/// A configured autoencoder for images of a given size.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) config: ModelConfig,
    pub(super) image: Shape,
    latent: u32,
    pub(super) classes: u32,
    prior: Option<Prior>,
    posterior: bool,
    dense: bool,
    widest: usize,
    terms: Arc<[TermSpec]>,
    pub(super) rows: Rows,
    pub(super) placement: Placement,
    pub(super) augmentation: Augmentation,
    pub(super) draws_alike: bool,
}

impl Model {
    /// A model for images of this shape, fitted to it by [`ModelConfig::fitted_to`].
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) where the settings make no sense together, or layers do not fit the
    /// images or each other.
    pub fn new(config: &ModelConfig, image: Shape) -> Result<Self> {
        config.check()?;
        let (config, terms, rows) = (config.fitted_to(image)?, Arc::new([]), Rows::Bytes);
        config.check()?;
        let mut model = Self {
            config,
            image,
            latent: 0,
            classes: 0,
            prior: None,
            posterior: false,
            dense: false,
            widest: 0,
            terms,
            rows,
            placement: Placement::Whole,
            augmentation: Augmentation::default(),
            draws_alike: false,
        };
        let mut graph = Graph::inference(1);
        let declared = model.declare(&mut graph)?;
        model.latent = declared.network().latent;
        model.classes = declared.network().classes();
        model.dense = declared.network().encoder.is_dense();
        model.prior = declared.prior();
        let x = graph.input("x", 1, model.pixels())?;
        let classes = model.told(&mut graph, 1)?;
        model.posterior = declared.posterior(&mut graph, x, classes)?.is_some();
        let plan = model.evaluation(1, 1)?;
        let parameters = plan.stores.iter().flat_map(|store| store.layout.iter());
        model.widest = parameters
            .filter_map(|slot| slot.shape.get(1).filter(|_| slot.shape.len() == 2))
            .copied()
            .max()
            .unwrap_or(0);
        model.terms = plan.terms.into();
        Ok(model)
    }

    /// The same model with plans that read images kept as `rows`, where `placement` says; without this, as bytes in one
    /// buffer.
    pub fn with_rows(mut self, rows: Rows, placement: Placement) -> Self {
        (self.rows, self.placement) = (rows, placement);
        self
    }

    /// The same model, whose training steps augment their images; without this, they take them as they are.
    pub fn with_augmentation(mut self, augmentation: Augmentation) -> Self {
        self.augmentation = augmentation;
        self
    }

    /// The same model, in whose evaluations all images draw the same noise in a step.
    pub fn drawing_alike(mut self) -> Self {
        self.draws_alike = true;
        self
    }

    /// Whether all images draw the same noise in a step of an evaluation.
    pub fn draws_alike(&self) -> bool {
        self.draws_alike
    }

    pub(super) fn declare(&self, graph: &mut Graph) -> Result<Box<dyn Autoencoder>> {
        self.config.variant.dynamic.declare(&mut Declare { graph, config: &self.config, image: self.image })
    }

    /// Its configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Numbers of an image.
    pub fn pixels(&self) -> u32 {
        self.image.columns().unwrap_or_default()
    }

    /// Numbers of a code.
    pub fn latent(&self) -> u32 {
        self.latent
    }

    /// The classes that the model is told of, each by its label; 0 where it is not conditional.
    pub fn classes(&self) -> u32 {
        self.classes
    }

    /// What codes can be drawn from; None where that is unknown.
    pub fn prior(&self) -> Option<Prior> {
        self.prior
    }

    /// Whether an image's code is a Gaussian, which has importance weights.
    pub fn has_posterior(&self) -> bool {
        self.posterior
    }

    /// The most inputs of a dense layer's unit.
    pub fn widest(&self) -> usize {
        self.widest
    }

    /// The exact kind where the encoder's layers and its code allow it.
    pub fn best_contraction(&self) -> ContractionKind {
        let exact = !self.posterior && self.dense;
        if exact { ContractionKind::Exact } else { ContractionKind::Estimate }
    }

    /// The terms of its step, in the order in which they are recorded.
    pub fn terms(&self) -> &Arc<[TermSpec]> {
        &self.terms
    }

    /// What training minimizes, in a line for people: the terms, by update where there are several.
    pub fn minimized(&self) -> String {
        let items = Items::of(self.image.into());
        let numbers = items.over("pixels");
        let over = match self.config.reduction {
            ReductionKind::Image => format!("summed over {numbers}, averaged over {}", items.many()),
            ReductionKind::Pixel => format!("averaged over {numbers} and {}", items.many()),
        };
        let described = |term: &TermSpec| {
            let TermSpec { name, unit, weight, over: columns, .. } = term;
            if term.pixels.is_some() {
                return format!("{name} ({unit}, {over})");
            }
            let setting =
                term.setting.as_ref().map_or(String::new(), |name| format!("; {name} is its weight"));
            format!(
                "{weight} x {name} ({unit}, summed over {columns}, averaged over {}{setting})",
                items.many()
            )
        };
        let sums = self.terms.chunk_by(|a, b| a.update == b.update).map(|terms| {
            let alone = terms.len() == self.terms.len();
            let by = if alone { String::new() } else { format!("by the update {}: ", terms[0].update) };
            by + &terms.iter().map(described).collect::<Vec<_>>().join(" + ")
        });
        sums.collect::<Vec<_>>().join("; ")
    }
}
