//! Names that are most like one that is not there.

/// Names of a list that is read in one glance.
pub(crate) const FEW: usize = 12;

/// That of `known` which is most like `name`, whatever the case of letters, if half of the letters can stay.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let nearest = by_distance(name, known).into_iter().next();
    nearest.filter(|known| 2 * distance(name, known) <= name.chars().count())
}

/// A list of names in an error: all of a few; of many how many there are, and the three that are most like `name`.
pub(crate) fn listed(name: &str, known: &[String]) -> String {
    if known.len() <= FEW {
        return known.join(", ");
    }
    let nearest = by_distance(name, known.iter().map(String::as_str));
    format!("{} ({} in all; these are the nearest names)", nearest[..3].join(", "), known.len())
}

fn by_distance<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut known: Vec<&str> = known.into_iter().collect();
    // Stable: of two that are as near the first.
    known.sort_by_cached_key(|known| distance(name, known));
    known
}

fn distance(a: &str, b: &str) -> usize {
    strsim::levenshtein(&a.to_lowercase(), &b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike_whatever_their_case() {
        assert_eq!(nearest("mean_radius", ["id", "worst_radius", "MEAN_RADIUS"]), Some("MEAN_RADIUS"));
        assert_eq!(nearest("mean_radius", ["id", "avg_radius", "diagnosis"]), Some("avg_radius"));
        assert_eq!(nearest("mean_radius", ["id", "diagnosis"]), None);
        assert_eq!(nearest("a", []), None);
        let many: Vec<String> = (0..13).map(|at| format!("column{at}")).collect();
        assert_eq!(
            listed("Column11", &many),
            "column11, column1, column10 (13 in all; these are the nearest names)"
        );
        assert_eq!(listed("b", &many[..2]), "column0, column1");
    }
}
