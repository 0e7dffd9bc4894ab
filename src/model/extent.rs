//! Extents and paddings as they are written in TOML: one number for both directions, or one for each.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::graph::Padding;

/// Rows and columns: `3` for 3 x 3, or `[5, 3]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent([u32; 2]);

impl Extent {
    /// The same in both directions.
    pub const fn square(extent: u32) -> Self {
        Self([extent; 2])
    }

    /// None in either direction.
    pub const fn zero() -> Self {
        Self::square(0)
    }

    /// Down and across.
    pub const fn pair(self) -> [u32; 2] {
        self.0
    }
}

impl Default for Extent {
    fn default() -> Self {
        Self::square(1)
    }
}

impl From<u32> for Extent {
    fn from(extent: u32) -> Self {
        Self::square(extent)
    }
}

impl Serialize for Extent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [down, across] if down == across => serializer.serialize_u32(down),
            both => both.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Extent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(Written { words: false })? {
            PaddingConfig::Explicit(extent) => Ok(extent),
            _ => Err(de::Error::custom("a number")),
        }
    }
}

/// Zeros around an image: `"same"`, `"valid"`, a number for every side, or two for down and across.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaddingConfig {
    /// As many as keep the output at the input's size over the stride; an odd one goes to the far side.
    #[default]
    Same,
    /// None.
    Valid,
    /// This many on each side.
    Explicit(Extent),
}

impl From<PaddingConfig> for Padding {
    fn from(padding: PaddingConfig) -> Self {
        match padding {
            PaddingConfig::Same => Self::Same,
            PaddingConfig::Valid => Self::Valid,
            PaddingConfig::Explicit(extent) => Self::Explicit(extent.pair()),
        }
    }
}

impl Serialize for PaddingConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Same => serializer.serialize_str("same"),
            Self::Valid => serializer.serialize_str("valid"),
            Self::Explicit(extent) => extent.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PaddingConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written { words: true })
    }
}

// Reads both: an extent is a padding that is no word.
struct Written {
    words: bool,
}

impl<'de> Visitor<'de> for Written {
    type Value = PaddingConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = if self.words { "\"same\", \"valid\", " } else { "" };
        write!(f, "{words}a whole number, or two as [down, across]")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        let extent =
            u32::try_from(number).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))?;
        Ok(PaddingConfig::Explicit(Extent::square(extent)))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
        }
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Self::Value, E> {
        match word {
            "same" if self.words => Ok(PaddingConfig::Same),
            "valid" if self.words => Ok(PaddingConfig::Valid),
            other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut pair = [0; 2];
        for (at, extent) in pair.iter_mut().enumerate() {
            *extent = sequence.next_element()?.ok_or_else(|| de::Error::invalid_length(at, &self))?;
        }
        match sequence.next_element::<de::IgnoredAny>()? {
            None => Ok(PaddingConfig::Explicit(Extent(pair))),
            Some(_) => Err(de::Error::invalid_length(3, &self)),
        }
    }
}
