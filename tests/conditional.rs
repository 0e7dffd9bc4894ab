//! Conditional models: what they are told of classes, by what names, and what is decoded as a class.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod tiny;

use std::fs;
use std::path::Path;

use narrows::data::{Dataset, Reading, Source, Split, load_whole};
use narrows::graph::Device;
use narrows::infer::{Decoder, JacobianNorms, Scores, prior_codes};
use narrows::model::{LayerConfig, Model};
use narrows::run::{Run, RunLock};
use narrows::train::{Checkpoint, Config, Trainer};
use pollster::block_on;
use tiny::command::{failure, narrows, place, success, train};
use tiny::{config, device};

const CLASSES: [&str; 3] = ["dark shoe", "light", "Left Boot"];

// Images that their class says all of, but for a little noise.
fn image(label: usize, at: usize) -> impl Iterator<Item = u8> {
    (0..35).map(move |pixel| match (label, pixel % 5) {
        (0, _) => 20,
        (1, _) | (2, 0..2) => 230,
        _ => 20,
    } + ((at * 7 + pixel) % 5) as u8)
}

fn told(count: usize, names: &[&str], order: &[usize]) -> Dataset {
    let labels: Vec<u8> = (0..count).map(|at| (at % names.len()) as u8).collect();
    let pixels: Vec<u8> =
        labels.iter().enumerate().flat_map(|(at, label)| image(order[usize::from(*label)], at)).collect();
    Dataset::new("shoes", [7, 5, 1], pixels, Some(labels)).unwrap().with_classes(names.to_vec()).unwrap()
}

fn shoes(count: usize) -> Dataset {
    told(count, &CLASSES, &[0, 1, 2])
}

fn split() -> Split {
    Split::new(shoes(66), shoes(12), Some(6)).unwrap()
}

fn trained(config: &Config, epochs: u32) -> Checkpoint {
    let mut trainer = block_on(Trainer::new(device(), config, &split())).unwrap();
    for _ in 0..epochs {
        block_on(trainer.epoch(&mut |_| true)).unwrap();
    }
    block_on(trainer.checkpoint()).unwrap()
}

fn of_convolutions(condition: &str) -> Config {
    let mut config = config("cvae");
    config.model.hidden = Vec::new();
    [config.model.encoder, config.model.decoder] = tiny::layers();
    config.model.set("condition", condition).unwrap();
    config
}

#[test]
fn what_is_decoded_as_a_class_looks_like_it() {
    let mut embedded = config("cvae");
    embedded.model.set("condition", "embedded").unwrap();
    embedded.model.set("embedding", 2).unwrap();
    for mut config in [config("cvae"), embedded, of_convolutions("one-hot"), of_convolutions("embedded")] {
        config.train.learning_rate = 0.02;
        let checkpoint = trained(&config, 30);
        assert_eq!(checkpoint.transform.classes, CLASSES);
        let mut decoder = block_on(Decoder::new(device(), &checkpoint, 4)).unwrap();
        // More than a batch, of classes in no order.
        let labels = [2, 0, 1, 2, 2, 1, 0];
        let codes = prior_codes(3, labels.len(), 3);
        let images = block_on(decoder.decode_as(&codes, &labels)).unwrap();
        for (made, label) in images.chunks_exact(35).zip(labels) {
            let distance = |class: usize| -> f32 {
                image(class, 0).zip(made).map(|(byte, x)| (f32::from(byte) / 255.0 - x).powi(2)).sum()
            };
            let nearest = (0..3).min_by(|a, b| distance(*a).total_cmp(&distance(*b))).unwrap();
            assert_eq!(nearest, label as usize, "{}", config.set_up());
        }
    }
}

#[test]
fn new_data_are_told_by_the_names_of_their_classes() {
    let mut config = config("cvae");
    config.train.learning_rate = 0.02;
    let checkpoint = trained(&config, 20);
    let scores = |data: &Dataset| block_on(Scores::new(device(), &checkpoint, data, 2));
    let (own, renamed) = (shoes(9), told(9, &["LEFT BOOT", "Dark Shoe", "light"], &[2, 0, 1]));
    let labels = |data: &Dataset| checkpoint.transform.labels(data).unwrap();
    assert_eq!(labels(&own), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    assert_eq!(labels(&renamed), [2, 0, 1, 2, 0, 1, 2, 0, 1]);
    // One image of another class costs more.
    let one =
        |label| Dataset::new("one", [7, 5, 1], image(2, 4).collect::<Vec<_>>(), Some(vec![label])).unwrap();
    let cost = |data: &Dataset| scores(data).unwrap().anomaly[0];
    assert!(cost(&one(2)) < cost(&one(0)), "{} {}", cost(&one(2)), cost(&one(0)));
    let said = scores(&told(4, &["light", "sandal"], &[1, 1])).unwrap_err().to_string();
    assert_eq!(
        said,
        "classes of shoes: expected the classes that the model knows, dark shoe, light, Left Boot, got sandal"
    );
    let said = scores(&one(3)).unwrap_err().to_string();
    assert!(said.starts_with("classes of one: expected") && said.ends_with("got 3"), "{said}");
    let without = Dataset::new("bare", [7, 5, 1], vec![0_u8; 70], None).unwrap();
    let said = scores(&without).unwrap_err().to_string();
    assert!(said.starts_with("condition: expected labels for a conditional model: a folder for"), "{said}");
}

#[test]
fn a_class_goes_by_its_name_or_a_word_of_its_own() {
    let transform = trained(&config("cvae"), 0).transform;
    let label = |class| transform.label_of("--class", class);
    for (class, expected) in [("dark shoe", 0), ("LIGHT", 1), ("boot", 2), ("Shoe", 0), ("left boot", 2)] {
        assert_eq!(label(class).unwrap(), expected, "{class}");
    }
    for class in ["", "oot", "2", "left  boot"] {
        let said = label(class).unwrap_err().to_string();
        assert_eq!(
            said,
            format!("--class: expected one of the classes dark shoe, light, Left Boot, got {class}")
        );
    }
    let plain = trained(&config("vae"), 0).transform.label_of("--class", "light").unwrap_err().to_string();
    assert_eq!(plain, "--class: expected nothing, for a model that is not told of classes, got light");
}

#[test]
fn classes_are_counted_and_another_number_is_refused() {
    let counted = config("cvae").fitted_to_data(&shoes(12)).unwrap();
    assert_eq!(counted.model.classes(), Some(3));
    assert_eq!(counted.fitted_to_data(&shoes(12)).unwrap(), counted);
    let mut other = config("cvae");
    other.model.set("classes", 4).unwrap();
    let said = other.fitted_to_data(&shoes(12)).unwrap_err().to_string();
    assert_eq!(said, "classes: expected the 3 of the data, or 0, got 4");
    let said = Model::new(&config("cvae").model, [7, 5, 1].try_into().unwrap()).unwrap_err().to_string();
    assert!(said.starts_with("classes: expected at least 1"), "{said}");
    let said = config("vae").model.set("classes", 3).unwrap_err().to_string();
    assert_eq!(said, "classes: expected nothing but with the condition one-hot or embedded, got 3");
    let unlabelled = Dataset::new("bare", [7, 5, 1], vec![7_u8; 350], None).unwrap();
    let said = config("cvae").fitted_to_data(&unlabelled).unwrap_err().to_string();
    assert!(
        said.starts_with("condition: expected labels") && said.ends_with("got bare, which has none"),
        "{said}"
    );
}

#[test]
fn codes_need_as_many_classes_as_they_are() {
    let checkpoint = trained(&config("cvae"), 0);
    let mut decoder = block_on(Decoder::new(device(), &checkpoint, 4)).unwrap();
    let codes = prior_codes(1, 2, 3);
    for (classes, said) in [
        (&[][..], "decode: expected 2 classes for 2 codes, got 0 classes"),
        (&[1], "decode: expected 2 classes for 2 codes, got 1 classes"),
        (&[1, 3], "decode: expected classes below 3, got 3"),
    ] {
        assert_eq!(block_on(decoder.decode_as(&codes, classes)).unwrap_err().to_string(), said);
    }
    let mut plain = block_on(Decoder::new(device(), &trained(&config("vae"), 0), 4)).unwrap();
    let said = block_on(plain.decode_as(&codes, &[0, 0])).unwrap_err().to_string();
    assert_eq!(said, "decode: expected 0 classes for 2 codes, got 2 classes");
}

// A class that nothing reads changes no derivative.
#[test]
fn the_jacobian_is_that_by_the_image_alone() {
    for config in [config("cvae"), of_convolutions("one-hot")] {
        let mut checkpoint = trained(&config, 1);
        let name = "encoder.0.weight";
        let (shape, mut values) = {
            let (shape, values) = checkpoint.slots.get(name).unwrap();
            (shape.to_vec(), values.to_vec())
        };
        // Weights that read the class, behind those that read an image or a pixel.
        let (width, own) = (*shape.last().unwrap(), shape.last().unwrap() - 3);
        for row in values.chunks_exact_mut(width) {
            row[own..].fill(0.0);
        }
        let norms = |values: &[f32], checkpoint: &mut Checkpoint| {
            checkpoint.slots.insert(name.to_owned(), shape.clone(), values.to_vec());
            block_on(JacobianNorms::new(device(), checkpoint, &shoes(7))).unwrap()
        };
        let silent = norms(&values, &mut checkpoint);
        assert!(format!("{silent:?}").len() > 40);
        for row in values.chunks_exact_mut(width) {
            row[own..].fill(1e-12);
        }
        assert_eq!(norms(&values, &mut checkpoint), silent);
    }
}

#[test]
fn a_run_is_not_resumed_with_other_labels() {
    let place = tempfile::TempDir::new().unwrap();
    let (folder, config) = (place.path().join("run"), config("cvae"));
    drop(block_on(Run::create(&folder, device(), &config, &split())).unwrap());
    let checkpoint = Checkpoint::load(folder.join("last.safetensors")).unwrap();
    let config = checkpoint.config.clone();
    let resumed = |split: &Split| {
        block_on(Run::resume(RunLock::of_run(&folder).unwrap(), device(), &checkpoint, &config, split))
            .map(drop)
    };
    let mut other = split();
    other.train.labels.as_mut().unwrap().swap(0, 1);
    let said = resumed(&other).unwrap_err().to_string();
    assert!(said.starts_with("training images: expected 60 images") && said.contains("labels"), "{said}");
    let mut other = split();
    let Split { train, validation, test, .. } = &mut other;
    for part in [train, validation, test] {
        part.classes[0] = "shoe".to_owned();
    }
    let said = resumed(&other).unwrap_err().to_string();
    assert!(said.starts_with("classes: expected dark shoe, light, Left Boot, as the run was told"), "{said}");
    resumed(&split()).unwrap();
}

#[test]
fn a_checkpoint_without_the_names_of_its_classes_is_refused() {
    let mut checkpoint = trained(&config("cvae"), 0);
    checkpoint.transform.classes.pop();
    let said = Checkpoint::from_bytes(&checkpoint.to_bytes().unwrap()).unwrap_err().to_string();
    assert!(said.contains("the names of 3 classes") && said.contains("found 2"), "{said}");
}

#[test]
fn the_reference_is_told_the_same() {
    let config = config("cvae");
    let losses = |device: &Device| {
        let mut trainer = block_on(Trainer::new(device, &config, &split())).unwrap();
        block_on(trainer.epoch(&mut |_| true)).unwrap().validation.unwrap().total()
    };
    tiny::trained::assert_close(losses(device()), losses(&Device::Cpu), 1e-5, "validation");
}

#[test]
fn layers_that_see_pixels_read_the_class_as_channels_and_others_as_numbers() {
    let width = |config: &Config| {
        let config = config.fitted_to_data(&shoes(12)).unwrap();
        let model = Model::new(&config.model, [7, 5, 1].try_into().unwrap()).unwrap();
        let plan = model.evaluation(1, 1).unwrap();
        let mut slots = plan.stores.iter().flat_map(|store| store.slots());
        slots.find(|(name, _)| name == "encoder.0.weight").unwrap().1.shape.last().copied().unwrap()
    };
    assert_eq!([width(&config("cvae")), width(&of_convolutions("one-hot"))], [38, 4]);
    let mut flat = of_convolutions("one-hot");
    flat.model.encoder = vec![LayerConfig::dense(9, narrows::reference::activation::Activation::Relu)];
    assert_eq!(width(&flat), 38);
}

fn lines(place: &Path, file: &str) -> Vec<String> {
    fs::read_to_string(place.join(file)).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn commands_decode_as_the_class_that_is_asked_for() {
    let place = place();
    let place = place.path();
    success(&mut train(place, &["cvae", "--epochs", "2", "--run", "run"]));
    assert!(fs::read_to_string(place.join("run/config.toml")).unwrap().contains("classes = 10"));

    let (said, _) = success(&mut narrows(place, &["sample", "run", "--count", "2", "--out", "all.csv"]));
    assert_eq!(
        said,
        "all.csv: 20 images decoded from codes of N(0, 1), 2 of each class: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9\n"
    );
    let all = lines(place, "all.csv");
    assert_eq!((all.len(), all[0].ends_with(",label,class"), all[8].ends_with(",3,3")), (21, true, true));
    success(&mut narrows(place, &["sample", "run", "--count", "2", "--class", "3", "--out", "three.csv"]));
    assert_eq!(lines(place, "three.csv")[1..], all[7..9], "the codes of each class are the same");
    success(&mut narrows(place, &["sample", "run"]));

    success(&mut narrows(place, &["reconstruct", "run", "--out", "images.npy"]));
    success(&mut narrows(place, &["encode", "run", "--out", "codes.csv"]));
    let array = |file: &str| load_whole(Source::Npy, Some(&place.join(file)), &Reading::default()).unwrap().0;
    success(&mut narrows(place, &["decode", "run", "codes.csv", "--out", "decoded.npy"]));
    assert_eq!(array("decoded.npy").floats(), array("images.npy").floats());
    success(&mut narrows(place, &["encode", "run", "--out", "codes.npy"]));
    let told = |arguments: &[&str]| success(&mut narrows(place, arguments)).0;
    let said = told(&["decode", "run", "codes.npy", "--class", "4", "--out", "fours.npy"]);
    assert!(said.ends_with("decoded from codes.npy, as 4\n"), "{said}");
    assert_ne!(array("fours.npy").floats(), array("images.npy").floats());

    assert!(told(&["traverse", "run", "--class", "3"]).contains("from the mean code, as 3; "));
    let said = told(&["traverse", "run", "--image", "3", "--out", "of-3.png"]);
    assert!(said.contains("from the code of test image 3, as 3; "), "{said}");
    let between = |more: &[&str]| {
        told(&[&["interpolate", "run", "--from", "0", "--to", "3", "--steps", "5"], more].concat())
    };
    let expected = "interpolation.png: 5 images decoded from test image 0 to 3";
    assert_eq!(between(&[]), format!("{expected}, 3 as 0 and then 2 as 3\n"));
    assert_eq!(between(&["--class", "4"]), format!("{expected}, as 4\n"));
    let classes = "0, 1, 2, 3, 4, 5, 6, 7, 8, 9";
    let needed = format!(
        "--class: expected a class to decode as, since the model is conditional: one of {classes}; or else"
    );
    for (arguments, expected) in [
        (
            &["decode", "run", "codes.npy"][..],
            format!("{needed} a table of codes with a column class or label, got none"),
        ),
        (&["traverse", "run"], format!("{needed} --image I for the class of that image, got none")),
        (
            &["sample", "run", "--grid", "3"],
            format!(
                "--grid: expected --class with it, since a grid is of one class: one of {classes}; samples of all classes, a \
                 row for each, are those without --grid, got no class"
            ),
        ),
        (
            &["sample", "run", "--class", "ten"],
            format!("--class: expected one of the classes {classes}, got ten"),
        ),
    ] {
        assert_eq!(failure(&mut narrows(place, arguments)), expected, "{arguments:?}");
    }
}
