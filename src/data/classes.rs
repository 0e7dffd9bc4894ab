//! Names of classes, and the labels that stand for them.

use std::collections::{BTreeSet, HashMap};

use super::LoadReport;

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
