//! What the items of a data set, and the numbers of each, are called.

use super::Dataset;

/// Images of pixels, or rows of columns: those of a table, or of an array `[n, d]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Items {
    /// Images.
    Images,
    /// Rows.
    Rows,
}

impl Items {
    /// Of items of this height, width and channels.
    pub const fn of([height, _, channels]: [usize; 3]) -> Self {
        if height == 1 && channels == 1 { Self::Rows } else { Self::Images }
    }

    /// `image` or `row`
    pub const fn one(self) -> &'static str {
        match self {
            Self::Images => "image",
            Self::Rows => "row",
        }
    }

    /// `an image` or `a row`
    pub const fn any(self) -> &'static str {
        match self {
            Self::Images => "an image",
            Self::Rows => "a row",
        }
    }

    /// `images` or `rows`
    pub const fn many(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Rows => "rows",
        }
    }

    /// So many of them: the one or the many.
    pub const fn of_count(self, count: usize) -> &'static str {
        if count == 1 { self.one() } else { self.many() }
    }

    /// A number of an item: `pixel` or `column`.
    pub const fn number(self) -> &'static str {
        match self {
            Self::Images => "pixel",
            Self::Rows => "column",
        }
    }

    /// What a term is a sum over, where it names pixels.
    pub fn over(self, over: &str) -> &str {
        if self == Self::Rows && over == "pixels" { "columns" } else { over }
    }

    /// What the numbers of reports are.
    pub fn reported(self) -> String {
        format!("each term's sum for {}, averaged over {}, unweighted", self.any(), self.many())
    }

    /// Items of a shape, in words: `images of 28 x 28 x 1`, `rows of 30 columns`.
    pub fn shaped(shape: [usize; 3]) -> String {
        let [height, width, channels] = shape;
        match Self::of(shape) {
            Self::Images => format!("images of {height} x {width} x {channels}"),
            Self::Rows => format!("rows of {width} columns"),
        }
    }
}

impl Dataset {
    /// How item `at`, which must be below `len()`, is called: by its place here, that in its file where it is another, and its
    /// name where it has one, as `row 41, 42 of the data, P0042`.
    pub fn called(&self, at: usize) -> String {
        let place = self.places.get(at).filter(|place| **place != at);
        let place = place.map(|place| format!("{place} of the data"));
        let file = self.files.get(at).map(|file| file.display().to_string());
        let known = place.into_iter().chain(file.or_else(|| self.ids.get(at).cloned()));
        let known: String = known.map(|known| format!(", {known}")).collect();
        format!("{} {at}{known}", self.items().one())
    }
}
