//! Data sets: the built-in sample, whole and damaged IDX files, the search for folders, the validation part.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flate2::{Compression, Crc, write::GzEncoder};
use narrows::Error;
use narrows::data::{self, Dataset, Source, Split, idx};
use tempfile::TempDir;

fn images_idx(extents: [u32; 3], pixels: &[u8]) -> Vec<u8> {
    let header = [0x0803, extents[0], extents[1], extents[2]].map(u32::to_be_bytes).concat();
    [&header, pixels].concat()
}

fn labels_idx(labels: &[u8]) -> Vec<u8> {
    [&[0x0801, labels.len() as u32].map(u32::to_be_bytes).concat(), labels].concat()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// `count` pictures of 3x2, with no two equal bytes in a row.
fn pixels(count: usize) -> Vec<u8> {
    (0..count * 6).map(|i| (i * 37 % 251) as u8).collect()
}

fn put(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

/// The error for `content` as a file of images, which must come quickly and name the file.
fn refusal(content: &[u8]) -> String {
    let folder = TempDir::new().unwrap();
    let path = put(&folder, "pictures", content);
    let start = Instant::now();
    let error = idx::read("x", &path, None).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(2), "took {:?}", start.elapsed());
    let text = error.to_string();
    let said = text.strip_prefix(&format!("{}: ", path.display())).expect(&text).to_owned();
    let of_bytes = idx::from_bytes("x", content, None).unwrap_err().to_string();
    assert_eq!(of_bytes, format!("IDX images: {said}"));
    said
}

/// A folder with ten training and four test pictures of 3x2.
fn small_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    put(&folder, "train-images-idx3-ubyte", &images_idx([10, 3, 2], &pixels(10)));
    put(&folder, "train-labels-idx1-ubyte", &labels_idx(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    put(&folder, "t10k-images.idx3-ubyte", &images_idx([4, 3, 2], &pixels(4)));
    put(&folder, "t10k-labels-idx1-ubyte.gz", &gzip(&labels_idx(&[3, 2, 1, 0])));
    folder
}

fn load_error(source: Source, folder: &Path) -> String {
    data::load(source, Some(folder), None).unwrap_err().to_string()
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The sums below come from the full Fashion-MNIST files, not from the sample.
#[test]
fn the_sample_is_the_beginning_of_fashion_mnist() {
    let Split { train, test, validation, .. } = data::load(Source::Sample, None, Some(0)).unwrap();
    assert_eq!((train.len(), test.len(), validation.len()), (8_000, 1_000, 0));
    for part in [&train, &test] {
        assert_eq!((part.height, part.width, part.channels, part.pixels()), (28, 28, 1, 784));
    }
    assert_eq!(train.bytes()[..784].iter().map(|x| u32::from(*x)).sum::<u32>(), 76_247);
    assert_eq!(checksum(&train.bytes()[..784]), 0xf270_beb5);
    assert_eq!(checksum(&test.bytes()[..784]), 0x5283_0860);
    assert_eq!(checksum(&train.bytes()), 0xc272_1cc2);
    assert_eq!(checksum(&test.bytes()), 0xc03b_4346);
    assert_eq!(checksum(train.labels.as_ref().unwrap()), 0x6655_38e5);
    assert_eq!(checksum(test.labels.as_ref().unwrap()), 0x6b4b_2c66);
    assert_eq!(test.class(train.labels.as_ref().unwrap()[0]), "Ankle boot");
}

#[test]
fn the_sample_stays_under_four_mebibytes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/data/sample");
    let packed = |file: &fs::DirEntry| file.path().extension().is_some_and(|extension| extension == "gz");
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap).filter(packed);
    let sizes: Vec<_> = files.map(|file| file.metadata().unwrap().len()).collect();
    assert_eq!(sizes.len(), 4);
    assert!(sizes.iter().sum::<u64>() < 4 << 20, "{sizes:?}");
}

#[test]
fn an_idx_file_reads_alike_plain_and_gzipped_whatever_its_name() {
    let folder = TempDir::new().unwrap();
    let images = images_idx([5, 3, 2], &pixels(5));
    let labels = labels_idx(&[4, 0, 3, 1, 2]);
    let two_members = [gzip(&images[..20]), gzip(&images[20..])].concat();
    for (images, labels) in [(&images, &labels), (&gzip(&images), &gzip(&labels)), (&two_members, &labels)]
        .map(|(i, l)| (put(&folder, "images.gz", i), put(&folder, "labels", l)))
    {
        let set = idx::read("x", &images, Some(&labels)).unwrap();
        assert_eq!((set.len(), set.height, set.width, set.channels), (5, 3, 2, 1));
        assert_eq!(set.bytes(), pixels(5));
        assert_eq!(set.bytes()[24..], pixels(5)[24..]);
        assert_eq!(set.labels.unwrap(), [4, 0, 3, 1, 2]);
    }
}

#[test]
fn a_truncated_header_is_refused() {
    assert_eq!(refusal(b""), "expected a header of 16 bytes, found 0 bytes");
    assert_eq!(refusal(&[0x1f]), "expected a header of 16 bytes, found 1 bytes");
    let whole = images_idx([5, 3, 2], &pixels(5));
    assert_eq!(refusal(&whole[..15]), "expected a header of 16 bytes, found 15 bytes");
    assert_eq!(refusal(&gzip(&whole[..9])), "expected a header of 16 bytes, found 9 bytes");
    assert!(refusal(&gzip(&whole)[..5]).contains("a gzip stream that ends early, after 0 bytes"));
}

#[test]
fn truncated_pixels_are_refused() {
    let whole = images_idx([5, 3, 2], &pixels(5));
    let expected = "expected 30 bytes of pixels after the header (5 images of 3x2), found ";
    assert_eq!(refusal(&whole[..45]), format!("{expected}29 bytes"));
    assert_eq!(refusal(&gzip(&whole[..16])), format!("{expected}0 bytes"));
    let packed = gzip(&whole);
    for cut in [packed.len() - 1, packed.len() - 8, packed.len() - 12] {
        let text = refusal(&packed[..cut]);
        assert!(text.starts_with(&format!("{expected}a gzip stream that ends early, after ")), "{text}");
    }
}

#[test]
fn trailing_bytes_are_refused() {
    let mut long = images_idx([5, 3, 2], &pixels(5));
    long.push(0);
    let text = "expected 30 bytes of pixels after the header (5 images of 3x2), found more bytes after them";
    assert_eq!(refusal(&long), text);
    assert_eq!(refusal(&gzip(&long)), text);
    let after_the_stream = [gzip(&long[..46]), b"more".to_vec()].concat();
    assert!(refusal(&after_the_stream).contains("gzip stream"));
}

#[test]
fn a_wrong_magic_is_refused() {
    assert_eq!(
        refusal(&labels_idx(&[0; 40])),
        "expected the IDX magic 0x00000803, found 0x00000801, a file of labels"
    );
    assert_eq!(refusal(b"\x89PNG"), "expected the IDX magic 0x00000803, found 0x89504e47");
}

#[test]
fn a_header_that_claims_the_absurd_is_refused() {
    for extents in [[1 << 31, 28, 28], [u32::MAX; 3], [1, 1 << 16, (1 << 15) + 1]] {
        let [count, height, width] = extents;
        let claim = format!("found a header that claims {count} images of {height}x{width}");
        assert_eq!(
            refusal(&images_idx(extents, &[0; 10])),
            format!("expected at most 2147483648 bytes of pixels, {claim}")
        );
    }
    // Just allowed, so that only the bytes that arrive can bound the memory.
    let text = refusal(&images_idx([1 << 31, 1, 1], &[0; 10]));
    assert!(text.ends_with("found 10 bytes"), "{text}");
}

#[test]
fn no_images_or_no_pixels_are_refused() {
    for extents in [[0, 3, 2], [5, 0, 2], [5, 3, 0]] {
        let text = refusal(&images_idx(extents, &[]));
        assert!(text.starts_with("expected at least one image of at least one pixel, found "), "{text}");
    }
}

/// The end of the bomb is cut off: a reader that unpacks all of it reports that instead.
#[test]
fn a_gzip_bomb_is_refused_without_being_unpacked() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    bomb.write_all(&images_idx([10, 28, 28], &[])).unwrap();
    let block = vec![0; 1 << 20];
    for _ in 0..64 {
        bomb.write_all(&block).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let text = refusal(&bomb[..bomb.len() - 9]);
    assert!(text.ends_with("(10 images of 28x28), found more bytes after them"), "{text}");
}

#[test]
fn a_damaged_gzip_stream_is_refused() {
    let mut packed = gzip(&images_idx([5, 3, 2], &pixels(5)));
    let checksum = packed.len() - 8;
    packed[checksum] ^= 1;
    let text = refusal(&packed);
    assert!(text.contains("found a damaged gzip stream"), "{text}");
}

#[test]
fn labels_that_are_not_one_an_image_are_refused() {
    let folder = small_folder();
    let labels = put(&folder, "train-labels-idx1-ubyte", &labels_idx(&[1; 9]));
    let text = load_error(Source::Mnist, folder.path());
    assert_eq!(text, format!("{}: expected 10 labels, one per image, found 9 labels", labels.display()));
    put(&folder, "train-labels-idx1-ubyte", &labels_idx(&[1; 10])[..17]);
    let text = load_error(Source::Mnist, folder.path());
    assert!(text.ends_with("expected 10 bytes of labels after the header, found 9 bytes"), "{text}");
}

#[test]
fn a_folder_loads_in_every_spelling_of_its_files() {
    let folder = small_folder();
    for source in [Source::FashionMnist, Source::Mnist, Source::Idx] {
        let split = data::load(source, Some(folder.path()), Some(3)).unwrap();
        assert_eq!(split.train.bytes(), &pixels(10)[..42]);
        assert_eq!(split.validation.bytes(), &pixels(10)[42..]);
        assert_eq!(split.validation.labels.unwrap(), [7, 8, 9]);
        assert_eq!(split.test.labels.unwrap(), [3, 2, 1, 0]);
    }
}

#[test]
fn only_the_source_idx_does_without_labels() {
    let folder = small_folder();
    fs::remove_file(folder.path().join("train-labels-idx1-ubyte")).unwrap();
    let split = data::load(Source::Idx, Some(folder.path()), None).unwrap();
    assert_eq!((split.train.labels, split.validation.labels), (None, None));
    assert_eq!(split.train.name, folder.path().file_name().unwrap().to_str().unwrap());
    let text = load_error(Source::Mnist, folder.path());
    assert!(text.contains("train-labels-idx1-ubyte, train-labels-idx1-ubyte.gz"), "{text}");
}

#[test]
fn a_missing_file_is_named_in_every_spelling() {
    let folder = TempDir::new().unwrap();
    let names = "train-images-idx3-ubyte, train-images-idx3-ubyte.gz, train-images.idx3-ubyte, \
                 train-images.idx3-ubyte.gz";
    let text = format!("{}: expected one of the files {names}, found none of them", folder.path().display());
    assert_eq!(load_error(Source::Idx, folder.path()), text);
}

#[test]
fn a_missing_path_or_a_folder_in_place_of_a_file_is_named() {
    let folder = TempDir::new().unwrap();
    let error = idx::read("x", folder.path(), None).unwrap_err().to_string();
    assert!(error.starts_with(&folder.path().display().to_string()), "{error}");
    let missing = folder.path().join("missing");
    assert!(matches!(idx::read("x", &missing, None), Err(Error::Io { path, .. }) if path == missing));
}

#[test]
fn a_missing_folder_is_answered_with_the_place_and_the_way_to_get_it() {
    let parent = TempDir::new().unwrap();
    let missing = parent.path().join("missing");
    let text = load_error(Source::FashionMnist, &missing);
    for part in [missing.to_str().unwrap(), "apt-get install dataset-fashion-mnist", "--data-dir"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(load_error(Source::Mnist, &missing).contains(missing.to_str().unwrap()));
    assert!(data::load(Source::Idx, None, None).unwrap_err().to_string().contains("--data-dir"));
    assert!(load_error(Source::Sample, &missing).contains("built in"));
}

#[test]
fn validation_is_a_tenth_and_at_most_five_thousand() {
    let grey = |count| Dataset::new("grey", [1, 1, 1], vec![0; count], None).unwrap();
    for (train, expected) in [(60_000, 5_000), (8_000, 800), (9, 0)] {
        let split = Split::new(grey(train), grey(1), None).unwrap();
        assert_eq!((split.train.len(), split.validation.len()), (train - expected, expected));
    }
}

#[test]
fn validation_must_leave_something_to_train_on() {
    let folder = small_folder();
    for count in [10, 11, usize::MAX] {
        let error = data::load(Source::Mnist, Some(folder.path()), Some(count)).unwrap_err().to_string();
        let text = "validation: expected fewer than the 10 training images of mnist, got ";
        assert_eq!(error, format!("{text}{count}"));
    }
    let all_but_one = data::load(Source::Mnist, Some(folder.path()), Some(9)).unwrap();
    assert_eq!(all_but_one.train.len(), 1);
    let none = data::load(Source::Mnist, Some(folder.path()), Some(0)).unwrap();
    assert!(none.validation.is_empty() && none.train.len() == 10);
}

#[test]
fn training_and_test_images_must_have_one_size() {
    let set = |size| Dataset::new("x", size, vec![0; 24], None).unwrap();
    assert!(matches!(Split::new(set([3, 2, 1]), set([2, 3, 1]), None), Err(Error::Shape { .. })));
}

#[test]
fn a_data_set_refuses_what_does_not_fit_and_slices_what_does() {
    let make = |size, labels| Dataset::new("x", size, pixels(4), labels);
    assert!(make([0, 2, 1], None).is_err());
    assert!(make([usize::MAX, 2, 1], None).is_err());
    assert!(make([5, 2, 1], None).is_err());
    assert!(make([3, 2, 1], Some(vec![0; 3])).is_err());
    let colour = make([1, 2, 3], Some(vec![0, 1, 2, 3])).unwrap();
    let middle = colour.slice(1..3).unwrap();
    assert_eq!((middle.len(), middle.channels), (2, 3));
    assert_eq!((middle.bytes(), middle.labels.clone()), (pixels(4)[6..18].to_vec(), Some(vec![1, 2])));
    assert!(colour.slice(4..4).unwrap().is_empty());
    assert_eq!(colour.first(9).unwrap(), colour);
    assert_eq!(colour.first(1).unwrap(), colour.slice(0..1).unwrap());
    assert!(colour.slice(1..5).is_err());
    let (start, end) = (3, 2);
    assert!(colour.slice(start..end).is_err());
}

#[test]
fn classes_name_every_label_and_files_every_image() {
    let labelled = || Dataset::new("x", [3, 2, 1], pixels(3), Some(vec![1, 0, 2])).unwrap();
    assert_eq!(labelled().class(2), "2");
    let named = labelled().with_classes(["coat", "bag", "shirt"]).unwrap();
    assert_eq!((named.class(1), named.class(3)), ("bag".to_owned(), "3".to_owned()));
    let error = labelled().with_classes(["coat", "bag"]).unwrap_err().to_string();
    assert_eq!(error, "x: expected labels below 2, the number of its classes, got 2");
    assert!(labelled().with_files(vec!["a".into(); 2]).is_err());
    let whole = named.with_files(vec!["a".into(), "b".into(), "c".into()]).unwrap();
    let split = Split::new(whole.clone(), whole.clone(), Some(1)).unwrap();
    assert_eq!((split.train.files.len(), &split.validation.files), (2, &vec![PathBuf::from("c")]));
    assert_eq!(split.validation.class(2), "shirt");
    let middle = whole.slice(1..2).unwrap();
    assert_eq!((middle.class(0), middle.files), ("coat".to_owned(), vec![PathBuf::from("b")]));
}

#[test]
fn a_source_has_one_name_everywhere() {
    let names =
        ["sample", "fashion-mnist", "mnist", "idx", "folder", "table", "npy", "spiral", "moons", "mixture"];
    for name in names {
        let source: Source = name.parse().unwrap();
        assert_eq!(source.to_string(), name);
        assert_eq!(serde_json::to_value(source).unwrap(), name);
    }
    assert_eq!(Source::default(), Source::Sample);
    let text = "fashion".parse::<Source>().unwrap_err().to_string();
    assert_eq!(text, format!("data set: expected one of {}, got `fashion`", names.join(", ")));
}
