//! What tells the images of a part from others.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::count;
use crate::Result;
use crate::data::Dataset;

/// What tells the images of a part from others, so that no run is resumed with the wrong ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DataMark {
    pub(super) images: u32,
    crc32: u32,
}

impl DataMark {
    pub(super) fn of(part: &Dataset) -> Result<Self> {
        let images = if part.is_empty() { 0 } else { count(part)? };
        Ok(Self { images, crc32: part.values.checksum() })
    }
}

impl fmt::Display for DataMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} images with the CRC-32 {:08x}", self.images, self.crc32)
    }
}
