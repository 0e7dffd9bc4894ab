//! Data after training: new rows by an old run, from another folder, and never overwritten.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tiny::command::{failure, narrows, success};

/// A folder with `table.csv`, 60 rows of very different columns, and the run `run` trained on it.
fn trained() -> TempDir {
    let place = TempDir::new().unwrap();
    let mut text = "name;kind;small;large;seven\n".to_owned();
    for row in 0..60 {
        let (kind, small, large) = (["a", "b"][row % 2], row * 37 % 23, 1000 * (row * 17 % 29));
        writeln!(text, "row {row};{kind};0.{small:03};{large};7").unwrap();
    }
    fs::write(place.path().join("table.csv"), text).unwrap();
    let arguments = [
        "train",
        "vae",
        "--data",
        "table.csv",
        "--id",
        "name",
        "--label",
        "kind",
        "--hidden",
        "8",
        "--latent",
        "2",
    ];
    let (out, notes) = success(narrows(place.path(), &arguments).args(["--epochs", "2", "--run", "run"]));
    assert!(notes.contains("note: batch: 7 in place of 128, since there are 49 training rows"), "{notes}");
    assert!(notes.contains("note: likelihood: gaussian-learned in place of bernoulli"), "{notes}");
    assert!(out.contains("scale:    standard: each of 3 columns to mean 0 and deviation 1\n"), "{out}");
    assert!(out.contains("compare:  always answering with the mean costs "), "{out}");
    assert!(out.contains("columns:  seven has one number in all rows\n"), "{out}");
    place
}

fn read(place: &Path, file: &str) -> Vec<String> {
    fs::read_to_string(place.join(file)).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn data_given_after_training_is_taken_whole_and_in_its_own_order() {
    let place = trained();
    let place = place.path();
    fs::write(place.join("new.csv"), "large;seven;small;name\n5000;7;0.010;later\n0;7;0.001;last\n").unwrap();
    let (said, _) =
        success(&mut narrows(place, &["encode", "run", "--data", "new.csv", "--out", "new-codes.csv"]));
    assert_eq!(said, "new-codes.csv: codes E[z given x] of 2 rows, 2 numbers each\n");
    let codes = read(place, "new-codes.csv");
    assert!(
        codes[0] == "z0,z1,id" && codes[1].ends_with(",later") && codes[2].ends_with(",last"),
        "{codes:?}"
    );

    fs::write(place.join("one.csv"), "small,seven,large\n0.02,7,3\n").unwrap();
    let (said, _) = success(&mut narrows(place, &["eval", "run", "--data", "one.csv", "--samples", "2"]));
    assert!(said.starts_with("1 row of one, means over rows\n"), "{said}");
    success(&mut narrows(place, &["reconstruct", "run", "--data", "one.csv"]));
    fs::create_dir(place.join("photos")).unwrap();
    let said = failure(&mut narrows(place, &["encode", "run", "--data", "photos"]));
    assert!(said.starts_with("data set: expected rows of 3 columns, as in training: a table or"), "{said}");

    let (said, _) = success(&mut narrows(place, &["encode", "run", "--part", "all", "--out", "all.csv"]));
    assert_eq!(said, "all.csv: codes E[z given x] of 60 rows, 2 numbers each\n");
    let names: Vec<String> =
        read(place, "all.csv")[1..].iter().map(|line| line.rsplit(',').next().unwrap().to_owned()).collect();
    assert!(names.iter().enumerate().all(|(at, name)| *name == format!("row {at}")), "{names:?}");

    success(&mut narrows(place, &["encode", "run", "--out", "test.csv"]));
    let test = read(place, "test.csv");
    assert_eq!((test[0].as_str(), test.len()), ("z0,z1,label,class,id,row", 7));
}

#[test]
fn one_new_picture_is_scored_by_an_old_run() {
    let place = TempDir::new().unwrap();
    fs::create_dir(place.path().join("photos")).unwrap();
    let picture = |number: usize| {
        let (width, height) = (9 + number % 5, 8 + number % 3);
        let bytes = (0..width * height * 3).map(|at| (at * (number + 1) % 251) as u8).collect::<Vec<u8>>();
        [format!("P6 {width} {height} 255\n").as_bytes(), &bytes].concat()
    };
    for number in 0..20 {
        fs::write(place.path().join(format!("photos/{number:02}.ppm")), picture(number)).unwrap();
    }
    let arguments = ["train", "vae", "--data", "photos", "--size", "9x8", "--hidden", "8", "--latent", "2"];
    success(narrows(place.path(), &arguments).args(["--epochs", "1", "--run", "run"]));
    fs::write(place.path().join("one.ppm"), picture(77)).unwrap();
    let (said, _) =
        success(&mut narrows(place.path(), &["eval", "run", "--data", "one.ppm", "--samples", "2"]));
    assert!(said.starts_with("1 image of "), "{said}");
    success(&mut narrows(place.path(), &["encode", "run", "--part", "all", "--out", "codes.csv"]));
    let files: Vec<String> = read(place.path(), "codes.csv")[1..]
        .iter()
        .map(|line| line.rsplit(',').next().unwrap().to_owned())
        .collect();
    assert_eq!(files, (0..20).map(|number| format!("{number:02}.ppm")).collect::<Vec<_>>());
}

#[test]
fn new_items_of_a_conditional_model_are_of_their_folder_or_of_the_class_that_is_said() {
    let place = TempDir::new().unwrap();
    let place = place.path();
    let picture = |number: usize| {
        let light =
            |at: usize| if number.is_multiple_of(2) == (at < 6) { 200 } else { 20 + (at * number % 9) as u8 };
        [b"P5 3 4 255\n".to_vec(), (0..12).map(light).collect()].concat()
    };
    let put = |name: &str, number: usize| {
        let path = place.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, picture(number)).unwrap();
    };
    (0..40).for_each(|number| put(&format!("all/{}/{number}.pgm", ["two", "one"][number % 2]), number));
    let flags =
        ["train", "cvae", "--data", "all", "--hidden", "8", "--latent", "2", "--epochs", "2", "--run", "run"];
    success(&mut narrows(place, &flags));
    put("new/Two/8.pgm", 8);
    put("flat/8.pgm", 8);
    let scores = |flags: &[&str]| {
        success(narrows(place, &["score", "run"]).args(flags));
        let line = read(place, "scores.csv").remove(1);
        let fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        (fields[1].clone(), fields[6..8].join(","))
    };
    let (own, said) = scores(&["--data", "new"]);
    let (told, _) = scores(&["--data", "flat", "--class", "two"]);
    let (other, as_one) = scores(&["--data", "new", "--class", "one"]);
    assert_eq!((own == told, own == other), (true, false), "{own} {told} {other}");
    assert_eq!([said, as_one], ["0,two", "0,one"]);
    for (command, file) in [("encode", "codes.csv"), ("reconstruct", "x.csv"), ("embed", "map.csv")] {
        let mut command = narrows(place, &[command, "run", "--data", "all", "--class", "two", "--out", file]);
        success(&mut command);
        assert!(read(place, file)[1..].iter().all(|line| line.contains(",two,")), "{file}");
    }
    success(&mut narrows(place, &["eval", "run", "--data", "flat", "--class", "two", "--samples", "2"]));
    // A command that decodes as a class encodes items by their own, if they have one.
    success(&mut narrows(place, &["traverse", "run", "--data", "flat", "--class", "two", "--image", "0"]));
    let walk = |data: &str| {
        let flags = ["traverse", "run", "--class", "one", "--image", "0", "--out", "t.csv", "--data", data];
        success(&mut narrows(place, &flags));
        fs::read_to_string(place.join("t.csv")).unwrap()
    };
    assert_ne!(walk("new"), walk("flat"));
    for command in ["score", "encode", "reconstruct", "traverse", "eval"] {
        let said = failure(&mut narrows(place, &[command, "run", "--data", "flat"]));
        let expected =
            "--class: expected one of the classes one, two, or items with labels (a folder for each class, ";
        assert!(said.starts_with(expected), "{said}");
        assert!(said.ends_with("got neither for flat, of a conditional model"), "{said}");
        let said = failure(&mut narrows(place, &[command, "run", "--data", "flat", "--class", "three"]));
        assert_eq!(said, "--class: expected one of the classes one, two, got three");
    }
}

#[test]
fn a_run_finds_its_data_from_any_folder() {
    let place = trained();
    let elsewhere = TempDir::new().unwrap();
    let run = place.path().join("run");
    let run = run.to_str().unwrap();
    success(&mut narrows(elsewhere.path(), &["eval", run, "--samples", "0"]));
    success(&mut narrows(elsewhere.path(), &["train", "--resume", run, "--epochs", "3"]));
    assert!(
        !fs::read_to_string(place.path().join("run/config.toml")).unwrap().contains("tmp"),
        "a machine's path"
    );
}

#[test]
fn a_result_does_not_take_the_place_of_its_data() {
    let place = TempDir::new().unwrap();
    let header = format!("{:<117}\n", "{'descr': '|u1', 'fortran_order': False, 'shape': (30, 4), }");
    let bytes: Vec<u8> = (0..120).map(|at| (at * 37 % 256) as u8).collect();
    let file = [b"\x93NUMPY\x01\x00\x76\x00", header.as_bytes(), &bytes].concat();
    fs::write(place.path().join("rows.npy"), &file).unwrap();
    let arguments = ["train", "mlp", "--data", "rows.npy", "--hidden", "4", "--latent", "2", "--epochs", "1"];
    success(narrows(place.path(), &arguments).args(["--run", "run"]));
    let said = failure(&mut narrows(place.path(), &["encode", "run", "--out", "./rows.npy"]));
    assert!(
        said.starts_with("--out: expected a new file, or one that is not among the data, got "),
        "{said}"
    );
    assert_eq!(fs::read(place.path().join("rows.npy")).unwrap(), file);
    // Nor that of a part.
    fs::write(place.path().join("later.npy"), &file).unwrap();
    let said =
        failure(&mut narrows(place.path(), &["encode", "run", "--test", "later.npy", "--out", "later.npy"]));
    assert!(said.starts_with("--out: expected a new file"), "{said}");
    assert_eq!(fs::read(place.path().join("later.npy")).unwrap(), file);
}

#[test]
fn a_folder_with_the_name_of_a_data_set_is_refused_with_both_ways_to_write_it() {
    let place = TempDir::new().unwrap();
    fs::create_dir(place.path().join("moons")).unwrap();
    let said = failure(&mut narrows(place.path(), &["train", "--data", "moons"]));
    let expected = "./moons for the data in this folder, or source:moons for the data set of that name";
    assert_eq!(said, format!("--data: expected {expected}, got `moons`, which is both"));
    let said = failure(&mut narrows(place.path(), &["train", "--data", "./moons"]));
    assert!(said.contains("at least one readable PNG"), "{said}");
    success(&mut narrows(place.path(), &["plan", "vae", "--data", "source:moons"]));
}

#[test]
fn rows_that_are_added_later_leave_the_runs_parts_as_they_are() {
    let place = trained();
    let place = place.path();
    let codes = |name: &str| {
        let (_, notes) = success(&mut narrows(place, &["encode", "run", "--out", name]));
        (read(place, name), notes)
    };
    let (before, _) = codes("before.csv");
    let table = fs::read_to_string(place.join("table.csv")).unwrap();
    fs::write(place.join("table.csv"), format!("{table}row 60;a;0.5;500;7\nrow 61;b;0.6;600;7\n")).unwrap();
    let (after, notes) = codes("after.csv");
    assert_eq!(after, before);
    let remark = "2 items are not listed in the run's split.csv: they are in none of its parts";
    assert!(notes.contains(remark), "{notes}");
    // What was asked for otherwise is drawn anew.
    let (_, notes) = success(&mut narrows(place, &["eval", "run", "--validation", "3", "--samples", "0"]));
    assert!(!notes.contains(remark), "{notes}");
    let lines: Vec<&str> = table.lines().collect();
    fs::write(place.join("table.csv"), lines[..31].join("\n")).unwrap();
    let said = failure(&mut narrows(place, &["eval", "run"]));
    assert!(
        said.contains("expected the items that the run was trained on, as its split.csv lists them"),
        "{said}"
    );
    let parts = fs::read_to_string(place.join("run/split.csv")).unwrap();
    for damaged in ["", "foo\n", "item,part\n", &parts[..parts.len() - 3]] {
        fs::write(place.join("run/split.csv"), damaged).unwrap();
        let said = failure(&mut narrows(place, &["eval", "run"]));
        assert!(said.starts_with("run/split.csv: expected lines of item,part"), "{said}");
    }
    // One that is gone is drawn again, and kept.
    fs::write(place.join("table.csv"), &table).unwrap();
    fs::remove_file(place.join("run/split.csv")).unwrap();
    success(&mut narrows(place, &["train", "--resume", "run", "--epochs", "3"]));
    assert_eq!(fs::read_to_string(place.join("run/split.csv")).unwrap(), parts);
}

#[test]
fn parts_and_a_limit_are_given_by_flags() {
    let place = TempDir::new().unwrap();
    let place = place.path();
    let rows =
        |count: u32| (0..count).map(|row| format!("{},{}\n", row % 7, row * row % 11)).collect::<String>();
    for (name, count) in [("a.csv", 90), ("b.csv", 20), ("c.csv", 30)] {
        fs::write(place.join(name), format!("x,y\n{}", rows(count))).unwrap();
    }
    let flags = ["train", "mlp", "--train", "a.csv", "--val", "b.csv", "--test", "c.csv", "--limit", "25"];
    let (out, _) = success(narrows(place, &flags).args(["--epochs", "1", "--run", "run"]));
    assert!(out.contains("25 training and 20 validation rows"), "{out}");
    assert!(!place.join("run/split.csv").exists());
    let (said, _) = success(&mut narrows(place, &["eval", "run", "--samples", "0"]));
    assert!(said.starts_with("25 test rows of c, means over rows\n"), "{said}");
    // Neither belongs to other data.
    let (said, _) = success(&mut narrows(place, &["eval", "run", "--data", "c.csv", "--samples", "0"]));
    assert!(said.starts_with("30 rows of c, means over rows\n"), "{said}");
    assert!(
        failure(&mut narrows(place, &["train", "mlp", "--data", "a.csv", "--test", "d.csv"]))
            .contains("got d.csv")
    );
}
