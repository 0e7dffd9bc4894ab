//! Figures from the command line: files, numbers, and models that are kept for the next time.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;
use std::path::Path;

use serde_json::Value;
use tiny::command::{failure, narrows, place, success};
use tiny::listing;

fn figures(place: &Path, arguments: &[&str]) -> std::process::Command {
    let tiny = ["--data", "idx", "--data-dir", "data", "--epochs", "1", "--out", "pictures"];
    let mut command = narrows(place, &["figures"]);
    command.args(arguments).args(tiny);
    command
}

fn numbers(value: &Value, found: &mut Vec<f64>) {
    match value {
        Value::Number(number) => found.push(number.as_f64().unwrap()),
        Value::Array(values) => values.iter().for_each(|value| numbers(value, found)),
        Value::Object(values) => values.values().for_each(|value| numbers(value, found)),
        Value::Null => panic!("a number that JSON does not have"),
        _ => {}
    }
}

#[test]
fn a_figure_is_a_picture_its_numbers_and_a_page_and_its_models_are_used_again() {
    let place = place();
    let (out, err) = success(&mut figures(place.path(), &["linear-vs-pca", "--quick"]));
    assert!(out.starts_with("linear-vs-pca ") && out.contains("pictures/index.html"), "{out}");
    assert!(err.contains("linear: training for 1 epochs"), "{err}");
    let folder = place.path().join("pictures");
    let names = ["index.html", "linear-vs-pca.json", "linear-vs-pca.png", "linear-vs-pca.svg", "runs"];
    assert_eq!(listing(&folder), names);
    let json: Value = serde_json::from_str(&fs::read_to_string(folder.join(names[1])).unwrap()).unwrap();
    let mut all = Vec::new();
    numbers(&json, &mut all);
    assert!(all.len() > 4 && all.iter().all(|number| number.is_finite()), "{json}");
    assert_eq!(
        json["command"],
        "narrows figures linear-vs-pca --quick --epochs 1 --data idx --data-dir data"
    );
    let png = image::open(folder.join(names[2])).unwrap();
    let svg = fs::read_to_string(folder.join(names[3])).unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let width: f64 = document.root_element().attribute("width").unwrap().parse().unwrap();
    assert_eq!(png.width(), (2.0 * width) as u32);
    let page = fs::read_to_string(folder.join("index.html")).unwrap();
    assert!(
        page.contains("data:image/svg+xml;base64,") && page.contains("largest principal angle"),
        "{page}"
    );
    assert!(!page.contains("http://") && !page.contains("https://"), "{page}");

    let run = fs::read_dir(folder.join("runs")).unwrap().next().unwrap().unwrap().path();
    let before = fs::metadata(run.join("last.safetensors")).unwrap().modified().unwrap();
    let (_, err) = success(&mut figures(place.path(), &["linear-vs-pca", "--quick"]));
    assert!(err.contains("linear: trained before, in pictures/runs/linear-"), "{err}");
    assert_eq!(fs::metadata(run.join("last.safetensors")).unwrap().modified().unwrap(), before);
    // Other settings are other models.
    success(&mut figures(place.path(), &["linear-vs-pca", "--quick", "--seed", "7"]));
    assert_eq!(listing(&folder.join("runs")).len(), 2);
}

#[test]
fn an_unknown_figure_is_answered_with_those_there_are() {
    let place = place();
    let said = failure(&mut figures(place.path(), &["linear-vs-pca", "mona-lisa"]));
    assert!(said.starts_with("figure: expected one of linear-vs-pca, reconstructions, "), "{said}");
    assert!(said.ends_with(", got mona-lisa"), "{said}");
    assert_eq!(listing(place.path()), ["data"]);
}

#[test]
fn a_record_that_cannot_be_read_is_named_before_anything_is_trained() {
    let place = place();
    let folder = place.path().join("pictures");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("vae.svg"), "<svg/>").unwrap();
    fs::write(folder.join("vae.json"), "{\"figure\": ").unwrap();
    let said = failure(&mut figures(place.path(), &["linear-vs-pca", "--quick"]));
    assert!(said.contains("vae.json") && said.contains("remove it"), "{said}");
    assert_eq!(listing(&folder), ["vae.json", "vae.svg"]);
}

#[test]
fn a_figure_of_its_own_images_says_so_and_needs_no_others() {
    let place = place();
    fs::remove_dir_all(place.path().join("data")).unwrap();
    success(&mut figures(place.path(), &["score", "--quick"]));
    let json = fs::read_to_string(place.path().join("pictures/score.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    let data = json["data"].as_str().unwrap();
    assert!(["spiral", "moons", "mixture"].iter().all(|name| data.contains(name)), "{data}");
    // What trains a model alone is a command that this program takes.
    let command = json["models"][0]["command"].as_str().unwrap();
    let words = shlex::split(command).unwrap();
    let mut arguments: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    arguments.extend(["--run", "alone"]);
    success(&mut narrows(place.path(), &arguments));
}
