//! Pictures of images: grids of small ones as PNG.

use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, Rgb, RgbImage, imageops};

use crate::data::written::{marked, write_whole};
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
    /// Height, width and channels of each: 1 for grey or 3 for RGB, 2 or 4 with opacity as the last, shown on white.
    pub shape: [usize; 3],
    /// Images in a row.
    pub columns: usize,
}

impl Grid<'_> {
    /// Writes the PNG, whole or not at all.
    ///
    /// # Errors
    /// As [`Grid::png`]; [`Error::Io`] naming the file.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_whole(path, &self.png()?)
    }

    /// The PNG's bytes.
    ///
    /// # Errors
    /// [`Error::Shape`] for more than 4 channels or no image.
    pub fn png(&self) -> Result<Vec<u8>> {
        png(self.picture()?, CompressionType::default())
    }

    fn picture(&self) -> Result<RgbImage> {
        let [height, width, channels] = self.shape;
        let size = height * width * channels;
        let count = self.images.len().checked_div(size).unwrap_or(0);
        if count == 0 || count * size != self.images.len() || !(1..=4).contains(&channels) {
            let got = format!("{} values for {height} x {width} x {channels}", self.images.len());
            return Err(Error::shape("picture", "whole images of 1 to 4 channels", got));
        }
        let columns = self.columns.clamp(1, count);
        let place = |row: usize, column: usize| [GAP + column * (width + GAP), GAP + row * (height + GAP)];
        let [across, down] = place(count.div_ceil(columns), columns);
        let mut small = RgbImage::from_pixel(across as u32, down as u32, Rgb([255; 3]));
        for (number, image) in self.images.chunks_exact(size).enumerate() {
            let [x, y] = place(number / columns, number % columns);
            imageops::replace(&mut small, &rgb(image, self.shape), x as i64, y as i64);
        }
        let zoom = (WIDTH / across).max(1) as u32;
        let pixel = |x, y| *small.get_pixel(x / zoom, y / zoom);
        Ok(RgbImage::from_fn(small.width() * zoom, small.height() * zoom, pixel))
    }
}

/// An image `[height, width, channels]` with values in [0, 1], beyond which they are clipped; one channel is grey. The
/// last of 2 or 4 channels is opacity, over white.
pub(crate) fn rgb(image: &[f32], [height, width, channels]: [usize; 3]) -> RgbImage {
    let value = |at: usize| image.get(at).copied().unwrap_or_default().clamp(0.0, 1.0);
    let veiled = matches!(channels, 2 | 4);
    let last = channels.saturating_sub(1 + usize::from(veiled));
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let first = (y as usize * width + x as usize) * channels;
        let opacity = if veiled { value(first + last + 1) } else { 1.0 };
        let shown = |value: f32| value * opacity + (1.0 - opacity);
        Rgb([0, 1, 2].map(|channel| (shown(value(first + last.min(channel))) * 255.0).round() as u8))
    })
}

/// An image as PNG, with the mark of narrows.
pub(crate) fn png(image: RgbImage, compression: CompressionType) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, compression, FilterType::Adaptive);
    // A third of the bytes, where there is no colour.
    let grey = image.pixels().all(|Rgb([red, green, blue])| red == green && green == blue);
    let image = DynamicImage::from(image);
    let image = if grey { DynamicImage::from(image.into_luma8()) } else { image };
    image.write_with_encoder(encoder).map_err(|error| Error::shape("picture", "what PNG can hold", error))?;
    Ok(marked(bytes))
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
