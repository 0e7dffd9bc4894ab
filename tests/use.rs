//! The commands that use a trained model, on data of one's own: colour pictures in folders, NumPy's arrays.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;
use std::path::Path;

use image::{Rgb, RgbImage};
use narrows::data::{Dataset, Split};
use narrows::graph::Device;
use narrows::train::{Config, Trainer};
use pollster::block_on;
use tempfile::TempDir;
use tiny::command::{failure, misuse, narrows, place, success, train};

const HEIGHT: u32 = 7;
const WIDTH: u32 = 5;

/// 20 red and 20 blue pictures, a text and half a picture.
fn pictures(folder: &Path) {
    for number in 0..40_u8 {
        let class = ["blue", "red"][usize::from(number % 2)];
        fs::create_dir_all(folder.join(class)).unwrap();
        let light = 255 - 5 * number;
        let colour = |x: u32, y: u32| {
            let value = if x < 2 || y < u32::from(number) % 6 { light } else { 20 };
            if number % 2 == 0 { Rgb([10, 30, value]) } else { Rgb([value, 30, 10]) }
        };
        let path = folder.join(class).join(format!("{number:02}.png"));
        RgbImage::from_fn(WIDTH, HEIGHT, colour).save(path).unwrap();
    }
    let whole = fs::read(folder.join("red/01.png")).unwrap();
    fs::write(folder.join("red/half.png"), &whole[..whole.len() - 20]).unwrap();
    fs::write(folder.join("about\u{1b}.txt"), "pictures").unwrap();
}

fn array(shape: [usize; 3], bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape:?}, }}\n");
    let header = header.replace('[', "(").replace(']', ")");
    [b"\x93NUMPY\x01\0".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), bytes].concat()
}

fn picture(place: &TempDir, name: &str) -> RgbImage {
    image::open(place.path().join(name)).unwrap().to_rgb8()
}

/// Columns and rows of the images in a picture, each with a gap of a pixel around, all enlarged.
fn layout(picture: &RgbImage, columns: u32) -> [u32; 2] {
    let zoom = picture.width() / (columns * (WIDTH + 1) + 1);
    assert_eq!(picture.width(), (columns * (WIDTH + 1) + 1) * zoom, "{columns} columns");
    [columns, (picture.height() / zoom - 1) / (HEIGHT + 1)]
}

#[test]
fn a_folder_of_colour_pictures_is_trained_on_and_used() {
    let place = TempDir::new().unwrap();
    pictures(&place.path().join("mine"));
    let said = |arguments: &[&str]| success(&mut narrows(place.path(), arguments));
    let flags = ["--hidden", "12", "--latent", "2", "--batch", "8", "--epochs", "2", "--run", "run"];
    let (out, err) = said(&[&["train", "vae", "--data", "mine"], &flags[..]].concat());
    assert!(out.contains(": 33 training and 3 validation images"), "{out}");
    assert!(err.contains("note: 2 of 42 files were left out:\n  about\u{fffd}.txt: not a PNG, "), "{err}");
    assert!(err.contains("\n  red/half.png: "), "{err}");
    let config = fs::read_to_string(place.path().join("run/config.toml")).unwrap();
    assert!(config.contains("source = \"folder\"\ndir = \"mine\"\n"), "{config}");

    let (out, err) = said(&["reconstruct", "run", "--count", "3"]);
    assert_eq!(out, "reconstructions.png: 3 test images above their reconstructions\n");
    assert!(err.contains("2 of 42 files were left out"), "{err}");
    let reconstructions = picture(&place, "reconstructions.png");
    assert_eq!(layout(&reconstructions, 3), [3, 2]);
    let colourful = |picture: &RgbImage| picture.pixels().any(|Rgb([red, _, blue])| red.abs_diff(*blue) > 50);
    assert!(colourful(&reconstructions));

    let (out, _) = said(&["sample", "run", "--grid", "4", "--out", "grid.png"]);
    let spanned =
        "16 images decoded from quantiles of N(0, 1): number 0 of the code grows to the right, 1 upwards";
    assert_eq!(out, format!("grid.png: {spanned}\n"));
    assert_eq!(layout(&picture(&place, "grid.png"), 4), [4, 4]);
    said(&["traverse", "run", "--image", "2", "--steps", "6", "--dims", "1"]);
    assert_eq!(layout(&picture(&place, "traversals.png"), 6), [6, 1]);
    said(&["embed", "run", "--part", "train", "--thumbnails", "--out", "plot.png"]);
    assert!(colourful(&picture(&place, "plot.png")));
    let (out, _) = said(&["train", "--resume", "run", "--epochs", "3"]);
    assert!(out.contains("epoch   3/3"), "{out}");

    // Other pictures, grey and of another size, are brought to the model's form.
    fs::create_dir(place.path().join("others")).unwrap();
    for number in 0..9 {
        let path = place.path().join(format!("others/{number}.png"));
        image::GrayImage::from_pixel(30, 20, [25 * number].into()).save(path).unwrap();
    }
    let (out, _) = said(&["eval", "run", "--data", "others", "--part", "train"]);
    assert!(out.starts_with("8 train images of others"), "{out}");
    let refused = failure(&mut narrows(place.path(), &["eval", "run", "--data", "others", "--size", "9"]));
    assert_eq!(
        refused,
        "data set others: expected images of 7 x 5 x 3, as in training, got images of 9 x 9 x 3. \
         Without --size and --grey they get that form"
    );
}

#[test]
fn arrays_are_trained_on_by_their_path() {
    let place = TempDir::new().unwrap();
    let bytes: Vec<u8> = (0..50 * 12).map(|at| (at * 7 % 251) as u8).collect();
    fs::write(place.path().join("digits.npy"), array([50, 4, 3], &bytes)).unwrap();
    let flags = ["train", "mlp", "--data", "digits.npy", "--hidden", "8", "--latent", "3", "--batch", "8"];
    let (out, err) = success(narrows(place.path(), &flags).args(["--epochs", "1", "--run", "run"]));
    assert!(out.contains(": 41 training and 4 validation images"), "{out}");
    assert!(!err.contains("note: "), "{err}");
    let (out, _) = success(&mut narrows(place.path(), &["eval", "run"]));
    assert!(out.starts_with("5 test images of digits"), "{out}");
    let (out, _) = success(&mut narrows(place.path(), &["traverse", "run"]));
    assert!(
        out.starts_with("traversals.png: 9 images per row, from the mean code; the rows vary numbers "),
        "{out}"
    );
    assert!(out.ends_with(" of the code (largest variation first)\n"), "{out}");
}

#[test]
fn embeddings_are_tables_and_plots() {
    let place = TempDir::new().unwrap();
    pictures(&place.path().join("mine"));
    let flags = ["train", "mlp", "--data", "mine", "--hidden", "8", "--latent", "3", "--batch", "8"];
    success(narrows(place.path(), &flags).args(["--epochs", "1", "--run", "run"]));
    let embed =
        |more: &[&str]| success(narrows(place.path(), &["embed", "run", "--part", "train"]).args(more)).0;
    let said = embed(&["--out", "codes.csv", "--perplexity", "5"]);
    assert_eq!(said, "codes.csv: t-SNE (perplexity 5) of the codes of 33 train images\n");
    let table = |name: &str| {
        let mut reader = csv::Reader::from_path(place.path().join(name)).unwrap();
        assert_eq!(reader.headers().unwrap(), vec!["x", "y", "label", "class", "file"]);
        reader.records().map(Result::unwrap).collect::<Vec<_>>()
    };
    let rows = table("codes.csv");
    assert_eq!(rows.len(), 33);
    for row in &rows {
        assert!(row.iter().take(2).all(|place| place.parse::<f32>().unwrap().is_finite()), "{row:?}");
        assert_eq!(&row[3], ["blue", "red"][row[2].parse::<usize>().unwrap()]);
        assert!(row[4].starts_with(&row[3]), "{row:?}");
    }
    embed(&["--out", "again.csv", "--perplexity", "5"]);
    assert_eq!(rows, table("again.csv"));
    let said = embed(&["--out", "codes.svg", "--method", "pca", "--count", "20"]);
    assert!(
        said.starts_with("codes.svg: principal components (") && said.contains("20 train images"),
        "{said}"
    );
    let plot = fs::read_to_string(place.path().join("codes.svg")).unwrap();
    for part in ["<svg", "blue", "red", "component 1 (", "% of the variance)", "mine"] {
        assert!(plot.contains(part), "{part}");
    }
    success(&mut narrows(place.path(), &["encode", "run", "--out", "codes.csv"]));
    let codes = fs::read_to_string(place.path().join("codes.csv")).unwrap();
    assert!(codes.starts_with("z0,z1,z2,label,class,file\n"), "{codes}");
}

#[test]
fn mistakes_in_using_a_model_are_one_line() {
    let place = place();
    success(&mut train(place.path(), &["vae", "--epochs", "1", "--run", "vae"]));
    for (arguments, expected) in [
        (
            &["sample", "vae", "--grid", "3", "--dims", "0,3"][..],
            "dims: expected different numbers of the code, from 0 to 2, got [0, 3]",
        ),
        (&["traverse", "vae", "--dims", "1,1"], "dims: expected different numbers of the code, from 0 to 2"),
        (
            &["traverse", "vae", "--image", "11"],
            "--image: expected the number of an image, from 0 to 10, got 11",
        ),
        (
            &["embed", "vae", "--perplexity", "30"],
            "perplexity: expected from 1 to 3.3, a third of the points but one, got 30",
        ),
        (&["embed", "vae", "--count", "3"], "--method tsne: expected at least 4 images, got 3"),
        (
            &["embed", "vae", "--method", "codes"],
            "--method codes: expected a 2-D code, got 3 numbers; use --method",
        ),
        (
            &["embed", "vae", "--out", "x.txt"],
            "--out: expected a name ending in .svg or .png or .csv, got x.txt",
        ),
        (
            &["eval", "vae", "--size", "9"],
            "command line: size: expected nothing but with the source folder, got 9",
        ),
        (&["eval", "vae", "--data", "folder"], "data set folder: expected --data-dir, a folder of pictures"),
        (&["eval", "vae", "--data", "nothing"], "--data: expected one of sample, "),
        (
            &["eval", "vae", "--data", "vae", "--data-dir", "data"],
            "--data-dir: expected no such flag if --data is a path, got --data-dir and --data vae",
        ),
        (
            &["train", "--data", "folder", "--size", "0"],
            "size: expected at least 1, such as --size 64, got 0",
        ),
        (&["train", "--data", "vae/last.safetensors"], "vae/last.safetensors: expected a .npy file, found"),
    ] {
        let said = failure(&mut narrows(place.path(), arguments));
        assert!(said.starts_with(expected), "{arguments:?}: {said}");
    }
    for (arguments, expected) in [
        (&["sample", "vae", "--dims", "0,1"][..], "--grid <N>"),
        (&["sample", "vae", "--grid", "3", "--count", "9"], "cannot be used with"),
        (&["sample", "vae", "--grid", "3", "--dims", "0"], "expected two numbers, as 3,7"),
        (&["traverse", "vae", "--range", "-1"], "expected a positive number"),
        (&["embed", "vae", "--method", "umap"], "[possible values: tsne, pca, codes]"),
    ] {
        let said = misuse(&mut narrows(place.path(), arguments));
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    let (out, _) = success(&mut narrows(place.path(), &["sample", "vae", "--grid", "3"]));
    assert_eq!(out, "samples.png: 9 images decoded from codes of N(0, 1)\n");
}

#[test]
fn the_terms_of_a_game_are_listed_by_update() {
    let place = place();
    let (out, _) = success(&mut train(place.path(), &["adversarial", "--epochs", "1", "--run", "run"]));
    let epoch = out.lines().find(|line| line.starts_with("epoch   1/1")).unwrap();
    for part in [
        "train model ",
        " + 0.01 x fool ",
        ", critic ",
        " (critic_prior ",
        " + critic_code ",
        "validation model ",
    ] {
        assert!(epoch.contains(part), "{part}: {epoch}");
    }
    assert!(out.contains("minimized: by the update model: reconstruction (nats, "), "{out}");
    assert!(out.contains("; by the update critic: 1 x critic_prior (nats, "), "{out}");
}

#[test]
fn a_model_of_arrays_in_memory_is_not_taken_for_one_of_the_built_in_sample() {
    let place = TempDir::new().unwrap();
    let images =
        Dataset::new("mine", [28, 28, 1], (0..40 * 784).map(|at| at as u8).collect::<Vec<u8>>(), None);
    let split =
        Split::new(images.unwrap(), Dataset::new("none", [28, 28, 1], Vec::<u8>::new(), None).unwrap(), None);
    let settings = toml::from_str("model.hidden = [4]\nmodel.latent = 2\ntrain.epochs = 1").unwrap();
    let config = Config::preset("mlp").unwrap().overlaid(settings, "settings").unwrap();
    let mut trainer = block_on(Trainer::new(&Device::Cpu, &config, &split.unwrap())).unwrap();
    block_on(trainer.epoch(&mut |_| true)).unwrap();
    block_on(trainer.checkpoint()).unwrap().save(place.path().join("mine.safetensors")).unwrap();
    let (_, err) = success(&mut narrows(place.path(), &["eval", "mine.safetensors", "--device", "cpu"]));
    assert!(err.contains("not trained on the built-in sample"), "{err}");
    let flags = ["--hidden", "4", "--limit", "60", "--epochs", "1", "--run", "run"];
    success(&mut narrows(place.path(), &[&["train", "mlp"], &flags[..]].concat()));
    let (_, err) = success(&mut narrows(place.path(), &["eval", "run"]));
    assert!(!err.contains("sample"), "{err}");
}
