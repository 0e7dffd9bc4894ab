//! Reads one picture file: rotated upright, fitted to a size, put on white or with its opacity.

mod fit;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::error::UnsupportedErrorKind;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use serde::{Deserialize, Serialize};

use super::form::{Alpha, Fit};
use super::written::is_marked;
pub(super) use fit::Channel;
use fit::{cropped, largest, within};

/// The formats that are read, for messages. The first bytes of a file decide, not its name.
pub(super) const FORMATS: &str = "PNG, JPEG, GIF, WebP, BMP, TIFF or PNM";

/// The most memory for decoding one file: 89 million pixels of RGB. A small file may claim any size.
const MOST_MEMORY: u64 = 256 << 20;

// What is neither 8 nor 16 bits a channel, or has other channels, and the way on.
const OTHER_DEPTH: &str = "its pixels are neither grey nor colours of 8 or 16 bits. Convert it to a 16-bit PNG (magick IN \
    -depth 16 OUT.png), or save 32-bit floats of all pictures as one .npy array [n, height, width] for --data";

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
    let ending = ending(path);
    let known = match image::guess_format(&start) {
        // Two letters begin such a file, and many a text.
        Ok(ImageFormat::Pnm) => {
            matches!(start[2..], [b'\n' | b'\r' | b'#', ..] | [b' ' | b'\t', b'0'..=b'9' | b'#', ..])
        }
        format => format.is_ok(),
    };
    match known || ImageFormat::from_extension(&ending).is_some() || OTHER_NAMES.contains(&ending.as_str()) {
        true if is_marked(&start) => Kind::Written,
        true => Kind::Picture,
        false => Kind::Other,
    }
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// The height and width in a picture's header, upright. Its pixels are not decoded.
pub(super) fn extents(path: &Path) -> Result<[u32; 2], String> {
    guarded(|| {
        let mut decoder = decoder_of(reader(path)?)?;
        let (width, height) = decoder.dimensions();
        // From 5 on, Exif's orientations exchange height and width.
        let turned = decoder.orientation().is_ok_and(|orientation| orientation.to_exif() >= 5);
        Ok(if turned { [width, height] } else { [height, width] })
    })
}

/// Whether a picture has more than 8 bits a channel, by its header.
pub(super) fn is_deep(path: &Path) -> bool {
    let deep = |reader: Reader| {
        // The other formats have none, and the header of a JPEG costs as much as the whole file.
        let may = matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Tiff | ImageFormat::Pnm));
        Ok(may && bits(decoder_of(reader)?.color_type()) > 8)
    };
    guarded(|| deep(reader(path)?)).unwrap_or(false)
}

/// What was found and done in the decoding of a picture.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Decoded {
    /// Whether it is in colours that are all grey.
    pub(super) grey: bool,
    /// Whether it has more than 8 bits a channel.
    pub(super) deep: bool,
    /// Its own height and width, upright.
    pub(super) extents: [u32; 2],
    /// Whether its proportions were others than those asked for.
    pub(super) fitted: bool,
    pub(super) resized: bool,
}

/// Decodes a picture into `pixels`, `[height, width, channels]`: as many channels as they have room for.
pub(super) fn decode<T: Channel>(
    path: &Path,
    size: [u32; 2],
    fit: Fit,
    alpha: Alpha,
    pixels: &mut [T],
) -> Result<Decoded, String> {
    let channels = pixels.len() / size.map(|extent| extent as usize).iter().product::<usize>().max(1);
    let (formed, extents, inner, deep) = guarded(|| {
        let mut decoder = decoder_of(reader(path)?)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| reason(&error))?;
        picture.apply_orientation(orientation);
        let (extents, deep) = ([picture.height(), picture.width()], bits(picture.color()) > 8);
        let inner = if fit == Fit::Pad { within(extents, size) } else { size };
        let picture = if fit == Fit::Crop { cropped(&picture, size) } else { picture };
        Ok((T::formed(picture, inner, size, alpha, channels), extents, inner, deep))
    })?;
    let colours = alpha.channels();
    let is_grey = |pixel: &[T]| pixel[..3] == [pixel[0]; 3];
    let grey = channels == colours && formed.chunks_exact(colours).all(is_grey);
    pixels.copy_from_slice(&formed);
    let fitted = match fit {
        Fit::Pad => inner != size,
        Fit::Crop | Fit::Stretch => largest(extents, size) != extents,
    };
    let resized = match fit {
        Fit::Crop => largest(extents, size) != size,
        Fit::Pad | Fit::Stretch => extents != inner,
    };
    Ok(Decoded { grey, deep, extents, fitted, resized })
}

type Reader = ImageReader<BufReader<File>>;

fn reader(path: &Path) -> Result<Reader, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let reader = ImageReader::new(BufReader::new(file));
    let reader = reader.with_guessed_format().map_err(|error| error.to_string())?;
    if reader.format().is_some_and(|format| format.reading_enabled()) {
        return Ok(reader);
    }
    let (named, other) = (ImageFormat::from_extension(ending(path)), OTHER_NAMES.contains(&&*ending(path)));
    if reader.format().is_some() || other || named.is_some_and(|format| !format.reading_enabled()) {
        let (file, stem) = (path.file_name().unwrap_or_default(), path.file_stem().unwrap_or_default());
        let [file, stem] = [file, stem].map(OsStr::display);
        return Err(format!("not a {FORMATS}; convert it: magick {file} {stem}.png"));
    }
    Err(format!("not a {FORMATS}"))
}

fn decoder_of(mut reader: Reader) -> Result<impl ImageDecoder, String> {
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
    // Floats have units of their own, which pictures lack.
    if bits(decoder.color_type()) > 16 {
        return Err(OTHER_DEPTH.to_owned());
    }
    Ok(decoder)
}

fn bits(colour: ColorType) -> u8 {
    8 * (colour.bytes_per_pixel() / colour.channel_count())
}

// A decoder that panics on one file must not stop the reading of the others.
fn guarded<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err("its decoder failed".to_owned()))
}

fn reason(error: &ImageError) -> String {
    if let ImageError::Unsupported(unsupported) = error
        && let UnsupportedErrorKind::Color(_) = unsupported.kind()
    {
        return OTHER_DEPTH.to_owned();
    }
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
}
