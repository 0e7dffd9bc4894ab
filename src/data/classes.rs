//! Names of classes, and the labels that stand for them.

use std::collections::{BTreeSet, HashMap};

use super::{Dataset, LoadReport, Part, Split};
use crate::{Error, Result};

// Labels are bytes.
const MOST: usize = 256;

/// The label of each name, and the classes: first those that are whole numbers, in their order, then the others by name.
/// None, with a remark that says what they are, for too many.
pub(super) fn numbered(
    names: &[String],
    what: &str,
    report: &mut LoadReport,
) -> (Option<Vec<u8>>, Vec<String>) {
    let distinct: BTreeSet<(u64, &String)> =
        names.iter().map(|name| (name.parse::<u64>().unwrap_or(u64::MAX), name)).collect();
    if distinct.len() > MOST {
        report.remarks.push(format!("there are no labels: {} {what} are more than {MOST}", distinct.len()));
        return (None, Vec::new());
    }
    let places: HashMap<&String, u8> =
        (0..=u8::MAX).zip(&distinct).map(|(at, (_, name))| (*name, at)).collect();
    let labels = names.iter().map(|name| places.get(name).copied()).collect();
    (labels, distinct.into_iter().map(|(_, name)| name.clone()).collect())
}

/// Parts with the labels that these names are: numbered over all parts that have names, as one list of classes.
pub(super) fn labelled(
    parts: Vec<(Dataset, Option<Vec<String>>)>,
    what: &str,
    report: &mut LoadReport,
) -> Result<Vec<Dataset>> {
    let all: Vec<&[String]> = parts.iter().filter_map(|(_, names)| names.as_deref()).collect();
    let (labels, classes) = numbered(&all.concat(), what, report);
    let mut labels = labels.into_iter().flatten();
    let part = |(part, names): (Dataset, Option<Vec<String>>)| {
        let own =
            names.filter(|_| !classes.is_empty()).map(|names| labels.by_ref().take(names.len()).collect());
        Dataset { labels: own, ..part }.with_classes(classes.clone())
    };
    parts.into_iter().map(part).collect()
}

/// The same of parts that were read apart, where their classes differ.
pub(super) fn united(parts: Vec<Dataset>, report: &mut LoadReport) -> Result<Vec<Dataset>> {
    let mut classes = parts.iter().filter(|part| part.labels.is_some()).map(|part| &part.classes);
    let first = classes.next();
    if classes.all(|classes| Some(classes) == first) {
        return Ok(parts);
    }
    let named = |part: Dataset| {
        let names =
            part.labels.as_ref().map(|labels| labels.iter().map(|label| part.class(*label)).collect());
        (Dataset { classes: Vec::new(), ..part }, names)
    };
    labelled(parts.into_iter().map(named).collect(), "labels", report)
}

/// The place of a class by its name: in whatever case, or one word of the name where no other class has that.
pub(crate) fn place_of(classes: &[String], name: &str) -> Option<usize> {
    let exact = classes.iter().position(|class| class.eq_ignore_ascii_case(name));
    let has_word = |class: &String| {
        class
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| !word.is_empty() && word.eq_ignore_ascii_case(name))
    };
    let only = || {
        let mut having = classes.iter().enumerate().filter(|(_, class)| has_word(class));
        having.next().filter(|_| having.next().is_none()).map(|(at, _)| at)
    };
    exact.or_else(only)
}

impl Dataset {
    /// The names of its classes, by label: numbers where they have no names. None without labels.
    pub(crate) fn class_names(&self) -> Option<Vec<String>> {
        let most = self.labels.as_ref()?.iter().max().map_or(0, |most| usize::from(*most) + 1);
        let numbers = || (0..most).map(|label| label.to_string()).collect();
        Some(if self.classes.is_empty() { numbers() } else { self.classes.clone() })
    }

    /// The label of a class by its name, in whatever case, or by a word that only its name has, as boot for Ankle boot; or by
    /// its number where classes have no names.
    ///
    /// # Errors
    /// [`Error::Setting`] for `setting`, with the classes that there are, or where there are no labels.
    pub fn label_of(&self, setting: &str, class: &str) -> Result<u8> {
        let Some(labels) = &self.labels else {
            let way = match (self.columns.is_empty(), self.files.is_empty()) {
                (false, _) => "--label COLUMN",
                (true, false) => "a folder for each class",
                (true, true) => "a file of labels beside an array, or --labels",
            };
            let got = format!("{class}, and {} has no labels", self.name);
            return Err(Error::setting(setting, format!("data with labels ({way})"), got));
        };
        let named = place_of(&self.classes, class);
        let number = || class.parse().ok().filter(|label| self.classes.is_empty() && labels.contains(label));
        let label = named.and_then(|at| u8::try_from(at).ok()).or_else(number);
        label.ok_or_else(|| {
            let there: BTreeSet<u8> = labels.iter().copied().collect();
            let there: Vec<String> = match self.classes.is_empty() {
                true => there.into_iter().map(|label| label.to_string()).collect(),
                false => self.classes.clone(),
            };
            Error::setting(setting, format!("one of the classes {}", there.join(", ")), class)
        })
    }
}

impl Split {
    /// Takes the items of these classes out of the training and the validation part. The test part keeps them; where it was
    /// drawn from one piece with the others, it gets them all. A class that is not there is refused, but not where the parts
    /// are drawn `again`, which lack it already.
    ///
    /// # Errors
    /// As [`Dataset::label_of`]; [`Error::Setting`] where nothing is left to train on.
    pub(super) fn leave_out(&mut self, classes: &[String], again: bool) -> Result<()> {
        if classes.is_empty() {
            return Ok(());
        }
        let Self { train, validation, test, drawn, .. } = self;
        let label = |class: &String| {
            let of = |part: &Dataset| part.label_of("leave_out", class);
            of(test).or_else(|_| of(train))
        };
        let found = classes.iter().map(label).filter(|label| label.is_ok() || !again);
        let labels: Vec<u8> = found.collect::<Result<_>>()?;
        // Rows that were drawn from one piece lie one part after another.
        let first = if drawn.contains(&Part::Validation) { train.len() } else { 0 };
        train.note_places(0);
        validation.note_places(first);
        for part in [&mut *train, validation] {
            let own = part.labels.clone().unwrap_or_default();
            let kept: Vec<usize> = (0..part.len())
                .filter(|at| own.get(*at).is_none_or(|label| !labels.contains(label)))
                .collect();
            if drawn.contains(&Part::Test) && kept.len() < part.len() {
                let left: Vec<usize> = (0..part.len()).filter(|at| kept.binary_search(at).is_err()).collect();
                *test = test.clone().followed_by(part.chosen(&left));
            }
            *part = part.chosen(&kept);
        }
        if train.is_empty() {
            let expected = "classes that leave something to train on";
            return Err(Error::setting("leave_out", expected, classes.join(", ")));
        }
        Ok(())
    }
}
