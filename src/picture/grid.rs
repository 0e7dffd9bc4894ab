//! Grids of small images in one PNG.

use std::path::Path;

use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};

use crate::{Error, Result};

// Between images, and around them, before enlarging.
const GAP: usize = 1;
// Small images are enlarged until the grid is about this wide.
const WIDTH: usize = 800;

/// Images `[count, height, width, channels]` with values in [0, 1], laid out in rows.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'a> {
    /// The images' values; beyond [0, 1] they are clipped.
    pub images: &'a [f32],
    /// Height, width and channels (1 or 3) of each.
    pub shape: [usize; 3],
    /// Images in a row.
    pub columns: usize,
}

impl Grid<'_> {
    /// Writes the PNG.
    ///
    /// # Errors
    /// As [`Grid::png`]; [`Error::Io`] naming the file.
    pub fn save(&self, path: &Path) -> Result<()> {
        std::fs::write(path, self.png()?).map_err(Error::io("write", path))
    }

    /// The PNG's bytes.
    ///
    /// # Errors
    /// [`Error::Shape`] for channels other than 1 and 3 or no image.
    pub fn png(&self) -> Result<Vec<u8>> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        self.picture()?.write_to(&mut bytes, ImageFormat::Png).map_err(|error| Error::Bytes {
            what: "picture",
            expected: "one that can be written as PNG".to_owned(),
            found: error.to_string(),
        })?;
        Ok(bytes.into_inner())
    }

    fn picture(&self) -> Result<DynamicImage> {
        let [height, width, channels] = self.shape;
        let size = height * width * channels;
        let count = self.images.len().checked_div(size).unwrap_or(0);
        if count == 0 || count * size != self.images.len() || !matches!(channels, 1 | 3) {
            let got = format!("{} values for {height} x {width} x {channels}", self.images.len());
            return Err(Error::shape("picture", "whole images of 1 or 3 channels", got));
        }
        let columns = self.columns.clamp(1, count);
        let rows = count.div_ceil(columns);
        let across = columns * (width + GAP) + GAP;
        let down = rows * (height + GAP) + GAP;
        let zoom = (WIDTH / across).max(1);
        let mut pixels = vec![255; across * zoom * down * zoom * channels];
        for (number, image) in self.images.chunks_exact(size).enumerate() {
            let top = GAP + number / columns * (height + GAP);
            let left = GAP + number % columns * (width + GAP);
            for y in 0..height * zoom {
                for x in 0..width * zoom {
                    let from = (y / zoom * width + x / zoom) * channels;
                    let to = ((top * zoom + y) * across * zoom + left * zoom + x) * channels;
                    for channel in 0..channels {
                        pixels[to + channel] = (image[from + channel].clamp(0.0, 1.0) * 255.0).round() as u8;
                    }
                }
            }
        }
        let (across, down) = ((across * zoom) as u32, (down * zoom) as u32);
        let picture = if channels == 1 {
            GrayImage::from_raw(across, down, pixels).map(DynamicImage::from)
        } else {
            RgbImage::from_raw(across, down, pixels).map(DynamicImage::from)
        };
        picture.ok_or_else(|| Error::shape("picture", "as many pixels as it is large", "another number"))
    }
}

/// Rows of `columns` images of the first set, each followed by the rows of the same images in the other sets: originals
/// above their reconstructions, say. Every set is `[count, pixels]`; an incomplete last row is filled up with white, so
/// that what belongs together stays one above the other.
pub fn interleaved(sets: &[&[f32]], pixels: usize, columns: usize) -> Vec<f32> {
    let row = (pixels * columns).max(1);
    let rows = sets.iter().map(|set| set.len().div_ceil(row)).min().unwrap_or_default();
    let mut all = Vec::with_capacity(sets.len() * rows * row);
    for number in 0..rows {
        for set in sets {
            let images = &set[number * row..];
            all.extend_from_slice(&images[..row.min(images.len())]);
            all.resize(all.len().next_multiple_of(row), 1.0);
        }
    }
    all
}
