//! NumPy's archives, the order of axes, and parts by their names and places.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use narrows::data::{self, ArrayForm, DrawnParts, Layout, Part, Reading, Source, Split};
use tempfile::TempDir;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

fn array(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let header = format!("{header:<117}\n");
    [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), values]
        .concat()
}

fn bytes(shape: &str, values: impl IntoIterator<Item = u8>) -> Vec<u8> {
    array("|u1", shape, &values.into_iter().collect::<Vec<_>>())
}

fn archive(arrays: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in arrays {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(format!("{name}.npy"), options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn put(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path
}

fn load(path: &Path, reading: &Reading) -> narrows::Result<Split> {
    data::load_as(Source::at(path).unwrap(), Some(path), Some(0), reading)
}

fn of_array(form: ArrayForm) -> Reading {
    Reading { arrays: form, ..Reading::default() }
}

// The first pixel of each image of train and test, sorted.
fn firsts(split: &Split) -> [Vec<u8>; 2] {
    [&split.train, &split.test].map(|set| {
        let mut firsts: Vec<u8> = set.bytes().iter().step_by(set.pixels()).copied().collect();
        firsts.sort_unstable();
        firsts
    })
}

#[test]
fn the_first_array_that_can_be_images_is_taken_with_its_labels() {
    let place = TempDir::new().unwrap();
    let arrays = [
        ("target", bytes("(20,)", (0..20).map(|at| at % 3))),
        ("mean", bytes("(6,)", 0..6)),
        ("rows", bytes("(20, 6)", 0..120)),
        ("images", bytes("(20, 2, 3)", 100..220)),
    ];
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let path = put(place.path(), "x.npz", &archive(&arrays, method));
        let split = load(&path, &Reading::default()).unwrap();
        assert_eq!((split.train.shape(), split.train.len() + split.test.len()), ([1, 6, 1], 20));
        assert_eq!(split.train.labels.as_ref().unwrap().len(), 18);
        let said = &split.report.remarks[0];
        assert!(
            said.contains("the array rows is taken") && said.contains("images [20, 2, 3] of |u1"),
            "{said}"
        );
        let images = ArrayForm { array: Some("images".into()), ..ArrayForm::default() };
        assert_eq!(load(&path, &of_array(images)).unwrap().train.shape(), [2, 3, 1]);
    }
    let path = place.path().join("x.npz");
    let none = ArrayForm { array: Some("pictures".into()), ..ArrayForm::default() };
    let said = load(&path, &of_array(none)).unwrap_err().to_string();
    assert_eq!(said, "array: expected one of target, mean, rows, images, got pictures");
    let labels = ArrayForm { labels: Some("mean".into()), ..ArrayForm::default() };
    let said = load(&path, &of_array(labels)).unwrap_err().to_string();
    assert!(said.ends_with("x.npz/mean.npy: expected 20 labels, one per image, found 6 labels"), "{said}");
}

#[test]
fn an_archive_with_parts_is_taken_in_them() {
    let place = TempDir::new().unwrap();
    let text = |names: &str| {
        array("<U1", "(4,)", &names.chars().flat_map(|c| (c as u32).to_le_bytes()).collect::<Vec<_>>())
    };
    let arrays = [
        ("x_test", bytes("(4, 2)", 40..48)),
        ("x_train", bytes("(4, 2)", 0..8)),
        ("y_train", text("acca")),
        ("y_test", text("abba")),
    ];
    let path = put(place.path(), "MNIST.NPZ", &archive(&arrays, CompressionMethod::Deflated));
    let split = load(&path, &Reading::default()).unwrap();
    assert_eq!(firsts(&split), [vec![0, 2, 4, 6], vec![40, 42, 44, 46]]);
    // Classes are numbered over both.
    assert_eq!(split.train.classes, ["a", "b", "c"]);
    assert_eq!(
        (split.train.labels.unwrap(), split.test.labels.unwrap()),
        (vec![0, 2, 2, 0], vec![0, 1, 1, 0])
    );
}

#[test]
fn damaged_and_hostile_archives_are_refused() {
    let place = TempDir::new().unwrap();
    let refusal = |content: &[u8]| {
        let path = put(place.path(), "x.npz", content);
        load(&path, &Reading::default()).unwrap_err().to_string()
    };
    let whole = archive(&[("x", bytes("(9, 7)", 0..63))], CompressionMethod::Stored);
    for cut in [0, 3, 30, 100, whole.len() - 1] {
        let said = refusal(&whole[..cut]);
        assert!(said.contains("expected a .npz archive, as np.savez writes it"), "{cut}: {said}");
    }
    // One changed number is seen by the archive's checksum.
    let mut changed = whole.clone();
    let at = changed.windows(3).position(|window| window == [10, 11, 12]).unwrap();
    changed[at] = 99;
    assert!(refusal(&changed).contains("checksum"), "{}", refusal(&changed));
    let said = refusal(&archive(&[("x", bytes("(9,)", 0..9))], CompressionMethod::Stored));
    assert!(said.ends_with("expected an array of two to four dimensions, found x [9] of |u1"), "{said}");
    assert!(refusal(&archive(&[], CompressionMethod::Stored)).contains("no array in it"));
    // A claim of two thousand million numbers in a file of few bytes.
    let said = refusal(&archive(&[("x", bytes("(2000000000, 1)", 0..9))], CompressionMethod::Deflated));
    assert!(said.contains("expected 2000000000 bytes after the header"), "{said}");
}

#[test]
fn channels_that_come_first_are_seen_or_told() {
    let place = TempDir::new().unwrap();
    // Two images of 2 channels, 5 high and 6 wide: each number says where it is.
    let value = |image: u8, channel: u8, row: u8, column: u8| image * 120 + channel * 60 + row * 7 + column;
    let each = |order: fn([u8; 4]) -> [u8; 4], extents: [u8; 4]| {
        let count = extents.iter().map(|extent| u32::from(*extent)).product();
        let indices = move |mut at: u32| {
            let mut index = [0; 4];
            for axis in (0..4).rev() {
                index[axis] = (at % u32::from(extents[axis])) as u8;
                at /= u32::from(extents[axis]);
            }
            let [image, channel, row, column] = order(index);
            value(image, channel, row, column)
        };
        (0..count).map(indices).collect::<Vec<_>>()
    };
    let first = put(place.path(), "first.npy", &bytes("(2, 2, 5, 6)", each(|index| index, [2, 2, 5, 6])));
    let last = put(
        place.path(),
        "last.npy",
        &bytes("(2, 5, 6, 2)", each(|[n, h, w, c]| [n, c, h, w], [2, 5, 6, 2])),
    );
    let whole = |path: &Path, layout: Option<Layout>| {
        let reading = of_array(ArrayForm { layout, ..ArrayForm::default() });
        data::load_whole(Source::Npy, Some(path), &reading)
    };
    let (seen, report) = whole(&first, None).unwrap();
    assert_eq!(report.remarks, ["first.npy [2, 2, 5, 6] is taken as [n, channels, height, width]"]);
    assert_eq!((seen.shape(), seen.bytes()), ([5, 6, 2], whole(&last, None).unwrap().0.bytes()));
    let (told, report) = whole(&first, Some(Layout::Nchw)).unwrap();
    assert!(told.bytes() == seen.bytes() && report.remarks.is_empty());
    // Where both can be meant, channels are last.
    let both = put(place.path(), "both.npy", &bytes("(2, 3, 5, 4)", 0..120));
    assert_eq!(whole(&both, None).unwrap().0.shape(), [3, 5, 4]);
    assert_eq!(whole(&both, Some(Layout::Nchw)).unwrap().0.shape(), [5, 4, 3]);
    let rows = put(place.path(), "rows.npy", &bytes("(2, 3)", 0..6));
    let said = whole(&rows, Some(Layout::Nchw)).unwrap_err().to_string();
    assert_eq!(said, "layout: expected an array of four dimensions with it, got [2, 3] of |u1");
}

#[test]
fn parts_go_by_their_names_in_any_case() {
    let place = TempDir::new().unwrap();
    put(place.path(), "X_train.npy", &bytes("(3, 1)", 0..3));
    put(place.path(), "y_Train.npy", &bytes("(3,)", [7, 8, 9]));
    put(place.path(), "x_val.npy", &bytes("(2, 1)", 10..12));
    put(place.path(), "Testing.npy", &bytes("(2, 1)", 20..22));
    let split = load(place.path(), &Reading::default()).unwrap();
    assert_eq!(firsts(&split), [vec![0, 1, 2], vec![20, 21]]);
    assert_eq!(
        (split.train.labels.as_deref(), split.validation.bytes()),
        (Some(&[7, 8, 9][..]), vec![10, 11])
    );
    assert!(split.drawn.is_empty());
    // A single file of them is not all.
    let alone = load(&place.path().join("X_train.npy"), &Reading::default()).unwrap();
    let said = &alone.report.remarks[0];
    assert!(
        said.ends_with("beside it is not read; --data with their folder takes the parts together"),
        "{said}"
    );
    assert!(alone.train.labels.is_some());

    let tables = TempDir::new().unwrap();
    put(tables.path(), "Train.CSV", b"a,b\n1,2\n3,4\n");
    put(tables.path(), "test.tsv", b"b\ta\n6\t5\n");
    let split = load(tables.path(), &Reading::default()).unwrap();
    assert_eq!((split.train.floats(), split.test.floats()), (vec![1.0, 2.0, 3.0, 4.0], vec![5.0, 6.0]));
}

#[test]
fn parts_have_places_of_their_own_where_they_are_given() {
    let place = TempDir::new().unwrap();
    let train = put(place.path(), "a.npy", &bytes("(9, 1)", 0..9));
    put(
        place.path(),
        "a-labels.npy",
        &array("<U1", "(9,)", &[u32::from(b'q'); 9].map(u32::to_le_bytes).concat()),
    );
    let test = put(place.path(), "b.npy", &bytes("(3, 1)", 20..23));
    put(
        place.path(),
        "b-labels.npy",
        &array("<U1", "(3,)", &[u32::from(b'p'); 3].map(u32::to_le_bytes).concat()),
    );
    let reading = Reading { test: Some(test.clone()), validation: Some(train.clone()), ..Reading::default() };
    let split = load(&train, &reading).unwrap();
    assert_eq!((split.train.len(), split.validation.len(), split.test.len()), (9, 9, 3));
    assert_eq!((split.train.labels.unwrap()[0], split.test.labels.unwrap()[0]), (1, 0));
    assert_eq!(split.train.classes, ["p", "q"]);
    let missing = Reading { test: Some(place.path().join("c.npy")), ..Reading::default() };
    let said = load(&train, &missing).unwrap_err().to_string();
    assert!(
        said.starts_with(
            "test: expected the test part alone: the path of a folder, an array or a table, got"
        ),
        "{said}"
    );
    let folder = TempDir::new().unwrap();
    put(folder.path(), "train.npy", &bytes("(4, 1)", 0..4));
    put(folder.path(), "test.npy", &bytes("(4, 1)", 0..4));
    let said =
        load(folder.path(), &Reading { test: Some(test), ..Reading::default() }).unwrap_err().to_string();
    assert!(said.contains("has a test part of its own"), "{said}");
    let said = load(&train, &Reading { test: Some(folder.path().to_owned()), ..Reading::default() });
    assert!(said.unwrap_err().to_string().ends_with("which has parts of its own"));
}

#[test]
fn a_limit_leaves_so_many_of_each_part_with_every_class_in_proportion() {
    let place = TempDir::new().unwrap();
    let path = put(place.path(), "x.npy", &bytes("(60, 1)", 0..60));
    put(place.path(), "x-labels.npy", &bytes("(60,)", (0..60).map(|at| u8::from(at < 20))));
    let reading = Reading { limit: Some(30), ..Reading::default() };
    let split = load(&path, &reading).unwrap();
    assert_eq!((split.train.len(), split.test.len()), (27, 3));
    let (whole, _) = data::load_whole(Source::Npy, Some(&path), &reading).unwrap();
    assert_eq!(whole.labels.unwrap().iter().filter(|label| **label == 1).count(), 10);
    // Rows keep the places that they have in the file.
    assert!(
        split.train.places.iter().zip(split.train.bytes()).all(|(place, byte)| *place == usize::from(byte))
    );
    assert_eq!(load(&path, &Reading { limit: Some(99), ..Reading::default() }).unwrap().train.len(), 54);
}

#[test]
fn the_parts_that_were_drawn_stay_as_they_are_when_rows_are_added() {
    let place = TempDir::new().unwrap();
    let path = put(place.path(), "x.npy", &bytes("(40, 1)", 0..40));
    let before = data::load(Source::Npy, Some(&path), None).unwrap();
    assert_eq!(before.drawn, [Part::Validation, Part::Test]);
    let record = DrawnParts::of(&before).unwrap().to_csv().unwrap();
    let drawn = DrawnParts::from_csv(&record).unwrap();
    let again = |drawn: &DrawnParts| {
        let reading = Reading { drawn: Some(drawn.clone()), ..Reading::default() };
        data::load_as(Source::Npy, Some(&path), None, &reading)
    };
    assert_eq!(again(&drawn).unwrap(), before);
    put(place.path(), "x.npy", &bytes("(50, 1)", 0..50));
    let after = again(&drawn).unwrap();
    assert_eq!(
        (&after.train, &after.validation, &after.test),
        (&before.train, &before.validation, &before.test)
    );
    let said = "10 items are not listed in the run's split.csv: they are in none of its parts";
    assert_eq!(after.report.remarks, [said]);
    put(place.path(), "x.npy", &bytes("(30, 1)", 0..30));
    let said = again(&drawn).unwrap_err().to_string();
    assert!(
        said.contains("as its split.csv lists them; bring them back, or give their place with --data-dir, got 30 of 40, without "),
        "{said}"
    );
    for damaged in ["item,part\n0,trian\n", "item,part\n0\n", "item,part\n0,train,1\n"] {
        let said = DrawnParts::from_csv(damaged.as_bytes()).unwrap_err().to_string();
        assert!(said.starts_with("split: expected lines of item,part"), "{said}");
    }
    // Parts that came with the data need no record.
    put(place.path(), "train.npy", &bytes("(4, 1)", 0..4));
    put(place.path(), "val.npy", &bytes("(4, 1)", 4..8));
    put(place.path(), "test.npy", &bytes("(4, 1)", 8..12));
    assert_eq!(DrawnParts::of(&load_parts(place.path())), None);
}

fn load_parts(folder: &Path) -> Split {
    data::load(Source::Npy, Some(folder), None).unwrap()
}

#[test]
fn a_large_array_of_floats_or_bytes_is_mapped_and_not_copied() {
    let place = TempDir::new().unwrap();
    for (descr, size) in [("<f4", 4), ("|u1", 1), (">f4", 4)] {
        let rows = (64 << 20) / size / 1024;
        let path = put(place.path(), "x.npy", &array(descr, &format!("({rows}, 1024)"), &[0, 0, 0, 65]));
        fs::File::options().write(true).open(&path).unwrap().set_len(128 + (64 << 20)).unwrap();
        let (set, _) = data::load_whole(Source::Npy, Some(&path), &Reading::default()).unwrap();
        assert_eq!((set.len(), set.values.is_mapped()), (rows as usize, descr != ">f4"), "{descr}");
        assert!(set.slice(1..3).unwrap().values.is_mapped() == set.values.is_mapped());
        let first = [8.0, 0.0, 9.1e-44][usize::from(descr == "|u1") + 2 * usize::from(descr == ">f4")];
        assert_eq!(set.values.at(0), first, "{descr}");
    }
    let small = put(place.path(), "small.npy", &bytes("(2, 2)", 0..4));
    assert!(!data::load_whole(Source::Npy, Some(&small), &Reading::default()).unwrap().0.values.is_mapped());
}

#[test]
fn labels_that_do_not_fit_are_left_out_unless_they_are_named() {
    let place = TempDir::new().unwrap();
    let path = put(place.path(), "x.npy", &bytes("(300, 1)", (0..300).map(|at| (at % 250) as u8)));
    let other = put(place.path(), "labels.npy", &bytes("(7,)", 0..7));
    let split = load(&path, &Reading::default()).unwrap();
    assert_eq!(split.train.labels, None);
    let said = &split.report.remarks[0];
    assert!(
        said.starts_with("labels are left out: ")
            && said.ends_with("expected 300 labels, one per image, found 7 labels"),
        "{said}"
    );
    let named = |labels: &Path| {
        of_array(ArrayForm { labels: Some(labels.display().to_string()), ..ArrayForm::default() })
    };
    assert!(load(&path, &named(&other)).unwrap_err().to_string().ends_with("found 7 labels"));
    // Of more kinds than a label can count.
    let many = put(
        place.path(),
        "many.npy",
        &array("<i4", "(300,)", &(0..300_i32).flat_map(i32::to_le_bytes).collect::<Vec<_>>()),
    );
    let split = load(&path, &named(&many)).unwrap();
    assert_eq!(split.train.labels, None);
    assert!(split.report.remarks[0].contains("more than 256"), "{:?}", split.report.remarks);
    let missing = load(&path, &named(&place.path().join("no.npy"))).unwrap_err().to_string();
    assert!(missing.starts_with("labels: expected a .npy file with labels"), "{missing}");
}

#[test]
fn a_name_that_means_nothing_to_the_parts_is_refused() {
    let place = TempDir::new().unwrap();
    let train = put(place.path(), "train.npy", &bytes("(4, 1)", 0..4));
    let test = put(place.path(), "test.npy", &bytes("(3, 1)", 4..7));
    let labels = put(place.path(), "classes.npy", &bytes("(4,)", 0..4));
    let array = of_array(ArrayForm { array: Some("x".into()), ..ArrayForm::default() });
    let said = load(place.path(), &array).unwrap_err().to_string();
    assert!(said.starts_with("array: expected an .npz archive with it, got x of "), "{said}");
    let named = ArrayForm { labels: Some(labels.display().to_string()), ..ArrayForm::default() };
    let said = load(place.path(), &of_array(named.clone())).unwrap_err().to_string();
    assert!(said.starts_with("labels: expected none for a folder with parts"), "{said}");
    // Of parts at places of their own they are the training part's.
    let split = load(&train, &Reading { test: Some(test), ..of_array(named) }).unwrap();
    assert_eq!((split.train.labels.unwrap(), split.test.labels), (vec![0, 1, 2, 3], None));
}
