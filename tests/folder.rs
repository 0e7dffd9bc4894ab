//! Folders of pictures: their pixels, parts and classes, and the files that are left out.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image::{DynamicImage, GrayImage, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use narrows::data::{self, Dataset, Form, LoadReport, Source, folder};
use tempfile::TempDir;

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
    folder::read(folder, Form::default()).unwrap()
}

fn formed(folder: &Path, size: Option<[usize; 2]>, channels: Option<usize>) -> Dataset {
    folder::read(folder, Form { size, channels }).unwrap().0
}

fn refusal(folder: &Path) -> String {
    folder::read(folder, Form::default()).unwrap_err().to_string()
}

/// One picture, as the training part of a folder of its own.
fn one(name: &str, content: &[u8], form: Form) -> Dataset {
    let place = TempDir::new().unwrap();
    put(place.path(), name, content);
    folder::read(place.path(), form).unwrap().0
}

fn square(size: usize, channels: Option<usize>) -> Form {
    Form { size: Some([size; 2]), channels }
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
                part.bytes()[at * part.pixels()..][..part.pixels()],
                *grey(number).as_raw(),
                "{}",
                file.display()
            );
            let class = part.class(part.labels.as_ref().unwrap()[at]);
            assert_eq!(Path::new(&class), file.parent().unwrap());
        }
    }
}

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
    put(place.path(), "validation/c.png", &png(grey(9)));
    let (train, test, report) = read(place.path());
    assert_eq!((train.len(), test.len(), report.files), (6, 2, 8));
    assert_eq!(train.classes, ["0", "1", "2"]);
    assert!(test.files.iter().all(|file| file.starts_with("test")), "{:?}", test.files);
    let mut labels = test.labels.unwrap();
    labels.sort();
    assert_eq!(labels, [1, 2]);
    let said =
        "only the folders train and test are read; 1 other files are ignored, such as validation/c.png";
    assert_eq!(report.remarks, [said]);

    fs::remove_dir_all(place.path().join("test")).unwrap();
    put(place.path(), "test/readme.txt", b"nothing to see");
    let said = refusal(place.path());
    let part = place.path().join("test");
    assert!(said.starts_with(&format!("{}: expected at least one readable PNG", part.display())), "{said}");
    assert!(
        said.ends_with(
            "found none; the first file, test/readme.txt, is left out: not a PNG, JPEG, GIF, WebP, \
        BMP, TIFF or PNM"
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
fn colour_is_kept_unless_all_are_grey_or_grey_is_asked_for() {
    let place = TempDir::new().unwrap();
    let same = |x, _| Rgb([x as u8 * 40; 3]);
    put(place.path(), "grey-as-rgb.png", &png(RgbImage::from_fn(4, 4, same)));
    put(place.path(), "wide.png", &png(GrayImage::from_fn(4, 4, |x, _| [x as u8 * 40].into())));
    let row = [0, 40, 80, 120];
    assert_eq!(
        (read(place.path()).0.channels, &read(place.path()).0.bytes()[..row.len() * 4]),
        (1, row.repeat(4).as_slice())
    );
    assert_eq!(formed(place.path(), None, Some(3)).channels, 3);
    let colour = Rgb([200, 100, 20]);
    put(place.path(), "colour.png", &png(RgbImage::from_pixel(4, 4, colour)));
    let (train, test, _) = read(place.path());
    assert_eq!((train.channels, test.channels), (3, 3));
    for part in [train, test] {
        for (at, file) in part.files.iter().enumerate() {
            let expected = if file.ends_with("colour.png") { colour.0 } else { [0; 3] };
            assert_eq!(part.bytes()[at * part.pixels()..][..3], expected, "{}", file.display());
        }
    }
    let luma = DynamicImage::from(RgbImage::from_pixel(1, 1, colour)).into_luma8().into_raw();
    assert_eq!(
        one("a.png", &png(RgbImage::from_pixel(9, 9, colour)), square(2, Some(1))).bytes(),
        luma.repeat(4)
    );
}

#[test]
fn the_middle_is_cropped_and_resized() {
    let bars =
        RgbImage::from_fn(40, 10, |x, _| if (15..25).contains(&x) { Rgb([9, 8, 7]) } else { Rgb([255; 3]) });
    assert_eq!(one("wide.png", &png(bars.clone()), square(6, None)).bytes(), [9, 8, 7].repeat(36));
    let tall = DynamicImage::from(bars).rotate90();
    assert_eq!(one("tall.png", &png(tall), square(17, None)).bytes(), [9, 8, 7].repeat(17 * 17));
    // A ramp remains a ramp at half the size: Lanczos is exact on its linear middle.
    let ramp = GrayImage::from_fn(40, 40, |x, _| [(x * 4) as u8].into());
    let small = one("ramp.png", &png(ramp), square(20, None));
    let expected: Vec<i16> = (0..20).map(|x| 8 * x + 2).collect();
    for (x, expected) in expected.iter().enumerate().take(17).skip(3) {
        assert!((i16::from(small.bytes()[20 * 9 + x]) - expected).abs() <= 1, "{:?}", &small.bytes()[..20]);
    }
}

#[test]
fn what_is_transparent_shows_white() {
    let pixel = |alpha| RgbaImage::from_pixel(3, 3, Rgba([100, 0, 200, alpha]));
    for (alpha, expected) in [(0, [255; 3]), (255, [100, 0, 200]), (51, [224, 204, 244])] {
        assert_eq!(one("a.png", &png(pixel(alpha)), square(1, Some(3))).bytes(), expected, "alpha {alpha}");
    }
    let veil = DynamicImage::from(pixel(128)).into_luma_alpha8();
    assert_eq!(one("a.png", &png(veil.clone()), square(1, None)).channels, 1);
    assert!(one("a.png", &png(veil), square(1, None)).bytes()[0] > 130);
}

#[test]
fn the_size_is_their_own_where_they_share_a_small_one_and_else_64() {
    let sized = |sizes: &[(u32, u32)]| {
        let place = TempDir::new().unwrap();
        for (number, (height, width)) in sizes.iter().enumerate() {
            put(place.path(), &format!("{number}.png"), &png(GrayImage::new(*width, *height)));
        }
        let train = read(place.path()).0;
        (train.height, train.width)
    };
    assert_eq!(sized(&[(128, 7), (128, 7)]), (128, 7));
    assert_eq!(sized(&[(129, 7), (129, 7)]), (64, 64));
    assert_eq!(sized(&[(20, 30), (30, 20)]), (64, 64));
}

#[test]
fn pictures_are_turned_upright_as_their_camera_noted() {
    // Exif orientation 6: upright after a quarter turn clockwise.
    let exif = [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".as_slice()].concat();
    let lying = RgbImage::from_fn(8, 4, |x, _| if x < 4 { Rgb([0; 3]) } else { Rgb([255; 3]) });
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.write_image(lying.as_raw(), 8, 4, image::ExtendedColorType::Rgb8).unwrap();
    let upright = one("a.png", &bytes, Form::default());
    assert_eq!((upright.height, upright.width, upright.channels), (8, 4, 1));
    assert_eq!(upright.bytes(), [vec![0; 16], vec![255; 16]].concat());
}

#[test]
fn every_format_is_read_whatever_its_name() {
    let picture = RgbImage::from_fn(16, 16, |x, y| Rgb([x as u8 * 8, 128, y as u8 * 8]));
    for format in ["png", "jpg", "gif", "webp", "bmp", "tiff", "ppm"] {
        let kind = ImageFormat::from_extension(format).unwrap();
        let set = one("picture.txt", &encoded(picture.clone(), kind), Form::default());
        assert_eq!((set.height, set.width, set.channels), (16, 16, 3), "{format}");
        let off = set.bytes().iter().zip(picture.as_raw()).map(|(got, expected)| got.abs_diff(*expected));
        let most = if matches!(format, "jpg" | "gif") { 40 } else { 0 };
        assert!(off.max() <= Some(most), "{format}");
    }
}

/// A PNG header that claims a size, without the pixels.
fn bomb(extent: u32) -> Vec<u8> {
    let mut bytes = png(GrayImage::new(8, 8));
    for at in [16, 20] {
        bytes[at..at + 4].copy_from_slice(&extent.to_be_bytes());
    }
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    bytes
}

#[test]
fn damaged_foreign_and_hostile_files_are_named_and_left_out() {
    let place = TempDir::new().unwrap();
    let whole = png(RgbImage::from_fn(32, 32, |x, y| Rgb([(x * y) as u8, 3, 5])));
    let jpeg = encoded(RgbImage::from_fn(32, 32, |x, y| Rgb([(x * y) as u8, 3, 5])), ImageFormat::Jpeg);
    for (name, content) in [
        ("a/whole.png", &whole[..]),
        ("b/whole.jpg", &jpeg),
        ("b/another.png", &whole),
        ("a/bomb.png", &bomb(1_000_000)),
        ("a/empty.png", b""),
        ("a/half.png", &whole[..whole.len() / 2]),
        ("a/head.jpg", &jpeg[..20]),
        ("a/list.txt", b"a list of pictures"),
        ("b/magic.png", &whole[..8]),
        ("b/no-pixels.bmp", &[b"BM".as_slice(), &[0; 60]].concat()),
        ("b/tiff.tif", b"II*\0\xff\xff\xff\xff"),
        ("b/webp.webp", b"RIFF\xff\xff\xff\xffWEBPVP8L\xff\xff\xff\xff/\xff\xff\xff\xff"),
        ("c/none.gif", b"GIF89a\xff\xff\xff\xff\0\0\0"),
        (".hidden/x.png", b"not even looked at"),
        ("a/.DS_Store", b"nor this"),
    ] {
        put(place.path(), name, content);
    }
    let start = Instant::now();
    let (train, test, report) = read(place.path());
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
    assert_eq!((train.len() + test.len(), report.files), (3, 13));
    let named: Vec<_> = report.left_out.iter().map(|(file, _)| file.to_str().unwrap()).collect();
    assert_eq!(
        named,
        [
            "a/bomb.png",
            "a/empty.png",
            "a/half.png",
            "a/head.jpg",
            "a/list.txt",
            "b/magic.png",
            "b/no-pixels.bmp",
            "b/tiff.tif",
            "b/webp.webp",
            "c/none.gif",
        ]
    );
    assert!(report.left_out.iter().all(|(_, reason)| !reason.is_empty() && !reason.contains('\n')));
    let reason = |name: &str| &report.left_out.iter().find(|(file, _)| file == Path::new(name)).unwrap().1;
    assert_eq!(reason("a/bomb.png"), "1000000 x 1000000 pixels take more than 256 MiB");
    assert_eq!(reason("a/list.txt"), "not a PNG, JPEG, GIF, WebP, BMP, TIFF or PNM");
    // No picture is in c, so it is not a class.
    assert_eq!(train.classes, ["a", "b"]);
}

#[test]
fn a_folder_without_a_picture_is_an_error() {
    let place = TempDir::new().unwrap();
    let said = refusal(place.path());
    let expected =
        "expected at least one readable PNG, JPEG, GIF, WebP, BMP, TIFF or PNM, found no file at all";
    assert_eq!(said, format!("{}: {expected}", place.path().display()));
    put(place.path(), "b.png", &bomb(60_000));
    put(place.path(), "a.png", b"\x89PNG");
    let said = refusal(place.path());
    assert!(said.contains("found none; the first file, a.png, is left out: not a PNG"), "{said}");
    let missing = place.path().join("missing");
    let said = data::load(Source::Folder, Some(&missing), None).unwrap_err().to_string();
    let expected = format!("expected a folder of pictures at {}, got no such folder", missing.display());
    assert!(said.starts_with(&format!("data set folder: {expected}")), "{said}");
    let said = data::load(Source::Folder, None, None).unwrap_err().to_string();
    assert!(
        said.starts_with("data set folder: expected --data-dir, a folder of pictures, got none"),
        "{said}"
    );
}

#[test]
fn a_form_that_no_picture_has_is_refused() {
    let place = TempDir::new().unwrap();
    put(place.path(), "a.png", &png(grey(0)));
    for (form, expected) in [
        (Form { size: Some([0, 4]), channels: None }, "size: expected 1 to 32768 pixels, got 0"),
        (square(usize::MAX, None), "size: expected 1 to 32768 pixels, got "),
        (square(2, Some(2)), "channels: expected 1 for grey or 3 for RGB, got 2"),
    ] {
        let said = folder::read(place.path(), form).unwrap_err().to_string();
        assert!(said.starts_with(expected), "{said}");
    }
    for number in 0..8 {
        put(place.path(), &format!("{number}.png"), b"");
    }
    let said = folder::read(place.path(), square(32_768, None)).unwrap_err().to_string();
    assert!(said.starts_with("size: expected a size at which all pictures take at most 16 GiB"), "{said}");
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

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles_and_pipes_are_not_waited_for() {
    use std::os::unix::fs::symlink;
    let place = TempDir::new().unwrap();
    put(place.path(), "a/1.png", &png(grey(1)));
    put(place.path(), "a/2.png", &png(grey(2)));
    symlink("a", place.path().join("b")).unwrap();
    symlink("..", place.path().join("a/up")).unwrap();
    symlink("gone.png", place.path().join("dangling.png")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(place.path().join("pipe.png")).status().unwrap();
    assert!(made.success());
    let (train, test, report) = read(place.path());
    assert_eq!((train.len() + test.len(), train.classes.len()), (4, 2));
    let left_out: Vec<_> = report.left_out.iter().map(|(file, _)| file.to_str().unwrap()).collect();
    assert_eq!(left_out, ["a/up", "b/up", "dangling.png", "pipe.png"]);
    assert_eq!(report.left_out[0].1, "a link to a folder that contains it");
    assert_eq!(report.left_out[3].1, "neither a file nor a folder");
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
