//! The decoding of all pictures into one form.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytemuck::{AnyBitPattern, NoUninit};
use rayon::prelude::*;

use super::listing::{Listed, Listing};
use super::spool::Spool;
use crate::data::numbers::Numbers;
use crate::data::picture::{self, Channel, Decoded};

use crate::data::{Alpha, Form, Values, Watch};
use crate::{Error, Result};

// The default size of pictures of different sizes, or of one size above `MOST_USUAL`.
const USUAL: usize = 64;
const MOST_USUAL: u32 = 128;
const MOST_EXTENT: usize = 1 << 15;
// All pictures together, in memory; and those that are decoded at a time.
const MOST_BYTES: u64 = 16 << 30;
const PIECE: usize = 256 << 20;

/// The pictures of a listing, decoded into one form.
pub(super) struct Stack {
    /// Height, width and channels.
    pub(super) shape: [usize; 3],
    /// `[readable pictures, height, width, channels]`
    pub(super) pixels: Values,
    /// `[files]`: what was done, or why a file cannot be read.
    pub(super) decoded: Vec<Result<Decoded, String>>,
}

impl Stack {
    /// Bytes, or floats in [0, 1] where any picture has more than 8 bits a channel: in a file of `kept`, or in memory.
    ///
    /// # Errors
    /// [`Error::Setting`] if all pictures take too much memory, [`Error::Memory`] if the system does not give it;
    /// [`Error::Io`] if `kept` takes no file of that size.
    pub(super) fn decode(
        folder: &Path,
        form: Form,
        size: [usize; 2],
        listing: &Listing,
        watch: &Watch,
        kept: Option<&Path>,
    ) -> Result<Self> {
        let mut decoding = Decoding { folder, form, size, listing, watch, kept };
        if listing.files.par_iter().any(|file| picture::is_deep(&folder.join(&file.path))) {
            let stack = decoding.stack::<f32>()?;
            if stack.decoded.iter().flatten().any(|decoded| decoded.deep) {
                return Ok(stack);
            }
            // Those of 16 bits cannot be read: the others stay bytes, and nobody is told twice.
            let nobody = Watch::default();
            decoding.watch = &nobody;
            return decoding.stack::<u8>();
        }
        decoding.stack::<u8>()
    }

    /// Whether the pictures are in colours that are all grey.
    pub(super) fn is_grey(&self) -> bool {
        self.decoded.iter().flatten().all(|decoded| decoded.grey)
    }

    /// What was done to the pictures, where anything was, and their depth.
    pub(super) fn remarks(&self, form: Form) -> impl Iterator<Item = String> {
        let decoded: Vec<&Decoded> = self.decoded.iter().flatten().collect();
        [of_depth(&decoded), of_form(&decoded, self.shape, form)].into_iter().flatten()
    }
}

// What is decoded, and to where.
struct Decoding<'a> {
    folder: &'a Path,
    form: Form,
    size: [usize; 2],
    listing: &'a Listing,
    watch: &'a Watch,
    kept: Option<&'a Path>,
}

impl Decoding<'_> {
    // Some at a time, so that only they are in memory, and only one for each processor at its full size.
    fn stack<T: Channel + Default + AnyBitPattern + NoUninit>(&self) -> Result<Stack>
    where
        Values: From<Numbers<T>>,
    {
        let Self { form, listing, .. } = self;
        let ([height, width], colours) = (self.size, form.alpha.channels());
        let shape = [height, width, form.channels.unwrap_or(colours)];
        let pixels = match self.kept {
            None => pixels_of(shape, listing.files.len(), size_of::<T>())?,
            // The disk says what is too large.
            Some(_) => shape.iter().product(),
        };
        let at_once = (PIECE / (size_of::<T>() * pixels).max(1)).max(rayon::current_num_threads());
        let (mut all, mut decoded) = (Spool::new(self.kept)?, Vec::with_capacity(listing.files.len()));
        for files in listing.files.chunks(at_once) {
            let mut piece = room::<T>(files.len() * pixels, pixels)?;
            let done = AtomicUsize::new(decoded.len());
            let places = files.par_iter().zip(piece.par_chunks_mut(pixels.max(1)));
            let some: Vec<_> = places.map(|(file, pixels)| self.picture(file, pixels, &done)).collect();
            for (picture, _) in piece.chunks(pixels.max(1)).zip(&some).filter(|(_, decoded)| decoded.is_ok())
            {
                all.push(picture)?;
            }
            decoded.extend(some);
        }
        let all = all.finish()?;
        if form.channels.is_some() || !decoded.iter().flatten().all(|decoded| decoded.grey) {
            return Ok(Stack { shape, pixels: all.into(), decoded });
        }
        let grey = without_colour(&all, pixels, colours, Spool::new(self.kept)?)?;
        Ok(Stack { shape: [height, width, colours - 2], pixels: grey.into(), decoded })
    }

    fn picture<T: Channel>(
        &self,
        file: &Listed,
        pixels: &mut [T],
        done: &AtomicUsize,
    ) -> Result<Decoded, String> {
        let (path, extents) = (self.folder.join(&file.path), self.size.map(|extent| extent as u32));
        let decoded = picture::decode(&path, extents, self.form.fit, self.form.alpha, pixels);
        self.watch.tell(done.fetch_add(1, Ordering::Relaxed) + 1, self.listing.files.len());
        decoded
    }
}

// The numbers of a picture, where all pictures together are not too large.
fn pixels_of(shape: [usize; 3], count: usize, bytes: usize) -> Result<usize> {
    let [height, width, channels] = shape;
    let number = |all: u64, extent: usize| all.checked_mul(extent as u64);
    let all = shape.into_iter().chain([bytes]).try_fold(count as u64, number);
    if all.is_none_or(|all| all > MOST_BYTES) {
        let side = (MOST_BYTES / (count * channels * bytes).max(1) as u64).isqrt();
        let most = MOST_BYTES >> 30;
        let expected = format!(
            "a size at which all pictures take at most {most} GiB, such as --size {side}, or --cache FOLDER to decode them to the disk"
        );
        return Err(Error::setting("size", expected, format!("{height} x {width} for {count} files")));
    }
    Ok(shape.iter().product())
}

// Room for all numbers, where the system gives it, and beside it for the resizing of one picture to so many pixels.
fn room<T: Clone + Default>(numbers: usize, pixels: usize) -> Result<Vec<T>> {
    // Resizing is in floats, of which the picture and its rows are there at the same time.
    let beside = pixels.saturating_mul(2 * size_of::<f32>());
    let (mut all, mut resizing) = (Vec::new(), Vec::<u8>::new());
    let there = all.try_reserve_exact(numbers).and_then(|()| resizing.try_reserve_exact(beside));
    there.map_err(|_| Error::Memory {
        operation: "decode the pictures".to_owned(),
        needed: (numbers.saturating_mul(size_of::<T>()) as u64).saturating_add(beside as u64),
        advice: "Give a smaller --size, or a folder with fewer pictures",
    })?;
    all.resize(numbers, T::default());
    Ok(all)
}

// Of three equal colours the first, and the opacity after them if there is one.
fn without_colour<T: AnyBitPattern + NoUninit>(
    all: &Numbers<T>,
    pixels: usize,
    colours: usize,
    mut grey: Spool<T>,
) -> Result<Numbers<T>> {
    let mut kept = Vec::with_capacity(pixels);
    for picture in all.pieces().flat_map(|piece| piece.chunks(pixels.max(1))) {
        kept.clear();
        let numbers = picture.iter().enumerate().filter(|(at, _)| !matches!(at % colours, 1 | 2));
        kept.extend(numbers.map(|(_, number)| *number));
        grey.push(&kept)?;
    }
    grey.finish()
}

fn of_depth(decoded: &[&Decoded]) -> Option<String> {
    let deep = decoded.iter().filter(|decoded| decoded.deep).count();
    let of_deep = format!("{} of 16 bits a channel", counted(deep));
    match decoded.len() - deep {
        _ if deep == 0 => None,
        0 => Some(format!("{of_deep}: floats, divided by 65535")),
        bytes => Some(format!("{of_deep}, {bytes} of 8 bits: all are floats, divided by 65535 and by 255")),
    }
}

fn of_form(decoded: &[&Decoded], [height, width, channels]: [usize; 3], form: Form) -> Option<String> {
    let fitted = decoded.iter().filter(|decoded| decoded.fitted).count();
    let resized = decoded.iter().filter(|decoded| decoded.resized).count();
    if fitted + resized == 0 {
        return None;
    }
    let sizes = decoded.iter().map(|decoded| decoded.extents).collect::<HashSet<_>>().len();
    let sizes = if sizes == 1 { "one size".to_owned() } else { format!("{sizes} sizes") };
    let colours = ["grey", "grey with opacity", "RGB", "RGB with opacity"][channels - 1];
    let (count, done) = (counted(decoded.len()), form.fit.done());
    // A size that was asked for, or that of a model, is known.
    let change = if form.size.is_some() { "" } else { "--size HxW and " };
    Some(format!(
        "{count} of {sizes}: {fitted} {done}, {resized} resized to {height} x {width} ({colours}); \
         {change}--fit crop, pad or stretch change this"
    ))
}

/// So many pictures, in words.
pub(super) fn counted(count: usize) -> String {
    if count == 1 { "1 picture".to_owned() } else { format!("{count} pictures") }
}

/// The height and width that pictures are brought to.
///
/// # Errors
/// [`Error::Setting`] for an invalid form.
pub(super) fn size(folder: &Path, form: Form, listing: &Listing) -> Result<[usize; 2]> {
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
        return Err(Error::setting("size", format!("1 to {MOST_EXTENT} pixels, such as --size 64"), extent));
    }
    let (possible, expected) = match form.alpha {
        Alpha::Keep => ([2, 4], "2 for grey or 4 for RGB with opacity"),
        Alpha::White | Alpha::Black => ([1, 3], "1 for grey or 3 for RGB"),
    };
    if let Some(channels) = form.channels.filter(|channels| !possible.contains(channels)) {
        return Err(Error::setting("channels", expected, channels));
    }
    Ok(size)
}
