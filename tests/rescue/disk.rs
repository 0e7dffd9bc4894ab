//! Disks that take nothing.

use std::fs;
use std::path::Path;

use crate::tiny::listing;
use crate::windy::{assert_same_run, create, last, metrics, resume, stop_at, train, whole, windy};
use narrows::run::{Run, RunEvent};
use narrows::{Error, Result};
use pollster::block_on;
use tempfile::TempDir;

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
    assert!(warnings[0].contains("-best.safetensors; copy it to "), "{warnings:?}");
    fs::remove_file(folder.join("best.safetensors")).unwrap();
    let [rescued] = &listing(&rescue)[..] else { panic!("one") };
    assert!(rescued.starts_with("run-"), "{rescued}");
    fs::copy(rescue.join(rescued), folder.join("best.safetensors")).unwrap();
    assert_same_run(&folder, whole(&config).path(), "rescued");
}
