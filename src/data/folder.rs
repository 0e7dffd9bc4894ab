//! Folders of pictures: any size, grey or colour, with the names of subfolders as classes.
//!
//! All files in the folder and its subfolders are read, except those whose name, or whose folder's name, begins with a
//! dot. Each picture is rotated as its Exif data say, cropped to the largest middle part with the requested proportions,
//! put on white where it is transparent, and resized with a Lanczos filter. Of an animation, the first frame is used.
//!
//! - If the folder has both a folder `train` and a folder `test`, those are the parts. Otherwise the last tenth of
//!   all pictures is the test part.
//! - The order is a shuffle of the sorted paths, the same each time, so that the last pictures of a part (which become
//!   the test or validation part) come from every class. [`Dataset::files`] has the path of each picture.
//! - If all pictures of both parts are in subfolders, and there are 2 to 256 subfolders, the subfolders are the classes:
//!   first those whose name is a number, in numerical order, then the others by name.
//! - A file that is not a picture, or a damaged one, is left out and listed in the [`LoadReport`]. A picture that needs
//!   more than 256 MiB is not decoded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use super::picture::{self, FORMATS, Form};
use super::{Dataset, LoadReport};
use crate::rng::{Stream, key, philox};
use crate::{Error, Result};

const PARTS: [&str; 2] = ["train", "test"];
// The default size of pictures of different sizes, or of one size above `MOST_USUAL`.
const USUAL: usize = 64;
const MOST_USUAL: u32 = 128;
const MOST_EXTENT: usize = 1 << 15;
// Labels are bytes.
const MOST_CLASSES: usize = 256;
// All pictures together.
const MOST_BYTES: u64 = 16 << 30;

/// The training part, the test part, and what was left out.
///
/// # Errors
/// [`Error::File`] if there is no readable picture in the folder, or in one of its folders `train` and `test`;
/// [`Error::Setting`] for an invalid form, or if all pictures together take more than 16 GiB in that form.
pub fn read(folder: &Path, form: Form) -> Result<(Dataset, Dataset, LoadReport)> {
    let mut listing = Listing::new(folder);
    let size = size(folder, form, &mut listing)?;
    let pictures = Pictures::decode(folder, size, form.channels, &mut listing)?;
    listing.report.left_out.sort();
    let Pictures { files, channels, pixels } = pictures;
    let tests = if listing.has_parts {
        files.iter().filter(|file| file.starts_with(PARTS[1])).count()
    } else {
        (files.len() / 10).max(usize::from(files.len() > 1))
    };
    listing.check_part(folder, files.len() - tests, 0)?;
    if listing.has_parts {
        listing.check_part(folder, tests, 1)?;
    }
    let (labels, classes) = classes(&files, listing.has_parts, &mut listing.report);
    let all = Dataset::new(name(folder), [size[0], size[1], channels], pixels, labels)?;
    let mut train = all.with_classes(classes)?.with_files(files)?;
    let test = train.split_last(tests);
    Ok((train, test, listing.report))
}

// The name of the folder, also if it is given as a dot.
fn name(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().or_else(|| whole.file_name());
    name.map_or_else(|| "folder".into(), |name| name.to_string_lossy().into_owned())
}

/// The files of a folder, in the order of the data set.
struct Listing {
    /// Relative to the folder, shuffled: first the part `train`, then `test`; or both together.
    files: Vec<PathBuf>,
    has_parts: bool,
    report: LoadReport,
}

impl Listing {
    fn new(folder: &Path) -> Self {
        let mut report = LoadReport::default();
        let mut files = Vec::new();
        let visible =
            |entry: &DirEntry| entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".");
        for entry in WalkDir::new(folder).follow_links(true).into_iter().filter_entry(visible) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    let file = below(folder, entry.path());
                    if entry.file_type().is_file() {
                        files.push(file);
                    } else {
                        report.left_out.push((file, "neither a file nor a folder".to_owned()));
                    }
                }
                Err(error) => {
                    let file = error.path().map_or_else(PathBuf::new, |path| below(folder, path));
                    let reason = match error.loop_ancestor() {
                        Some(_) => "a link to a folder that contains it".to_owned(),
                        None => error.io_error().map_or_else(|| error.to_string(), ToString::to_string),
                    };
                    report.left_out.push((file, reason));
                }
            }
        }
        report.files = files.len() + report.left_out.len();
        let has_parts = PARTS.iter().all(|part| folder.join(part).is_dir());
        if has_parts {
            let in_part = |file: &PathBuf| PARTS.iter().any(|part| file.starts_with(part));
            let (inside, beside): (Vec<_>, Vec<_>) = files.into_iter().partition(in_part);
            files = inside;
            report.note_beside(&beside);
        }
        files.sort();
        let mut files = shuffled(files);
        // Stable: each part keeps its shuffled order.
        files.sort_by_key(|file| has_parts && file.starts_with(PARTS[1]));
        Self { files, has_parts, report }
    }

    // Fails if part 0 or 1 has no picture, with the reason as far as it is known.
    fn check_part(&self, folder: &Path, pictures: usize, part: usize) -> Result<()> {
        if pictures > 0 {
            return Ok(());
        }
        let path = if self.has_parts { folder.join(PARTS[part]) } else { folder.to_owned() };
        let mut left_out = self.report.left_out.iter();
        let in_part = |file: &Path| !self.has_parts || file.starts_with(PARTS[part]);
        let found = match left_out.find(|(file, _)| in_part(file)) {
            Some((file, reason)) => {
                format!("none; the first file, {}, is left out: {reason}", file.display())
            }
            None => "no file at all".to_owned(),
        };
        Err(Error::File { path, expected: format!("at least one readable {FORMATS}"), found })
    }
}

impl LoadReport {
    // For example a folder of validation images: one remark for all, since it is probably there on purpose.
    fn note_beside(&mut self, files: &[PathBuf]) {
        self.files -= files.len();
        if let Some(first) = files.iter().min() {
            self.remarks.push(format!(
                "only the folders train and test are read; {} other files are ignored, such as {}",
                files.len(),
                first.display()
            ));
        }
    }
}

fn below(folder: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(folder).unwrap_or(path).to_owned()
}

// In the order of random numbers, one per place.
fn shuffled(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let number = |at: usize| philox([at as u32, 0, Stream::Permutation as u32, 0], key(0));
    let mut numbered: Vec<_> = files.into_iter().enumerate().map(|(at, file)| (number(at), file)).collect();
    numbered.sort();
    numbered.into_iter().map(|(_, file)| file).collect()
}

// The height and width that pictures are cropped and resized to.
fn size(folder: &Path, form: Form, listing: &mut Listing) -> Result<[usize; 2]> {
    let size = match form.size {
        Some(size) => size,
        None => {
            let files = listing.files.par_iter();
            let all: Vec<_> = files.filter_map(|file| picture::extents(&folder.join(file)).ok()).collect();
            let shared = all.first().filter(|size| all.iter().all(|other| other == *size));
            let shared = shared.filter(|[height, width]| *height.max(width) <= MOST_USUAL);
            shared.map_or([USUAL; 2], |size| size.map(|extent| extent as usize))
        }
    };
    if let Some(extent) = size.iter().find(|extent| !(1..=MOST_EXTENT).contains(*extent)) {
        return Err(Error::setting("size", format!("1 to {MOST_EXTENT} pixels"), extent));
    }
    if let Some(channels) = form.channels.filter(|channels| !matches!(channels, 1 | 3)) {
        return Err(Error::setting("channels", "1 for grey or 3 for RGB", channels));
    }
    let [height, width] = size.map(|extent| extent as u64);
    let channels = form.channels.unwrap_or(3) as u64;
    let count = listing.files.len() as u64;
    let bytes = [height, width, channels].iter().try_fold(count, |bytes, extent| bytes.checked_mul(*extent));
    if bytes.is_none_or(|bytes| bytes > MOST_BYTES) {
        let expected = format!("a size at which all pictures take at most {} GiB", MOST_BYTES >> 30);
        return Err(Error::setting("size", expected, format!("{height} x {width} for {count} files")));
    }
    Ok(size)
}

/// The readable pictures of a listing.
struct Pictures {
    files: Vec<PathBuf>,
    channels: usize,
    /// `[files, height, width, channels]`
    pixels: Vec<u8>,
}

impl Pictures {
    // Each is decoded into its place, so that only one picture per processor is in memory at its full size.
    fn decode(
        folder: &Path,
        size: [usize; 2],
        channels: Option<usize>,
        listing: &mut Listing,
    ) -> Result<Self> {
        let area = size[0] * size[1];
        let pixels = area * channels.unwrap_or(3);
        let extents = size.map(|extent| extent as u32);
        let mut all = vec![0; listing.files.len() * pixels];
        let decoded: Vec<Result<bool, String>> = listing
            .files
            .par_iter()
            .zip(all.par_chunks_mut(pixels.max(1)))
            .map(|(file, pixels)| picture::decode(&folder.join(file), extents, pixels))
            .collect();
        let grey = channels.is_none() && decoded.iter().flatten().all(|grey| *grey);
        let mut files = Vec::new();
        let mut end = 0;
        let listed = std::mem::take(&mut listing.files);
        for (number, (file, decoded)) in listed.into_iter().zip(decoded).enumerate() {
            if let Err(reason) = decoded {
                listing.report.left_out.push((file, reason));
                continue;
            }
            files.push(file);
            let start = number * pixels;
            if grey {
                for pixel in 0..area {
                    all[end + pixel] = all[start + 3 * pixel];
                }
                end += area;
            } else {
                all.copy_within(start..start + pixels, end);
                end += pixels;
            }
        }
        all.truncate(end);
        all.shrink_to_fit();
        Ok(Self { files, channels: if grey { 1 } else { channels.unwrap_or(3) }, pixels: all })
    }
}

// The label of each file and the names of the labels, if every file is in one of several folders.
fn classes(files: &[PathBuf], has_parts: bool, report: &mut LoadReport) -> (Option<Vec<u8>>, Vec<String>) {
    let depth = usize::from(has_parts);
    let class = |file: &PathBuf| {
        let mut folders = file.parent()?.iter().skip(depth);
        folders.next().map(|name| name.to_string_lossy().into_owned())
    };
    let of_files: Vec<Option<String>> = files.iter().map(class).collect();
    let mut names: Vec<&String> = of_files.iter().flatten().collect();
    let (inside, outside) = (names.len(), files.len() - names.len());
    names.sort_by_key(|name| (name.parse::<u64>().unwrap_or(u64::MAX), *name));
    names.dedup();
    if names.len() < 2 {
        return (None, Vec::new());
    }
    let remark = match names.len() {
        _ if outside > 0 => format!("{outside} pictures are in no class folder, {inside} are in one"),
        count if count > MOST_CLASSES => format!("{count} class folders are more than {MOST_CLASSES}"),
        _ => String::new(),
    };
    if !remark.is_empty() {
        report.remarks.push(format!("there are no labels: {remark}"));
        return (None, Vec::new());
    }
    let numbers: HashMap<_, _> = names.iter().enumerate().map(|(at, name)| (*name, at as u8)).collect();
    let labels = of_files.iter().flatten().map(|name| numbers.get(name).copied()).collect();
    (labels, names.into_iter().cloned().collect())
}
