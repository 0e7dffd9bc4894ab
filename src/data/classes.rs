//! Names of classes, and the labels that stand for them.

use std::collections::{BTreeSet, HashMap};

use super::{Dataset, LoadReport};

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

/// Gives parts that were read apart one list of classes.
pub(super) fn unite(parts: [Option<&mut Dataset>; 3], report: &mut LoadReport) {
    let mut parts: Vec<&mut Dataset> =
        parts.into_iter().flatten().filter(|part| part.labels.is_some()).collect();
    if parts.windows(2).all(|pair| pair[0].classes == pair[1].classes) {
        return;
    }
    let names = parts.iter().flat_map(|part| part.labels.iter().flatten().map(|label| part.class(*label)));
    let (labels, classes) = numbered(&names.collect::<Vec<_>>(), "labels", report);
    let mut labels = labels.map(Vec::into_iter);
    for part in &mut parts {
        let count = part.len();
        part.labels = labels.as_mut().map(|labels| labels.take(count).collect());
        part.classes.clone_from(&classes);
    }
}
