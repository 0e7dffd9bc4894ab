//! What tells the images of a part from others.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::count;
use crate::Result;
use crate::data::Dataset;
use crate::data::written::checksum;

/// What tells the images of a part from others, so that no run is resumed with the wrong ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DataMark {
    pub(super) images: u32,
    crc32: u32,
    // Of their labels, where the model is told of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    labels_crc32: Option<u32>,
}

impl DataMark {
    /// Of the images, and of their labels where a model is `told` of them.
    pub(super) fn of(part: &Dataset, told: bool) -> Result<Self> {
        let images = if part.is_empty() { 0 } else { count(part)? };
        let labels = part.labels.as_ref().filter(|_| told);
        let labels_crc32 = labels.map(|labels| checksum(labels));
        Ok(Self { images, crc32: part.values.checksum(), labels_crc32 })
    }
}

impl fmt::Display for DataMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} images with the CRC-32 {:08x}", self.images, self.crc32)?;
        self.labels_crc32.map_or(Ok(()), |labels| write!(f, ", of their labels {labels:08x}"))
    }
}
