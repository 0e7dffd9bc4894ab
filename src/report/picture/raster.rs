//! Pictures as PNG.

use image::RgbImage;
use image::codecs::png::CompressionType;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::{Picture, text};
use crate::{Error, Result};

/// Pixels per unit: two, for screens with more than one.
const SCALE: f32 = 2.0;

pub(super) fn png(picture: &Picture) -> Result<Vec<u8>> {
    let refuse = || {
        let got = format!("{} x {}", picture.width, picture.height);
        Error::shape("picture", "a width and a height of at least one pixel that fit into memory", got)
    };
    let [width, height] =
        [picture.width, picture.height].map(|extent| (extent as f32 * SCALE).round() as u32);
    let mut sheet = Pixmap::new(width, height).ok_or_else(refuse)?;
    // The last row of pixels may not be whole in the SVG.
    sheet.fill(Color::WHITE);
    let mut options = Options::default();
    text::load_fonts(options.fontdb_mut());
    let tree = Tree::from_str(&picture.svg(), &options)
        .map_err(|error| Error::shape("picture", "what SVG can hold", error))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut sheet.as_mut());
    let rgb = sheet.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    crate::picture::png(RgbImage::from_raw(width, height, rgb).ok_or_else(refuse)?, CompressionType::Best)
}
