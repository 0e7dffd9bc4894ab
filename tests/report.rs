//! Pictures: every pixel where it belongs.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]

use image::RgbImage;
use narrows::picture::{Grid, interleaved};
use tempfile::TempDir;

fn picture(images: &[f32], shape: [usize; 3], columns: usize) -> RgbImage {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("grid.png");
    Grid { images, shape, columns }.save(&path).unwrap();
    image::open(path).unwrap().to_rgb8()
}

// The pixel at `[y, x]` of image `number`, undoing the layout: gaps of one, then enlarged.
fn at(
    picture: &RgbImage,
    [height, width]: [usize; 2],
    columns: usize,
    number: usize,
    y: usize,
    x: usize,
) -> [u8; 3] {
    let zoom = picture.width() as usize / (columns * (width + 1) + 1);
    let row = 1 + number / columns * (height + 1) + y;
    let column = 1 + number % columns * (width + 1) + x;
    picture.get_pixel((column * zoom + zoom / 2) as u32, (row * zoom + zoom / 2) as u32).0
}

#[test]
fn a_grid_lays_grey_images_out_in_rows_enlarged() {
    let (height, width, columns) = (2, 3, 2);
    let images: Vec<f32> = (0..3 * 6).map(|i| i as f32 * 10.0 / 255.0).collect();
    let picture = picture(&images, [height, width, 1], columns);
    // 2 columns of 3 and 3 gaps are 9 pixels, 2 rows of 2 and 3 gaps are 7: 800 / 9 = 88 times enlarged.
    assert_eq!(picture.dimensions(), (9 * 88, 7 * 88));
    for (i, _) in images.iter().enumerate() {
        let (number, y, x) = (i / 6, i % 6 / width, i % width);
        assert_eq!(at(&picture, [height, width], columns, number, y, x), [10 * i as u8; 3], "value {i}");
    }
    // The incomplete last row, and the gaps, are white.
    assert_eq!(at(&picture, [height, width], columns, 3, 0, 0), [255; 3]);
    assert_eq!(picture.get_pixel(0, 0).0, [255; 3]);
    assert_eq!(picture.get_pixel(87, 87).0, [255; 3]);
    assert_eq!(picture.get_pixel(88, 88).0, [0; 3]);
}

#[test]
fn a_grid_clips_and_rounds_its_values() {
    let images = [-3.0, 0.0, 0.499 / 255.0, 0.501 / 255.0, 1.0, 7.0, f32::INFINITY, f32::NAN];
    let picture = picture(&images, [1, 1, 1], 8);
    let values: Vec<u8> = (0..8).map(|number| at(&picture, [1, 1], 8, number, 0, 0)[0]).collect();
    assert_eq!(values, [0, 0, 0, 1, 255, 255, 255, 0]);
}

#[test]
fn a_grid_keeps_colours_and_does_not_shrink_what_is_wide() {
    let images: Vec<f32> = (0..900 * 3).map(|i| f32::from(i as u8) / 255.0).collect();
    let picture = picture(&images, [1, 900, 3], 1);
    assert_eq!(picture.dimensions(), (902, 3));
    assert_eq!(picture.get_pixel(3, 1).0, [6, 7, 8]);
}

#[test]
fn a_grid_shows_what_has_opacity_on_white() {
    let coloured = picture(&[1.0, 0.0, 0.5, 0.2], [1, 1, 4], 1);
    assert_eq!(at(&coloured, [1, 1], 1, 0, 0, 0), [255, 204, 230]);
    let grey = picture(&[0.0, 1.0, 0.0, 0.0], [1, 2, 2], 1);
    assert_eq!([0, 1].map(|x| at(&grey, [1, 2], 1, 0, 0, x)), [[0; 3], [255; 3]]);
}

#[test]
fn a_grid_refuses_what_is_no_picture() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("grid.png");
    for (count, shape) in [(0, [2, 2, 1]), (4, [0, 2, 1]), (20, [2, 2, 5]), (5, [2, 2, 1])] {
        let images = vec![0.0; count];
        let error = Grid { images: &images, shape, columns: 1 }.save(&path).unwrap_err().to_string();
        assert!(error.starts_with("picture: expected whole images of 1 to 4 channels, got"), "{error}");
    }
    assert!(!path.exists());
    let error =
        Grid { images: &[0.0], shape: [1; 3], columns: 1 }.save(folder.path()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: cannot write", folder.path().display())), "{error}");
}

#[cfg(unix)]
#[test]
fn a_picture_takes_the_place_of_an_older_file_whole_and_a_link_to_it_stays_a_link() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let [path, kept, link] = ["grid.png", "kept.png", "link.png"].map(|name| folder.path().join(name));
    std::fs::write(&path, "old").unwrap();
    // A second name of the old file shows whether it was written into.
    std::fs::hard_link(&path, &kept).unwrap();
    std::os::unix::fs::symlink("grid.png", &link).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let grid = Grid { images: &[0.0, 1.0], shape: [1, 2, 1], columns: 1 };
    grid.save(&link).unwrap();
    assert!(link.is_symlink() && std::fs::read_dir(&folder).unwrap().count() == 3);
    assert_eq!(std::fs::read(&path).unwrap(), grid.png().unwrap());
    assert_eq!(std::fs::read(&kept).unwrap(), b"old");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn rows_of_originals_alternate_with_rows_of_reconstructions() {
    let [above, below] = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]];
    assert_eq!(interleaved(&[&above, &below], 1, 2), [0.1, 0.2, 0.5, 0.6, 0.3, 0.4, 0.7, 0.8]);
    assert_eq!(interleaved(&[&above, &below], 2, 2), [above, below].concat());
    assert_eq!(interleaved(&[&above[..2], &below[..2], &[0.9, 0.9]], 1, 1), [0.1, 0.5, 0.9, 0.2, 0.6, 0.9]);
}

#[test]
fn an_incomplete_last_row_keeps_reconstructions_under_their_originals() {
    let white = 1.0;
    assert_eq!(
        interleaved(&[&[0.1, 0.2, 0.3], &[0.5, 0.6, 0.7]], 1, 2),
        [0.1, 0.2, 0.5, 0.6, 0.3, white, 0.7, white]
    );
    assert!(interleaved(&[&[], &[]], 1, 2).is_empty());
}
