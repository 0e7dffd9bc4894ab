//! Runs that begin with what another learned.

use std::fs;
use std::path::Path;

use crate::tiny;
use crate::tiny::{device, split};
use crate::windy::{
    assert_same_run, last, metrics, resume, rewinding, slots_of, stiff, stop_at, train, value, whole, windy,
};
use narrows::Result;
use narrows::model::LikelihoodKind;
use narrows::run::{Beginning, Run, RunEvent};
use narrows::train::{Config, OptimizerKind};
use pollster::block_on;
use tempfile::TempDir;

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
    config.model.likelihood = LikelihoodKind::SquaredError;
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
fn a_fork_of_other_settings_keeps_the_rate_that_going_back_left_and_a_warm_up_that_is_over() {
    let mut config = rewinding(&stiff());
    config.train.warmup = Some(7);
    let parent = whole(&config);
    let other = last(parent.path());
    let reached = metrics(parent.path()).last().unwrap().learning_rate;
    assert!(reached < Some(0.05), "{reached:?}");
    let rates = |change: &dyn Fn(&mut Config)| {
        let (folder, mut config) = (TempDir::new().unwrap(), config.clone());
        config.train.epochs = 8;
        change(&mut config);
        train(begin(folder.path(), &config, &Beginning::Fork(&other, "runs/windy")).unwrap()).unwrap();
        metrics(folder.path()).into_iter().map(|line| line.learning_rate).collect::<Vec<_>>()
    };
    assert_eq!(rates(&|config| config.train.keep = Some(1)), [reached; 2]);
    assert_eq!(rates(&|config| config.train.learning_rate = 0.01), [Some(0.01); 2]);
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
    assert_eq!(text, "warmup: expected more than the 11 steps that are done, got 11");
}
