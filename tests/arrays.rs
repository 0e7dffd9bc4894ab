//! Arrays out of a model and into it: codes, reconstructions and samples, in the data's own units.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;
use std::path::Path;

use narrows::data::{Dataset, Reading, Source, load_whole};
use tempfile::TempDir;
use tiny::command::{failure, narrows, place, success, train};
use tiny::{SIZE, split};

fn array(place: &Path, file: &str) -> Dataset {
    load_whole(Source::Npy, Some(&place.join(file)), &Reading::default()).unwrap().0
}

fn lines(place: &Path, file: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(place.join(file)).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn codes_are_decoded_to_what_reconstruct_gives_to_the_bit() {
    let place = place();
    let place = place.path();
    success(&mut train(place, &["vae", "--epochs", "20", "--run", "run"]));
    let (said, _) = success(&mut narrows(place, &["reconstruct", "run", "--out", "images.npy"]));
    assert_eq!(said, "images.npy: reconstructions of 11 test images\n");
    let images = array(place, "images.npy");
    assert_eq!((images.shape(), images.len()), ([SIZE[0], SIZE[1], 1], 11));
    for codes in ["codes.npy", "codes.csv"] {
        success(&mut narrows(place, &["encode", "run", "--out", codes]));
        success(&mut narrows(place, &["decode", "run", codes, "--out", "decoded.npy"]));
        assert_eq!(array(place, "decoded.npy").floats(), images.floats(), "{codes}");
    }
    // Bytes are 0 to 255, as in the data.
    let test = split().test;
    let error = |scale: f32| -> f32 {
        let pairs = test.floats().into_iter().zip(images.floats());
        pairs.map(|(byte, image)| (255.0 * byte - scale * image).abs()).sum::<f32>()
            / images.floats().len() as f32
    };
    assert!(error(1.0) < 100.0 && error(255.0) > 1_000.0, "{} {}", error(1.0), error(255.0));
    success(&mut narrows(place, &["sample", "run", "--count", "3", "--out", "samples.csv"]));
    let samples = lines(place, "samples.csv");
    assert_eq!((samples.len(), samples[0].len(), samples[0][34].as_str()), (4, 35, "p34"));
    success(&mut narrows(place, &["sample", "run", "--count", "3", "--out", "samples.npy"]));
    let numbers: Vec<f32> = samples[1..].iter().flatten().map(|number| number.parse().unwrap()).collect();
    assert_eq!(numbers, array(place, "samples.npy").floats());
    let said = failure(&mut narrows(place, &["decode", "run", "images.npy"]));
    assert_eq!(
        said,
        "CODES: expected f32 codes [codes, 3], as of `narrows encode`, got images of 7 x 5 x 1 of images.npy"
    );
    let said = failure(&mut narrows(place, &["decode", "run", "samples.csv"]));
    assert_eq!(
        said,
        "CODES: expected f32 codes [codes, 3], as of `narrows encode`, got samples.csv, without z0"
    );
    fs::write(place.join("wide.csv"), "z0,z1,z2,z3\n1,2,3,4\n").unwrap();
    let said = failure(&mut narrows(place, &["decode", "run", "wide.csv"]));
    assert_eq!(
        said,
        "CODES: expected f32 codes [codes, 3], as of `narrows encode`, got wide.csv, which has z3 too"
    );
    let said = failure(&mut narrows(place, &["decode", "run", "codes.npy", "--out", "codes.npy"]));
    assert_eq!(said, "--out: expected another file than the codes, got codes.npy");
}

#[test]
fn rows_come_back_under_the_names_of_their_columns_and_in_their_units() {
    let place = TempDir::new().unwrap();
    let place = place.path();
    let row = |at: usize| format!("{},{},row {at}\n", 1_000 + 10 * (at % 7), 0.001 * (at % 5) as f64);
    fs::write(
        place.join("rows.csv"),
        (0..60).fold("big,small,name\n".to_owned(), |text, at| text + &row(at)),
    )
    .unwrap();
    let flags = ["train", "mlp", "--data", "rows.csv", "--id", "name", "--hidden", "9", "--latent", "2"];
    success(narrows(place, &flags).args(["--epochs", "3", "--run", "run"]));
    success(&mut narrows(place, &["reconstruct", "run", "--part", "all", "--out", "out.csv"]));
    let table = lines(place, "out.csv");
    assert_eq!((table.len(), table[0].join(",").as_str()), (61, "big,small,id"));
    assert_eq!(table[8][2], "row 7");
    for line in &table[1..] {
        let (big, small): (f32, f32) = (line[0].parse().unwrap(), line[1].parse().unwrap());
        assert!((900.0..1_200.0).contains(&big) && (-0.01..0.02).contains(&small), "{line:?}");
    }
}
