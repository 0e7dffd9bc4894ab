//! Folders of pictures: any size, grey or colour, with the names of subfolders as classes.
//!
//! All files in the folder and its subfolders are read, except those whose name, or whose folder's name, begins with a
//! dot, the folders of narrows' own runs, and the PNGs that narrows wrote. Each picture is rotated as its Exif data say,
//! brought to the requested proportions ([`Fit`](super::Fit)), put on white where it is transparent
//! ([`Alpha`](super::Alpha)), and resized with a Lanczos filter. Of an animation, the first frame is used.
//!
//! - Folders `train` or `training`, `val`, `valid` or `validation`, and `test` or `testing`, in any case, are the parts:
//!   `train` with one of the others or alone. Without them, the last tenth of all pictures is the test part.
//! - The order is a shuffle of the sorted paths, the same each time, so that the last pictures of a part (which become
//!   the test or validation part) come from every class. [`Dataset::files`] has the path of each picture.
//! - If all pictures of all parts are in subfolders, and there are 2 to 256 subfolders, the subfolders are the classes:
//!   first those whose name is a number, in numerical order, then the others by name. Folders that all pictures are in
//!   are skipped on the way to the parts and to the classes.
//! - A file that is not a picture, or a damaged one, is left out and listed in the [`LoadReport`]. A
//!   picture that needs more than 256 MiB is not decoded.

mod decode;
mod layout;
mod listing;

use std::path::{Path, PathBuf};

use super::classes::numbered;
use super::parts::tenth;
use super::{Dataset, Form, LoadReport, Part, Parts};
use crate::Result;
use decode::Pictures;
use layout::Layout;
use listing::Listing;

/// The parts, and what was left out; or a single picture. A part without a folder of its own is none.
///
/// # Errors
/// [`Error::File`](crate::Error::File) if there is no readable picture in the folder or in the folder of a part, or if
/// more than a tenth of the pictures cannot be read; [`Error::Setting`](crate::Error::Setting) for an invalid form, or if
/// all pictures together take more than 16 GiB in that form.
pub fn read(folder: &Path, form: Form) -> Result<Parts> {
    let (folder, mut listing) = match (folder.is_file(), folder.parent(), folder.file_name()) {
        (true, Some(around), Some(file)) => (around, Listing::of_one(file.into())),
        _ => (folder, Listing::new(folder)),
    };
    let pictures = Pictures::decode(folder, form, &mut listing)?;
    listing.report.left_out.sort();
    let Pictures { files, shape, pixels, unreadable } = pictures;
    listing.check_parts(folder, &files)?;
    listing.check_readable(folder, &unreadable)?;
    let Listing { layout, mut report, .. } = listing;
    let in_part = |part| files.iter().filter(|file| layout.part(file) == Some(part)).count();
    let (validations, tests) = (in_part(Part::Validation), in_part(Part::Test));
    if layout.has_parts() && tests == 0 {
        let count = tenth(in_part(Part::Train));
        report.remarks.push(format!("there is no test part: it is a random tenth of train, {count} images"));
    }
    let (labels, classes) = classes(&files, &layout, &mut report);
    let all = Dataset::new(name(folder), shape, pixels, labels)?;
    let mut train = all.with_classes(classes)?.with_files(files)?;
    let test = (tests > 0).then(|| train.split_last(tests));
    let validation = (validations > 0).then(|| train.split_last(validations));
    Ok(Parts { validation, test, report, ..Parts::new(train) })
}

// The name of the folder, also if it is given as a dot.
fn name(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().or_else(|| whole.file_name());
    name.map_or_else(|| "folder".into(), |name| name.to_string_lossy().into_owned())
}

// The label of each file and the names of the labels, if every file is in one of several folders.
fn classes(files: &[PathBuf], layout: &Layout, report: &mut LoadReport) -> (Option<Vec<u8>>, Vec<String>) {
    let names: Vec<String> = files.iter().filter_map(|file| layout.class(file)).collect();
    let (inside, outside) = (names.len(), files.len() - names.len());
    if names.iter().all(|name| *name == names[0]) {
        return (None, Vec::new());
    }
    if outside > 0 {
        let remark = format!("{outside} pictures are in no class folder, {inside} are in one");
        report.remarks.push(format!("there are no labels: {remark}"));
        return (None, Vec::new());
    }
    numbered(&names, "class folders", report)
}
