//! The adversarial autoencoder (Makhzani et al. 2015, "Adversarial autoencoders").

use crate::Result;
use crate::graph::{Batch, MODEL, Optimizer, Shape, Tensor, Update};
use crate::model::{
    Autoencoder, Declare, LayerConfig, ModelConfig, Network, Preset, Prior, Settings, Stack, Step, Variant,
    check_positive, check_weight, check_widths,
};
use crate::reference::activation::Activation;

/// A code that a critic cannot tell from draws of a standard normal: the critic learns to tell them apart, the encoder
/// learns to be taken for the prior (Makhzani et al. 2015, section 2.1).
pub(super) struct Adversarial;

crate::settings! {
    /// Its settings.
    pub struct AdversarialSettings {
        /// Widths of the critic's hidden layers, as 256,256
        critic_hidden: Vec<u32> = vec![256, 256], "WIDTHS";
        /// Learning rate of the critic, by adam
        critic_learning_rate: f32 = 1e-3, "RATE";
        /// Weight of the encoder's loss against the critic, in nats
        adversarial_weight: f32 = 0.01, "W";
    }
}

impl Settings for AdversarialSettings {
    fn check(&self, _: &ModelConfig) -> Result<()> {
        check_widths("critic_hidden", &self.critic_hidden)?;
        check_positive("critic_learning_rate", self.critic_learning_rate)?;
        check_weight("adversarial_weight", self.adversarial_weight)
    }
}

// A larger weight, or a first moment that remembers longer, lets the two players chase each other round the prior.
const PRESET: &str = r#"
[model]
hidden = [400]
latent = 8
reduction = "pixel"
[train]
optimizer = "adam"
learning_rate = 1e-3
beta1 = 0.5
batch = 128
epochs = 10
"#;

impl Variant for Adversarial {
    const NAME: &'static str = "adversarial";
    const SUMMARY: &'static str =
        "autoencoder whose codes a critic cannot tell from a standard normal's, can be sampled";
    const PRESETS: &'static [Preset] = &[Preset::new(Self::NAME, Self::SUMMARY, &[PRESET])];
    type Settings = AdversarialSettings;
    type Model = AdversarialModel;

    fn declare(&self, settings: AdversarialSettings, declare: &mut Declare<'_>) -> Result<AdversarialModel> {
        let network = declare.network(1)?;
        let hidden = settings.critic_hidden.iter().map(|units| LayerConfig::dense(*units, Activation::Relu));
        let layers: Vec<_> = hidden.chain([LayerConfig::dense(1, Activation::Identity)]).collect();
        let critic = declare.stack("critic", "critic", &layers, Shape::flat(network.latent));
        let critic = critic.map_err(|error| error.at("critic_hidden"))?;
        Ok(AdversarialModel { network, critic, settings })
    }
}

/// Its networks and settings.
pub(super) struct AdversarialModel {
    network: Network,
    critic: Stack,
    settings: AdversarialSettings,
}

impl AdversarialModel {
    // -log of the probability that the critic gives a code of being the prior's, or of not being.
    fn critic_nll(&self, step: &mut Step<'_>, code: Tensor, of_prior: bool) -> Result<Tensor> {
        let logits = self.critic.record(step, code)?;
        let wrong = if of_prior { step.scale(logits, -1.0)? } else { logits };
        step.activation("critic nll", wrong, Activation::Softplus)
    }
}

impl Autoencoder for AdversarialModel {
    fn network(&self) -> &Network {
        &self.network
    }

    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()> {
        let AdversarialSettings { critic_learning_rate, adversarial_weight, .. } = self.settings;
        let code = self.network.encoder.record(step, batch.seen)?;
        let output = self.network.decoder.record(step, code)?;
        let nll = self.network.nll(output, batch.clean);
        let fool = self.critic_nll(step, code, true)?.term("fool").counted_in("nats", "the code");
        let weighed = fool.weighted(adversarial_weight, "adversarial_weight").unranked();
        step.update(Update::default().moves(&[MODEL]).minimize(nll + weighed))?;

        let prior = step.normal("prior", code.rows, code.columns)?;
        let of_prior = self.critic_nll(step, prior, true)?.term("critic_prior");
        let fake = step.detach(code)?;
        let of_code = self.critic_nll(step, fake, false)?.term("critic_code");
        let terms = of_prior.counted_in("nats", "the code") + of_code.counted_in("nats", "the code");
        let critic = Update::new("critic").moves(&["critic"]).minimize(terms);
        step.update(critic.by(Optimizer::ADAM, critic_learning_rate))
    }

    fn prior(&self) -> Option<Prior> {
        Some(Prior::StandardNormal)
    }
}
