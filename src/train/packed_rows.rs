//! The rows of a data set, scaled and packed as a plan reads them.

use std::ops::Range;

use half::f16;

use crate::Result;
use crate::data::{Scaling, Values};
use crate::graph::{Replay, RowSource, Rows};

// Words that are packed and uploaded at a time: 16 MiB.
const PIECE: usize = 4 << 20;

/// Rows of `pixels` numbers on their way to a device.
#[derive(Debug)]
pub(super) struct PackedRows {
    pub(super) values: Values,
    pub(super) pixels: usize,
    pub(super) rows: Rows,
    pub(super) scaling: Scaling,
}

impl PackedRows {
    /// Uploads the rows in `range`, piece by piece, to the buffer of a replay that has room for just them.
    pub(super) fn write(&self, replay: &mut Replay, name: &str, range: Range<usize>) -> Result<()> {
        // Each piece but the last ends with a whole word.
        let rows = (PIECE * self.rows.per_word() / self.pixels / 4 * 4).max(4);
        let mut words = Vec::new();
        for first in range.clone().step_by(rows) {
            let end = range.end.min(first + rows);
            words.clear();
            words.resize(((end - first) * self.pixels).div_ceil(self.rows.per_word()), 0);
            self.pack(first..end, &mut words);
            let offset = (first - range.start) * self.pixels / self.rows.per_word();
            replay.write_part(name, offset, &words)?;
        }
        Ok(())
    }

    // Low part first, in words that begin with zeros.
    fn pack(&self, rows: impl Iterator<Item = usize>, words: &mut [u32]) {
        if let (Rows::Bytes, Some(bytes)) = (self.rows, self.values.bytes()) {
            let targets = bytemuck::cast_slice_mut::<u32, u8>(words).chunks_exact_mut(self.pixels);
            targets.zip(rows).for_each(|(target, row)| target.copy_from_slice(bytes.row(row, self.pixels)));
            return words.iter_mut().for_each(|word| *word = u32::from_le(*word));
        }
        let mut at = 0;
        let mut scaled = Vec::with_capacity(self.pixels);
        self.values.for_each_of(rows, self.pixels, |row| {
            scaled.clear();
            scaled.extend_from_slice(row);
            self.scaling.scale(&mut scaled);
            for x in &scaled {
                match self.rows {
                    Rows::Halves => {
                        let (shift, half) = (16 * (at % 2), u32::from(f16::from_f32(*x).to_bits()));
                        words[at / 2] = words[at / 2] & !(0xffff << shift) | half << shift;
                    }
                    Rows::Bytes | Rows::Floats => words[at] = x.to_bits(),
                }
                at += 1;
            }
        });
    }
}

impl RowSource for PackedRows {
    fn read(&self, images: &[u32], words: &mut [u32]) -> Result<()> {
        self.pack(images.iter().map(|image| *image as usize), words);
        Ok(())
    }
}

/// Bytes, four to a word, little-endian.
pub fn packed(bytes: &[u8]) -> Vec<u32> {
    let word = |chunk: &[u8]| {
        let mut four = [0; 4];
        four[..chunk.len()].copy_from_slice(chunk);
        u32::from_le_bytes(four)
    };
    bytes.chunks(4).map(word).collect()
}
