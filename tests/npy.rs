//! NumPy's arrays as data: every type and order, labels, damaged and hostile files.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use narrows::data::{self, Dataset, Reading, Source, Values, npy};
use tempfile::TempDir;

/// A file as NumPy writes it, with any header.
fn file(header: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{header:<117}\n");
    [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), values]
        .concat()
}

fn array(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    file(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"), values)
}

fn put(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

fn read(content: &[u8]) -> Dataset {
    let folder = TempDir::new().unwrap();
    let set = npy::read("x", &put(&folder, "x.npy", content), None).unwrap();
    assert_eq!(npy::from_bytes("x", content, None).unwrap(), set);
    set
}

/// The error for a file of images, which must come quickly and name the file.
fn refusal(content: &[u8]) -> String {
    let folder = TempDir::new().unwrap();
    let path = put(&folder, "x.npy", content);
    let start = Instant::now();
    let error = npy::read("x", &path, None).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(2), "took {:?}", start.elapsed());
    let text = error.to_string();
    let said = text.strip_prefix(&format!("{}: ", path.display())).expect(&text);
    let of_bytes = npy::from_bytes("x", content, None).unwrap_err().to_string();
    assert_eq!(of_bytes, format!(".npy images: {said}"));
    said.strip_prefix("expected ").expect(&text).to_owned()
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn bytes_of_two_to_four_dimensions_are_images() {
    let bytes: Vec<u8> = (0..24).collect();
    for (shape, extents, count) in [
        ("(4, 2, 3)", [2, 3, 1], 4),
        ("(2, 4, 3, 1)", [4, 3, 1], 2),
        ("(2, 2, 2, 3)", [2, 2, 3], 2),
        ("(3, 8)", [1, 8, 1], 3),
        // As Python 2 wrote it.
        ("(24L, 1)", [1, 1, 1], 24),
    ] {
        let set = read(&array("|u1", shape, &bytes));
        assert_eq!(([set.height, set.width, set.channels], set.len()), (extents, count));
        assert_eq!(set.bytes(), bytes);
    }
}

#[test]
fn every_real_type_in_any_byte_order_is_kept_as_floats() {
    let values = [-3.0, 0.0, 0.5, 0.3005, 0.3015, 1e6];
    let expected: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    let whole = [-3, 0, 1, 100];
    macro_rules! cases {
        ($values:ident: $($descr:literal $ty:ty, $bytes:ident;)*) => {
            [$(($descr, $values.iter().flat_map(|value| (*value as $ty).$bytes()).collect::<Vec<u8>>()),)*]
        };
    }
    let doubles = cases!(values: "<f4" f32, to_le_bytes; ">f4" f32, to_be_bytes; "<f8" f64, to_le_bytes; ">f8" f64, to_be_bytes;);
    for (descr, bytes) in doubles {
        assert_eq!(read(&array(descr, "(2, 3)", &bytes)).values, Values::from(expected.clone()), "{descr}");
    }
    let whole_expected: Vec<f32> = whole.iter().map(|value| *value as f32).collect();
    for (descr, bytes) in cases!(whole: "|i1" i8, to_le_bytes; ">i2" i16, to_be_bytes; "<i4" i32, to_le_bytes; "<i8" i64, to_le_bytes;)
    {
        assert_eq!(
            read(&array(descr, "(2, 2)", &bytes)).values,
            Values::from(whole_expected.clone()),
            "{descr}"
        );
    }
    let counts = [7_u64, 60_000];
    for (descr, bytes) in
        cases!(counts: "<u2" u16, to_le_bytes; ">u4" u32, to_be_bytes; "<u8" u64, to_le_bytes;)
    {
        assert_eq!(
            read(&array(descr, "(1, 2)", &bytes)).values,
            Values::from(vec![7.0, 60_000.0]),
            "{descr}"
        );
    }
    let halves: Vec<u8> = [0x3c00_u16, 0xc100].iter().flat_map(|bits| bits.to_le_bytes()).collect();
    assert_eq!(read(&array("<f2", "(1, 2)", &halves)).values, Values::from(vec![1.0, -2.5]));
}

#[test]
fn a_mask_of_bytes_is_one_of_booleans() {
    assert_eq!(read(&array("|b1", "(1, 2)", &[0, 1])).bytes(), [0, 255]);
    assert_eq!(read(&array("|u1", "(1, 3)", &[0, 1, 1])).bytes(), [0, 255, 255]);
    assert_eq!(read(&array("|u1", "(1, 3)", &[0, 1, 2])).bytes(), [0, 1, 2]);
}

#[test]
fn many_values_are_read_in_more_than_one_piece() {
    let values: Vec<f32> = (0..50_001).map(|at| at as f32 / 7.0).collect();
    let set = read(&array("<f4", "(50001, 1)", &floats(&values)));
    assert_eq!(set.values, Values::from(values));
}

#[test]
fn fortran_order_gives_the_same_images() {
    // a[n, y, x, c] of [2, 3, 2, 3] counts up in C order.
    let mut stored = Vec::new();
    for c in 0..3 {
        for x in 0..2 {
            for y in 0..3 {
                for n in 0..2 {
                    stored.push(((n * 3 + y) * 2 + x) * 3 + c);
                }
            }
        }
    }
    let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2, 3), }";
    assert_eq!(read(&file(header, &stored)).bytes(), (0..36).collect::<Vec<u8>>());
    let header = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }";
    let said = refusal(&file(header, &floats(&[0.0, 0.0, 0.0, 0.0, 0.0, f32::NAN])));
    assert!(said.ends_with("found NaN at [1, 2]"), "{said}");
    let said = refusal(&file(header, &floats(&[0.0, f32::NAN, 0.0, 0.0, 0.0, 0.0])));
    assert!(said.ends_with("found NaN at [1, 0]"), "{said}");
}

#[test]
fn a_value_that_is_not_finite_is_named_with_its_place() {
    for (value, said) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let mut values = [0.5; 24];
        values[17] = value;
        let text = refusal(&array("<f4", "(4, 2, 3)", &floats(&values)));
        assert_eq!(
            text,
            format!("finite numbers below 3.4e38, as by np.nan_to_num, found {said} at [2, 1, 2]")
        );
    }
}

#[test]
fn other_types_and_shapes_are_refused() {
    for (descr, size) in [("<c8", 8), ("<U4", 16), ("|O", 8)] {
        let text = refusal(&array(descr, "(1, 2)", &vec![0; 2 * size]));
        let found = format!("[1, 2] of {descr}; convert it with .astype");
        assert_eq!(text, format!("an array of numbers or bool, found {found}"));
    }
    for header in [
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 2), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, -2), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 99999999999999999999), }",
        "{'descr': '<f4', 'fortran_order': False, }",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 2), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2) 'x': 3}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), } more",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1 2)}",
        "{'descr': '|u1",
        "[1, 2]",
        "import os",
        "",
    ] {
        let text = refusal(&file(header, &[0; 8]));
        assert!(
            text.starts_with("a header that gives 'descr' (of a plain type), 'fortran_order' and"),
            "{text}"
        );
    }
    let rows = "[n, channels, height, width] or rows [n, d], found ";
    for (shape, found) in [
        (
            "(4,)",
            "[4] of |u1; make one row of it with .reshape(1, 4), or 4 rows of one number with .reshape(4, 1)",
        ),
        ("(1, 5, 1, 5)", "[1, 5, 1, 5] of |u1; make rows of it with .reshape(len(x), -1)"),
        ("(1, 1, 1, 1, 1)", "[1, 1, 1, 1, 1] of |u1; make rows of it with .reshape(len(x), -1)"),
    ] {
        let text = refusal(&array("|u1", shape, &[0; 25]));
        assert!(text.ends_with(&format!("{rows}{found}")), "{text}");
    }
    for (shape, expected) in [
        ("(0, 2)", "at least one row of at least one column"),
        ("(2, 0, 3)", "at least one image of at least one pixel"),
    ] {
        assert!(refusal(&array("|u1", shape, &[])).starts_with(expected));
    }
}

#[test]
fn damaged_files_are_refused() {
    let whole = array("<f4", "(2, 3)", &floats(&[0.0; 6]));
    assert_eq!(refusal(b""), "a .npy file, found an empty file");
    assert_eq!(
        refusal(b"\x93NUM"),
        "a .npy file, found a file of another kind; a table's name ends in .csv, .tsv or .parquet"
    );
    assert_eq!(
        refusal(b"PK\x03\x04more"),
        "a .npy file, found a ZIP archive; give it the ending .npz if it holds arrays, or unpack it"
    );
    for cut in [6, 7, 8, 9, 10, 100, 127] {
        let text = refusal(&whole[..cut]);
        assert_eq!(text, format!("a whole header, found a file that ends in it, after {cut} bytes"));
    }
    let expected = "24 bytes after the header, [2, 3] of <f4, found";
    for (cut, found) in [(128, "0 bytes"), (129, "1 bytes"), (135, "7 bytes"), (151, "23 bytes")] {
        assert_eq!(refusal(&whole[..cut]), format!("{expected} {found}"));
    }
    assert_eq!(refusal(&[&whole[..], &[0]].concat()), format!("{expected} more bytes after them"));
    let mut version = whole.clone();
    version[6] = 9;
    assert_eq!(refusal(&version), "version 1, 2 or 3 of the format, found 9");
}

#[test]
fn hostile_headers_take_neither_memory_nor_stack() {
    let long = |version: u8, length: &[u8]| [b"\x93NUMPY", [version, 0].as_slice(), length, b"{"].concat();
    assert_eq!(refusal(&long(1, &[255; 2])), "a header of at most 1024 bytes, found 65535 bytes");
    assert_eq!(refusal(&long(2, &[255; 4])), "a header of at most 1024 bytes, found 4294967295 bytes");
    for (open, close) in [("(", ")"), ("[", "]"), ("{1:", "}")] {
        let deep = 1000 / (open.len() + close.len());
        let text = refusal(&file(&format!("{}{}", open.repeat(deep), close.repeat(deep)), &[]));
        assert!(text.starts_with("a header that gives"), "{text}");
    }
    // Products that overflow, too large ones, and one that is just allowed: then the file's length bounds the memory.
    for shape in [
        "(4294967296, 4294967296)",
        "(18446744073709551615, 2)",
        "(0xffffffffffffffff, 0xffffffffffffffff)",
        "(0, 0, '\\ud800')",
        "(0, 0, '\\N{BULLET}')",
    ] {
        let text = refusal(&array("|u1", shape, &[0; 10]));
        assert!(text.contains("'shape' (at most 2147483648 values), found \"{"), "{text}");
    }
    for shape in ["(2147483649, 1)", "(3, 2147483648, 3)", "(9999999999, 99999999)"] {
        let text = refusal(&array("|u1", shape, &[0; 10]));
        assert!(text.starts_with("at most 2147483648 values, found ["), "{text}");
    }
    let text = refusal(&array("|u1", "(2147483648, 1)", &[0; 10]));
    assert!(text.ends_with("found 10 bytes"), "{text}");
}

#[test]
fn version_two_and_three_are_read_too() {
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }\n";
    for version in [2, 3] {
        let start = [b"\x93NUMPY".as_slice(), &[version, 0], &(header.len() as u32).to_le_bytes()].concat();
        assert_eq!(read(&[&start, header.as_bytes(), &[1, 2, 3, 4]].concat()).bytes(), [1, 2, 3, 4]);
    }
}

#[test]
fn labels_of_any_width_are_whole_numbers_up_to_255() {
    let folder = TempDir::new().unwrap();
    let images = put(&folder, "x.npy", &array("|u1", "(3, 2)", &[0; 6]));
    let labelled = |content: &[u8]| npy::read("x", &images, Some(&put(&folder, "y.npy", content)));
    for (descr, bytes) in [
        ("|u1", vec![7, 0, 255]),
        ("<i8", [7_i64, 0, 255].iter().flat_map(|label| label.to_le_bytes()).collect()),
        (">i4", [7_i32, 0, 255].iter().flat_map(|label| label.to_be_bytes()).collect()),
        ("<u2", [7_u16, 0, 255].iter().flat_map(|label| label.to_le_bytes()).collect()),
    ] {
        assert_eq!(labelled(&array(descr, "(3,)", &bytes)).unwrap().labels.unwrap(), [7, 0, 255], "{descr}");
        assert!(labelled(&array(descr, "(3, 1)", &bytes)).is_ok());
    }
    let said = |content: &[u8]| labelled(content).unwrap_err().to_string();
    // Other whole numbers, floats that are whole, and text are names of classes.
    let wide: Vec<u8> = [1000, -1, 1000_i64].iter().flat_map(|label| label.to_le_bytes()).collect();
    let halves: Vec<u8> = [2.0, 0.0, 2.0_f64].iter().flat_map(|label| label.to_le_bytes()).collect();
    let text: Vec<u8> = "ab\0a\0\0ab\0".chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
    for (descr, bytes, labels, classes) in [
        ("<i8", wide, [0, 1, 0], vec!["1000", "-1"]),
        ("<f8", halves, [2, 0, 2], vec![]),
        ("<U3", text, [1, 0, 1], vec!["a", "ab"]),
        ("|S2", b"aba\0ab".to_vec(), [1, 0, 1], vec!["a", "ab"]),
        ("|b1", vec![1, 0, 1], [1, 0, 1], vec![]),
    ] {
        let set = labelled(&array(descr, "(3,)", &bytes)).unwrap();
        assert_eq!(
            (set.labels.unwrap().as_slice(), set.classes),
            (&labels[..], classes.iter().map(|class| class.to_string()).collect()),
            "{descr}"
        );
    }
    assert!(
        said(&array("|u1", "(4,)", &[0; 4])).ends_with("expected 3 labels, one per image, found 4 labels")
    );
    assert!(said(&array("|u1", "(3, 2)", &[0; 6])).ends_with("expected labels [3], found [3, 2] of |u1"));
    let text = said(&array("<f8", "(3,)", &[0.5_f64; 3].map(f64::to_le_bytes).concat()));
    assert!(text.ends_with("expected whole numbers, found 0.5 at [0]"), "{text}");
    let text = said(&array("|O", "(3,)", &[0; 24]));
    assert!(text.contains("expected labels that are whole numbers or text, found [3] of |O"), "{text}");
}

#[test]
fn parts_are_drawn_from_one_array_with_every_class_in_proportion() {
    let folder = TempDir::new().unwrap();
    let images = put(&folder, "digits.npy", &array("|u1", "(40, 1)", &(0..40).collect::<Vec<_>>()));
    let load = |path: &Path| data::load(Source::Npy, Some(path), Some(6)).unwrap();
    let split = load(&images);
    assert_eq!(split.train.name, "digits");
    assert_eq!([split.train.len(), split.validation.len(), split.test.len()], [30, 6, 4]);
    assert_eq!(load(&images), split);
    let mut all = [split.train.bytes(), split.validation.bytes(), split.test.bytes()].concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..40));
    let (whole, _) = data::load_whole(Source::Npy, Some(&images), &Reading::default()).unwrap();
    assert!(whole.bytes().iter().copied().eq(0..40));
    // Sorted by class, as many arrays are. A file's own labels are preferred to the folder's labels.npy.
    let sorted: Vec<u8> = (0..40).map(|row| row / 10).collect();
    put(&folder, "labels.npy", &array("|u1", "(40,)", &[1; 40]));
    assert_eq!(load(&images).test.labels.unwrap(), [1; 4]);
    put(&folder, "digits-labels.npy", &array("|u1", "(40,)", &sorted));
    assert_eq!(load(&images).test.labels.unwrap(), [0, 1, 2, 3]);
}

#[test]
fn a_folder_holds_train_and_test_or_train_alone() {
    let folder = TempDir::new().unwrap();
    let error = data::load(Source::Npy, Some(folder.path()), None).unwrap_err().to_string();
    assert!(error.ends_with("expected train.npy, x_train.npy or train.npz, found none of them"), "{error}");
    let missing = folder.path().join("missing.npy");
    let error = data::load(Source::Npy, Some(&missing), None).unwrap_err().to_string();
    let expected = "data set npy: expected a .npy or .npz file or a folder with train.npy at ";
    assert!(error.starts_with(expected) && error.contains("nothing there"), "{error}");

    put(&folder, "train.npy", &array("|u1", "(20, 2)", &[0; 40]));
    put(&folder, "labels.npy", &array("|u1", "(20,)", &[5; 20]));
    let parts = || data::load(Source::Npy, Some(folder.path()), None).unwrap();
    assert_eq!(
        (parts().train.len(), parts().validation.len(), parts().test.labels.unwrap()),
        (17, 1, vec![5, 5])
    );
    put(&folder, "test.npy", &array("|u1", "(3, 2)", &[0; 6]));
    put(&folder, "test-labels.npy", &array("|u1", "(3,)", &[1, 2, 3]));
    assert_eq!((parts().train.len() + parts().validation.len(), parts().train.labels), (20, None));
    assert_eq!(parts().test.labels.unwrap(), [1, 2, 3]);
    let val = put(&folder, "valid.npy", &array("|u1", "(4, 2)", &[0; 8]));
    assert_eq!(parts().validation.len(), 4);
    fs::remove_file(val).unwrap();
    put(&folder, "test.npy", &array("|u1", "(3, 3)", &[0; 9]));
    assert!(matches!(data::load(Source::Npy, Some(folder.path()), None), Err(narrows::Error::Shape { .. })));
}
