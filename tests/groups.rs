//! A variant from outside with three groups of parameters, of which two move at periods of their own and one never.
#![cfg(feature = "train")]
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod tiny;

use narrows::Result;
use narrows::graph::{Batch, Optimizer, Shape, Update};
use narrows::kernels::activation::Activation;
use narrows::model::{
    Autoencoder, Declare, LayerConfig, Network, NoSettings, Preset, Registry, Stack, Step, Variant,
};
use narrows::train::{Checkpoint, Config, Trainer};
use pollster::block_on;
use tiny::{device, split};

// Steps between two moves of the decoder, more than an epoch has.
const PERIOD: u64 = 7;
const BATCH: u32 = 8;

struct Probed;

struct ProbedModel {
    network: Network,
    probe: Stack,
}

impl Variant for Probed {
    type Settings = NoSettings;
    type Model = ProbedModel;

    const NAME: &'static str = "probed";
    const SUMMARY: &'static str =
        "autoencoder whose code a random layer, that never learns, should see as zero";
    const PRESETS: &'static [Preset] =
        &[Preset::new(Self::NAME, Self::SUMMARY, &["[model]\nhidden = [12]\nlatent = 3\n"])];

    fn declare(&self, _: NoSettings, declare: &mut Declare<'_>) -> Result<ProbedModel> {
        let network = declare.network_in(["encoder", "decoder"], 1)?;
        let layers = [LayerConfig::dense(2, Activation::Tanh)];
        let probe = declare.stack("probe", "probe", &layers, Shape::flat(network.latent))?;
        Ok(ProbedModel { network, probe })
    }
}

impl Autoencoder for ProbedModel {
    fn network(&self) -> &Network {
        &self.network
    }

    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()> {
        let code = self.network.encoder.record(step, batch.seen)?;
        let seen = self.probe.record(step, code)?;
        let squares = step.multiply(seen, seen)?;
        let probed = step.row_mean(squares)?.term("probed");
        let output = self.network.decoder.record(step, code)?;
        let nll = self.network.nll(output, batch.clean);
        step.update(Update::new("often").moves(&["encoder"]).minimize(nll + probed))?;

        let cut = step.detach(code)?;
        let output = self.network.decoder.record(step, cut)?;
        let again = self.network.nll(output, batch.clean).named("decoded");
        let rare = Update::new("rare").moves(&["decoder"]).minimize(again).every(PERIOD as u32);
        step.update(rare.by(Optimizer::Sgd { momentum: 0.5, weight_decay: 0.0 }, 0.01))
    }
}

// Which of all parameters of a group differ: all of them, or none.
fn moved(before: &Checkpoint, after: &Checkpoint, group: &str) -> bool {
    let of = |checkpoint: &Checkpoint| -> Vec<Vec<f32>> {
        let slots = checkpoint.slots.iter().filter(|(name, _)| name.starts_with(group));
        slots.map(|(_, slot)| slot.values.clone()).collect()
    };
    let (before, after) = (of(before), of(after));
    assert!(!before.is_empty(), "{group}");
    let differ = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert!(differ == 0 || differ == before.len(), "{group}: {differ} of {}", before.len());
    differ > 0
}

#[test]
fn each_group_moves_when_its_update_runs_and_the_frozen_one_never_does() {
    let registry = Registry::built_in().with(Probed);
    let text = format!("[train]\nbatch = {BATCH}\nepochs = 9\n");
    let config = Config::from_toml(&registry, &text, "probed", "test").unwrap();
    let mut trainer = block_on(Trainer::new(device(), &config, &split())).unwrap();
    let mut before = block_on(trainer.checkpoint()).unwrap();
    let mut rested = 0;
    for _ in 0..5 {
        block_on(trainer.epoch(&mut |_| true)).unwrap();
        let after = block_on(trainer.checkpoint()).unwrap();
        let due = after.step() / PERIOD > before.step() / PERIOD;
        let moves = ["encoder.", "decoder.", "probe."].map(|group| moved(&before, &after, group));
        assert_eq!(moves, [true, due, false], "steps {} to {}", before.step(), after.step());
        rested += u32::from(!due);
        before = after;
    }
    assert!(rested > 0, "the decoder must rest in one epoch at least");
}
