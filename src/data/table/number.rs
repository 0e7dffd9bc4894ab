//! What a field of a table says: a number, with a point or a comma, or that there is none.

const MISSING: [&str; 9] = ["", "na", "n/a", "nan", "null", "none", "?", "-", "missing"];

/// How a column's numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    /// 3.14
    Point,
    /// 3,14
    Comma,
}

impl Notation {
    /// That of a column in which every field is a number; None where one is not. Commas count in a table that does not
    /// divide its fields by them.
    pub(super) fn of<'a>(fields: impl Iterator<Item = &'a str> + Clone, commas: bool) -> Option<Self> {
        let all = |notation: Self| fields.clone().all(|text| notation.number(text).is_some());
        let notations =
            [Self::Point, Self::Comma].into_iter().filter(|notation| *notation == Self::Point || commas);
        notations.into_iter().find(|notation| all(*notation))
    }

    /// A finite number, or a truth as 0 or 1.
    pub(super) fn number(self, text: &str) -> Option<f64> {
        match (self, text.trim()) {
            (_, "true" | "True" | "TRUE") => Some(1.0),
            (_, "false" | "False" | "FALSE") => Some(0.0),
            (Self::Point, text) => text.parse::<f64>().ok().filter(|value| value.is_finite()),
            // A point would part thousands.
            (Self::Comma, text) if text.contains('.') => None,
            (Self::Comma, text) => Self::Point.number(&text.replacen(',', ".", 1)),
        }
    }
}

pub(super) fn is_missing(text: &str) -> bool {
    MISSING.contains(&text.trim().to_lowercase().as_str())
}
