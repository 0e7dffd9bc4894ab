//! Names that are most like one that is not there.

/// That of `known` which is most like `name`, whatever the case of letters: with the fewest letters to change.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    by_distance(name, known).into_iter().next()
}

/// A list of names in an error: all of a few; of many how many there are, and the three that are most like `name`.
pub(crate) fn listed(name: &str, known: &[String]) -> String {
    const FEW: usize = 12;
    if known.len() <= FEW {
        return known.join(", ");
    }
    let nearest = by_distance(name, known.iter().map(String::as_str));
    format!("{} ({} in all; these are the nearest names)", nearest[..3].join(", "), known.len())
}

fn by_distance<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.to_lowercase();
    let mut known: Vec<&str> = known.into_iter().collect();
    // Stable: of two that are as near the first.
    known.sort_by_cached_key(|known| strsim::levenshtein(&known.to_lowercase(), &name));
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike_whatever_their_case() {
        assert_eq!(nearest("mean_radius", ["id", "worst_radius", "MEAN_RADIUS"]), Some("MEAN_RADIUS"));
        assert_eq!(nearest("a", []), None);
        let many: Vec<String> = (0..13).map(|at| format!("column{at}")).collect();
        assert_eq!(
            listed("Column11", &many),
            "column11, column1, column10 (13 in all; these are the nearest names)"
        );
        assert_eq!(listed("b", &many[..2]), "column0, column1");
    }
}
