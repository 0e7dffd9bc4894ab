//! Settings that follow how training goes: patience, plateaus, warm-up, and what is kept.

use crate::tiny::{device, listing, split};
use crate::windy::{
    assert_same_run, create, last, metrics, registry, resume, stop_at, train, value, whole, windy,
};
use narrows::model::ReductionKind;
use narrows::run::{Run, RunEvent};
use narrows::train::{Checkpoint, Config, OnNan, ScheduleKind};
use pollster::block_on;
use tempfile::TempDir;

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
