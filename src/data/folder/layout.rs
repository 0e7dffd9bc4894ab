//! Which folders are parts and which are classes.

use std::path::{Path, PathBuf};

use crate::data::part::Part;

/// The meaning of the folders. All paths are relative to the data set's folder.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The parts' folders, in the order of the parts. None: no parts.
    pub(super) parts: Vec<(Part, PathBuf)>,
    // Within each part, or within everything: the folder of the classes' folders.
    classes: PathBuf,
}

impl Layout {
    /// From all folders and from the files that seem to be pictures.
    pub(super) fn new<'a>(folders: &[PathBuf], pictures: impl Iterator<Item = &'a Path> + Clone) -> Self {
        let common = common_folder(pictures.clone());
        let mut outer: Vec<&Path> = common.ancestors().collect();
        outer.reverse();
        let parts = outer.into_iter().find_map(|base| parts_in(base, folders, &common)).unwrap_or_default();
        let mut layout = Self { parts, classes: PathBuf::new() };
        let within = pictures.filter_map(|file| layout.within_part(file));
        layout.classes = common_folder(within);
        layout
    }

    pub(super) fn has_parts(&self) -> bool {
        !self.parts.is_empty()
    }

    /// The part of a file. Without parts, everything is to train on.
    pub(super) fn part(&self, file: &Path) -> Option<Part> {
        if !self.has_parts() {
            return Some(Part::Train);
        }
        self.parts.iter().find(|(_, folder)| file.starts_with(folder)).map(|(part, _)| *part)
    }

    /// The class of a picture by its folder.
    pub(super) fn class(&self, file: &Path) -> Option<String> {
        let folder = self.within_part(file)?.parent()?.strip_prefix(&self.classes).ok()?;
        folder.iter().next().map(|name| name.to_string_lossy().into_owned())
    }

    /// The class of a picture among those that are known: the innermost folder that has the name of one, in any case.
    pub(super) fn known_class(&self, file: &Path, known: &[String]) -> Option<String> {
        let folders = self.within_part(file)?.parent()?;
        let class = |folder: &std::ffi::OsStr| {
            known.iter().find(|class| folder.to_str().is_some_and(|name| name.eq_ignore_ascii_case(class)))
        };
        folders.iter().rev().find_map(class).cloned()
    }

    // The path of a file below its part's folder.
    fn within_part<'a>(&self, file: &'a Path) -> Option<&'a Path> {
        if !self.has_parts() {
            return Some(file);
        }
        self.parts.iter().find_map(|(_, folder)| file.strip_prefix(folder).ok())
    }
}

// The parts' folders directly in `base`: `train` with another part, or alone.
fn parts_in(base: &Path, folders: &[PathBuf], common: &Path) -> Option<Vec<(Part, PathBuf)>> {
    let inside = folders.iter().filter(|folder| folder.parent() == Some(base));
    let mut parts: Vec<_> = inside
        .filter_map(|folder| Some((Part::named(folder.file_name()?.to_str()?)?, folder.clone())))
        .collect();
    parts.sort();
    let trains: Vec<_> = parts.iter().filter(|(part, _)| *part == Part::Train).collect();
    let others = trains.len() < parts.len();
    let alone = trains.iter().any(|(_, folder)| common.starts_with(folder));
    (!trains.is_empty() && (others || alone)).then_some(parts)
}

// The innermost folder that all files are in.
fn common_folder<'a>(files: impl Iterator<Item = &'a Path>) -> PathBuf {
    let mut folders = files.filter_map(Path::parent);
    let Some(first) = folders.next() else { return PathBuf::new() };
    let common = folders.fold(first, |common, folder| {
        common.ancestors().find(|common| folder.starts_with(common)).unwrap_or(Path::new(""))
    });
    common.to_owned()
}
