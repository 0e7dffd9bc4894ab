//! The decoding of all pictures into one form.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::listing::Listing;
use crate::data::picture::{self, Decoded};
use crate::data::{Alpha, Form};
use crate::{Error, Result};

// The default size of pictures of different sizes, or of one size above `MOST_USUAL`.
const USUAL: usize = 64;
const MOST_USUAL: u32 = 128;
const MOST_EXTENT: usize = 1 << 15;
// All pictures together.
const MOST_BYTES: u64 = 16 << 30;

/// The readable pictures of a listing.
pub(super) struct Pictures {
    pub(super) files: Vec<PathBuf>,
    /// Height, width and channels.
    pub(super) shape: [usize; 3],
    /// `[files, height, width, channels]`
    pub(super) pixels: Vec<u8>,
    /// Files that seem to be pictures and cannot be read.
    pub(super) unreadable: Vec<PathBuf>,
}

impl Pictures {
    // Each is decoded into its place, so that only one picture per processor is in memory at its full size.
    pub(super) fn decode(folder: &Path, form: Form, listing: &mut Listing) -> Result<Self> {
        let [height, width] = size(folder, form, listing)?;
        let (colours, asked) = (form.alpha.channels(), form.channels);
        let shape = [height, width, asked.unwrap_or(colours)];
        let pixels = shape.iter().product::<usize>();
        let extents = [height, width].map(|extent| extent as u32);
        let mut all = vec![0; listing.files.len() * pixels];
        let decoded: Vec<Result<Decoded, String>> = listing
            .files
            .par_iter()
            .zip(all.par_chunks_mut(pixels.max(1)))
            .map(|(file, pixels)| {
                picture::decode(&folder.join(&file.path), extents, form.fit, form.alpha, pixels)
            })
            .collect();
        let grey = asked.is_none() && decoded.iter().flatten().all(|decoded| decoded.grey);
        let shape = [height, width, if grey { colours - 2 } else { shape[2] }];
        let changes: Vec<_> = decoded.iter().flatten().collect();
        listing.report.remarks.extend(remark(&changes, shape, form));
        let mut pictures = Self { files: Vec::new(), shape, pixels: Vec::new(), unreadable: Vec::new() };
        let mut end = 0;
        for (number, (file, decoded)) in listing.files.iter().zip(decoded).enumerate() {
            if let Err(reason) = decoded {
                pictures.unreadable.extend(file.seems_picture.then(|| file.path.clone()));
                listing.report.left_out.push((file.path.clone(), reason));
                continue;
            }
            pictures.files.push(file.path.clone());
            let place = number * pixels..(number + 1) * pixels;
            end = if grey {
                without_colour(&mut all, place, end, colours)
            } else {
                moved(&mut all, place, end)
            };
        }
        all.truncate(end);
        all.shrink_to_fit();
        Ok(Self { pixels: all, ..pictures })
    }
}

fn moved(all: &mut [u8], place: std::ops::Range<usize>, to: usize) -> usize {
    let end = to + place.len();
    all.copy_within(place, to);
    end
}

// Of three equal colours the first, and the opacity after them if there is one.
fn without_colour(all: &mut [u8], place: std::ops::Range<usize>, to: usize, colours: usize) -> usize {
    let mut end = to;
    for pixel in place.step_by(colours) {
        for channel in (0..colours).filter(|channel| !matches!(channel, 1 | 2)) {
            all[end] = all[pixel + channel];
            end += 1;
        }
    }
    end
}

// What was done to the pictures, where anything was.
fn remark(decoded: &[&Decoded], [height, width, channels]: [usize; 3], form: Form) -> Option<String> {
    let fitted = decoded.iter().filter(|decoded| decoded.fitted).count();
    let resized = decoded.iter().filter(|decoded| decoded.resized).count();
    if fitted + resized == 0 {
        return None;
    }
    let sizes = decoded.iter().map(|decoded| decoded.extents).collect::<HashSet<_>>().len();
    let sizes = if sizes == 1 { "one size".to_owned() } else { format!("{sizes} sizes") };
    let colours = ["grey", "grey with opacity", "RGB", "RGB with opacity"][channels - 1];
    let count =
        if decoded.len() == 1 { "1 picture".to_owned() } else { format!("{} pictures", decoded.len()) };
    let done = form.fit.done();
    Some(format!(
        "{count} of {sizes}: {fitted} {done}, {resized} resized to {height} x {width} ({colours}); \
         --size HxW and --fit crop, pad or stretch change this"
    ))
}

// The height and width that pictures are brought to.
fn size(folder: &Path, form: Form, listing: &Listing) -> Result<[usize; 2]> {
    let size = match form.size {
        Some(size) => size,
        None => {
            let files = listing.files.par_iter();
            let all: Vec<_> =
                files.filter_map(|file| picture::extents(&folder.join(&file.path)).ok()).collect();
            let shared = all.first().filter(|size| all.iter().all(|other| other == *size));
            let shared = shared.filter(|[height, width]| *height.max(width) <= MOST_USUAL);
            shared.map_or([USUAL; 2], |size| size.map(|extent| extent as usize))
        }
    };
    if let Some(extent) = size.iter().find(|extent| !(1..=MOST_EXTENT).contains(*extent)) {
        return Err(Error::setting("size", format!("1 to {MOST_EXTENT} pixels"), extent));
    }
    let (possible, expected) = match form.alpha {
        Alpha::Keep => ([2, 4], "2 for grey or 4 for RGB with opacity"),
        Alpha::White | Alpha::Black => ([1, 3], "1 for grey or 3 for RGB"),
    };
    if let Some(channels) = form.channels.filter(|channels| !possible.contains(channels)) {
        return Err(Error::setting("channels", expected, channels));
    }
    let [height, width] = size.map(|extent| extent as u64);
    let channels = form.channels.unwrap_or(form.alpha.channels()) as u64;
    let count = listing.files.len() as u64;
    let bytes = [height, width, channels].iter().try_fold(count, |bytes, extent| bytes.checked_mul(*extent));
    if bytes.is_none_or(|bytes| bytes > MOST_BYTES) {
        let expected = format!("a size at which all pictures take at most {} GiB", MOST_BYTES >> 30);
        return Err(Error::setting("size", expected, format!("{height} x {width} for {count} files")));
    }
    Ok(size)
}
