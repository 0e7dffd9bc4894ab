//! Arrays out of a model and into it: codes, reconstructions and samples, in the data's own units.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use narrows::data::{Dataset, Reading, Source, load_whole};
use tempfile::TempDir;
use tiny::command::{failure, narrows, place, success, text, train};
use tiny::{SIZE, split};

fn array(place: &Path, file: &str) -> Dataset {
    load_whole(Source::Npy, Some(&place.join(file)), &Reading::default()).unwrap().0
}

fn lines(place: &Path, file: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(place.join(file)).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn npy(kind: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    [b"\x93NUMPY\x01\x00\x76\x00", format!("{header:<117}\n").as_bytes(), bytes].concat()
}

/// A model of bytes takes numbers of other types in the units of its own results.
#[test]
fn the_same_pixels_have_the_same_scores_whatever_type_an_array_has() {
    let place = place();
    let place = place.path();
    success(&mut train(place, &["mlp", "--epochs", "2", "--run", "run"]));
    let bytes: Vec<u8> = split().test.values.bytes().unwrap().iter().collect();
    let shape = format!("({}, {}, {})", bytes.len() / (SIZE[0] * SIZE[1]), SIZE[0], SIZE[1]);
    let whole: Vec<u8> = bytes.iter().flat_map(|byte| i64::from(*byte).to_le_bytes()).collect();
    let floats = |scale: f32| -> Vec<u8> {
        bytes.iter().flat_map(|byte| (scale * f32::from(*byte)).to_le_bytes()).collect()
    };
    let mut scores = Vec::new();
    for (file, array, noted) in [
        ("u1.npy", npy("|u1", &shape, &bytes), None),
        ("i8.npy", npy("<i8", &shape, &whole), None),
        ("f4.npy", npy("<f4", &shape, &floats(1.0)), None),
        ("unit.npy", npy("<f4", &shape, &floats(1.0 / 255.0)), Some("were they divided by 255 before?")),
        ("far.npy", npy("<f4", &shape, &floats(9.0)), Some("trained on from 0 to 255\n")),
    ] {
        fs::write(place.join(file), array).unwrap();
        let (_, notes) = success(&mut narrows(place, &["score", "run", "--data", file]));
        assert_eq!(noted.is_some(), notes.contains("note: the numbers of"), "{file}: {notes}");
        assert!(noted.is_none_or(|noted| notes.contains(noted)), "{file}: {notes}");
        scores.push(lines(place, "scores.csv"));
    }
    for other in &scores[1..3] {
        for (row, same) in scores[0][1..].iter().zip(&other[1..]) {
            let [row, same] = [row, same].map(|row| row[1].parse::<f64>().unwrap());
            assert!((row - same).abs() < 1e-5 * row.abs(), "{row}, {same}");
        }
    }
    // What comes out goes in again.
    success(&mut narrows(place, &["reconstruct", "run", "--out", "again.npy"]));
    let (_, notes) = success(&mut narrows(place, &["score", "run", "--data", "again.npy"]));
    assert!(!notes.contains("note: the numbers of"), "{notes}");
    // Bytes for a model of floats that were never divided.
    let flags = ["train", "mlp", "--data", "f4.npy", "--hidden", "4", "--latent", "2", "--epochs", "1"];
    success(narrows(place, &flags).args(["--run", "floats"]));
    let columns = ["f4.npy", "u1.npy"].map(|file| {
        success(&mut narrows(place, &["score", "floats", "--part", "all", "--data", file]));
        lines(place, "scores.csv")[1..].iter().map(|row| row[1].clone()).collect::<Vec<_>>()
    });
    assert_eq!(columns[0], columns[1]);
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
    fs::write(place.join("missing.csv"), "z0,z1,z2\n1,,3\n4,,6\n").unwrap();
    let said = failure(&mut narrows(place, &["decode", "run", "missing.csv"]));
    assert_eq!(
        said,
        "missing.csv: expected a number for each of a code's columns, found a missing value in line 2, column z1"
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

fn piped(command: &mut Command, input: &[u8]) -> (String, String) {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let Output { stdout, stderr, .. } = child.wait_with_output().unwrap();
    (text(&stdout), text(&stderr))
}

#[test]
fn codes_on_standard_input_are_arrays_or_tables_with_or_without_names() {
    let place = place();
    let place = place.path();
    success(&mut train(place, &["vae", "--epochs", "1", "--run", "run"]));
    success(&mut narrows(place, &["encode", "run"]));
    success(&mut narrows(place, &["encode", "run", "--out", "codes.csv"]));
    success(&mut narrows(place, &["decode", "run", "codes.npy"]));
    let expected = array(place, "decoded.npy").floats();
    let [npy, csv] = ["codes.npy", "codes.csv"].map(|name| fs::read(place.join(name)).unwrap());
    let bare =
        lines(place, "codes.csv")[1..].iter().map(|line| line[..3].join("\t") + "\n").collect::<String>();
    for codes in [&npy, &csv, bare.as_bytes()] {
        let (said, _) = piped(&mut narrows(place, &["decode", "run", "-", "--out", "piped.npy"]), codes);
        assert_eq!(said, "piped.npy: 11 images decoded from standard input\n");
        assert_eq!(array(place, "piped.npy").floats(), expected);
    }
    for (codes, expected) in [
        (&b""[..], "standard input: expected at least one row, found none"),
        (&npy[..200], "standard input: expected 132 bytes after the header, [11, 3] of <f4, found 72 bytes"),
        (b"z0,z1,z2\n1,2,3\n1,2,\n", "found a missing value in line 3, column z2"),
        (
            b"z0,z1,z2\n1,x,3\n",
            "standard input: expected a number in each field, at most 3.4e38 in size, found \"x\" in line 2",
        ),
        (
            b"1,2\n3,4\n",
            "CODES: expected f32 codes [codes, 3], as of `narrows encode`, got standard input, without z0",
        ),
        (b"z0,z1,z2\n1,2,\xff\n", "-t UTF-8\n"),
    ] {
        let (_, said) = piped(&mut narrows(place, &["decode", "run", "-"]), codes);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn steps_between_codes_are_arrays_and_tables_that_say_where_they_stand() {
    let place = place();
    let place = place.path();
    success(&mut train(place, &["vae", "--epochs", "1", "--run", "run"]));
    let (said, _) = success(&mut narrows(
        place,
        &["interpolate", "run", "--from", "2", "--to", "5", "--steps", "5", "--out", "way.npy"],
    ));
    assert_eq!(said, "way.npy: 5 images decoded from test image 2 to 5\n");
    success(&mut narrows(place, &["reconstruct", "run", "--out", "images.npy"]));
    let (way, images) = (array(place, "way.npy").floats(), array(place, "images.npy").floats());
    // The ends are the reconstructions.
    assert_eq!((&way[..35], &way[4 * 35..]), (&images[2 * 35..3 * 35], &images[5 * 35..6 * 35]));
    success(&mut narrows(
        place,
        &["interpolate", "run", "--from", "2", "--to", "5", "--steps", "5", "--out", "way.csv"],
    ));
    let table = lines(place, "way.csv");
    let column = |table: &[Vec<String>], at: usize| -> Vec<String> {
        table.iter().map(|line| line[at].clone()).collect()
    };
    assert_eq!(column(&table, 0), ["t", "0", "0.25", "0.5", "0.75", "1"]);
    assert_eq!((table[0].len(), table[0][1].as_str()), (36, "p0"));
    let numbers: Vec<f32> =
        table[1..].iter().flat_map(|line| &line[1..]).map(|x| x.parse().unwrap()).collect();
    assert_eq!(numbers, way);

    let walk = ["traverse", "run", "--dims", "2,0", "--steps", "3", "--range", "1.5"];
    let (said, _) = success(narrows(place, &walk).args(["--out", "walk.csv"]));
    assert_eq!(said, "walk.csv: 6 images from the mean code, 3 for each of the numbers 2, 0 of the code\n");
    let table = lines(place, "walk.csv");
    assert_eq!(column(&table, 0), ["dim", "2", "2", "2", "0", "0", "0"]);
    assert_eq!(column(&table, 1), ["value", "-1.5", "0", "1.5", "-1.5", "0", "1.5"]);
    success(narrows(place, &walk).args(["--out", "walk.npy"]));
    let numbers: Vec<f32> =
        table[1..].iter().flat_map(|line| &line[2..]).map(|x| x.parse().unwrap()).collect();
    assert_eq!((array(place, "walk.npy").shape(), array(place, "walk.npy").floats()), ([7, 5, 1], numbers));
    // What they say is what decode takes.
    let codes = "z0,z1,z2\n0,0,-1.5\n0,0,0\n0,0,1.5\n-1.5,0,0\n0,0,0\n1.5,0,0\n";
    piped(&mut narrows(place, &["decode", "run", "-"]), codes.as_bytes());
    assert_eq!(array(place, "decoded.npy").floats(), array(place, "walk.npy").floats());
    let (out, _) = success(narrows(place, &walk).args(["--out", "-", "--format", "jsonl"]));
    assert!(
        out.lines().count() == 6 && out.contains("\"dim\":2,") && out.contains("\"value\":-1.5}"),
        "{out}"
    );
}

#[test]
fn more_samples_than_a_picture_shows_are_an_array_whose_first_ones_are_the_same() {
    let place = place();
    let place = place.path();
    success(&mut train(place, &["vae", "--epochs", "1", "--run", "run"]));
    let sample = |count: &str, out: &str| {
        narrows(place, &["sample", "run", "--seed", "9", "--count", count, "--out", out])
    };
    // In more than one piece.
    success(&mut sample("30001", "many.npy"));
    success(&mut sample("7", "few.npy"));
    let (many, few) = (array(place, "many.npy"), array(place, "few.npy"));
    assert_eq!((many.len(), &many.floats()[..7 * 35]), (30_001, &few.floats()[..]));
    let said = failure(&mut sample("10001", "many.png"));
    assert_eq!(said, "--count: expected at most 10000 in a picture; --out FILE.npy takes more, got 10001");
}

#[test]
fn plots_of_rows_replace_pictures_of_images() {
    let place = TempDir::new().unwrap();
    let place = place.path();
    let row = |at: usize| format!("{},{},{}\n", 1_000 + 10 * (at % 7), 0.001 * (at % 5) as f64, at % 3);
    fs::write(place.join("rows.csv"), (0..60).fold("big,small,t\n".to_owned(), |text, at| text + &row(at)))
        .unwrap();
    let flags = ["train", "vae", "--data", "rows.csv", "--hidden", "9", "--latent", "2", "--epochs", "3"];
    success(narrows(place, &flags).args(["--run", "run"]));
    let interpolate = ["interpolate", "run", "--from", "0", "--to", "3"];
    for command in [&["traverse", "run"][..], &["sample", "run"], &interpolate] {
        success(narrows(place, command).args(["--out", "plot.png"]));
        let plot = image::open(place.join("plot.png")).unwrap();
        assert!(plot.width() == 1_600 && plot.height() > 300, "{command:?}: {}", plot.height());
    }
    // A column of the data keeps its name.
    success(narrows(place, &interpolate).args(["--out", "way.csv"]));
    assert_eq!(lines(place, "way.csv")[0], ["t_", "big", "small", "t"]);
}
