//! Data sets with parts of their own, and the choice of a part where there is none.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use rayon::prelude::*;

use super::{Dataset, LoadReport, Split};
use crate::rng::{Stream, key, philox};
use crate::{Error, Result};

/// The parts that a data set comes with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parts {
    /// The images to train on.
    pub train: Dataset,
    /// The images to validate with. None: the last training images.
    pub validation: Option<Dataset>,
    /// The images for the final evaluation. None: a random tenth of the training images.
    pub test: Option<Dataset>,
    /// Notes about the loading.
    pub report: LoadReport,
}

impl Split {
    /// The split with these parts. A missing test part is a random tenth of the training images, the same each time, with
    /// each class in proportion; a missing validation part is as in [`Split::new`]. A remark counts the images that are
    /// in two parts.
    ///
    /// # Errors
    /// As [`Split::new`]; [`Error::Setting`] for a number of validation images where they are a part already.
    pub fn of_parts(parts: Parts, count: Option<usize>) -> Result<Self> {
        let Parts { mut train, validation, test, mut report } = parts;
        if let (Some(count), Some(_)) = (count, &validation) {
            let expected = format!("no number, since {} has a validation part of its own", train.name);
            return Err(Error::setting("validation", expected, count));
        }
        let test = test.unwrap_or_else(|| {
            let count = tenth(train.len());
            let drawn = train.hold_out(&stratified(train.labels.as_deref(), train.len(), count, 0));
            report
                .remarks
                .push(format!("there is no test part: it is a random tenth of train, {count} images"));
            drawn
        });
        let mut split = match validation {
            None => Self::new(train, test, count)?,
            Some(validation) if validation.shape() == train.shape() => {
                Self { validation, ..Self::new(train, test, Some(0))? }
            }
            Some(validation) => {
                let [expected, got] = [&train, &validation].map(|set| set.shape().map(|n| n.to_string()));
                let operation = format!("validation part of {}", train.name);
                return Err(Error::shape(operation, expected.join(" x "), got.join(" x ")));
            }
        };
        report.remarks.extend(shared(&[&split.train, &split.validation, &split.test]));
        split.report = report;
        Ok(split)
    }
}

impl Dataset {
    /// Moves the images at the sorted `places` out; the others keep their order.
    fn hold_out(&mut self, places: &[usize]) -> Self {
        let mut held = vec![false; self.len()];
        for place in places {
            held[*place] = true;
        }
        let pixels = self.pixels();
        let images = places.iter().flat_map(|place| self.image(*place)).copied().collect();
        let mut end = 0;
        for place in (0..held.len()).filter(|place| !held[*place]) {
            self.images.copy_within(place * pixels..(place + 1) * pixels, end);
            end += pixels;
        }
        self.images.truncate(end);
        let labels = self.labels.as_mut().map(|labels| divided(labels, &held));
        let files = if self.files.is_empty() { Vec::new() } else { divided(&mut self.files, &held) };
        Self { name: self.name.clone(), images, labels, classes: self.classes.clone(), files, ..*self }
    }
}

// Moves the values that are held out.
fn divided<T>(values: &mut Vec<T>, held: &[bool]) -> Vec<T> {
    let (out, kept): (Vec<_>, Vec<_>) =
        std::mem::take(values).into_iter().zip(held).partition(|(_, held)| **held);
    let plain = |pairs: Vec<(T, &bool)>| pairs.into_iter().map(|(value, _)| value).collect();
    *values = plain(kept);
    plain(out)
}

/// A tenth, but at least one of two.
pub(super) fn tenth(count: usize) -> usize {
    (count / 10).max(usize::from(count > 1))
}

/// `held_out` of `count` places, sorted: a random choice that depends on the seed alone, with each class in proportion as
/// far as whole numbers allow. Without labels, all places are of one class.
pub fn stratified(labels: Option<&[u8]>, count: usize, held_out: usize, seed: u64) -> Vec<usize> {
    let held_out = held_out.min(count);
    let mut classes: Vec<Vec<usize>> = vec![Vec::new(); 256];
    for place in 0..count {
        let label = labels.and_then(|labels| labels.get(place)).copied().unwrap_or_default();
        classes[usize::from(label)].push(place);
    }
    // In u128, since a product of two counts may not fit.
    let share = |class: &Vec<usize>| (class.len() as u128 * held_out as u128, count.max(1) as u128);
    let whole = |class: &Vec<usize>| (share(class).0 / share(class).1) as usize;
    let rest = |class: &Vec<usize>| share(class).0 % share(class).1;
    let missing = held_out - classes.iter().map(whole).sum::<usize>();
    // What whole numbers leave goes to the classes with the largest remainders.
    classes.sort_by_key(|class| std::cmp::Reverse(rest(class)));
    let number = |place: usize| philox([place as u32, 1, Stream::Permutation as u32, 0], key(seed));
    let mut chosen = Vec::with_capacity(held_out);
    for (rank, mut class) in classes.into_iter().enumerate() {
        let take = whole(&class) + usize::from(rank < missing);
        class.sort_by_key(|place| (number(*place), *place));
        chosen.extend(class.into_iter().take(take));
    }
    chosen.sort();
    chosen
}

// A remark about images that are in two parts. Equal 64-bit hashes count as equal images.
fn shared(parts: &[&Dataset]) -> Option<String> {
    let mut first: HashMap<u64, (usize, usize)> = HashMap::new();
    let (mut count, mut example) = (0, None);
    for (part, set) in parts.iter().enumerate() {
        let hashes: Vec<u64> = set.images.par_chunks_exact(set.pixels()).map(hash).collect();
        for (image, hash) in hashes.into_iter().enumerate() {
            let earlier = *first.entry(hash).or_insert((part, image));
            if earlier.0 != part {
                count += 1;
                example.get_or_insert((earlier, (part, image)));
            }
        }
    }
    let ((part, image), (other_part, other)) = example?;
    let name = |part: usize, image: usize| match parts[part].files.get(image) {
        Some(file) => file.display().to_string(),
        None => format!("image {image} of {}", ["train", "validation", "test"][part]),
    };
    let names = [name(part, image), name(other_part, other)].join(" and ");
    let verb = if count == 1 { "picture is" } else { "pictures are" };
    Some(format!("{count} {verb} in two parts, such as {names}: figures on the later part look too good"))
}

fn hash(image: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(image);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_held_out_in_proportion_and_the_choice_follows_the_seed() {
        let labels: Vec<u8> = (0..100).map(|at| [0, 0, 0, 1, 7][at % 5]).collect();
        let chosen = stratified(Some(&labels), 100, 11, 3);
        let of = |label| chosen.iter().filter(|place| labels[**place] == label).count();
        assert_eq!((chosen.len(), of(0), of(1), of(7)), (11, 7, 2, 2));
        assert!(chosen.is_sorted() && chosen.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(chosen, stratified(Some(&labels), 100, 11, 3));
        assert_ne!(chosen, stratified(Some(&labels), 100, 11, 4));
        assert_eq!(stratified(None, 3, 9, 0), [0, 1, 2]);
        assert!(stratified(None, 0, 1, 0).is_empty());
    }

    #[test]
    fn images_held_out_take_their_labels_and_files_along() {
        let files = ["a", "b", "c", "d"].map(Into::into).to_vec();
        let all = Dataset::new("all", [1, 1, 2], (0..8).collect(), Some(vec![0, 1, 2, 3])).unwrap();
        let mut kept = all.with_files(files).unwrap();
        let held = kept.hold_out(&[1, 3]);
        assert_eq!((held.images, held.labels), (vec![2, 3, 6, 7], Some(vec![1, 3])));
        assert_eq!((kept.images, kept.labels), (vec![0, 1, 4, 5], Some(vec![0, 2])));
        assert_eq!((held.files, kept.files), (vec!["b".into(), "d".into()], vec!["a".into(), "c".into()]));
    }
}
