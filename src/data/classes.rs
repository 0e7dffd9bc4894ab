//! Names of classes, and the labels that stand for them.

use std::collections::{BTreeSet, HashMap};

use super::{Dataset, LoadReport};
use crate::Result;

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
