//! Runs that are rescued: a step that is not finite, a disk that takes nothing, other settings on the way.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod tiny;

use std::fs;
use std::path::Path;

use narrows::graph::{Batch, Init, Parameter};
use narrows::model::{
    Autoencoder, Declare, Network, Preset, ReductionKind, Registry, Settings, Step, Variant,
};
use narrows::reference::activation::Activation;
use narrows::run::{Beginning, MetricsLine, Run, RunEvent, RunLock, read_metrics};
use narrows::train::{Checkpoint, Config, OnNan, OptimizerKind, Rewind, ScheduleKind};
use narrows::{Error, Result};
use pollster::block_on;
use tempfile::TempDir;
use tiny::{device, listing, split};

/// A plain autoencoder beside which a spring swings: `spring² (stiffness / 2 + gust²)`. A gust comes in few steps, the same
/// for the same seed.
struct Windy;

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

struct WindyModel {
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

fn registry() -> Registry {
    Registry::built_in().with(Windy)
}

// 11, 21, 31, 41, 52 and 62 steps complete the passes over 41 images.
fn windy(set: &[(&str, f64)]) -> Config {
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

fn rewinding(config: &Config) -> Config {
    let mut config = config.clone();
    config.train.on_nan = OnNan::Rewind;
    config
}

// One gust, in step 33: the second of the fourth epoch.
fn gusty(gust: f64) -> Config {
    let mut config = windy(&[("gust", gust), ("calm", 0.999)]);
    config.train.seed = 9;
    config
}

// A step multiplies the spring's place by -3.2: it overflows in the fourth epoch. At half the rate it is 1.1.
fn stiff() -> Config {
    windy(&[("stiffness", 84.0)])
}

fn create(folder: &Path, config: &Config) -> Run {
    block_on(Run::create(folder, device(), config, &split())).unwrap()
}

fn last(folder: &Path) -> Checkpoint {
    Checkpoint::last(&registry(), folder).unwrap()
}

fn resume(folder: &Path) -> Run {
    let checkpoint = last(folder);
    let lock = RunLock::of_run(folder).unwrap();
    block_on(Run::resume(lock, device(), &checkpoint, &checkpoint.config, &split())).unwrap()
}

fn train(mut run: Run) -> Result<()> {
    block_on(run.train(&mut |_| true))
}

fn stop_at(mut run: Run, mut stop: impl FnMut(&RunEvent<'_>) -> bool) {
    let outcome = block_on(run.train(&mut |event| !stop(&event)));
    assert!(matches!(outcome, Err(Error::Stopped)), "{outcome:?}");
}

fn whole(config: &Config) -> TempDir {
    let folder = TempDir::new().unwrap();
    train(create(folder.path(), config)).unwrap();
    folder
}

fn metrics(folder: &Path) -> Vec<MetricsLine> {
    let lines = read_metrics(&folder.join("metrics.jsonl")).unwrap();
    lines.into_iter().map(|line| MetricsLine { seconds: 0.0, images_per_second: 0.0, ..line }).collect()
}

fn rewinds(folder: &Path) -> Vec<(u32, Rewind)> {
    let lines = metrics(folder).into_iter();
    lines.flat_map(|line| line.rewinds.into_iter().map(move |rewind| (line.epoch, rewind))).collect()
}

fn assert_same_run(folder: &Path, whole: &Path, what: &str) {
    assert_eq!(listing(folder), listing(whole), "{what}");
    assert_eq!(metrics(folder), metrics(whole), "{what}");
    for name in listing(whole).into_iter().filter(|name| name != "metrics.jsonl") {
        let same = fs::read(folder.join(&name)).unwrap() == fs::read(whole.join(&name)).unwrap();
        assert!(same, "{what}: {name} differs");
    }
}

fn not_finite(config: &Config) -> (TempDir, u64, String) {
    let folder = TempDir::new().unwrap();
    let error = train(create(folder.path(), config)).unwrap_err();
    let Error::NotFinite { step, .. } = error else { panic!("{error}") };
    let text = error.to_string().replace(&folder.path().display().to_string(), "RUN");
    (folder, step, text)
}

#[test]
fn a_batch_that_is_not_finite_at_any_rate_is_left_out_and_the_metrics_say_so() {
    // Infinite itself, or finite but throwing the parameters so far that the next step is not.
    for (gust, failed) in [(1e20, 33), (1e15, 34)] {
        let (stopped, step, text) = not_finite(&gusty(gust));
        assert_eq!(step, failed);
        assert!(text.ends_with(". The last good state, after epoch 3, is kept in RUN"), "{text}");
        assert_eq!(last(stopped.path()).step(), 31);

        let [folder, again] = [(); 2].map(|()| whole(&rewinding(&gusty(gust))));
        assert_same_run(again.path(), folder.path(), "again");
        let [(epoch, rewind)] = &rewinds(folder.path())[..] else { panic!("{:?}", rewinds(folder.path())) };
        assert_eq!((*epoch, rewind.step, rewind.back_to, rewind.left_out), (4, failed, 31, Some(33)));
        assert_eq!((rewind.what.as_str(), rewind.learning_rate), ("the loss", 0.05));
        let lines = metrics(folder.path());
        assert_eq!(lines.len(), 6);
        assert!(
            lines
                .iter()
                .all(|line| line.learning_rate == Some(0.05) && line.train.terms["swing"].is_finite())
        );
        assert_eq!(last(folder.path()).step(), 62);
    }
}

#[test]
fn a_rate_that_is_too_high_is_halved_from_the_last_good_state_on() {
    let (_, step, _) = not_finite(&stiff());
    assert!((32..=41).contains(&step), "step {step}");
    let [folder, again] = [(); 2].map(|()| whole(&rewinding(&stiff())));
    assert_same_run(again.path(), folder.path(), "again");
    let [(4, rewind)] = &rewinds(folder.path())[..] else { panic!("one, in the fourth epoch") };
    assert_eq!((rewind.step, rewind.back_to, rewind.left_out, rewind.learning_rate), (step, 31, None, 0.025));
    let rates: Vec<Option<f32>> = metrics(folder.path()).iter().map(|line| line.learning_rate).collect();
    assert_eq!(rates, [0.05, 0.05, 0.05, 0.025, 0.025, 0.025].map(Some));
}

#[test]
fn a_run_that_goes_back_after_it_was_stopped_equals_an_uninterrupted_one() {
    let mut saving = rewinding(&stiff());
    saving.train.save_every = Some(4);
    for config in [rewinding(&stiff()), saving] {
        let whole = whole(&config);
        // In the fourth epoch, again and again before the step that fails and behind it.
        let folder = TempDir::new().unwrap();
        stop_at(
            create(folder.path(), &config),
            |event| matches!(event, RunEvent::Epoch(report) if report.epoch == 3),
        );
        let (mut steps, mut looks) = (Vec::new(), 0);
        while last(folder.path()).epoch() < 4 {
            let mut run = resume(folder.path());
            // Each time the other kind of event, so that it gets on.
            looks += 1;
            let outcome = block_on(run.train(&mut |event| match event {
                RunEvent::Progress(_) => looks % 3 == 0,
                RunEvent::Rewound(_) => false,
                _ => true,
            }));
            steps.push(last(folder.path()).step());
            assert!(matches!(outcome, Ok(()) | Err(Error::Stopped)), "{outcome:?}");
            let within = last(folder.path()).epoch() == 3;
            assert_eq!(
                listing(folder.path()).contains(&"rewind.safetensors".to_owned()),
                within,
                "{steps:?}"
            );
        }
        assert!((32..36).contains(&steps[0]) && steps.len() > 2, "{steps:?}");
        train(resume(folder.path())).unwrap();
        assert_same_run(folder.path(), whole.path(), "stopped");
    }
}

#[test]
fn training_goes_back_no_more_often_than_allowed_and_says_what_was_tried() {
    let mut config = rewinding(&windy(&[("stiffness", 320.0)]));
    config.train.rewinds = Some(1);
    let (folder, _, text) = not_finite(&config);
    assert!(
        text.contains("Training went back 1 times from there, at last with a learning rate of 0.025"),
        "{text}"
    );
    assert!(
        last(folder.path()).slots.iter().all(|(_, slot)| slot.values.iter().all(|value| value.is_finite()))
    );
    // Every step fails, whatever the rate.
    let (folder, step, text) = not_finite(&rewinding(&windy(&[("gust", 1e20), ("calm", -1.0)])));
    assert_eq!(step, 4);
    assert!(text.contains("step 4 fails whatever the rate: check the data and the settings"), "{text}");
    assert!(text.ends_with("The run's first state is kept in RUN: no epoch is finished"), "{text}");
    assert_eq!(last(folder.path()).step(), 0);
}

#[test]
fn a_first_step_that_is_not_finite_is_not_blamed_on_the_learning_rate() {
    let (folder, step, text) = not_finite(&windy(&[("gust", 1e20), ("calm", -1.0)]));
    assert_eq!(step, 1);
    assert!(text.contains("No parameter has moved yet, so a lower learning rate does not help"), "{text}");
    assert!(text.ends_with("The run's first state is kept in RUN: no epoch is finished"), "{text}");
    assert_eq!(last(folder.path()).step(), 0);
}

#[test]
fn a_picture_that_cannot_be_written_is_a_warning() {
    let config = windy(&[]);
    let folder = TempDir::new().unwrap();
    let run = create(folder.path(), &config);
    fs::create_dir(folder.path().join("epoch-002-reconstructions.png")).unwrap();
    let (outcome, warnings) = warned(run, |_| {});
    outcome.unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("epoch-002-reconstructions.png: cannot write"), "{warnings:?}");
    assert_eq!((last(folder.path()).epoch(), metrics(folder.path()).len()), (6, 6));
}

fn warned(mut run: Run, mut repair: impl FnMut(&RunEvent<'_>)) -> (Result<()>, Vec<String>) {
    let mut warnings = Vec::new();
    let outcome = block_on(run.train(&mut |event| {
        if let RunEvent::Warning(text) = &event {
            warnings.push((*text).to_owned());
        }
        repair(&event);
        true
    }));
    (outcome, warnings)
}

// What is written to it finds no room.
#[cfg(target_os = "linux")]
fn fill(path: &Path) {
    let _ = fs::remove_file(path);
    std::os::unix::fs::symlink("/dev/full", path).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn metrics_that_find_no_room_are_written_at_the_next_chance() {
    let config = windy(&[]);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let run = create(folder.path(), &config);
    fill(&path);
    let (outcome, warnings) = warned(run, |event| {
        if matches!(event, RunEvent::Epoch(report) if report.epoch == 2) {
            fs::remove_file(&path).unwrap();
        }
    });
    outcome.unwrap();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert_eq!(metrics(folder.path()), metrics(whole(&config).path()));
}

#[test]
fn a_line_of_metrics_that_was_lost_comes_back_from_the_checkpoint() {
    let config = windy(&[]);
    let folder = TempDir::new().unwrap();
    stop_at(
        create(folder.path(), &config),
        |event| matches!(event, RunEvent::Epoch(report) if report.epoch == 2),
    );
    let path = folder.path().join("metrics.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let (first, second) = text.split_at(text.find('\n').unwrap() + 1);
    fs::write(&path, format!("{first}{}", &second[..20])).unwrap();
    train(resume(folder.path())).unwrap();
    assert_same_run(folder.path(), whole(&config).path(), "repaired");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_waited_for_and_what_was_there_stays() {
    let config = windy(&[]);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("best.safetensors");
    let run = create(folder.path(), &config);
    fill(&path);
    let mut looks = 0;
    let (outcome, warnings) = warned(run, |event| match event {
        RunEvent::Waiting if path.is_symlink() => {
            looks += 1;
            assert_eq!(last(folder.path()).step(), 0);
            fs::remove_file(&path).unwrap();
        }
        _ => {}
    });
    outcome.unwrap();
    assert!(
        looks > 0 && warnings.len() == 1 && warnings[0].contains("the run waits for room"),
        "{warnings:?}"
    );
    assert_same_run(folder.path(), whole(&config).path(), "waited");
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_that_is_stopped_while_it_waits_for_room_names_the_full_disk() {
    let folder = TempDir::new().unwrap();
    let mut run = create(folder.path(), &windy(&[]));
    fill(&folder.path().join("best.safetensors"));
    let error = block_on(run.train(&mut |event| !matches!(event, RunEvent::Waiting))).unwrap_err();
    assert!(matches!(error, Error::Io { operation: "write", .. }), "{error}");
    assert_eq!(last(folder.path()).step(), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn checkpoints_that_the_folder_does_not_take_go_to_the_rescue() {
    let config = windy(&[]);
    let place = TempDir::new().unwrap();
    let (folder, rescue) = (place.path().join("run"), place.path().join("rescue"));
    let mut run = create(&folder, &config);
    run.rescue_in(&rescue).unwrap();
    fill(&folder.join("best.safetensors"));
    let (outcome, warnings) = warned(run, |_| {});
    outcome.unwrap();
    let best = metrics(&folder).iter().filter(|line| line.best).count();
    assert!(best > 0 && warnings.len() == best, "{warnings:?}");
    assert!(warnings[0].contains("run-best.safetensors; copy it to "), "{warnings:?}");
    fs::remove_file(folder.join("best.safetensors")).unwrap();
    fs::copy(rescue.join("run-best.safetensors"), folder.join("best.safetensors")).unwrap();
    assert_same_run(&folder, whole(&config).path(), "rescued");
}

fn slots_of(checkpoint: &Checkpoint) -> Vec<(String, Vec<f32>)> {
    let slots = checkpoint.slots.iter();
    slots.map(|(name, slot)| (name.to_owned(), slot.values.clone())).collect()
}

fn value(checkpoint: &Checkpoint, name: &str) -> Vec<f32> {
    checkpoint.slots.get(name).unwrap().1.to_vec()
}

fn begin(folder: &Path, config: &Config, beginning: &Beginning<'_>) -> Result<Run> {
    block_on(Run::create_from(folder, device(), config, &split(), beginning))
}

#[test]
fn a_new_run_begins_with_what_another_learned_and_names_what_does_not_fit() {
    let other = last(whole(&windy(&[])).path());
    let place = TempDir::new().unwrap();
    let mut config = tiny::config("mlp");
    config.model.latent = 2;
    let run = begin(place.path(), &config, &Beginning::Parameters(&other, "runs/windy")).unwrap();
    let begun = last(place.path());
    assert_eq!(value(&begun, "encoder.0.weight"), value(&other, "encoder.0.weight"));
    assert_ne!(value(&begun, "encoder.1.bias").len(), value(&other, "encoder.1.bias").len());
    assert_eq!((begun.epoch(), begun.step()), (0, 0));
    let expected = [
        "begun with the parameters of runs/windy after epoch 6: 5 of 8",
        "of another shape: decoder.0.weight [12, 2] here, [12, 3] there; encoder.1.bias [2] here, [3] there; encoder.1.weight [2, 12] here, [3, 12] there",
        "not here: spring",
    ];
    assert_eq!(run.trainer().origin(), expected);
    let text = fs::read_to_string(place.path().join("config.toml")).unwrap();
    assert!(
        text.contains("# Origin: begun with the parameters of runs/windy after epoch 6: 5 of 8.\n"),
        "{text}"
    );
    train(run).unwrap();
    // It stays known.
    assert_eq!(resume(place.path()).trainer().origin(), expected);
}

#[test]
fn a_run_without_anything_in_common_is_refused_to_begin_with() {
    let mut wide = windy(&[]);
    wide.model.hidden = vec![13];
    let other = last(whole(&wide).path());
    let place = TempDir::new().unwrap();
    let mut config = tiny::config("cnn");
    config.model.likelihood = narrows::model::LikelihoodKind::SquaredError;
    let folder = place.path().join("run");
    let [encoder, decoder] = tiny::layers();
    [config.model.encoder, config.model.decoder] = [encoder, decoder];
    let error =
        begin(&folder, &config, &Beginning::Parameters(&other, "runs/windy")).err().unwrap().to_string();
    assert!(
        error.starts_with("--init: expected a run with parameters of this model's names and shapes"),
        "{error}"
    );
    assert!(error.contains("not here: spring") || error.contains("spring"), "{error}");
    assert!(!folder.exists());
}

#[test]
fn a_fork_goes_on_from_another_run_with_other_settings_of_training() {
    let mut config = windy(&[]);
    config.train.epochs = 2;
    config.train.momentum = Some(0.5);
    let parent = whole(&config);
    let other = last(parent.path());
    let before = fs::read(parent.path().join("last.safetensors")).unwrap();
    let mut changed = config.clone();
    changed.train.epochs = 4;
    changed.train.learning_rate = 0.01;
    let fork = |config: &Config| {
        let folder = TempDir::new().unwrap();
        let run = begin(folder.path(), config, &Beginning::Fork(&other, "runs/windy")).unwrap();
        let begun = last(folder.path());
        (folder, run, begun)
    };
    let (folder, run, begun) = fork(&changed);
    assert_eq!((begun.epoch(), begun.step()), (2, 21));
    assert_eq!(value(&begun, "model.rates")[0], 0.01);
    let moved = |slots: Vec<(String, Vec<f32>)>| {
        slots.into_iter().filter(|(name, _)| name != "model.rates").collect::<Vec<_>>()
    };
    assert_eq!(moved(slots_of(&begun)), moved(slots_of(&other)));
    let told = "forked from runs/windy after epoch 2, step 21, with epochs 4 instead of 2, learning_rate 0.01 instead of 0.05";
    assert_eq!(run.trainer().origin(), [told]);
    train(run).unwrap();
    assert_eq!(metrics(folder.path()).iter().map(|line| line.epoch).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(fs::read(parent.path().join("last.safetensors")).unwrap(), before);
    // Resumed in the middle it is the same.
    let (again, run, _) = fork(&changed);
    stop_at(run, |event| matches!(event, RunEvent::Progress(_)));
    train(resume(again.path())).unwrap();
    assert_same_run(again.path(), folder.path(), "a fork resumed");
    // With the same settings it is the run itself.
    let mut longer = config.clone();
    longer.train.epochs = 4;
    let (same, run, _) = fork(&longer);
    train(run).unwrap();
    let uninterrupted = last(whole(&longer).path());
    assert_eq!(slots_of(&last(same.path())), slots_of(&uninterrupted));
    // Another optimizer begins with moments and corrections of its own.
    changed.train.optimizer = OptimizerKind::Adam;
    changed.train.momentum = None;
    let (_folder, run, begun) = fork(&changed);
    assert_eq!(value(&begun, "model.rates")[1..3], [0.1, 0.001]);
    assert!(value(&begun, "moment1.spring").iter().all(|moment| *moment == 0.0));
    assert_eq!(value(&begun, "spring"), value(&other, "spring"));
    train(run).unwrap();
}

#[test]
fn a_fork_keeps_model_batch_and_seed_and_no_warm_up_that_is_over() {
    let mut config = windy(&[]);
    config.train.epochs = 1;
    let other = last(whole(&config).path());
    let refused = |change: &dyn Fn(&mut Config)| {
        let (folder, mut config) = (TempDir::new().unwrap(), config.clone());
        config.train.epochs = 3;
        change(&mut config);
        begin(folder.path(), &config, &Beginning::Fork(&other, "runs/windy")).err().unwrap().to_string()
    };
    for change in [
        (|config| config.train.batch = 5) as fn(&mut Config),
        |config| config.train.seed = 1,
        |config| config.model.hidden = vec![3],
    ] {
        assert!(
            refused(&change).starts_with("fork: expected the run's own model, batch and seed; --init RUN")
        );
    }
    let text = refused(&|config| config.train.warmup = Some(11));
    assert_eq!(text, "warmup: expected more than the 11 steps that are done, or none, got 11");
}

#[test]
fn a_run_stops_early_and_does_so_too_where_it_was_resumed() {
    let mut config = windy(&[("stiffness", 0.0)]);
    config.model.reduction = ReductionKind::Pixel;
    config.train.learning_rate = 3.0;
    config.train.epochs = 30;
    config.train.patience = Some(2);
    let folder = whole(&config);
    let lines = metrics(folder.path());
    let epochs = lines.len();
    assert!((3..30).contains(&epochs), "{epochs}");
    let best: Vec<bool> = lines.iter().map(|line| line.best).collect();
    assert_eq!(best[epochs - 3..], [true, false, false]);
    assert!(!best[..epochs - 2].windows(2).any(|pair| pair == [false, false]), "{best:?}");
    let again = TempDir::new().unwrap();
    stop_at(create(again.path(), &config), |event| matches!(event, RunEvent::Epoch(report) if !report.best));
    train(resume(again.path())).unwrap();
    assert_same_run(again.path(), folder.path(), "resumed");
    let run = resume(folder.path());
    assert!(run.trainer().is_done() && run.trainer().is_out_of_patience());
}

#[test]
fn the_learning_rate_falls_on_a_plateau() {
    let mut config = windy(&[("stiffness", 0.0)]);
    config.model.reduction = ReductionKind::Pixel;
    config.train.learning_rate = 3.0;
    config.train.epochs = 12;
    config.train.schedule = ScheduleKind::Plateau;
    (config.train.plateau_patience, config.train.plateau_factor) = (Some(1), Some(0.25));
    let folder = whole(&config);
    let lines = metrics(folder.path());
    let mut rate = 3.0;
    for line in &lines {
        assert_eq!(line.learning_rate, Some(rate), "epoch {}", line.epoch);
        rate *= if line.best { 1.0 } else { 0.25 };
    }
    assert!(rate < 3.0);
    assert_eq!(value(&last(folder.path()), "model.rates")[0], rate);
    let again = TempDir::new().unwrap();
    stop_at(create(again.path(), &config), |event| matches!(event, RunEvent::Epoch(report) if !report.best));
    stop_at(resume(again.path()), |event| matches!(event, RunEvent::Progress(_)));
    train(resume(again.path())).unwrap();
    assert_same_run(again.path(), folder.path(), "resumed");
}

#[test]
fn the_learning_rate_warms_up_before_it_falls() {
    let mut config = windy(&[]);
    config.train.warmup = Some(19);
    config.train.schedule = ScheduleKind::Linear;
    let folder = whole(&config);
    let rates: Vec<f32> = metrics(folder.path()).iter().map(|line| line.learning_rate.unwrap()).collect();
    // After 11 steps 11 of 20 parts of the rate; after 21 the second of 43 steps of its fall is over.
    let expected = [11.0 / 20.0, 42.0 / 43.0, 32.0 / 43.0, 22.0 / 43.0, 11.0 / 43.0, 1.0 / 43.0];
    for (rate, expected) in rates.iter().zip(expected) {
        assert!((rate / 0.05 - expected).abs() < 1e-6, "{rates:?}");
    }
    assert_eq!(value(&last(folder.path()), "model.rates")[0], 0.0);
    let again = TempDir::new().unwrap();
    stop_at(create(again.path(), &config), |event| matches!(event, RunEvent::Progress(_)));
    train(resume(again.path())).unwrap();
    assert_same_run(again.path(), folder.path(), "resumed");
    config.train.warmup = Some(62);
    let error = block_on(Run::create(&again.path().join("new"), device(), &config, &split())).err().unwrap();
    assert_eq!(error.to_string(), "warmup: expected fewer steps than the run's 62, got 62");
}

#[test]
fn checkpoints_within_an_epoch_cost_no_bit_and_are_gone_back_to() {
    let mut config = windy(&[]);
    config.train.save_every = Some(7);
    let plain = whole(&windy(&[]));
    let (folder, copy) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut run = create(folder.path(), &config);
    let mut seen = Vec::new();
    block_on(run.train(&mut |event| {
        if matches!(event, RunEvent::Progress(_) | RunEvent::Epoch(_)) {
            let step = last(folder.path()).step();
            if seen.last() != Some(&step) {
                seen.push(step);
            }
            // As a process that dies in the third epoch leaves it.
            if step == 28 {
                for name in ["config.toml", "metrics.jsonl", "best.safetensors", "last.safetensors"] {
                    fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
                }
            }
        }
        true
    }))
    .unwrap();
    assert_eq!(seen, [0, 7, 11, 14, 21, 28, 31, 35, 41, 42, 49, 52, 56, 62]);
    assert_eq!(slots_of(&last(folder.path())), slots_of(&last(plain.path())));
    assert_eq!(metrics(folder.path()), metrics(plain.path()));
    train(resume(copy.path())).unwrap();
    assert_eq!(
        fs::read(copy.path().join("last.safetensors")).unwrap(),
        fs::read(folder.path().join("last.safetensors")).unwrap()
    );
    assert_eq!(metrics(copy.path()), metrics(folder.path()));

    let mut config = rewinding(&stiff());
    config.train.save_every = Some(3);
    let folder = whole(&config);
    let [(4, rewind)] = &rewinds(folder.path())[..] else { panic!("{:?}", rewinds(folder.path())) };
    assert!(rewind.back_to % 3 == 0 && (1..=4).contains(&(rewind.step - rewind.back_to)), "{rewind:?}");
    assert_eq!(rewind.left_out, None);
}

#[test]
fn the_last_epochs_are_kept_by_number() {
    let mut config = windy(&[]);
    config.train.keep = Some(2);
    let folder = whole(&config);
    let kept: Vec<String> = listing(folder.path())
        .into_iter()
        .filter(|name| name.starts_with("epoch-") && name.ends_with(".safetensors"))
        .collect();
    assert_eq!(kept, ["epoch-005.safetensors", "epoch-006.safetensors"]);
    let fifth = Checkpoint::load_of(&registry(), folder.path().join(&kept[0])).unwrap();
    assert_eq!((fifth.epoch(), fifth.step()), (5, 52));
}

#[test]
fn settings_without_an_effect_are_refused() {
    let refused = |change: fn(&mut Config)| {
        let mut config = windy(&[]);
        change(&mut config);
        config.check().unwrap_err().to_string()
    };
    assert!(refused(|config| config.train.rewinds = Some(2)).contains("on_nan"));
    assert!(refused(|config| config.train.plateau_factor = Some(0.5)).contains("plateau"));
    assert!(refused(|config| config.train.plateau_patience = Some(5)).contains("plateau"));
    let zeros: [fn(&mut Config); 5] = [
        |config| config.train.patience = Some(0),
        |config| config.train.save_every = Some(0),
        |config| config.train.keep = Some(0),
        |config| config.train.warmup = Some(0),
        |config| (config.train.on_nan, config.train.rewinds) = (OnNan::Rewind, Some(0)),
    ];
    for zero in zeros {
        assert!(refused(zero).ends_with("expected at least 1, got 0"));
    }
}
