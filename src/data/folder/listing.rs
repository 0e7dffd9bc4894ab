//! The files of a folder, and what is left out of them.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use super::layout::Layout;
use crate::data::LoadReport;
use crate::data::Part;
use crate::data::picture::{self, FORMATS, Kind};
use crate::data::written::holds_run;
use crate::rng::{Stream, key, philox};
use crate::{Error, Result};

/// A file, relative to the folder.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listed {
    pub(super) path: PathBuf,
    /// Whether its name or its first bytes are those of a picture.
    pub(super) seems_picture: bool,
}

/// The files of a folder, in the order of the data set.
pub(super) struct Listing {
    /// Shuffled, part after part.
    pub(super) files: Vec<Listed>,
    pub(super) layout: Layout,
    pub(super) report: LoadReport,
}

impl Listing {
    /// A single picture, whoever wrote it.
    pub(super) fn of_one(file: PathBuf) -> Self {
        let layout = Layout::new(&[], [file.as_path()].into_iter());
        let report = LoadReport { files: 1, ..LoadReport::default() };
        Self { files: vec![Listed { path: file, seems_picture: true }], layout, report }
    }

    pub(super) fn new(folder: &Path) -> Self {
        let mut report = LoadReport::default();
        let (folders, files) = walk(folder, &mut report);
        report.files = files.len() + report.left_out.len();
        let files = sorted_out(folder, files, &mut report);
        let pictures = files.iter().filter(|file| file.seems_picture).map(|file| file.path.as_path());
        let layout = Layout::new(&folders, pictures);
        let (mut files, beside): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| layout.part(&file.path).is_some());
        report.note_beside(&layout, &beside);
        files.sort();
        let mut files = shuffled(files);
        // Stable: each part keeps its shuffled order.
        files.sort_by_key(|file| layout.part(&file.path));
        Self { files, layout, report }
    }

    /// Fails if a part has no picture, with the reason as far as it is known.
    pub(super) fn check_parts(&self, folder: &Path, readable: &[PathBuf]) -> Result<()> {
        if !self.layout.has_parts() {
            return self.check_part(folder, Part::Train, Path::new(""), readable);
        }
        self.layout.parts.iter().try_for_each(|(part, path)| self.check_part(folder, *part, path, readable))
    }

    fn check_part(&self, folder: &Path, part: Part, path: &Path, readable: &[PathBuf]) -> Result<()> {
        if readable.iter().any(|file| self.layout.part(file) == Some(part)) {
            return Ok(());
        }
        let first = self.report.left_out.iter().find(|(file, _)| file.starts_with(path));
        let found = match (first, self.report.remarks.first()) {
            (Some((file, reason)), _) => {
                format!("none; the first file, {}, is left out: {reason}", file.display())
            }
            (None, Some(remark)) => format!("none ({remark})"),
            (None, None) => "no file at all".to_owned(),
        };
        let is_data = |file: &Path| {
            let ending = file.extension().unwrap_or_default();
            ["csv", "tsv", "npy"].iter().any(|known| ending.eq_ignore_ascii_case(known))
        };
        let is_picture =
            |file: &Path| self.files.iter().any(|other| other.seems_picture && other.path == file);
        let way = match first {
            Some((file, _)) if is_data(file) => {
                format!("; give that file: --data {}", folder.join(file).display())
            }
            _ if part != Part::Train => "; without this folder, some of train takes its place".to_owned(),
            // Its reason says what to do.
            Some((file, _)) if is_picture(file) => String::new(),
            _ => "; give the folder of pictures: --data FOLDER".to_owned(),
        };
        let path = if path.as_os_str().is_empty() { folder.to_owned() } else { folder.join(path) };
        let expected = format!("at least one readable {FORMATS}");
        Err(Error::File { path, expected, found: found + &way })
    }

    /// Fails if more than a tenth of what seems to be pictures cannot be read.
    pub(super) fn check_readable(&self, folder: &Path, unreadable: &[PathBuf]) -> Result<()> {
        let pictures = self.files.iter().filter(|file| file.seems_picture).count();
        if unreadable.len() * 10 <= pictures {
            return Ok(());
        }
        let reasons = self.report.left_out.iter().filter(|(file, _)| unreadable.contains(file));
        let named = reasons.take(3).map(|(file, reason)| format!("{} ({reason})", file.display()));
        let (count, named) = (unreadable.len(), named.collect::<Vec<_>>().join(", "));
        Err(Error::File {
            path: folder.to_owned(),
            expected: "at most a tenth of the pictures to be unreadable".to_owned(),
            found: format!(
                "{count} of {pictures}, such as {named}. Repair or convert them, or move them out of the folder: the \
                 same command then reads the others"
            ),
        })
    }
}

// The folders and the files below a folder, relative to it. Runs of narrows are not entered.
fn walk(folder: &Path, report: &mut LoadReport) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let (mut folders, mut files, mut runs) = (Vec::new(), Vec::new(), Vec::new());
    let entered = |entry: &DirEntry| {
        if entry.depth() == 0 {
            return true;
        }
        let run = entry.file_type().is_dir() && holds_run(entry.path());
        if run {
            runs.push(below(folder, entry.path()));
        }
        !run && !entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    for entry in WalkDir::new(folder).follow_links(true).into_iter().filter_entry(entered) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => folders.push(below(folder, entry.path())),
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
    runs.sort();
    let remark =
        |run: PathBuf| format!("the folder {} is left out: it holds a run of narrows", run.display());
    report.remarks.extend(runs.into_iter().map(remark));
    (folders, files)
}

// The files that narrows did not write.
fn sorted_out(folder: &Path, files: Vec<PathBuf>, report: &mut LoadReport) -> Vec<Listed> {
    let kinds: Vec<Kind> = files.par_iter().map(|file| picture::kind(&folder.join(file))).collect();
    let (written, files): (Vec<_>, Vec<_>) =
        files.into_iter().zip(kinds).partition(|(_, kind)| *kind == Kind::Written);
    if let Some(first) = written.iter().map(|(file, _)| file).min() {
        report.files -= written.len();
        let first = first.display();
        report.remarks.push(match written.len() {
            1 => format!("one picture that narrows wrote is left out: {first}"),
            count => format!("{count} pictures that narrows wrote are left out, such as {first}"),
        });
    }
    let listed = |(path, kind)| Listed { path, seems_picture: kind == Kind::Picture };
    files.into_iter().map(listed).collect()
}

impl LoadReport {
    // One remark for all, since they are probably there on purpose.
    fn note_beside(&mut self, layout: &Layout, files: &[Listed]) {
        self.files -= files.len();
        if let Some(first) = files.iter().map(|file| &file.path).min() {
            let mut names: Vec<_> = layout.parts.iter().map(|(_, path)| path.display().to_string()).collect();
            let last = names.pop().unwrap_or_default();
            let read = match names.is_empty() {
                true => format!("folder {last} is"),
                false => format!("folders {} and {last} are", names.join(", ")),
            };
            let count = files.len();
            let first = first.display();
            self.remarks
                .push(format!("only the {read} read; {count} other files are ignored, such as {first}"));
        }
    }
}

fn below(folder: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(folder).unwrap_or(path).to_owned()
}

// In the order of random numbers, one per place.
fn shuffled(files: Vec<Listed>) -> Vec<Listed> {
    let number = |at: usize| philox([at as u32, 0, Stream::Permutation as u32, 0], key(0));
    let mut numbered: Vec<_> = files.into_iter().enumerate().map(|(at, file)| (number(at), file)).collect();
    numbered.sort();
    numbered.into_iter().map(|(_, file)| file).collect()
}
