//! Which files are read, and what is said about the others.

use std::path::Path;
use std::time::{Duration, Instant};

use image::{GrayImage, ImageFormat, Rgb, RgbImage};
use narrows::data::{self, Source};
use narrows::picture::Grid;
use tempfile::TempDir;

use super::{encoded, grey, png, put, read, refusal};

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
    // Enough whole ones that the damaged are few.
    for number in 0..100 {
        put(place.path(), &format!("a/whole-{number}.png"), &whole);
    }
    let start = Instant::now();
    let (train, test, report) = read(place.path());
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
    assert_eq!((train.len() + test.len(), report.files), (103, 113));
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
    let expected = "expected at least one readable PNG, JPEG, GIF, WebP, BMP, TIFF or PNM, found no file at all; \
                    give the folder of pictures: --data FOLDER";
    assert_eq!(said, format!("{}: {expected}", place.path().display()));
    put(place.path(), "b.png", &bomb(60_000));
    put(place.path(), "a.png", b"\x89PNG");
    let said = refusal(place.path());
    assert!(said.contains("found none; the first file, a.png, is left out: not a PNG"), "{said}");
    put(place.path(), "a.csv", b"1,2");
    let said = refusal(place.path());
    assert!(
        said.ends_with(&format!("; give that file: --data {}", place.path().join("a.csv").display())),
        "{said}"
    );
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
fn loading_stops_where_more_than_a_tenth_of_the_pictures_cannot_be_read() {
    let place = TempDir::new().unwrap();
    for number in 0..9 {
        put(place.path(), &format!("{number}.png"), &png(grey(number)));
        put(place.path(), &format!("{number}.txt"), b"P1 is what this begins with");
        put(place.path(), &format!("{number}.json"), b"{}");
    }
    put(place.path(), "a.jpg", b"");
    assert_eq!(read(place.path()).2.left_out.len(), 19);
    for name in ["b.jpg", "d"] {
        put(place.path(), name, &png(grey(0))[..30]);
    }
    put(place.path(), "c.heic", b"\0\0\0\x18ftypheic");
    put(place.path(), "e", b"\0\0\0\x18ftypavif");
    let said = refusal(place.path());
    let expected = format!(
        "{}: expected at most a tenth of the pictures to be unreadable, found 5 of 14, such as a.jpg (",
        place.path().display()
    );
    assert!(said.starts_with(&expected), "{said}");
    assert!(said.contains("), b.jpg (") && said.contains("), c.heic (") && !said.contains("d ("), "{said}");
    assert!(
        said.contains(
            "c.heic (not a PNG, JPEG, GIF, WebP, BMP, TIFF or PNM; convert it: magick c.heic c.png)"
        )
    );
    let way =
        ". Repair or convert them, or move them out of the folder: the same command then reads the others";
    assert!(said.ends_with(way), "{said}");
}

#[test]
fn runs_and_pictures_that_narrows_wrote_are_left_out() {
    let place = TempDir::new().unwrap();
    for number in 0..3 {
        put(place.path(), &format!("{number}.png"), &png(grey(number)));
    }
    let grid = Grid { images: &[0.0, 0.5, 1.0], shape: [1, 1, 3], columns: 1 };
    for name in ["samples.png", "report/codes.png"] {
        put(place.path(), name, &grid.png().unwrap());
    }
    for (name, content) in
        [("runs/a/config.toml", ""), ("runs/a/last.safetensors", ""), ("runs/b/metrics.jsonl", "")]
    {
        put(place.path(), name, content.as_bytes());
    }
    put(place.path(), "runs/a/epoch-001-samples.png", &png(grey(3)));
    let (train, test, report) = read(place.path());
    assert_eq!((train.len() + test.len(), report.files, report.left_out.len()), (3, 3, 0));
    assert_eq!(
        report.remarks,
        [
            "the folder runs/a is left out: it holds a run of narrows",
            "the folder runs/b is left out: it holds a run of narrows",
            "2 pictures that narrows wrote are left out, such as report/codes.png",
        ]
    );
}

#[test]
fn a_folder_with_nothing_but_pictures_of_narrows_says_so() {
    let place = TempDir::new().unwrap();
    let grid = Grid { images: &[0.0, 1.0], shape: [1, 1, 1], columns: 1 };
    put(place.path(), "a.png", &grid.png().unwrap());
    let said = refusal(place.path());
    assert!(said.ends_with("found none (one picture that narrows wrote is left out: a.png); give the folder of pictures: --data FOLDER"), "{said}");
}
