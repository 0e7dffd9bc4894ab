//! Parts, classes and order.

use std::fs;
use std::path::PathBuf;

use image::GrayImage;
use narrows::data::{self, Dataset, Source, Split};
use tempfile::TempDir;

use super::{grey, png, put, read, refusal};

#[test]
fn the_order_is_a_shuffle_and_the_same_each_time() {
    let place = TempDir::new().unwrap();
    for number in 0..40 {
        put(place.path(), &format!("{}/{number:02}.png", number / 20), &png(grey(number % 14)));
    }
    let load = || data::load(Source::Folder, Some(place.path()), None).unwrap();
    let split = load();
    assert_eq!(split, load());
    assert_eq!((split.train.len(), split.validation.len(), split.test.len()), (33, 3, 4));
    let mut files: Vec<PathBuf> = [&split.train, &split.validation, &split.test]
        .into_iter()
        .flat_map(|part| part.files.clone())
        .collect();
    assert!(!files.is_sorted());
    assert!(
        [0, 1].map(|class| split.train.labels.as_ref().unwrap().contains(&class)).iter().all(|there| *there)
    );
    files.sort();
    assert_eq!(files, (0..40).map(|n| PathBuf::from(format!("{}/{n:02}.png", n / 20))).collect::<Vec<_>>());
}

#[test]
fn folders_train_and_test_are_the_parts() {
    let place = TempDir::new().unwrap();
    for number in 0..6 {
        put(place.path(), &format!("train/{}/{number}.png", number % 2), &png(grey(number)));
    }
    put(place.path(), "test/1/a.png", &png(grey(7)));
    put(place.path(), "test/2/b.png", &png(grey(8)));
    put(place.path(), "others/c.png", &png(grey(9)));
    let (train, test, report) = read(place.path());
    assert_eq!((train.len(), test.len(), report.files), (6, 2, 8));
    assert_eq!(train.classes, ["0", "1", "2"]);
    assert!(test.files.iter().all(|file| file.starts_with("test")), "{:?}", test.files);
    let mut labels = test.labels.unwrap();
    labels.sort();
    assert_eq!(labels, [1, 2]);
    let said = "only the folders train and test are read; 1 other files are ignored, such as others/c.png";
    assert_eq!(report.remarks, [said]);

    fs::remove_dir_all(place.path().join("test")).unwrap();
    fs::create_dir(place.path().join("test")).unwrap();
    // Not what was done to the pictures of the other part.
    put(place.path(), "train/0/wide.png", &png(GrayImage::new(9, 3)));
    let said = refusal(place.path());
    assert!(
        said.ends_with(
            "found none (only the folders train and test are read; 1 other files are ignored, such as \
        others/c.png); without this folder, some of train takes its place"
        ),
        "{said}"
    );
    put(place.path(), "test/readme.txt", b"nothing to see");
    let said = refusal(place.path());
    let part = place.path().join("test");
    assert!(said.starts_with(&format!("{}: expected at least one readable PNG", part.display())), "{said}");
    assert!(
        said.ends_with(
            "found none; the first file, test/readme.txt, is left out: not a PNG, JPEG, GIF, WebP, \
        BMP, TIFF or PNM; without this folder, some of train takes its place"
        ),
        "{said}"
    );
}

#[test]
fn labels_need_every_picture_in_one_of_two_to_256_folders() {
    let place = TempDir::new().unwrap();
    for number in 0..4 {
        put(place.path(), &format!("only/{number}.png"), &png(grey(number)));
    }
    let (train, _, report) = read(place.path());
    assert_eq!((train.labels, train.classes.len(), report.remarks.len()), (None, 0, 0));
    put(place.path(), "other/deeper/a.png", &png(grey(5)));
    assert_eq!(read(place.path()).0.classes, ["only", "other"]);
    put(place.path(), "a.png", &png(grey(6)));
    let (train, _, report) = read(place.path());
    assert_eq!(train.labels, None);
    assert_eq!(report.remarks, ["there are no labels: 1 pictures are in no class folder, 5 are in one"]);

    let place = TempDir::new().unwrap();
    let pixel = png(GrayImage::new(1, 1));
    for number in 0..257 {
        put(place.path(), &format!("{number}/a.png"), &pixel);
    }
    let (train, _, report) = read(place.path());
    assert_eq!(train.labels, None);
    assert_eq!(report.remarks, ["there are no labels: 257 class folders are more than 256"]);
    fs::remove_dir_all(place.path().join("200")).unwrap();
    let (train, test, _) = read(place.path());
    let labels = [train.labels.clone().unwrap(), test.labels.unwrap()].concat();
    assert_eq!(labels.iter().max(), Some(&255));
    assert_eq!(train.class(200), "201");
}

#[test]
fn one_picture_is_a_training_part_and_two_are_both_parts() {
    let place = TempDir::new().unwrap();
    put(place.path(), "a.png", &png(grey(0)));
    let (train, test, _) = read(place.path());
    assert_eq!((train.len(), test.len(), test.pixels()), (1, 0, 15));
    put(place.path(), "b.png", &png(grey(1)));
    let (train, test, _) = read(place.path());
    assert_eq!((train.len(), test.len()), (1, 1));
}

/// `count` pictures in the two classes of a folder, none like those of another `first`.
fn classed(place: &TempDir, folder: &str, first: usize, count: usize) {
    for number in first..first + count {
        put(place.path(), &format!("{folder}/{}/{number}.png", number % 2), &png(grey(number)));
    }
}

fn split(place: &TempDir, validation: Option<usize>) -> narrows::Result<Split> {
    data::load(Source::Folder, Some(place.path()), validation)
}

fn all_in(set: &Dataset, folder: &str) -> bool {
    set.files.iter().all(|file| file.starts_with(folder))
}

#[test]
fn three_part_folders_of_any_case_are_the_three_parts() {
    for (train, validation, test) in [("train", "val", "test"), ("Training", "VALID", "testing")] {
        let place = TempDir::new().unwrap();
        classed(&place, train, 0, 6);
        classed(&place, validation, 6, 2);
        classed(&place, test, 8, 4);
        let split_ = split(&place, None).unwrap();
        let parts = [(&split_.train, train, 6), (&split_.validation, validation, 2), (&split_.test, test, 4)];
        for (set, folder, count) in parts {
            assert!(set.len() == count && all_in(set, folder), "{:?}", set.files);
            assert_eq!(set.classes, ["0", "1"]);
        }
        assert!(split_.report.remarks.is_empty(), "{:?}", split_.report.remarks);
        let said = split(&place, Some(1)).unwrap_err().to_string();
        assert!(said.starts_with("validation: expected no number, since "), "{said}");
        assert!(said.ends_with(" has a validation part of its own, got 1"), "{said}");
    }
}

#[test]
fn without_a_folder_test_a_tenth_of_train_with_each_class_in_proportion_is_the_test_part() {
    let place = TempDir::new().unwrap();
    for number in 0..40 {
        let pixel = png(GrayImage::from_pixel(1, 1, [number].into()));
        put(place.path(), &format!("train/{}/{number}.png", number % 2), &pixel);
    }
    let (train, test) = (split(&place, Some(0)).unwrap().train, split(&place, Some(0)).unwrap().test);
    assert_eq!((train.len(), test.len()), (36, 4));
    let mut labels = test.labels.unwrap();
    labels.sort();
    assert_eq!((train.classes, labels), (vec!["0".to_owned(), "1".to_owned()], vec![0, 0, 1, 1]));

    put(place.path(), "val/0/a.png", &png(GrayImage::from_pixel(1, 1, [99].into())));
    let split = split(&place, None).unwrap();
    assert_eq!((split.train.len(), split.validation.len(), split.test.len()), (36, 1, 4));
    assert_eq!(split.train.classes, ["0", "1"]);
    assert_eq!(split.report.remarks, ["there is no test part: it is a random tenth of train, 4 images"]);
}

#[test]
fn folders_around_everything_are_skipped() {
    let place = TempDir::new().unwrap();
    classed(&place, "photos/images", 0, 6);
    put(place.path(), "readme.txt", b"about the photos");
    assert_eq!(read(place.path()).0.classes, ["0", "1"]);

    let place = TempDir::new().unwrap();
    classed(&place, "photos/train/images", 0, 6);
    put(place.path(), "photos/test/images/1/a.png", &png(grey(7)));
    let (train, test, _) = read(place.path());
    assert_eq!((train.len(), train.classes, test.labels), (6, vec!["0".into(), "1".into()], Some(vec![1])));
}

#[test]
fn a_folder_named_after_a_part_is_a_class_where_it_cannot_be_one() {
    let place = TempDir::new().unwrap();
    for class in ["car", "train"] {
        put(place.path(), &format!("{class}/a.png"), &png(grey(1)));
    }
    assert_eq!(read(place.path()).0.classes, ["car", "train"]);
}

#[test]
fn pictures_in_two_parts_are_counted() {
    let place = TempDir::new().unwrap();
    classed(&place, "train", 0, 4);
    classed(&place, "test", 3, 2);
    classed(&place, "val", 6, 1);
    put(place.path(), "train/0/again.png", &png(grey(0)));
    let said = "1 picture is in two parts, such as train/1/3.png and test/1/3.png: figures on the later part look \
                too good";
    assert_eq!(split(&place, None).unwrap().report.remarks, [said]);
}
