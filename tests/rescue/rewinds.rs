//! Going back from a step that is not finite.

use std::fs;
use std::path::{Path, PathBuf};

use crate::tiny::listing;
use crate::windy::{
    assert_same_run, create, gusty, last, metrics, not_finite, resume, rewinding, rewinds, slots_of, stiff,
    stop_at, train, whole, windy,
};
use narrows::Error;
use narrows::run::RunEvent;
use pollster::block_on;
use tempfile::TempDir;

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
            assert_eq!(good_states(folder.path()).len(), usize::from(within), "{steps:?}");
        }
        assert!((32..36).contains(&steps[0]) && steps.len() > 2, "{steps:?}");
        train(resume(folder.path())).unwrap();
        assert_same_run(folder.path(), whole.path(), "stopped");
    }
}

fn good_states(folder: &Path) -> Vec<String> {
    listing(folder).into_iter().filter(|name| name.starts_with("rewind")).collect()
}

fn copy(from: &Path, to: &Path) {
    for name in listing(from).into_iter().filter(|name| name != "run.lock") {
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

#[test]
fn a_run_that_dies_between_the_good_state_and_the_checkpoint_that_needs_it_loses_nothing() {
    let mut config = rewinding(&gusty(1e20));
    config.train.save_every = Some(4);
    let (folder, place) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut run = create(folder.path(), &config);
    // The folder after each saving in the fourth epoch.
    let mut saved: Vec<(Vec<u8>, PathBuf)> = Vec::new();
    block_on(run.train(&mut |event| {
        let newest = fs::read(folder.path().join("last.safetensors")).unwrap();
        if last(folder.path()).epoch() == 3 && saved.last().is_none_or(|(before, _)| *before != newest) {
            let state = place.path().join(saved.len().to_string());
            fs::create_dir(&state).unwrap();
            copy(folder.path(), &state);
            saved.push((newest, state));
        }
        !matches!(event, RunEvent::Waiting)
    }))
    .unwrap();
    drop(run);
    assert!(saved.len() > 3, "{}", saved.len());
    for pair in saved.windows(2) {
        let [(_, before), (_, after)] = pair else { panic!("two") };
        let died = TempDir::new().unwrap();
        copy(before, died.path());
        for name in good_states(after) {
            fs::copy(after.join(&name), died.path().join(&name)).unwrap();
        }
        train(resume(died.path())).unwrap();
        assert_same_run(died.path(), folder.path(), &before.display().to_string());
    }
}

#[test]
fn a_state_to_go_back_to_that_is_damaged_or_gone_is_told_of() {
    let mut config = rewinding(&gusty(1e20));
    config.train.save_every = Some(4);
    let folder = TempDir::new().unwrap();
    stop_at(
        create(folder.path(), &config),
        |event| matches!(event, RunEvent::Progress(progress) if progress.epoch == 4),
    );
    let [name] = &good_states(folder.path())[..] else { panic!("one") };
    fs::write(folder.path().join(name), b"damaged").unwrap();
    let remarks = resume(folder.path()).remarks().to_vec();
    assert!(remarks.len() == 1 && remarks[0].contains(name), "{remarks:?}");
    fs::remove_file(folder.path().join(name)).unwrap();
    let remarks = resume(folder.path()).remarks().to_vec();
    let told = "a step that is not finite goes back to where the run resumes instead";
    assert!(remarks.len() == 1 && remarks[0].ends_with(told), "{remarks:?}");
}

#[test]
fn a_run_that_is_stopped_as_it_goes_back_to_an_epochs_start_keeps_the_previous_checkpoint() {
    let config = rewinding(&gusty(1e20));
    let folder = TempDir::new().unwrap();
    stop_at(create(folder.path(), &config), |event| matches!(event, RunEvent::Rewound(_)));
    assert_eq!(last(folder.path()).step(), 31);
    train(resume(folder.path())).unwrap();
    assert_same_run(folder.path(), whole(&config).path(), "stopped");
}

#[test]
fn training_goes_back_no_more_often_than_allowed_and_says_what_was_tried() {
    let mut config = rewinding(&windy(&[("stiffness", 320.0)]));
    config.train.rewinds = Some(1);
    let (folder, _, text) = not_finite(&config);
    assert!(
        text.contains(
            "Training went back 1 times without getting on, at last to the state after step 11 with a learning rate of 0.025"
        ),
        "{text}"
    );
    assert!(
        last(folder.path()).slots.iter().all(|(_, slot)| slot.values.iter().all(|value| value.is_finite()))
    );
    // Every step fails, whatever the rate.
    let (folder, step, text) = not_finite(&rewinding(&windy(&[("gust", 1e20), ("calm", -1.0)])));
    assert_eq!(step, 4);
    assert!(
        text.contains("step 4 fails from there at half the rate too: check the data and the settings"),
        "{text}"
    );
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
