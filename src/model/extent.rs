//! Extents and paddings as they are written in TOML: one number for both directions, or one for each.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Value;

use crate::graph::Padding;

const EXPECTED: &str = "a whole number, or two as [down, across]";

/// Rows and columns: `3` for 3 x 3, or `[5, 3]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
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

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.0[0], self.0[1])
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

impl From<[u32; 2]> for Extent {
    fn from(pair: [u32; 2]) -> Self {
        Self(pair)
    }
}

impl From<Extent> for Value {
    fn from(Extent([down, across]): Extent) -> Self {
        if down == across { down.into() } else { vec![down, across].into() }
    }
}

impl TryFrom<Value> for Extent {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let number = |value: &Value| u32::try_from(value.as_integer()?).ok();
        let pair = match value.as_array().map(Vec::as_slice) {
            Some([down, across]) => number(down).zip(number(across)),
            _ => number(&value).map(|extent| (extent, extent)),
        };
        let pair = pair.ok_or_else(|| format!("invalid value: {value}, expected {EXPECTED}"))?;
        Ok(Self(pair.into()))
    }
}

/// `"same"`, `"valid"`, a number for every side, or two for down and across.
impl Serialize for Padding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Same => serializer.serialize_str("same"),
            Self::Valid => serializer.serialize_str("valid"),
            Self::Explicit(pair) => Extent(*pair).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Padding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match (value.as_str(), Extent::try_from(value.clone())) {
            (Some("same"), _) => Ok(Self::Same),
            (Some("valid"), _) => Ok(Self::Valid),
            (_, Ok(extent)) => Ok(Self::Explicit(extent.pair())),
            _ => Err(D::Error::custom(format!(
                "invalid value: {value}, expected \"same\", \"valid\", {EXPECTED}"
            ))),
        }
    }
}
