//! Every figure of Murphy's *Probabilistic Machine Learning*, section 20.3, reproduced: models are trained, numbers
//! computed, and panels given to [`report`](crate::report) to be drawn.
//!
//! Each figure has a file here. [`FigureContext`] trains the models, each once for all figures, and keeps them for the
//! next time.

mod context;
mod contractive;
mod denoising;
mod gallery;
mod linear_vs_pca;
mod nearest;
mod page;
mod reconstructions;
mod score;
mod settings;
mod sparse;
mod tsne;
mod vae;

pub use context::{Event, FigureContext, Trained};
pub use gallery::{FigureOutput, Gallery, ModelRecord, Number, Record};
pub use settings::Settings;

use crate::{Error, Result};
use nearest::nearest_distances;

/// A figure by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Figure {
    /// `linear-vs-pca`: a linear autoencoder beside principal components.
    LinearVsPca,
    /// `reconstructions`: images, and their reconstructions by plain autoencoders.
    Reconstructions,
    /// `tsne`: the codes of both, embedded in the plane.
    Tsne,
    /// `denoising`: images, the same corrupted, and reconstructed.
    Denoising,
    /// `score`: what a denoising autoencoder learned of a density in the plane.
    Score,
    /// `contractive`: filters, saturation and Jacobians of the contractive autoencoder and others.
    Contractive,
    /// `sparse`: codes without a penalty, with L1 and with a KL.
    Sparse,
    /// `vae`: the variational autoencoder beside a deterministic one.
    Vae,
}

impl Figure {
    /// Every figure, in the section's order.
    pub const ALL: [Self; 8] = [
        Self::LinearVsPca,
        Self::Reconstructions,
        Self::Tsne,
        Self::Denoising,
        Self::Score,
        Self::Contractive,
        Self::Sparse,
        Self::Vae,
    ];

    /// Its name on the command line and of its files.
    pub const fn name(self) -> &'static str {
        self.entry().0
    }

    /// What it shows, in a line.
    pub const fn summary(self) -> &'static str {
        self.entry().1
    }

    const fn entry(self) -> (&'static str, &'static str) {
        match self {
            Self::LinearVsPca => ("linear-vs-pca", "a linear autoencoder against principal components"),
            Self::Reconstructions => ("reconstructions", "reconstructions by the MLP and the CNN"),
            Self::Tsne => ("tsne", "t-SNE of the codes of the MLP and the CNN"),
            Self::Denoising => ("denoising", "denoising autoencoders: Gaussian noise and dropout"),
            Self::Score => {
                ("score", "the score that a denoising autoencoder learned of densities in the plane")
            }
            Self::Contractive => (
                "contractive",
                "the contractive autoencoder: filters, saturation, and Jacobians beside others'",
            ),
            Self::Sparse => ("sparse", "sparse codes: no penalty, L1, and the KL of mean activations"),
            Self::Vae => ("vae", "the variational autoencoder against a deterministic one trained alike"),
        }
    }

    /// The figure called `name`.
    ///
    /// # Errors
    /// [`Error::Setting`] that lists the names there are.
    pub fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|figure| figure.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::setting("figure", format!("one of {names}"), name)
        })
    }

    /// Whether its models are trained on images of its own, not on those of the other figures.
    pub const fn has_its_own_images(self) -> bool {
        matches!(self, Self::Score)
    }

    /// Trains what it needs and computes what it shows.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the context's watcher stops it, and what training can fail with.
    pub async fn make(self, context: &mut FigureContext<'_>) -> Result<FigureOutput> {
        match self {
            Self::LinearVsPca => linear_vs_pca::make(context).await,
            Self::Reconstructions => reconstructions::make(context).await,
            Self::Tsne => tsne::make(context).await,
            Self::Denoising => denoising::make(context).await,
            Self::Score => score::make(context).await,
            Self::Contractive => contractive::make(context).await,
            Self::Sparse => sparse::make(context).await,
            Self::Vae => vae::make(context).await,
        }
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}

// Weights from minus to plus as an image from black to white: zero is grey, the largest is black or white.
fn grey(weights: impl Iterator<Item = f64> + Clone) -> impl Iterator<Item = f32> {
    let largest = weights.clone().map(f64::abs).fold(1e-12, f64::max);
    weights.map(move |weight| (0.5 + 0.5 * weight / largest) as f32)
}
