//! The header of a `.npy` file. The crate `npyz` reads it, and trusts it; what it would trust is checked before.

use std::io::Read;

use npyz::NpyHeader;

use super::array::MOST;
use crate::Result;
use crate::data::origin::{Origin, compressed};

const MAGIC: &[u8] = b"\x93NUMPY";
// The longest header, in bytes. NumPy's own headers of plain arrays have 118.
const LONGEST: usize = 1024;

/// The header and its length in bytes. Leaves the reader at the first value.
pub(super) fn read_header(reader: &mut impl Read, origin: Origin<'_>) -> Result<(NpyHeader, u64)> {
    let mut start = Vec::new();
    let mut more = |start: &mut Vec<u8>, count: usize| {
        let read = reader.by_ref().take(count as u64).read_to_end(start);
        read.map_err(|error| origin.unread(error))
    };
    more(&mut start, MAGIC.len() + 2)?;
    if !start.starts_with(MAGIC) {
        return Err(origin.wrong("a .npy file", other_kind(&start, origin)));
    }
    let width = match start.get(MAGIC.len()) {
        Some(1) | None => 2,
        Some(2 | 3) => 4,
        Some(version) => return Err(origin.wrong("version 1, 2 or 3 of the format", version.to_string())),
    };
    more(&mut start, width)?;
    let before = MAGIC.len() + 2 + width;
    let bytes = start.iter().skip(MAGIC.len() + 2).rev();
    let length = bytes.fold(0, |length, byte| length << 8 | usize::from(*byte));
    if length > LONGEST {
        return Err(origin.wrong(format!("a header of at most {LONGEST} bytes"), format!("{length} bytes")));
    }
    more(&mut start, length)?;
    if start.len() < before + length {
        let found = format!("a file that ends in it, after {} bytes", start.len());
        return Err(origin.wrong("a whole header", found));
    }
    let text = String::from_utf8_lossy(&start[before..]);
    let count = |wanted: fn(char) -> bool| text.matches(wanted).count();
    // A dictionary with a tuple has two brackets. More could cost the parser unbounded stack and time. Extents with more
    // digits, or hexadecimal ones, could have a product above 64 bits. Plain arrays need no escapes.
    let safe = count(|c| "([{".contains(c)) <= 2
        && count(|c| c.is_ascii_digit()) <= 19
        && !text.contains(['x', 'X', '\\']);
    // Python 2 wrote an L after some numbers.
    let plain = text.replace("L,", ",").replace("L)", ")");
    let plain = [MAGIC, &[1, 0], &(plain.len() as u16).to_le_bytes(), plain.as_bytes()].concat();
    let header = if safe { NpyHeader::from_reader(&plain[..]).ok() } else { None };
    let header = header.ok_or_else(|| {
        let shown: String = text.trim().chars().take(80).collect();
        let expected = format!(
            "a header that gives 'descr' (of a plain type), 'fortran_order' and 'shape' (at most {MOST} values)"
        );
        origin.wrong(expected, format!("{shown:?}"))
    })?;
    Ok((header, start.len() as u64))
}

// What a file is that is no array.
fn other_kind(start: &[u8], origin: Origin<'_>) -> String {
    let packed = match origin {
        Origin::File(path) => compressed(start, path),
        Origin::Bytes(_) => None,
    };
    match (start, packed) {
        (b"", _) => "an empty file".to_owned(),
        ([b'P', b'K', ..], _) => {
            "a ZIP archive; give it the ending .npz if it holds arrays, or unpack it".to_owned()
        }
        (_, Some(packed)) => packed,
        _ => "a file of another kind; a table's name ends in .csv, .tsv or .parquet".to_owned(),
    }
}
