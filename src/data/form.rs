//! The form that the pictures of a folder are brought to.

use std::fmt;

use serde::{Deserialize, Serialize};
use toml::Value;

/// The size and channels that a folder's pictures are converted to. Other data sets keep theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Height and width. None: the common size of all pictures if no side is above 128, else 64 x 64.
    pub size: Option<[usize; 2]>,
    /// 1 for grey, 3 for RGB; 2 and 4 where opacity is kept. None: colour unless every picture is grey.
    pub channels: Option<usize>,
    /// How a picture of other proportions gets this size.
    pub fit: Fit,
    /// What becomes of transparency.
    pub alpha: Alpha,
}

/// How a picture of other proportions gets the size asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Its largest middle part with the proportions.
    #[default]
    Crop,
    /// The whole picture in the middle; around it, the mean colour of its outermost pixels.
    Pad,
    /// The whole picture, its proportions changed.
    Stretch,
}

impl Fit {
    /// What is done to a picture, for messages.
    pub(super) const fn done(self) -> &'static str {
        match self {
            Self::Crop => "cropped",
            Self::Pad => "padded",
            Self::Stretch => "stretched",
        }
    }
}

/// What becomes of transparency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alpha {
    /// What is transparent shows white.
    #[default]
    White,
    /// What is transparent shows black.
    Black,
    /// Opacity is a channel after the colours.
    Keep,
}

impl Alpha {
    /// What is behind the pictures, from 0 for black to 1 for white.
    pub(super) const fn behind(self) -> f32 {
        match self {
            Self::White => 1.0,
            Self::Black | Self::Keep => 0.0,
        }
    }

    /// Channels of a picture in colour.
    pub(super) const fn channels(self) -> usize {
        match self {
            Self::White | Self::Black => 3,
            Self::Keep => 4,
        }
    }
}

/// Height and width: in TOML a number for both, `"HxW"` or `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Size(pub [u32; 2]);

impl Size {
    /// As extents of an image.
    pub fn extents(self) -> [usize; 2] {
        self.0.map(|extent| extent as usize)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [height, width] if height == width => write!(f, "{height}"),
            [height, width] => write!(f, "{height}x{width}"),
        }
    }
}

impl From<Size> for Value {
    fn from(size: Size) -> Self {
        match size.0 {
            [height, width] if height == width => height.into(),
            _ => size.to_string().into(),
        }
    }
}

impl TryFrom<Value> for Size {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let number = |value: &Value| u32::try_from(value.as_integer()?).ok();
        let size = match &value {
            Value::Array(pair) => match pair.as_slice() {
                [height, width] => number(height).zip(number(width)),
                _ => None,
            },
            Value::String(text) => match text.split_once('x') {
                Some((height, width)) => height.parse().ok().zip(width.parse().ok()),
                None => text.parse().ok().map(|extent| (extent, extent)),
            },
            value => number(value).map(|extent| (extent, extent)),
        };
        let size = size.ok_or_else(|| {
            format!("invalid value: {value}, expected H, HxW or [H, W] in pixels, such as 64 or 48x64")
        })?;
        Ok(Self(size.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_a_text_or_a_pair() {
        for (value, expected) in [
            (Value::from(64), Some([64, 64])),
            (Value::from("64"), Some([64, 64])),
            (Value::from("48x64"), Some([48, 64])),
            (Value::from(vec![48, 64]), Some([48, 64])),
            (Value::from(-1), None),
            (Value::from("48x"), None),
            (Value::from("x"), None),
            (Value::from(vec![1, 2, 3]), None),
            (Value::from(1.5), None),
        ] {
            assert_eq!(Size::try_from(value.clone()).ok().map(|size| size.0), expected, "{value}");
        }
        assert_eq!(Value::from(Size([64, 64])), Value::from(64));
        assert_eq!(Value::from(Size([48, 64])), Value::from("48x64"));
    }
}
