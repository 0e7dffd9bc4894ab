//! Folders of pictures: any size, grey or colour, with the names of subfolders as classes.
//!
//! All files in the folder and its subfolders are read, except those whose name, or whose folder's name, begins with a
//! dot, the folders of narrows' own runs, and the PNGs that narrows wrote. Each picture is rotated as its Exif data say,
//! brought to the requested proportions ([`Fit`](super::Fit)), put on white where it is transparent
//! ([`Alpha`](super::Alpha)), and resized with a Lanczos filter. Of an animation, the first frame is used.
//!
//! - Folders `train` or `training`, `val`, `valid` or `validation`, and `test` or `testing`, in any case, are the parts:
//!   `train` with one of the others or alone. Without them, all pictures are one part.
//! - The order is a shuffle of the sorted paths, the same each time. [`Dataset::files`] has the path of each picture.
//! - If all pictures of all parts are in subfolders, and there are 2 to 256 subfolders, the subfolders are the classes:
//!   first those whose name is a number, in numerical order, then the others by name. Folders that all pictures are in
//!   are skipped on the way to the parts and to the classes. For a trained model a single subfolder is a class too, if the
//!   model knows one of its name.
//! - Pixels are bytes; where any picture has more than 8 bits a channel, they are floats in [0, 1] of all pictures.
//! - With a cache ([`Reading::cache`]) decoded pictures are kept on disk, and read from there as long as no file, by its
//!   name, size and time of change, is another one.
//! - A file that is not a picture, or a damaged one, is left out and listed in the [`LoadReport`]. A
//!   picture that needs more than 256 MiB is not decoded.

mod cache;
mod decode;
mod layout;
mod listing;
mod spool;

use std::path::{Path, PathBuf};

use super::classes::numbered;
use super::parts::tenth;
use super::{Dataset, Form, LoadReport, Part, Parts, Reading};
use crate::Result;
use cache::Cache;
use decode::{Stack, size};
use layout::Layout;
use listing::Listing;

/// The parts, and what was left out; or a single picture. A part without a folder of its own is none.
///
/// # Errors
/// [`Error::File`](crate::Error::File) if there is no readable picture in the folder or in the folder of a part, or if
/// more than a tenth of the pictures cannot be read; [`Error::Setting`](crate::Error::Setting) for an invalid form, or if
/// all pictures together take more than 16 GiB in that form and there is no cache for them.
pub fn read(folder: &Path, form: Form) -> Result<Parts> {
    read_as(folder, &Reading { pictures: form, ..Reading::default() })
}

/// [`read`], with a cache and somebody who watches.
///
/// # Errors
/// As [`read`]; for a cache inside the data or one that cannot be made.
pub fn read_as(place: &Path, reading: &Reading) -> Result<Parts> {
    let (folder, mut listing) = match (place.is_file(), place.parent(), place.file_name()) {
        (true, Some(around), Some(file)) => (around, Listing::of_one(file.into())),
        _ => (place, Listing::new(place)),
    };
    let (stack, remarks) = stack(place, folder, reading, &listing)?;
    let (mut files, mut unreadable) = (Vec::new(), Vec::new());
    for (file, decoded) in listing.files.iter().zip(stack.decoded) {
        match decoded {
            Ok(_) => files.push(file.path.clone()),
            Err(reason) => {
                unreadable.extend(file.seems_picture.then(|| file.path.clone()));
                listing.report.left_out.push((file.path.clone(), reason));
            }
        }
    }
    listing.report.left_out.sort();
    listing.check_parts(place, &files)?;
    listing.check_readable(folder, &unreadable)?;
    listing.report.remarks.extend(remarks);
    let Listing { layout, mut report, .. } = listing;
    let in_part = |part| files.iter().filter(|file| layout.part(file) == Some(part)).count();
    let (validations, tests) = (in_part(Part::Validation), in_part(Part::Test));
    if layout.has_parts() && tests == 0 {
        let count = tenth(in_part(Part::Train));
        report.remarks.push(format!("there is no test part: it is a random tenth of train, {count} images"));
    }
    let (labels, classes) = classes(&files, &layout, &reading.classes, &mut report);
    let all = Dataset::new(name(place), stack.shape, stack.pixels, labels)?;
    let mut train = all.with_classes(classes)?.with_files(files)?;
    let test = (tests > 0).then(|| train.split_last(tests));
    let validation = (validations > 0).then(|| train.split_last(validations));
    Ok(Parts { validation, test, report, ..Parts::new(train) })
}

// The decoded pictures: from the cache, or for it; and remarks about them.
fn stack(place: &Path, folder: &Path, reading: &Reading, listing: &Listing) -> Result<(Stack, Vec<String>)> {
    let (form, watch) = (reading.pictures, &reading.watch);
    let (size, mut remarks) = (size(folder, form, listing)?, Vec::new());
    // A single picture is decoded as fast as it is read from a cache.
    let stack = match reading.cache.as_ref().filter(|_| place.is_dir()) {
        None => Stack::decode(folder, form, size, listing, watch, None)?,
        Some(caches) => {
            let cache = Cache::new(caches, folder, form, size, listing)?;
            let (found, remark) = cache.read();
            remarks.extend(remark);
            match found {
                Some(stack) => stack,
                None => {
                    let stack = Stack::decode(folder, form, size, listing, watch, Some(caches))?;
                    remarks.push(cache.write(&stack));
                    stack
                }
            }
        }
    };
    remarks.extend(stack.remarks(form));
    Ok((stack, remarks))
}

// The name of the folder or the picture, also if it is given as a dot.
fn name(place: &Path) -> String {
    let whole = place.canonicalize().unwrap_or_else(|_| place.to_owned());
    let name = place.file_name().or_else(|| whole.file_name());
    name.map_or_else(|| "folder".into(), |name| name.to_string_lossy().into_owned())
}

// The label of each file and the names of the labels, if every file is in one of several folders, or in one of a class that is
// known.
fn classes(
    files: &[PathBuf],
    layout: &Layout,
    known: &[String],
    report: &mut LoadReport,
) -> (Option<Vec<u8>>, Vec<String>) {
    let names: Vec<String> = files.iter().filter_map(|file| layout.class(file)).collect();
    let (inside, outside) = (names.len(), files.len() - names.len());
    let one_folder = names.iter().all(|name| *name == names[0]);
    if !one_folder && outside == 0 {
        return numbered(&names, "class folders", report);
    }
    let names: Vec<String> = files.iter().filter_map(|file| layout.known_class(file, known)).collect();
    if names.len() == files.len() {
        return numbered(&names, "class folders", report);
    }
    if !one_folder {
        let remark = format!("{outside} pictures are in no class folder, {inside} are in one");
        report.remarks.push(format!("there are no labels: {remark}"));
    }
    (None, Vec::new())
}
