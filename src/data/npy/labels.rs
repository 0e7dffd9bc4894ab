//! Labels in an array: whole numbers or text.

use std::io::Read;

use npyz::{Deserialize, TypeChar};

use super::array::Array;
use crate::Result;

const TEXT: &str = "a text for each label";

/// The label of each image.
#[derive(Clone, Debug)]
pub(super) enum Labels {
    /// Whole numbers from 0 to 255.
    Numbers(Vec<u8>),
    /// Anything else, as text.
    Names(Vec<String>),
}

impl Labels {
    /// Reads `[images]` or `[images, 1]`.
    pub(super) fn read<R: Read>(array: Array<'_, R>, images: usize) -> Result<Self> {
        let count = match array.shape() {
            [count] | [count, 1] => *count,
            _ => return Err(array.wrong(format!("labels [{images}]"), array.description())),
        };
        if count != images as u64 {
            return Err(array.wrong(format!("{images} labels, one per image"), format!("{count} labels")));
        }
        match array.plain_type() {
            Some((TypeChar::Bool, _)) => whole(array, |value: bool| Ok(value.into())),
            Some((TypeChar::Int, 1)) => whole(array, |value: i8| Ok(value.into())),
            Some((TypeChar::Int, 2)) => whole(array, |value: i16| Ok(value.into())),
            Some((TypeChar::Int, 4)) => whole(array, |value: i32| Ok(value.into())),
            Some((TypeChar::Int, 8)) => whole(array, |value: i64| Ok(value)),
            Some((TypeChar::Uint, 1)) => whole(array, |value: u8| Ok(value.into())),
            Some((TypeChar::Uint, 2)) => whole(array, |value: u16| Ok(value.into())),
            Some((TypeChar::Uint, 4)) => whole(array, |value: u32| Ok(value.into())),
            Some((TypeChar::Uint, 8)) => {
                whole(array, |value: u64| value.try_into().map_err(|_| value.to_string()))
            }
            Some((TypeChar::Float, 4)) => whole(array, |value: f32| of_float(value.into())),
            Some((TypeChar::Float, 8)) => whole(array, of_float),
            Some((TypeChar::UnicodeStr, _)) => {
                array.convert(TEXT, |text: Vec<char>| filled(text.iter().collect())).map(Self::Names)
            }
            Some((TypeChar::ByteStr, _)) => array
                .convert(TEXT, |text: Vec<u8>| filled(String::from_utf8_lossy(&text).into_owned()))
                .map(Self::Names),
            _ => {
                let found =
                    format!("{}; convert them with .astype(int) or .astype(str)", array.description());
                Err(array.wrong("labels that are whole numbers or text", found))
            }
        }
    }

    /// As text.
    pub(super) fn names(self) -> Vec<String> {
        match self {
            Self::Numbers(numbers) => numbers.iter().map(u8::to_string).collect(),
            Self::Names(names) => names,
        }
    }
}

fn whole<R: Read, T: Deserialize>(
    array: Array<'_, R>,
    wide: impl Fn(T) -> Result<i64, String>,
) -> Result<Labels> {
    let numbers = array.convert("whole numbers", wide)?;
    let bytes: Option<Vec<u8>> = numbers.iter().map(|number| u8::try_from(*number).ok()).collect();
    Ok(bytes.map_or_else(|| Labels::Names(numbers.iter().map(i64::to_string).collect()), Labels::Numbers))
}

// An empty text names no class.
fn filled(text: String) -> Result<String, String> {
    if text.trim().is_empty() { Err("an empty one".to_owned()) } else { Ok(text) }
}

fn of_float(value: f64) -> Result<i64, String> {
    if value.fract() == 0.0 && value.abs() < 9e15 { Ok(value as i64) } else { Err(value.to_string()) }
}
