//! Data sets with parts of their own, and the choice of a part where there is none.

use std::collections::HashMap;

use rayon::prelude::*;

use super::dataset::MOST_VALIDATION;
use super::{Dataset, DrawnParts, LoadReport, Part, Split};
use crate::rng::{Stream, key, philox};
use crate::{Error, Result};

// The seed of what is left of data with a limit; the parts have 0 and 1.
const LIMIT: u64 = 2;

/// The parts that a data set comes with.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Parts {
    /// What to train on.
    pub train: Dataset,
    /// What to validate with. None: some of the training part.
    pub validation: Option<Dataset>,
    /// What the final evaluation is of. None: a tenth of the training part.
    pub test: Option<Dataset>,
    /// Whether the training part is in no order of its own, so that its last rows are a fair validation part.
    pub shuffled: bool,
    /// Notes about the loading.
    pub report: LoadReport,
}

impl Parts {
    /// A training part alone, in an order that may mean something.
    pub const fn new(train: Dataset) -> Self {
        let report = LoadReport { left_out: Vec::new(), files: 0, remarks: Vec::new() };
        Self { train, validation: None, test: None, shuffled: false, report }
    }

    /// All in the data's own order: parts one after another, pictures by the names of their files. There are labels where
    /// every part has them.
    pub fn into_whole(self) -> (Dataset, LoadReport) {
        let Self { train, validation, test, report, .. } = self;
        let whole = [validation, test].into_iter().flatten().fold(train, Dataset::followed_by);
        if whole.files.is_empty() {
            return (whole, report);
        }
        let mut order: Vec<usize> = (0..whole.len()).collect();
        order.sort_by_key(|at| whole.files.get(*at));
        (whole.chosen(&order), report)
    }
}

impl Split {
    /// The split with these parts. A missing test part is a random tenth of the training part, the same each time, with
    /// each class in proportion. So is a missing validation part of `count`, by default a tenth and at most 5,000, except
    /// that it is the last rows of a part that is shuffled.
    ///
    /// # Errors
    /// As [`Split::new`]; [`Error::Setting`] for a count where there is a validation part already.
    pub fn of_parts(parts: Parts, count: Option<usize>) -> Result<Self> {
        let drawn = [(Part::Validation, &parts.validation), (Part::Test, &parts.test)];
        let drawn = drawn.into_iter().filter(|(_, set)| set.is_none()).map(|(part, _)| part).collect();
        Ok(Self { drawn, ..Self::drawn_from(parts, count)? })
    }

    /// The split of these parts whose drawn items are those of `drawn`; other items are left out, with a remark unless the
    /// data were limited.
    ///
    /// # Errors
    /// As [`Split::of_parts`], and [`Error::Setting`] where items are gone.
    pub fn drawn_again(parts: Parts, drawn: &DrawnParts, limited: bool) -> Result<Self> {
        let parts = drawn.laid_on(parts, limited)?;
        let count = parts.validation.is_none().then_some(0);
        Ok(Self { drawn: drawn.parts(), ..Self::drawn_from(parts, count)? })
    }

    fn drawn_from(parts: Parts, count: Option<usize>) -> Result<Self> {
        let Parts { mut train, validation, test, shuffled, report } = parts;
        if let (Some(count), Some(_)) = (count.filter(|count| *count > 0), &validation) {
            let expected = format!("no number, since {} has a validation part of its own", train.name);
            return Err(Error::setting("validation", expected, count));
        }
        let test = test.unwrap_or_else(|| train.split_stratified(tenth(train.len()), 0));
        let all = train.len();
        let count = count.unwrap_or((all / 10).min(MOST_VALIDATION));
        let mut split = match validation {
            None if !shuffled && count < all => {
                let validation = train.split_stratified(count, 1);
                Self { validation, ..Self::new(train, test, Some(0))? }
            }
            None => Self::new(train, test, Some(count))?,
            Some(validation) if validation.shape() == train.shape() => {
                Self { validation, ..Self::new(train, test, Some(0))? }
            }
            Some(validation) => {
                let [expected, got] = [&train, &validation].map(|set| set.shape().map(|n| n.to_string()));
                let operation = format!("validation part of {}", train.name);
                return Err(Error::shape(operation, expected.join(" x "), got.join(" x ")));
            }
        };
        split.report = report;
        Ok(split)
    }
}

/// A tenth, but at least one of two.
pub(super) fn tenth(count: usize) -> usize {
    (count / 10).max(usize::from(count > 1))
}

/// The sorted places of `held_out` of `count` rows. With labels, each class gives its share, to within one row.
///
/// Rows are put in a random order, then by label, and every `count / held_out`-th is taken: systematic sampling
/// (Cochran, *Sampling Techniques*, chapter 8).
pub fn stratified(labels: Option<&[u8]>, count: usize, held_out: usize, seed: u64) -> Vec<usize> {
    let held_out = held_out.min(count);
    let random = |place: &usize| {
        let number = *place as u64;
        philox([number as u32, (number >> 32) as u32, Stream::Permutation as u32, 1], key(seed))
    };
    let label = |place: &usize| labels.and_then(|labels| labels.get(*place)).copied();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|place| (label(place), random(place), *place));
    let mut places: Vec<usize> =
        (0..held_out).map(|at| order[(2 * at + 1) * count / (2 * held_out)]).collect();
    places.sort_unstable();
    places
}

impl Dataset {
    /// Leaves at most so many rows, at random with each class in proportion, in their order.
    pub(super) fn limit(&mut self, most: usize) {
        if self.len() > most {
            self.note_places(0);
            *self = self.chosen(&stratified(self.labels.as_deref(), self.len(), most, LIMIT));
        }
    }

    /// Lets rows remember their places, from `first` on. Files have names that say more.
    pub(super) fn note_places(&mut self, first: usize) {
        if self.places.is_empty() && self.files.is_empty() {
            self.places = (first..first + self.len()).collect();
        }
    }

    /// Takes a stratified part of `held_out` rows out. What stays keeps its order.
    pub(super) fn split_stratified(&mut self, held_out: usize, seed: u64) -> Self {
        self.note_places(0);
        let taken = stratified(self.labels.as_deref(), self.len(), held_out, seed);
        let mut is_taken = vec![false; self.len()];
        taken.iter().for_each(|place| is_taken[*place] = true);
        let kept: Vec<usize> = (0..self.len()).filter(|place| !is_taken[*place]).collect();
        let part = self.chosen(&taken);
        *self = self.chosen(&kept);
        part
    }
}

// A remark about images that are in two parts. Equal 64-bit hashes count as equal images.
pub(super) fn shared(parts: [&Dataset; 3]) -> Option<String> {
    let mut first: HashMap<u64, (usize, usize)> = HashMap::new();
    let (mut count, mut example) = (0, None);
    for (part, set) in parts.iter().enumerate() {
        let pixels = set.pixels();
        let rows = 0..set.len();
        let hashes: Vec<u64> = rows.into_par_iter().map(|row| set.values.hash(row, pixels)).collect();
        for (image, hash) in hashes.into_iter().enumerate() {
            let earlier = *first.entry(hash).or_insert((part, image));
            if earlier.0 != part {
                count += 1;
                example.get_or_insert((earlier, (part, image)));
            }
        }
    }
    let set_of_pictures = parts.iter().any(|part| !part.files.is_empty());
    let ((part, image), (other_part, other)) = example?;
    let name = |part: usize, image: usize| match parts[part].files.get(image) {
        Some(file) => file.display().to_string(),
        None => format!("number {image} of {}", ["train", "validation", "test"][part]),
    };
    let names = [name(part, image), name(other_part, other)].join(" and ");
    let what = if set_of_pictures { "picture" } else { "row" };
    let verb = if count == 1 { " is" } else { "s are" };
    Some(format!(
        "{count} {what}{verb} in two parts, such as {names}: figures on the later part look too good"
    ))
}
