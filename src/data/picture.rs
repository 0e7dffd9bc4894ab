//! Reads one picture file: rotated upright, cropped, put on white, resized.

use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage, Rgba};

/// The formats that are read, for messages. The first bytes of a file decide, not its name.
pub(super) const FORMATS: &str = "PNG, JPEG, GIF, WebP, BMP, TIFF or PNM";

/// The most memory for decoding one file: 89 million pixels of RGB. A small file may claim any size.
const MOST_MEMORY: u64 = 256 << 20;

/// The size and channels that a folder's pictures are converted to. Other data sets keep theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Height and width. None: the common size of all pictures if no side is above 128, else 64 x 64.
    pub size: Option<[usize; 2]>,
    /// 1 for grey, 3 for RGB. None: RGB unless every picture is grey.
    pub channels: Option<usize>,
}

/// The height and width in a picture's header, upright. Its pixels are not decoded.
pub(super) fn extents(path: &Path) -> Result<[u32; 2], String> {
    guarded(|| {
        let mut decoder = decoder(path)?;
        let (width, height) = decoder.dimensions();
        // From 5 on, Exif's orientations exchange height and width.
        let turned = decoder.orientation().is_ok_and(|orientation| orientation.to_exif() >= 5);
        Ok(if turned { [width, height] } else { [height, width] })
    })
}

/// Decodes a picture into `pixels`, `[height, width, 3]`, or `[height, width]` for grey. True if it has no colour.
pub(super) fn decode(path: &Path, [height, width]: [u32; 2], pixels: &mut [u8]) -> Result<bool, String> {
    let picture = guarded(|| {
        let mut decoder = decoder(path)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| reason(&error))?;
        picture.apply_orientation(orientation);
        let picture = on_white(cropped(&picture, [height, width]));
        Ok(if picture.dimensions() == (width, height) {
            picture
        } else {
            imageops::resize(&picture, width, height, FilterType::Lanczos3)
        })
    })?;
    let grey = picture.pixels().all(|pixel| pixel.0 == [pixel.0[0]; 3]);
    if pixels.len() == picture.as_raw().len() {
        pixels.copy_from_slice(picture.as_raw());
    } else {
        pixels.copy_from_slice(DynamicImage::from(picture).into_luma8().as_raw());
    }
    Ok(grey)
}

fn decoder(path: &Path) -> Result<impl ImageDecoder, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let reader = ImageReader::new(BufReader::new(file));
    let mut reader = reader.with_guessed_format().map_err(|error| error.to_string())?;
    if reader.format().is_none() {
        return Err(format!("not a {FORMATS}"));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(|error| reason(&error))?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(format!("{height} x {width} pixels"));
    }
    let limited = limits.reserve(decoder.total_bytes()).and_then(|()| decoder.set_limits(limits));
    limited.map_err(|_| format!("{height} x {width} pixels take more than {} MiB", MOST_MEMORY >> 20))?;
    Ok(decoder)
}

// The largest middle part with these proportions. Cropping comes first, so that only what remains is resized.
fn cropped(picture: &DynamicImage, [height, width]: [u32; 2]) -> DynamicImage {
    let (across, down) = (picture.width(), picture.height());
    let scaled = |by: u32, to: u32, from: u32| {
        let rounded = (u64::from(by) * u64::from(to) + u64::from(from) / 2) / u64::from(from);
        u32::try_from(rounded).unwrap_or(u32::MAX).max(1)
    };
    let columns = across.min(scaled(down, width, height));
    let rows = down.min(scaled(across, height, width));
    picture.crop_imm((across - columns) / 2, (down - rows) / 2, columns, rows)
}

// Transparent pixels show white.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let Rgba([red, green, blue, alpha]) = *picture.get_pixel(x, y);
        let over = |value: u8| {
            let (value, alpha) = (u32::from(value), u32::from(alpha));
            ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        image::Rgb([red, green, blue].map(over))
    })
}

// A decoder that panics on one file must not stop the reading of the others.
fn guarded<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err("its decoder failed".to_owned()))
}

fn reason(error: &image::ImageError) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_panics_is_a_reason_like_others() {
        #[allow(clippy::panic)]
        let outcome = guarded::<()>(|| panic!("on purpose, in a test"));
        assert_eq!(outcome, Err("its decoder failed".to_owned()));
    }

    #[test]
    fn the_middle_is_cropped_to_the_proportions_asked_for() {
        for (from, to, expected) in [
            ([4, 10], [2, 2], [4, 4]),
            ([10, 4], [2, 2], [4, 4]),
            ([10, 4], [5, 2], [10, 4]),
            ([7, 7], [3, 9], [2, 7]),
            ([1, 5000], [64, 64], [1, 1]),
            ([5000, 1], [1, 128], [1, 1]),
        ] {
            let [height, width] = from;
            let picture = cropped(&DynamicImage::new_luma8(width, height), to);
            assert_eq!([picture.height(), picture.width()], expected, "{from:?} to {to:?}");
        }
    }
}
