//! The files and arrays that are items, and those that are their labels.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::archive::{Archive, is_named_as_archive};
use super::array::Array;
use super::labels::Labels;
use super::{ArrayForm, Items, dataset, is_named_as_array};
use crate::data::origin::Origin;
use crate::data::part::{Content, Part, PartFiles, meaning};
use crate::data::{Dataset, LoadReport};
use crate::{Error, Result};

/// Reads items as a form says, and remarks what it saw.
pub(super) struct Reader<'a> {
    pub(super) name: &'a str,
    pub(super) form: &'a ArrayForm,
    pub(super) report: &'a mut LoadReport,
}

impl Reader<'_> {
    /// The parts of a folder.
    pub(super) fn folder(&mut self, folder: &Path) -> Result<Vec<(Part, Items)>> {
        let files = PartFiles::within(folder, is_named_as_array);
        let part = |part: Part| files.get(part, Content::Items).map(|file| (part, file));
        let there: Vec<_> = Part::ALL.into_iter().filter_map(part).collect();
        let alone = there.len() == 1;
        if let Some(labels) = self.form.labels.as_ref().filter(|_| !alone) {
            let expected = "none for a folder with parts, whose labels are y_train.npy and y_test.npy";
            return Err(Error::setting("labels", expected, labels));
        }
        let read = |(part, file): (Part, &Path)| {
            let labels = files.get(part, Content::Labels).map(Path::to_owned);
            let items = match is_named_as_archive(file) {
                true => self.archived(&mut Archive::open(file)?)?,
                false => self.array(file, labels.or_else(|| labels_beside(file, alone)))?,
            };
            Ok((part, items))
        };
        there.into_iter().map(read).collect()
    }

    /// An array, or the parts of an archive.
    pub(super) fn file(&mut self, path: &Path) -> Result<Vec<(Part, Items)>> {
        if is_named_as_archive(path) {
            return self.archive(path);
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let files = PartFiles::within(folder, is_named_as_array);
        let own = path.file_stem().and_then(|stem| meaning(&stem.to_string_lossy()));
        let labels = own.and_then(|(part, _)| files.get(part, Content::Labels)).map(Path::to_owned);
        if own == Some((Part::Train, Content::Items)) {
            let others =
                [Part::Validation, Part::Test].into_iter().filter_map(|part| files.get(part, Content::Items));
            let others: Vec<_> = others.map(|file| file.display().to_string()).collect();
            if !others.is_empty() {
                let remark = format!(
                    "{} beside it is not read; --data with their folder takes the parts together",
                    others.join(" and ")
                );
                self.report.remarks.push(remark);
            }
        }
        let items = self.array(path, labels.or_else(|| labels_beside(path, true)))?;
        Ok(vec![(Part::Train, items)])
    }

    // A .npy file. Labels that are named by the form must fit, those that were found need not.
    fn array(&mut self, path: &Path, found: Option<PathBuf>) -> Result<Items> {
        if let Some(array) = &self.form.array {
            let got = format!("{array} of {}", path.display());
            return Err(Error::setting("array", "an .npz archive with it", got));
        }
        let given = self.form.labels.as_ref().map(|labels| given_labels(labels, path)).transpose()?;
        let set = self.dataset(path, Array::open(path)?)?;
        let read = |labels: &Path| Labels::read(Array::open(labels)?, set.len());
        let labels = match (given, found) {
            (Some(labels), _) => Some(read(&labels)?),
            (None, Some(labels)) => self.optional(read(&labels)),
            (None, None) => None,
        };
        Ok((set, labels))
    }

    fn archive(&mut self, path: &Path) -> Result<Vec<(Part, Items)>> {
        let mut archive = Archive::open(path)?;
        let of = |part: Part, content: Content| {
            archive.names.iter().find(|name| meaning(name) == Some((part, content))).cloned()
        };
        let parts = Part::ALL.map(|part| (part, of(part, Content::Items), of(part, Content::Labels)));
        if self.form.array.is_some() || parts[0].1.is_none() {
            return Ok(vec![(Part::Train, self.archived(&mut archive)?)]);
        }
        if let Some(labels) = &self.form.labels {
            let expected = "none for an archive with parts, whose labels are y_train and y_test";
            return Err(Error::setting("labels", expected, labels));
        }
        let there = parts.into_iter().filter_map(|(part, items, labels)| Some((part, items?, labels)));
        let read = |(part, items, labels): (Part, String, Option<String>)| {
            let set = self.member(&mut archive, &items)?;
            let labels = labels.map(|labels| archive.array(&labels, |array| Labels::read(array, set.len())));
            Ok((part, (set, labels.and_then(|labels| self.optional(labels)))))
        };
        there.map(read).collect()
    }

    // The images and labels of an archive that is one part.
    fn archived(&mut self, archive: &mut Archive) -> Result<Items> {
        let name = match &self.form.array {
            Some(name) if archive.names.contains(name) => name.clone(),
            Some(name) => return Err(archive.without("array", name)),
            None => self.first_images(archive)?,
        };
        let set = self.member(archive, &name)?;
        let labels = match &self.form.labels {
            Some(labels) if archive.names.contains(labels) => {
                Some(archive.array(labels, |array| Labels::read(array, set.len()))?)
            }
            Some(labels) => return Err(archive.without("labels", labels)),
            None => {
                let labels = archive.names.iter().find(|name| Content::named(name) == Some(Content::Labels));
                let labels = labels
                    .cloned()
                    .map(|labels| archive.array(&labels, |array| Labels::read(array, set.len())));
                labels.and_then(|labels| self.optional(labels))
            }
        };
        Ok((set, labels))
    }

    // The first array that may be images, with a remark where others may be too.
    fn first_images(&mut self, archive: &mut Archive) -> Result<String> {
        let (mut fit, mut seen) = (Vec::new(), Vec::new());
        for name in archive.names.clone() {
            let (shape, description) =
                archive.array(&name, |array| Ok((array.shape().to_vec(), array.description())))?;
            seen.push(format!("{name} {description}"));
            if (2..=4).contains(&shape.len()) && Content::named(&name) != Some(Content::Labels) {
                fit.push(name);
            }
        }
        let Some(first) = fit.first() else {
            let expected = "an array of two to four dimensions";
            return Err(Origin::File(archive.path()).wrong(expected, seen.join(", ")));
        };
        if fit.len() > 1 {
            self.report.remarks.push(format!(
                "of {} the array {first} is taken; --array NAME takes another",
                seen.join(", ")
            ));
        }
        Ok(first.clone())
    }

    fn member(&mut self, archive: &mut Archive, name: &str) -> Result<Dataset> {
        let path = archive.path().join(name);
        archive.array(name, |array| self.dataset(&path, array))
    }

    fn dataset<R: Read>(&mut self, path: &Path, array: Array<'_, R>) -> Result<Dataset> {
        let before = self.report.remarks.len();
        let set = dataset(self.name, array, self.form.layout, self.report)?;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        self.report.remarks[before..].iter_mut().for_each(|remark| *remark = format!("{file} {remark}"));
        Ok(set)
    }

    // Training needs no labels: those that cannot be used end no run.
    fn optional(&mut self, labels: Result<Labels>) -> Option<Labels> {
        labels.map_err(|error| self.report.remarks.push(format!("labels are left out: {error}"))).ok()
    }
}

// A file of labels that was named: where it says, or next to the images.
fn given_labels(labels: &str, images: &Path) -> Result<PathBuf> {
    let places = [PathBuf::from(labels), images.with_file_name(labels)];
    let found = places.into_iter().find(|place| place.is_file());
    found.ok_or_else(|| {
        Error::setting("labels", "a .npy file with labels, or an array of an .npz archive", labels)
    })
}

fn labels_beside(images: &Path, alone: bool) -> Option<PathBuf> {
    let stem = images.file_stem()?.to_string_lossy();
    let own = format!("{stem}-labels.npy");
    let common = ["labels.npy", "y.npy"].into_iter().filter(|_| alone).map(str::to_owned);
    [own].into_iter().chain(common).map(|name| images.with_file_name(name)).find(|path| path.is_file())
}
