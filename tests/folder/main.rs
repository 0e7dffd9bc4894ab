//! Folders of pictures: their pixels, parts and classes, and the files that are left out.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

use image::{DynamicImage, GrayImage, ImageFormat};
use narrows::data::{Dataset, Form, LoadReport, Source, Split, folder};
use tempfile::TempDir;

mod cache;
mod depth;
mod files;
mod forms;
mod parts;

fn put(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    encoded(picture, ImageFormat::Png)
}

/// A grey picture, 3 high and 5 wide, that its pixels identify.
fn grey(number: usize) -> GrayImage {
    GrayImage::from_fn(5, 3, |x, y| [(number * 16) as u8 + (y * 5 + x) as u8].into())
}

fn read(folder: &Path) -> (Dataset, Dataset, LoadReport) {
    let parts = folder::read(folder, Form::default()).unwrap();
    let split = Split::of_parts(parts, Some(0)).unwrap();
    (split.train, split.test, split.report)
}

fn formed(folder: &Path, size: Option<[usize; 2]>, channels: Option<usize>) -> Dataset {
    folder::read(folder, Form { size, channels, ..Form::default() }).unwrap().train
}

fn refusal(folder: &Path) -> String {
    folder::read(folder, Form::default()).unwrap_err().to_string()
}

/// One picture, as the training part of a folder of its own.
fn one(name: &str, content: &[u8], form: Form) -> Dataset {
    let place = TempDir::new().unwrap();
    put(place.path(), name, content);
    folder::read(place.path(), form).unwrap().train
}

fn square(size: usize, channels: Option<usize>) -> Form {
    Form { size: Some([size; 2]), channels, ..Form::default() }
}

#[test]
fn pictures_of_one_size_are_kept_to_the_byte_with_file_and_class() {
    let place = TempDir::new().unwrap();
    for number in 0..12 {
        put(place.path(), &format!("{}/{number}.png", ["10", "9", "x"][number % 3]), &png(grey(number)));
    }
    let (train, test, report) = read(place.path());
    assert_eq!((train.len(), test.len(), report.files), (11, 1, 12));
    assert!(report.left_out.is_empty() && report.remarks.is_empty());
    for part in [train, test] {
        assert_eq!((part.height, part.width, part.channels), (3, 5, 1));
        assert_eq!(part.classes, ["9", "10", "x"]);
        for (at, file) in part.files.iter().enumerate() {
            let number: usize = file.file_stem().unwrap().to_str().unwrap().parse().unwrap();
            assert_eq!(
                &part.bytes()[at * part.pixels()..][..part.pixels()],
                grey(number).as_raw(),
                "{}",
                file.display()
            );
            let class = part.class(part.labels.as_ref().unwrap()[at]);
            assert_eq!(Path::new(&class), file.parent().unwrap());
        }
    }
}

#[test]
fn what_lies_at_a_path_tells_its_source() {
    let place = TempDir::new().unwrap();
    assert_eq!(Source::at(&place.path().join("nothing")), None);
    assert_eq!(Source::at(place.path()), Some(Source::Folder));
    put(place.path(), "train-images-idx3-ubyte.gz", b"");
    assert_eq!(Source::at(place.path()), Some(Source::Idx));
    put(place.path(), "train.npy", b"");
    assert_eq!(Source::at(place.path()), Some(Source::Npy));
    assert_eq!(Source::at(&place.path().join("train.npy")), Some(Source::Npy));
}
