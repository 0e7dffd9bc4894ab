//! The sparse autoencoder (Ng 2011, "Sparse autoencoder"; Murphy, Probabilistic Machine Learning, 20.3.4).

use super::setups::hidden_100;
use super::{ModelConfig, Network, Penalty, Preset, SparsityKind, Variant};
use crate::Result;
use crate::graph::{Batch, Graph, Objective, kl_sparsity, l1};
use crate::reference::activation::Activation;
use crate::train::Config;

/// A code wider than it needs to be, most of which is kept near zero.
///
/// The indicator in the sparse activation's q_k stands for the mean activation of logistic units: q_k is the mean of
/// unit k over the images of a batch, which is why the KL takes a sigmoid code.
pub(super) struct Sparse;

impl Variant for Sparse {
    fn name(&self) -> &'static str {
        "sparse"
    }

    fn summary(&self) -> &'static str {
        "autoencoder with a wide code that an L1 penalty keeps near zero"
    }

    fn preset(&self) -> Config {
        let mut config = hidden_100(self.name());
        config.model.latent = 300;
        config.model.code_activation = Activation::Sigmoid;
        config.model.sparsity = SparsityKind::L1;
        config.model.sparsity_weight = 1e-3;
        config
    }

    fn presets(&self) -> Vec<Preset> {
        let mut kl = self.preset();
        kl.model.sparsity = SparsityKind::Kl;
        kl.model.sparsity_weight = 0.05 / 32.0;
        kl.model.sparsity_target = 0.1;
        let mut none = self.preset();
        none.model.sparsity = SparsityKind::None;
        vec![
            Preset::new(self.name(), self.summary(), self.preset()),
            Preset::new("sparse-kl", "the same, by the KL of each unit's mean activation to a target", kl),
            Preset::new("sparse-none", "the same without a penalty, to compare with", none),
        ]
    }

    fn objective(&self, network: &Network, graph: &mut Graph, batch: Batch) -> Result<Objective> {
        let ModelConfig { sparsity, sparsity_weight, sparsity_target, .. } = network.config;
        let code = network.encoder.record(graph, batch.seen)?;
        let y = network.decoder.record(graph, code)?;
        let nll = network.likelihood.nll(y, batch.clean);
        Ok(match sparsity {
            SparsityKind::None => nll,
            SparsityKind::L1 => nll + sparsity_weight * l1(code),
            SparsityKind::Kl => nll + sparsity_weight * kl_sparsity(code, sparsity_target),
        })
    }

    fn penalty(&self, config: &ModelConfig) -> Option<Penalty> {
        let (name, meaning) = match config.sparsity {
            SparsityKind::None => return None,
            SparsityKind::L1 => (
                "l1",
                "sparsity_weight multiplies |z| summed over the units of the code, averaged over the images of a \
                 batch",
            ),
            SparsityKind::Kl => (
                "sparsity",
                "sparsity_weight multiplies the KL in nats of sparsity_target to a unit's mean activation over the \
                 batch, summed over the units of the code",
            ),
        };
        Some(Penalty { name, weight: config.sparsity_weight, meaning })
    }
}
