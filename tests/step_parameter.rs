//! A variant whose step declares a parameter by itself: it is trained, saved, restored, and in nobody's way.
#![cfg(feature = "train")]
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod tiny;

use narrows::Result;
use narrows::graph::{Batch, Init};
use narrows::infer::Reconstructor;
use narrows::kernels::activation::Activation;
use narrows::model::{Autoencoder, Declare, Network, NoSettings, Preset, Registry, Step, Variant};
use narrows::train::{Checkpoint, Config, Trainer};
use pollster::block_on;
use tiny::{dataset, device, split};

struct Tilted;

struct TiltedModel(Network);

impl Variant for Tilted {
    const NAME: &'static str = "tilted";
    const SUMMARY: &'static str = "autoencoder that draws a learned direction of its code to 1";
    const PRESETS: &'static [Preset] =
        &[Preset::new(Self::NAME, Self::SUMMARY, &["[model]\nhidden = [12]\nlatent = 3\n"])];
    type Settings = NoSettings;
    type Model = TiltedModel;

    fn declare(&self, _: NoSettings, declare: &mut Declare<'_>) -> Result<TiltedModel> {
        Ok(TiltedModel(declare.network(1)?))
    }
}

impl Autoencoder for TiltedModel {
    fn network(&self) -> &Network {
        &self.0
    }

    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()> {
        let code = self.0.encoder.record(step, batch.seen)?;
        let output = self.0.decoder.record(step, code)?;
        let init = Init::GlorotUniform { fan_in: code.columns as usize, fan_out: 1 };
        let tilt = step.parameter("tilt", vec![1, code.columns as usize], init)?;
        let along = step.dense("tilt", code, &tilt, None, Activation::Identity)?;
        let apart = step.affine(along, 1.0, -1.0)?;
        let squares = step.multiply(apart, apart)?;
        step.minimize(self.0.nll(output, batch.clean) + squares.term("tilted"))
    }
}

fn registry() -> Registry {
    Registry::built_in().with(Tilted)
}

fn trainer() -> Trainer {
    let config =
        Config::from_toml(&registry(), "[train]\nbatch = 8\nepochs = 3\n", "tilted", "test").unwrap();
    block_on(Trainer::new(device(), &config, &split())).unwrap()
}

fn checkpoint(trainer: &Trainer) -> Checkpoint {
    block_on(trainer.checkpoint()).unwrap()
}

#[test]
fn what_a_step_declares_itself_trains_is_saved_and_goes_on_from_a_checkpoint() {
    let mut whole = trainer();
    let before = checkpoint(&whole);
    block_on(whole.epoch(&mut |_| true)).unwrap();
    let after = checkpoint(&whole);
    let tilt = |checkpoint: &Checkpoint| checkpoint.slots.get("tilt").unwrap().1.to_vec();
    assert_eq!(after.slots.get("tilt").unwrap().0, [1, 3]);
    assert!(tilt(&after).iter().zip(&tilt(&before)).all(|(after, before)| after != before));
    assert!(after.slots.get("moment1.tilt").unwrap().1.iter().all(|x| *x != 0.0));

    let loaded = Checkpoint::from_bytes_of(&registry(), &after.to_bytes().unwrap()).unwrap();
    assert_eq!(loaded, after);
    let mut resumed = trainer();
    resumed.restore(&loaded).unwrap();
    for trainer in [&mut whole, &mut resumed] {
        block_on(trainer.epoch(&mut |_| true)).unwrap();
    }
    assert_eq!(checkpoint(&resumed), checkpoint(&whole));
    assert_ne!(tilt(&checkpoint(&resumed)), tilt(&loaded));
}

#[test]
fn plans_without_the_step_follow_a_run_and_read_its_checkpoints() {
    let mut trainer = trainer();
    let mut following = block_on(Reconstructor::new(device(), &checkpoint(&trainer), &dataset(9))).unwrap();
    let first = block_on(following.run()).unwrap();
    block_on(trainer.epoch(&mut |_| true)).unwrap();
    following.follow(trainer.replay()).unwrap();
    let followed = block_on(following.run()).unwrap();
    let mut read = block_on(Reconstructor::new(device(), &checkpoint(&trainer), &dataset(9))).unwrap();
    assert_eq!(followed, block_on(read.run()).unwrap());
    assert_ne!(followed, first);
}
