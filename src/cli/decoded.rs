//! Images or rows that are decoded, as a file: an array or a table piece by piece, or a picture of all of them.

use std::ops::Range;

use crate::data::Items;
use crate::infer::Decoder;
use crate::picture::Grid;
use crate::report::{column_names, distributed_columns};
use crate::train::Checkpoint;
use crate::{Error, Result};

use super::output::Place;
use super::picture::MOST;
use super::table::{Known, Table};

// Numbers of a piece: 4 MiB. And the codes of the smallest piece, which are whole batches of the decoder.
const PIECE: usize = 1 << 20;
const BATCHES: usize = 256;

/// What is decoded of `count` codes.
pub(super) struct Decoded<'a> {
    pub(super) checkpoint: &'a Checkpoint,
    pub(super) count: usize,
    /// What a table has before the numbers of each.
    pub(super) before: Vec<Known<'a>>,
    /// The class that each is decoded as; none for a model that is not conditional.
    pub(super) labels: Vec<u32>,
}

impl<'a> Decoded<'a> {
    pub(super) fn new(checkpoint: &'a Checkpoint, count: usize) -> Self {
        Self { checkpoint, count, before: Vec::new(), labels: Vec::new() }
    }

    /// Refuses more than a picture shows, for the flag that says how many there are.
    pub(super) fn check(&self, flag: &str, place: &Place<'_>) -> Result<()> {
        if place.ending() == "png" && self.count > MOST {
            let expected = format!("at most {MOST} in a picture; --out FILE.npy takes more");
            return Err(Error::setting(flag, expected, self.count));
        }
        Ok(())
    }

    /// Decodes the codes `[codes, latent]` that `codes` gives of a range, and writes what comes of them: as pictures what `draw`
    /// makes of the items `[count, pixels]`, in the data's units.
    pub(super) async fn write(
        self,
        place: &Place<'_>,
        decoder: &mut Decoder,
        codes: impl Fn(Range<usize>) -> Vec<f32>,
        draw: impl FnOnce(Vec<f32>) -> Result<Vec<u8>>,
        content: &str,
    ) -> Result<()> {
        let Self { checkpoint, count, before, labels } = self;
        if place.ending() == "png" {
            let items = decoder.decode_as(&codes(0..count), &labels).await?;
            return place.write(&draw(items)?, content);
        }
        let table = Table::of_items(checkpoint, None).after(before);
        let table = table.of_classes(&labels, &checkpoint.transform.classes);
        let pixels: usize = checkpoint.shape.iter().product();
        let at_once = (PIECE / pixels / BATCHES).max(1) * BATCHES;
        let mut file = place.begin()?;
        file.add(&table.head(count, place.ending())?)?;
        for first in (0..count).step_by(at_once) {
            let range = first..count.min(first + at_once);
            let told = labels.get(range.clone()).unwrap_or_default();
            let items = decoder.decode_as(&codes(range), told).await?;
            file.add(&table.rows(first, &checkpoint.in_own_units(items), place.ending())?)?;
        }
        file.finish(content)
    }
}

/// Those of a range, of codes `[codes, latent]` that are there.
pub(super) fn of_range(codes: &[f32], latent: usize) -> impl Fn(Range<usize>) -> Vec<f32> + '_ {
    move |range| codes[range.start * latent..range.end * latent].to_vec()
}

/// A picture of images, so many in a row, or plots of the columns of rows.
pub(super) fn drawn(checkpoint: &Checkpoint, items: Vec<f32>, columns: usize) -> Result<Vec<u8>> {
    match Items::of(checkpoint.shape) {
        Items::Images => {
            let images = checkpoint.transform.shown(items);
            Grid { images: &images, shape: checkpoint.shape, columns }.png()
        }
        Items::Rows => {
            let names = column_names(&checkpoint.columns, checkpoint.shape[1]);
            let (landmarks, lines) = match checkpoint.transform.scaling.landmarks(names.len()) {
                Some((landmarks, meaning)) => (landmarks, format!("; lines: {meaning}")),
                None => Default::default(),
            };
            let title = format!("columns of {} rows that were decoded{lines}", items.len() / names.len());
            distributed_columns(&title, &names, &[("", &items)], &landmarks).picture().png()
        }
    }
}

/// Rows in the data's units in those of the model's scale, in which columns can be compared.
pub(super) fn scaled(checkpoint: &Checkpoint, mut rows: Vec<f32>) -> Vec<f32> {
    let pixels: usize = checkpoint.shape.iter().product();
    rows.chunks_exact_mut(pixels).for_each(|row| checkpoint.transform.scaling.scale(row));
    rows
}
