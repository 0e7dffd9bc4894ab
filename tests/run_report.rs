//! A run's report: one file with everything in it, whatever the names are.
#![cfg(feature = "plot")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod tiny;

use std::fs;
use std::path::Path;

use narrows::data::Split;
use narrows::model::Registry;
use narrows::report::{REPORT, report_run};
use narrows::run::{Run, RunEvent, RunLock};
use narrows::train::Checkpoint;
use tempfile::TempDir;
use tiny::{config, dataset, device};

fn last(folder: &Path) -> Checkpoint {
    Checkpoint::last(&Registry::built_in(), folder).unwrap()
}

const HOSTILE: &str = "<img src=x onerror='alert(1)'> & \"co\"";

// Everything that a page could load from elsewhere.
fn loads_nothing(page: &str) {
    for word in ["http://", "https://", "<script", "<link", "@import", "url(", "<iframe"] {
        assert!(!page.contains(word), "{word} in the page");
    }
    for attribute in ["src=\"", "href=\""] {
        let mut values = page.split(attribute).skip(1);
        assert!(values.all(|value| value.starts_with("data:image/")), "{attribute}");
    }
}

#[test]
fn a_report_has_everything_and_loads_nothing_whatever_the_names() {
    let place = TempDir::new().unwrap();
    let folder = place.path().join(HOSTILE.replace('/', "_"));
    let classes: Vec<String> = (0..10).map(|class| format!("{HOSTILE}{class}")).collect();
    let train = dataset(50).with_classes(classes).unwrap();
    let split = Split::new(train, dataset(11), Some(9)).unwrap();
    let page = pollster::block_on(async {
        let mut run = Run::create(&folder, device(), &config("vae"), &split).await.unwrap();
        // Stopped after an epoch, and gone on with: the curves are of all.
        let stopped = run.train(&mut |event| !matches!(event, RunEvent::Epoch(_))).await;
        assert!(stopped.is_err());
        drop(run);
        let checkpoint = last(&folder);
        let mut run =
            Run::resume(RunLock::take(&folder).unwrap(), device(), &checkpoint, &config("vae"), &split)
                .await
                .unwrap();
        run.train(&mut |_| true).await.unwrap();
        let (written, verdict) = report_run(&folder, device(), &last(&folder), &split).await.unwrap();
        assert!(verdict.constant.is_some() && verdict.reached.is_some());
        assert_eq!(written, folder.join(REPORT));
        fs::read_to_string(written).unwrap()
    });
    loads_nothing(&page);
    assert!(!page.contains("<img src=x"), "a name became an element");
    assert!(page.contains("&lt;img src=x onerror='alert(1)'&gt; &amp; &quot;co&quot;"), "{page}");
    for said in [
        "3 of 3, 16 steps of 8 images",
        "reconstruction, summed over pixels.",
        "kl, summed over the code.",
        "nats per image",
        "After epoch 3",
        "[model]",
        "name=\"viewport\"",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    // The dots of one series are one path of as many moves, and every curve has an epoch's dot three times.
    let paths = page.split("d=\"").skip(1).filter_map(|path| path.split('"').next());
    let dotted = paths.filter(|path| path.contains("h0") && path.matches('M').count() == 3).count();
    assert!(dotted >= 2, "{dotted} series of three dots: {page}");
    assert_eq!(page.matches("<img ").count(), 2, "reconstructions and samples");
}

#[test]
fn an_epoch_that_is_first_best_and_last_is_listed_once() {
    let place = TempDir::new().unwrap();
    let folder = place.path().join("run");
    let split = Split::new(dataset(50), dataset(11), Some(9)).unwrap();
    let mut config = config("mlp");
    config.train.epochs = 1;
    let page = pollster::block_on(async {
        let mut run = Run::create(&folder, device(), &config, &split).await.unwrap();
        run.train(&mut |_| true).await.unwrap();
        fs::read_to_string(report_run(&folder, device(), &last(&folder), &split).await.unwrap().0).unwrap()
    });
    // On the images of training and on those of validation.
    assert_eq!(page.matches("epoch, 1").count(), 2, "{page}");
    assert_eq!(page.matches("first and best and last epoch, 1").count(), 2, "{page}");
}

#[test]
fn a_run_without_an_epoch_and_without_validation_has_a_report_too() {
    let place = TempDir::new().unwrap();
    let folder = place.path().join("run");
    let split = Split::new(dataset(20), dataset(11), Some(0)).unwrap();
    let mut config = config("mlp");
    config.model.latent = 2;
    let page = pollster::block_on(async {
        Run::create(&folder, device(), &config, &split).await.unwrap();
        fs::read_to_string(report_run(&folder, device(), &last(&folder), &split).await.unwrap().0).unwrap()
    });
    loads_nothing(&page);
    assert!(page.contains("0 of 3") && page.contains("z0") && !page.contains("Losses"), "{page}");
    let elsewhere = Checkpoint::last(&Registry::built_in(), place.path()).unwrap_err();
    assert!(elsewhere.to_string().contains("a run's folder, with last.safetensors"), "{elsewhere}");
}
