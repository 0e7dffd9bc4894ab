//! Pictures as PNG.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, Rgb, RgbImage};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::{Picture, Pixels, text};
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
    let options = Options { fontdb: text::fonts(), ..Options::default() };
    let tree = Tree::from_str(&picture.svg(), &options)
        .map_err(|error| Error::shape("picture", "what SVG can hold", error))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut sheet.as_mut());
    let rgb = sheet.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    encode(RgbImage::from_raw(width, height, rgb).ok_or_else(refuse)?)
}

/// Pixels as they are, for a picture within SVG.
pub(super) fn encode_pixels(pixels: &Pixels) -> Result<Vec<u8>> {
    let image = RgbImage::from_raw(pixels.width, pixels.height, pixels.rgb.clone());
    encode(image.ok_or_else(|| Error::shape("picture", "3 bytes per pixel", pixels.rgb.len()))?)
}

fn encode(image: RgbImage) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
    // A third of the bytes, where there is no colour.
    let grey = image.pixels().all(|Rgb([red, green, blue])| red == green && green == blue);
    let image = DynamicImage::from(image);
    let image = if grey { DynamicImage::from(image.into_luma8()) } else { image };
    image.write_with_encoder(encoder).map_err(|error| Error::shape("picture", "what PNG can hold", error))?;
    Ok(bytes)
}
