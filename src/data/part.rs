//! The part of a data set that a folder, a file or an array is, by its name.

use std::path::{Path, PathBuf};

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What the weights are fitted to.
    Train,
    /// What settings are chosen by.
    Validation,
    /// What the final evaluation is of.
    Test,
}

/// What a file or an array holds of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Content {
    Items,
    Labels,
}

impl Part {
    pub(super) const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// The part that a word means, in any case.
    pub(super) fn named(word: &str) -> Option<Self> {
        match word.to_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "val" | "valid" | "validation" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}

impl Content {
    /// What a word means, in any case.
    pub(super) fn named(word: &str) -> Option<Self> {
        match word.to_lowercase().as_str() {
            "x" | "data" | "images" | "features" | "inputs" => Some(Self::Items),
            "y" | "label" | "labels" | "target" | "targets" => Some(Self::Labels),
            _ => None,
        }
    }
}

/// The part and the content that a name such as `train`, `x_train` or `test-labels` means.
pub(super) fn meaning(name: &str) -> Option<(Part, Content)> {
    let words: Vec<&str> = name.split(['_', '-', '.', ' ']).collect();
    match words[..] {
        [part] => Some((Part::named(part)?, Content::Items)),
        [first, second] => {
            let (part, content) = match Part::named(first) {
                Some(part) => (part, second),
                None => (Part::named(second)?, first),
            };
            Some((part, Content::named(content)?))
        }
        _ => None,
    }
}

/// The files of a folder whose names mean parts: of several the first by name, whatever order the folder has.
pub(super) struct PartFiles(Vec<((Part, Content), PathBuf)>);

impl PartFiles {
    /// Those in `folder` that `fits` accepts; none where it cannot be listed.
    pub(super) fn within(folder: &Path, fits: impl Fn(&Path) -> bool) -> Self {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let files =
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|file| file.is_file() && fits(file));
        let named = |file: PathBuf| Some((meaning(&file.file_stem()?.to_string_lossy())?, file));
        let mut files: Vec<_> = files.filter_map(named).collect();
        files.sort();
        Self(files)
    }

    /// The file of a part.
    pub(super) fn get(&self, part: Part, content: Content) -> Option<&Path> {
        let found = self.0.iter().find(|(meaning, _)| *meaning == (part, content));
        found.map(|(_, file)| file.as_path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_a_part_in_any_case_and_order() {
        for name in ["train", "X_train", "train-images", "Training_Data", "x_train"] {
            assert_eq!(meaning(name), Some((Part::Train, Content::Items)), "{name}");
        }
        for name in ["y_val", "valid_labels", "Validation-Target"] {
            assert_eq!(meaning(name), Some((Part::Validation, Content::Labels)), "{name}");
        }
        for name in ["trainer", "test_2", "my_train_x", "x", "labels", ""] {
            assert_eq!(meaning(name), None, "{name}");
        }
    }
}
