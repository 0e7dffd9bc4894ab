//! The command line on folders of pictures: depth, cache, single pictures, and refusals that tell the way.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use image::{ImageBuffer, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use tempfile::TempDir;
use tiny::command::{failure, narrows, success};
use tiny::listing;

const SMALL: [&str; 8] = ["--hidden", "8", "--latent", "2", "--epochs", "2", "--run", "run"];

/// Trains `vae` in `place` on the folder `mine`: what is printed, and the notes.
fn train(place: &Path, more: &[&str]) -> (String, String) {
    success(narrows(place, &["train", "vae", "--data", "mine"]).args(SMALL).args(more))
}

fn mine(count: u32, save: impl Fn(u32, &Path)) -> TempDir {
    let place = TempDir::new().unwrap();
    fs::create_dir(place.path().join("mine")).unwrap();
    for number in 0..count {
        save(number, &place.path().join(format!("mine/{number:02}.png")));
    }
    place
}

/// 16 bits a channel, from `low` in steps of one.
fn deep(low: u16) -> TempDir {
    mine(20, |number, path| {
        let shade = |x: u32, y: u32| Luma([low + (number * 5 + x + 2 * y) as u16]);
        ImageBuffer::<Luma<u16>, _>::from_fn(5, 7, shade).save(path).unwrap();
    })
}

#[test]
fn pictures_of_16_bits_that_differ_by_less_than_a_byte_have_different_codes() {
    let place = deep(30_000);
    let place = place.path();
    let (out, notes) = train(place, &[]);
    assert!(notes.contains("note: 20 pictures of 16 bits a channel: floats, divided by 65535\n"), "{notes}");
    assert!(notes.contains("note: likelihood: gaussian-learned in place of bernoulli"), "{notes}");
    assert!(out.contains("scale:    standard: all numbers to mean 0 and deviation 1\n"), "{out}");
    success(&mut narrows(place, &["encode", "run", "--part", "all", "--out", "codes.csv"]));
    let text = fs::read_to_string(place.join("codes.csv")).unwrap();
    let codes: HashSet<&str> = text.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().0).collect();
    assert_eq!(codes.len(), 20, "{text}");
}

#[test]
fn pictures_of_16_bits_that_use_their_range_are_taken_as_they_are() {
    let place = mine(20, |number, path| {
        let shade = |x: u32, y: u32| Luma([(number * 3_000 + x * 300 + y * 100) as u16]);
        ImageBuffer::<Luma<u16>, _>::from_fn(5, 7, shade).save(path).unwrap();
    });
    let (out, notes) = train(place.path(), &[]);
    assert!(out.contains("scale:    none: numbers are taken as they are\n"), "{out}");
    assert!(!notes.contains("likelihood"), "{notes}");
    // A picture of bytes by the same run.
    RgbImage::from_pixel(9, 9, Rgb([200, 100, 50])).save(place.path().join("new.png")).unwrap();
    let (out, _) =
        success(&mut narrows(place.path(), &["eval", "run", "--data", "new.png", "--samples", "2"]));
    assert!(out.starts_with("1 image of new.png, means over images\n"), "{out}");
    assert!(!out.contains("active units"), "one image has no variance: {out}");
}

#[test]
fn a_run_keeps_its_cache_and_uses_it_when_it_resumes_and_is_evaluated() {
    let place = mine(20, |number, path| {
        RgbImage::from_fn(9, 8, |x, y| Rgb([(number * 9) as u8, (x * 20) as u8, (y * 20) as u8]))
            .save(path)
            .unwrap();
    });
    let place = place.path();
    let (_, notes) = train(place, &["--cache", "kept"]);
    assert!(notes.contains("note: decoded pictures are kept in the cache kept/mine-"), "{notes}");
    let names = listing(&place.join("kept"));
    assert!(names.len() == 1 && names[0].ends_with("-8x9-crop-white-3.safetensors"), "{names:?}");
    let from = format!("note: 20 pictures from the cache kept/{}, not decoded again\n", names[0]);
    for command in [&["train", "--resume", "run", "--epochs", "3"][..], &["eval", "run", "--samples", "2"]] {
        let (_, notes) = success(&mut narrows(place, command));
        assert!(notes.contains(&from), "{command:?}: {notes}");
    }
    // One picture is not worth a file.
    success(&mut narrows(place, &["eval", "run", "--data", "mine/03.png", "--samples", "2"]));
    assert_eq!(listing(&place.join("kept")), names);
    // From elsewhere it is found as the data are.
    fs::create_dir(place.join("other")).unwrap();
    let (_, notes) = success(&mut narrows(&place.join("other"), &["eval", "../run", "--samples", "2"]));
    assert!(notes.contains(&names[0]) && notes.contains("not decoded again"), "{notes}");
    assert!(listing(&place.join("other")).is_empty());

    let said = failure(&mut narrows(place, &["train", "--data", "mine", "--cache", "mine/kept"]));
    assert!(said.starts_with("cache: expected a folder outside the data, such as --cache "), "{said}");
    let said = failure(&mut narrows(place, &["train", "--data", "sample", "--cache", "kept"]));
    assert_eq!(said, "command line: cache: expected nothing but with the source folder, got \"kept\"");
}

#[test]
fn one_transparent_picture_is_used_with_a_run_that_keeps_opacity() {
    let veiled = |number: u32, path: &Path| {
        let alpha = |x: u32| if x > number % 7 { 255 } else { 40 };
        RgbaImage::from_fn(9, 8, |x, y| Rgba([(number * 9) as u8, 3, (y * 20) as u8, alpha(x)]))
            .save(path)
            .unwrap();
    };
    let place = mine(20, veiled);
    let place = place.path();
    train(place, &["--alpha", "keep"]);
    let one = ["--data", "mine/03.png"];
    let (out, _) = success(narrows(place, &["reconstruct", "run", "--out", "one.png"]).args(one));
    assert_eq!(out, "one.png: 1 image above its reconstruction\n");
    let (out, _) = success(narrows(place, &["encode", "run", "--out", "one.csv"]).args(one));
    assert_eq!(out, "one.csv: codes E[z given x] of 1 image, 2 numbers each\n");
    assert!(fs::read_to_string(place.join("one.csv")).unwrap().ends_with(",03.png\n"));
    let (out, _) = success(narrows(place, &["sample", "run", "--count", "3"]).args(&[] as &[&str]));
    assert!(out.starts_with("samples.png: 3 images"), "{out}");
}

#[test]
fn a_picture_that_cannot_be_read_is_refused_as_a_picture_with_the_way() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("photo.heic"), b"\0\0\0\x18ftypheic").unwrap();
    let said = failure(&mut narrows(place.path(), &["train", "--data", "photo.heic"]));
    assert!(said.starts_with("photo.heic: expected at least one readable PNG, "), "{said}");
    assert!(said.ends_with("convert it: magick photo.heic photo.png"), "{said}");
}
