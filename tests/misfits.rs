//! Data that do not fit a trained model: one line that says what was expected, what came, and what to do.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tiny::command::{failure, misuse, narrows, place, success, train};

const COLUMNS: [&str; 14] = [
    "mean_radius",
    "mean_area",
    "worst_radius",
    "worst_area",
    "depth",
    "width",
    "height",
    "weight",
    "age",
    "pulse",
    "sugar",
    "iron",
    "salt",
    "water",
];

// Rows with these titles and, where they are not empty, a name and a label.
fn table(titles: &[&str], beside: bool, rows: usize) -> String {
    let mut text =
        if beside { format!("id,{},kind\n", titles.join(",")) } else { format!("{}\n", titles.join(",")) };
    for row in 0..rows {
        let numbers: Vec<String> =
            (0..titles.len()).map(|at| format!("{}.5", (row * (at + 3) * 7 + at) % 23)).collect();
        let numbers = numbers.join(",");
        match beside {
            true => writeln!(text, "p{row},{numbers},{}", ["well", "ill"][row % 2]).unwrap(),
            false => writeln!(text, "{numbers}").unwrap(),
        }
    }
    text
}

fn npy(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    [b"\x93NUMPY\x01\x00\x76\x00".as_slice(), format!("{header:<117}\n").as_bytes(), values].concat()
}

// A folder with the run `run` of a table.
fn trained() -> TempDir {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("table.csv"), table(&COLUMNS, true, 40)).unwrap();
    let flags = ["train", "mlp", "--data", "table.csv", "--id", "id", "--label", "kind", "--hidden", "4"];
    success(narrows(place.path(), &flags).args(["--latent", "2", "--epochs", "1", "--run", "run"]));
    place
}

fn refused(place: &Path, file: &str, content: impl AsRef<[u8]>) -> String {
    fs::write(place.join(file), content).unwrap();
    failure(&mut narrows(place, &["score", "run", "--data", file]))
}

#[test]
fn columns_that_are_missing_are_named_with_the_nearest_that_are_there() {
    let place = trained();
    let place = place.path();
    let with = |from: &str, to: &str| table(&COLUMNS, true, 3).replacen(from, to, 1);
    let expected = "new.csv: expected the model's 14 columns, found ";
    for (content, found) in [
        (with("mean_radius", "avg_radius"), "none called mean_radius (the nearest name is avg_radius)"),
        (with("age", "note"), "none called age"),
        (
            table(&COLUMNS.map(str::to_uppercase).each_ref().map(String::as_str), true, 3),
            "none called mean_radius (the nearest name is MEAN_RADIUS), mean_area (the nearest name is MEAN_AREA), \
             worst_radius (the nearest name is WORST_RADIUS) and 11 more",
        ),
        (
            table(&COLUMNS, true, 3).split_once('\n').unwrap().1.to_owned(),
            "numbers in place of their names: there seems to be no header line; put one before the rows, such as \
             mean_radius,mean_area,worst_radius,...",
        ),
        (
            table(&COLUMNS, false, 3).split_once('\n').unwrap().1.to_owned(),
            "numbers in place of their names: there seems to be no header line; put one before the rows, such as \
             mean_radius,mean_area,worst_radius,...",
        ),
        ("a,b\n1,2\n".to_owned(), "none called mean_radius, mean_area, worst_radius and 11 more among a, b"),
    ] {
        assert_eq!(refused(place, "new.csv", content), format!("{expected}{found}"));
    }
}

#[test]
fn a_column_that_is_asked_for_must_be_there_in_new_data_too() {
    let place = trained();
    let place = place.path();
    fs::write(place.join("new.csv"), table(&COLUMNS, false, 3)).unwrap();
    // What the run had, new rows need not have.
    success(&mut narrows(place, &["score", "run", "--data", "new.csv"]));
    for flag in ["--label", "--id"] {
        for data in [&["--data", "new.csv"][..], &[]] {
            let said = failure(narrows(place, &["encode", "run", flag, "aged"]).args(data));
            assert!(said.starts_with(&format!("{flag}: expected one of the columns age, ")), "{said}");
            assert!(
                said.contains("in all; these are the nearest names) of ") && said.ends_with(", got aged"),
                "{said}"
            );
        }
    }
    let said = failure(&mut narrows(place, &["score", "run", "--data", "new.csv", "--positive", "ill"]));
    assert_eq!(
        said,
        "--positive: expected data with labels (--label COLUMN), got ill, and new has no labels"
    );
}

#[test]
fn data_of_another_kind_are_called_what_they_are() {
    let rows = trained();
    let rows = rows.path();
    let expected = "expected rows of 14 columns, as in training";
    fs::create_dir(rows.join("photos")).unwrap();
    let said = failure(&mut narrows(rows, &["score", "run", "--data", "photos"]));
    assert_eq!(
        said,
        format!("data set: {expected}: a table or an array, such as --data FILE.csv, got pictures")
    );
    let said = refused(rows, "x.npy", npy("|u1", "(2, 4, 3)", &[7; 24]));
    assert_eq!(said, format!("data set x: {expected}, got images of 4 x 3 x 1"));
    let said = refused(rows, "x.npy", npy("|u1", "(14,)", &[7; 14]));
    assert!(
        said.ends_with(
            "found [14] of |u1; make one row of it with .reshape(1, 14), or 14 rows of one number with .reshape(14, 1)"
        ),
        "{said}"
    );
    let said = refused(rows, "x.npy", npy("|u1", "(0, 14)", &[]));
    assert_eq!(said, "x.npy: expected at least one row of at least one column, found [0, 14] of |u1");

    let images = place();
    let images = images.path();
    success(&mut train(images, &["mlp", "--epochs", "1", "--run", "run"]));
    let said = refused(images, "x.csv", table(&COLUMNS, true, 3));
    assert_eq!(
        said,
        "data set: expected images of 7 x 5 x 1, as in training, got a table of 16 columns, x.csv"
    );
    // Columns without names, of an array.
    fs::write(images.join("rows.npy"), npy("|u1", "(40, 2)", &[[3, 200], [90, 7]].concat().repeat(20)))
        .unwrap();
    let flags = ["train", "mlp", "--data", "rows.npy", "--hidden", "4", "--latent", "1", "--epochs", "1"];
    success(narrows(images, &flags).args(["--run", "rows"]));
    let score = |data: &str| narrows(images, &["score", "rows", "--data", data]);
    fs::write(images.join("text.csv"), "a,b,c\n1,2,u\n3,4,v\n").unwrap();
    let said = failure(&mut score("text.csv"));
    assert_eq!(
        said,
        "text.csv: expected 2 columns of numbers and no others, as the model was trained on an array, found text in c; \
         take it out, or name it with --id or --label"
    );
    success(score("text.csv").args(["--label", "c"]));
    fs::create_dir(images.join("photos")).unwrap();
    let said = failure(&mut score("photos"));
    assert!(said.starts_with("data set: expected rows of 2 columns, as in training: a table"), "{said}");
}

#[test]
fn what_is_compressed_is_told_to_be_unpacked_whatever_its_name() {
    let place = trained();
    let place = place.path();
    for (file, content, found) in [
        (
            "new.csv.gz",
            &b"\x1f\x8b\x08\0more"[..],
            "compressed by gzip, which is not read; unpack it: gunzip -k new.csv.gz",
        ),
        (
            "new 2.csv",
            b"\x1f\x8b\x08\0more",
            "compressed by gzip, which is not read; unpack it: gunzip -k 'new 2.csv'",
        ),
        ("new.csv.xz", b"\xfd7zXZ\0", "compressed by xz, which is not read; unpack it: unxz -k new.csv.xz"),
        (
            "new.csv.zst",
            b"\x28\xb5\x2f\xfd",
            "compressed by Zstandard, which is not read; unpack it: unzstd new.csv.zst",
        ),
        ("zip.csv", b"PK\x03\x04", "compressed by ZIP, which is not read; unpack it: unzip zip.csv"),
    ] {
        let said = refused(place, file, content);
        assert!(said.ends_with(&format!("found a file {found}")), "{said}");
    }
}

#[test]
fn endings_are_read_in_any_case() {
    let place = trained();
    let place = place.path();
    fs::copy(place.join("table.csv"), place.join("NEW.CSV")).unwrap();
    for out in ["codes.CSV", "codes.Npy"] {
        success(&mut narrows(place, &["encode", "run", "--data", "NEW.CSV", "--out", out]));
        success(&mut narrows(place, &["decode", "run", out, "--out", "back.JSONL"]));
    }
    assert!(fs::read(place.join("codes.CSV")).unwrap().starts_with(b"z0,z1,"));
    success(&mut narrows(place, &["embed", "run", "--method", "codes", "--out", "map.Svg"]));
    assert!(fs::read_to_string(place.join("map.Svg")).unwrap().contains("<svg"));
}

#[test]
fn a_score_that_is_not_finite_is_told_of_with_its_row() {
    let place = trained();
    let place = place.path();
    let radius = ["0.5", "", "1e30", "1.5", "-1e30"];
    let text = table(&COLUMNS, true, 5);
    let lines = text.lines().zip([COLUMNS[0]].into_iter().chain(radius)).map(|(line, radius)| {
        let mut fields: Vec<&str> = line.split(',').collect();
        fields[1] = radius;
        fields.join(",") + "\n"
    });
    let text: String = lines.collect();
    fs::write(place.join("new.csv"), text).unwrap();
    let flags = ["score", "run", "--data", "new.csv", "--missing", "drop", "--worst", "1"];
    let (out, notes) = success(&mut narrows(place, &flags));
    assert!(notes.contains("note: 1 of 5 rows of new.csv lack values and are left out"), "{notes}");
    let warning = "warning: 2 of 4 scores are not finite; the first is inf of row 1, 2 of the data, p2: look for numbers far beyond those of";
    assert!(notes.contains(warning), "{notes}");
    assert!(out.contains("worst:     row 1, 2 of the data, p2, well: inf"), "{out}");
    let scores = fs::read_to_string(place.join("scores.csv")).unwrap();
    let rows: Vec<&str> = scores.lines().map(|line| line.rsplit(',').next().unwrap()).collect();
    assert_eq!(rows, ["row", "0", "2", "3", "4"]);
}

#[test]
fn advice_names_only_flags_that_the_command_has() {
    let place = trained();
    let place = place.path();
    fs::write(place.join("codes.csv"), "z0,z1\n1,2\n3\n").unwrap();
    let said = failure(&mut narrows(place, &["decode", "run", "codes.csv"]));
    assert_eq!(
        said,
        "codes.csv: expected 2 fields in each row, found 1 in line 3; put quotes around a field that holds ','"
    );
    // Figures take the columns that they are told to.
    let figures = ["figures", "linear-vs-pca", "--quick", "--data", "table.csv", "--epochs", "1"];
    let said = failure(&mut narrows(place, &figures));
    assert!(
        said.contains("leave them out with --drop id,kind") || said.contains("--drop 'id,kind'"),
        "{said}"
    );
    success(narrows(place, &figures).args(["--drop", "id,kind", "--scale", "unit", "--out", "figures"]));
    let json = fs::read_to_string(place.join("figures/linear-vs-pca.json")).unwrap();
    assert!(json.contains("--data table.csv --drop='id,kind' --scale=unit"), "{json}");
    let said = misuse(&mut narrows(place, &["score", "run", "--memory", "abc"]));
    assert!(said.contains("'--memory [<SIZE>]': expected a number of bytes, such as 512MiB"), "{said}");
}
