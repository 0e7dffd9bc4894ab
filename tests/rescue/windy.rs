//! A model that breaks when its settings say so, and short ways to train it.

use std::fs;
use std::path::Path;

use crate::tiny::{device, listing, split};
use narrows::graph::{Batch, Init, Parameter};
use narrows::model::{Autoencoder, Declare, Network, Preset, Registry, Settings, Step, Variant};
use narrows::reference::activation::Activation;
use narrows::run::{MetricsLine, Run, RunEvent, RunLock, read_metrics};
use narrows::train::{Checkpoint, Config, OnNan, OptimizerKind, Rewind};
use narrows::{Error, Result};
use pollster::block_on;
use tempfile::TempDir;

/// A plain autoencoder beside which a spring swings: `spring² (stiffness / 2 + gust²)`. A gust comes in few steps, the same
/// for the same seed.
pub(crate) struct Windy;

narrows::settings! {
    /// Its settings.
    pub struct WindySettings {
        /// Above 2 divided by the learning rate the spring swings ever farther
        stiffness: f32 = 0.1, "C";
        /// The root of what a gust adds
        gust: f32 = 0.0, "G";
        /// The share of images without one
        calm: f32 = 0.5, "P";
    }
}

impl Settings for WindySettings {}

impl Variant for Windy {
    const NAME: &'static str = "windy";
    const SUMMARY: &'static str = "autoencoder beside a spring";
    const PRESETS: &'static [Preset] = &[Preset::new(Self::NAME, Self::SUMMARY, &[])];
    type Settings = WindySettings;
    type Model = WindyModel;

    fn declare(&self, settings: WindySettings, declare: &mut Declare<'_>) -> Result<WindyModel> {
        let network = declare.network(1)?;
        let spring = declare.graph().parameter("spring", vec![1], Init::Constant(1.0))?;
        Ok(WindyModel { network, spring, settings })
    }
}

pub(crate) struct WindyModel {
    network: Network,
    spring: Parameter,
    settings: WindySettings,
}

impl Autoencoder for WindyModel {
    fn network(&self) -> &Network {
        &self.network
    }

    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()> {
        let WindySettings { stiffness, gust, calm } = self.settings;
        let code = self.network.encoder.record(step, batch.seen)?;
        let output = self.network.decoder.record(step, code)?;
        let rows = step.batch_size();
        let drawn = step.uniform("gusts", rows, 1)?;
        let steep = step.affine(drawn, 1e6, -1e6 * calm)?;
        let gusts = step.activation("gust", steep, Activation::Sigmoid)?;
        let gusts = step.scale(gusts, gust)?;
        let gusts = step.affine(gusts, gust, 0.5 * stiffness)?;
        let spring = step.tensor_of(&self.spring)?;
        let square = step.multiply(spring, spring)?;
        let squares = step.repeat_rows(square, rows)?;
        let swing = step.multiply(squares, gusts)?.term("swing").unranked();
        step.minimize(self.network.nll(output, batch.clean) + swing)
    }
}

pub(crate) fn registry() -> Registry {
    Registry::built_in().with(Windy)
}

// 11, 21, 31, 41, 52 and 62 steps complete the passes over 41 images.
pub(crate) fn windy(set: &[(&str, f64)]) -> Config {
    let mut config = Config::preset_of(&registry(), "windy").unwrap();
    config.model.hidden = vec![12];
    config.model.latent = 3;
    for (name, value) in set {
        config.model.set(name, *value).unwrap();
    }
    (config.train.batch, config.train.epochs) = (4, 6);
    config.train.optimizer = OptimizerKind::Sgd;
    config.train.learning_rate = 0.05;
    config
}

pub(crate) fn rewinding(config: &Config) -> Config {
    let mut config = config.clone();
    config.train.on_nan = OnNan::Rewind;
    config
}

// One gust, in step 33: the second of the fourth epoch.
pub(crate) fn gusty(gust: f64) -> Config {
    let mut config = windy(&[("gust", gust), ("calm", 0.999)]);
    config.train.seed = 9;
    config
}

// A step multiplies the spring's place by -3.2: it overflows in the fourth epoch. At half the rate it is 1.1.
pub(crate) fn stiff() -> Config {
    windy(&[("stiffness", 84.0)])
}

pub(crate) fn create(folder: &Path, config: &Config) -> Run {
    block_on(Run::create(folder, device(), config, &split())).unwrap()
}

pub(crate) fn last(folder: &Path) -> Checkpoint {
    Checkpoint::last(&registry(), folder).unwrap()
}

pub(crate) fn resume(folder: &Path) -> Run {
    let checkpoint = last(folder);
    let lock = RunLock::of_run(folder).unwrap();
    block_on(Run::resume(lock, device(), &checkpoint, &checkpoint.config, &split())).unwrap()
}

pub(crate) fn train(mut run: Run) -> Result<()> {
    block_on(run.train(&mut |_| true))
}

pub(crate) fn stop_at(mut run: Run, mut stop: impl FnMut(&RunEvent<'_>) -> bool) {
    let outcome = block_on(run.train(&mut |event| !stop(&event)));
    assert!(matches!(outcome, Err(Error::Stopped)), "{outcome:?}");
}

pub(crate) fn whole(config: &Config) -> TempDir {
    let folder = TempDir::new().unwrap();
    train(create(folder.path(), config)).unwrap();
    folder
}

pub(crate) fn metrics(folder: &Path) -> Vec<MetricsLine> {
    let lines = read_metrics(&folder.join("metrics.jsonl")).unwrap();
    lines.into_iter().map(|line| MetricsLine { seconds: 0.0, images_per_second: 0.0, ..line }).collect()
}

pub(crate) fn rewinds(folder: &Path) -> Vec<(u32, Rewind)> {
    let lines = metrics(folder).into_iter();
    lines.flat_map(|line| line.rewinds.into_iter().map(move |rewind| (line.epoch, rewind))).collect()
}

pub(crate) fn assert_same_run(folder: &Path, whole: &Path, what: &str) {
    assert_eq!(listing(folder), listing(whole), "{what}");
    assert_eq!(metrics(folder), metrics(whole), "{what}");
    for name in listing(whole).into_iter().filter(|name| name != "metrics.jsonl") {
        let same = fs::read(folder.join(&name)).unwrap() == fs::read(whole.join(&name)).unwrap();
        assert!(same, "{what}: {name} differs");
    }
}

pub(crate) fn not_finite(config: &Config) -> (TempDir, u64, String) {
    let folder = TempDir::new().unwrap();
    let error = train(create(folder.path(), config)).unwrap_err();
    let Error::NotFinite { step, .. } = error else { panic!("{error}") };
    let text = error.to_string().replace(&folder.path().display().to_string(), "RUN");
    (folder, step, text)
}

pub(crate) fn slots_of(checkpoint: &Checkpoint) -> Vec<(String, Vec<f32>)> {
    let slots = checkpoint.slots.iter();
    slots.map(|(name, slot)| (name.to_owned(), slot.values.clone())).collect()
}

pub(crate) fn value(checkpoint: &Checkpoint, name: &str) -> Vec<f32> {
    checkpoint.slots.get(name).unwrap().1.to_vec()
}
