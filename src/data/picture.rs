//! Reads one picture file: rotated upright, fitted to a size, put on white or with its opacity.

use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{
    DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Limits, Pixel, RgbImage, Rgba,
    Rgba32FImage, RgbaImage,
};

use super::form::{Alpha, Fit};
use super::written::is_marked;

/// The formats that are read, for messages. The first bytes of a file decide, not its name.
pub(super) const FORMATS: &str = "PNG, JPEG, GIF, WebP, BMP, TIFF or PNM";

/// The most memory for decoding one file: 89 million pixels of RGB. A small file may claim any size.
const MOST_MEMORY: u64 = 256 << 20;

// Of pictures that are not read; those that are read are known by their first bytes.
const OTHER_NAMES: [&str; 6] = ["heic", "heif", "jxl", "jp2", "svg", "psd"];

/// What a file seems to hold, from its first bytes and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A picture, perhaps a damaged one.
    Picture,
    /// A picture that narrows wrote.
    Written,
    /// Something else.
    Other,
}

pub(super) fn kind(path: &Path) -> Kind {
    let mut start = Vec::new();
    // What cannot be opened is judged by its name.
    let _ = File::open(path).and_then(|file| file.take(64).read_to_end(&mut start));
    let name = path.extension().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let known = match image::guess_format(&start) {
        // Two letters begin such a file, and many a text.
        Ok(ImageFormat::Pnm) => {
            matches!(start[2..], [b'\n' | b'\r' | b'#', ..] | [b' ' | b'\t', b'0'..=b'9' | b'#', ..])
        }
        format => format.is_ok(),
    };
    match known || ImageFormat::from_extension(&name).is_some() || OTHER_NAMES.contains(&name.as_str()) {
        true if is_marked(&start) => Kind::Written,
        true => Kind::Picture,
        false => Kind::Other,
    }
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

/// What was found and done in the decoding of a picture.
pub(super) struct Decoded {
    /// Whether it has no colour.
    pub(super) grey: bool,
    /// Its own height and width, upright.
    pub(super) extents: [u32; 2],
    /// Whether its proportions were others than those asked for.
    pub(super) fitted: bool,
    pub(super) resized: bool,
}

/// Decodes a picture into `pixels`, `[height, width, channels]`: as many channels as they have room for.
pub(super) fn decode(
    path: &Path,
    size: [u32; 2],
    fit: Fit,
    alpha: Alpha,
    pixels: &mut [u8],
) -> Result<Decoded, String> {
    let (picture, extents, inner) = guarded(|| {
        let mut decoder = decoder(path)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| reason(&error))?;
        picture.apply_orientation(orientation);
        let extents = [picture.height(), picture.width()];
        let inner = if fit == Fit::Pad { within(extents, size) } else { size };
        let picture = if fit == Fit::Crop { cropped(&picture, size) } else { picture };
        let picture: DynamicImage = match alpha {
            Alpha::Keep => padded(resized_veiled(picture.into_rgba8(), inner), size).into(),
            _ => padded(resized(before(picture, alpha.behind()), inner), size).into(),
        };
        Ok((picture, extents, inner))
    })?;
    let colours = alpha.channels();
    let grey = picture.as_bytes().chunks_exact(colours).all(|pixel| pixel[..3] == [pixel[0]; 3]);
    let bytes = match (colours, pixels.len() == picture.as_bytes().len()) {
        (_, true) => picture.into_bytes(),
        (4, false) => picture.into_luma_alpha8().into_raw(),
        (_, false) => picture.into_luma8().into_raw(),
    };
    pixels.copy_from_slice(&bytes);
    let fitted = match fit {
        Fit::Pad => inner != size,
        Fit::Crop | Fit::Stretch => largest(extents, size) != extents,
    };
    let resized = match fit {
        Fit::Crop => largest(extents, size) != size,
        Fit::Pad | Fit::Stretch => extents != inner,
    };
    Ok(Decoded { grey, extents, fitted, resized })
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

// `by * to / from`, rounded, at least 1.
fn scaled(by: u32, to: u32, from: u32) -> u32 {
    let rounded = (u64::from(by) * u64::from(to) + u64::from(from) / 2) / u64::from(from);
    u32::try_from(rounded).unwrap_or(u32::MAX).max(1)
}

// The largest part with the proportions of a size.
fn largest([down, across]: [u32; 2], [height, width]: [u32; 2]) -> [u32; 2] {
    [down.min(scaled(across, height, width)), across.min(scaled(down, width, height))]
}

// The largest size with the proportions of a picture that fits in a size.
fn within([down, across]: [u32; 2], [height, width]: [u32; 2]) -> [u32; 2] {
    [height.min(scaled(width, down, across)), width.min(scaled(height, across, down))]
}

// The middle. Cropping comes first, so that only what remains is resized.
fn cropped(picture: &DynamicImage, size: [u32; 2]) -> DynamicImage {
    let (across, down) = (picture.width(), picture.height());
    let [rows, columns] = largest([down, across], size);
    picture.crop_imm((across - columns) / 2, (down - rows) / 2, columns, rows)
}

fn resized(picture: RgbImage, [height, width]: [u32; 2]) -> RgbImage {
    if picture.dimensions() == (width, height) {
        return picture;
    }
    imageops::resize(&picture, width, height, FilterType::Lanczos3)
}

// Colours count by their opacity, so that those of invisible pixels do not leak into their neighbours. Halved, since
// what overshoots 1 is cut off.
fn resized_veiled(picture: RgbaImage, [height, width]: [u32; 2]) -> RgbaImage {
    if picture.dimensions() == (width, height) {
        return picture;
    }
    let weighed = Rgba32FImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0.map(|value| f32::from(value) / 255.0);
        let half = alpha / 2.0;
        Rgba([red * half, green * half, blue * half, half])
    });
    let weighed = imageops::resize(&weighed, width, height, FilterType::Lanczos3);
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    RgbaImage::from_fn(width, height, |x, y| {
        let Rgba([red, green, blue, half]) = *weighed.get_pixel(x, y);
        let colour = |value: f32| if half > 0.0 { byte(value / half) } else { 0 };
        Rgba([colour(red), colour(green), colour(blue), byte(2.0 * half)])
    })
}

// In the middle of a size, on the mean colour of the outermost pixels.
fn padded<P: Pixel<Subpixel = u8> + 'static>(
    picture: ImageBuffer<P, Vec<u8>>,
    [height, width]: [u32; 2],
) -> ImageBuffer<P, Vec<u8>> {
    let (across, down) = picture.dimensions();
    if (across, down) == (width, height) {
        return picture;
    }
    let outermost = |x, y| x == 0 || y == 0 || x + 1 == across || y + 1 == down;
    let (mut sums, mut count) = ([0_u64; 4], 0);
    for (_, _, pixel) in picture.enumerate_pixels().filter(|(x, y, _)| outermost(*x, *y)) {
        for (sum, value) in sums.iter_mut().zip(pixel.channels()) {
            *sum += u64::from(*value);
        }
        count += 1;
    }
    let mean = sums.map(|sum| ((sum + count / 2) / count.max(1)) as u8);
    let behind = *P::from_slice(&mean[..usize::from(P::CHANNEL_COUNT)]);
    let mut whole = ImageBuffer::from_pixel(width, height, behind);
    imageops::replace(&mut whole, &picture, i64::from((width - across) / 2), i64::from((height - down) / 2));
    whole
}

// Transparent pixels show what is behind.
fn before(picture: DynamicImage, behind: u8) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let Rgba([red, green, blue, alpha]) = *picture.get_pixel(x, y);
        let over = |value: u8| {
            let [value, behind, alpha] = [value, behind, alpha].map(u32::from);
            ((value * alpha + behind * (255 - alpha) + 127) / 255) as u8
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

    #[test]
    fn a_padded_picture_is_as_large_as_fits() {
        for (from, to, expected) in [
            ([4, 10], [20, 20], [8, 20]),
            ([10, 4], [20, 20], [20, 8]),
            ([10, 4], [5, 2], [5, 2]),
            ([1, 5000], [64, 64], [1, 64]),
            ([5000, 1], [1, 128], [1, 1]),
        ] {
            assert_eq!(within(from, to), expected, "{from:?} to {to:?}");
        }
    }
}
