//! Checksums in a checkpoint: a CRC-32 of each tensor in the header, and one of the header at its end.

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, SafeTensors};

use super::checkpoint_bytes::refuse;
use crate::Result;

// What stands at the end of the header's text, before its own CRC-32 in 8 digits.
const OWN: &str = ",\"header_crc32\":\"";

/// The text of a header with its own checksum at its end.
pub(super) fn closed(mut header: String) -> String {
    let crc = crc32(&[header.as_bytes()]);
    header.pop();
    header + OWN + &format!("{crc:08x}\"}}")
}

/// Files of earlier versions have no checksums; of any other the header has to end with its own.
pub(super) fn check_closed(header: &str, crc32: &BTreeMap<String, u32>) -> Result<()> {
    let as_saved = match header.rsplit_once(OWN) {
        Some((own, _)) => closed(format!("{own}}}")) == header,
        None => crc32.is_empty(),
    };
    if as_saved { Ok(()) } else { Err(refuse("the header as it was saved", "one that was changed since")) }
}

fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = flate2::Crc::new();
    parts.iter().for_each(|part| crc.update(part));
    crc.sum()
}

/// The checksum of a tensor: of its name, type and shape too.
pub(super) fn crc32_of(name: &str, dtype: Dtype, shape: &[usize], bytes: &[u8]) -> u32 {
    crc32(&[format!("{name} {dtype:?} {shape:?} ").as_bytes(), bytes])
}

/// Compares each tensor with what was saved; files of earlier versions do not tell.
pub(super) fn check_tensors(tensors: &SafeTensors<'_>, saved: &BTreeMap<String, u32>) -> Result<()> {
    if saved.is_empty() {
        return Ok(());
    }
    for (name, tensor) in tensors.iter() {
        let found = crc32_of(name, tensor.dtype(), tensor.shape(), tensor.data());
        if saved.get(name) != Some(&found) {
            return Err(refuse(format!("the tensor {name:?} as it was saved"), "one that was changed since"));
        }
    }
    match saved.keys().find(|name| tensors.tensor(name).is_err()) {
        Some(name) => Err(refuse(format!("the tensor {name:?}, as it was saved"), "nothing of that name")),
        None => Ok(()),
    }
}
