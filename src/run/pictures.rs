//! The pictures of each epoch: the same images reconstructed, the same codes decoded.

use std::path::Path;

use super::folder::{reconstructions_of_epoch, samples_of_epoch};
use crate::Result;
use crate::data::{Dataset, Items};
use crate::graph::Device;
use crate::infer::{Decoder, Reconstructor, prior_codes};
use crate::picture::{Grid, interleaved};
use crate::train::{Checkpoint, Trainer, Transform};

// Enough to judge by eye.
const SHOWN: usize = 20;
const SHOWN_COLUMNS: usize = 10;
const SAMPLES: usize = 64;
const SAMPLE_COLUMNS: usize = 8;
const MOST_CLASSES: usize = 16;

/// What is shown each epoch (originals above reconstructions; with a corruption the corrupted images
/// between them, the same each time), and what reconstructs and decodes it.
pub(super) struct Pictures {
    originals: Vec<f32>,
    transform: Transform,
    reconstructor: Reconstructor,
    decoder: Option<(Decoder, Vec<f32>, Vec<u32>)>,
}

impl Pictures {
    pub(super) async fn new(device: &Device, checkpoint: &Checkpoint, data: &Dataset) -> Result<Self> {
        let shown = data.first(SHOWN)?;
        let originals = shown.floats();
        let reconstructor = if checkpoint.config.model.corruption().is_some() {
            Reconstructor::corrupted(device, checkpoint, &shown).await?
        } else {
            Reconstructor::new(device, checkpoint, &shown).await?
        };
        let decoder = if checkpoint.model()?.prior().is_some() {
            let latent = checkpoint.model()?.latent() as usize;
            // A row for each class of a conditional model.
            let count = match checkpoint.transform.classes.len() {
                0 => SAMPLES,
                classes => SAMPLE_COLUMNS * classes.min(MOST_CLASSES),
            };
            let codes = prior_codes(checkpoint.config.train.seed, count, latent);
            let classes = checkpoint.sampled_classes(count, SAMPLE_COLUMNS);
            Some((Decoder::new(device, checkpoint, count).await?, codes, classes))
        } else {
            None
        };
        Ok(Self { originals, transform: checkpoint.transform.clone(), reconstructor, decoder })
    }

    pub(super) async fn save(&mut self, folder: &Path, epoch: u32, trainer: &Trainer) -> Result<()> {
        let shape = trainer.shape();
        // Rows are no pictures: the report plots their columns.
        if Items::of(shape) == Items::Rows {
            return Ok(());
        }
        let pixels = shape.iter().product();
        // Where the last of them is there, all are.
        if let Some((decoder, codes, classes)) = &mut self.decoder {
            decoder.follow(trainer.replay())?;
            let images = self.transform.shown(decoder.decode_as(codes, classes).await?);
            let grid = Grid { images: &images, shape, columns: SAMPLE_COLUMNS };
            grid.save(&folder.join(samples_of_epoch(epoch)))?;
        }
        self.reconstructor.follow(trainer.replay())?;
        let results = self.reconstructor.run().await?;
        let columns = SHOWN_COLUMNS.min(self.originals.len() / pixels);
        let images = interleaved(&results.beside(&self.originals), pixels, columns);
        let images = self.transform.shown(images);
        let grid = Grid { images: &images, shape, columns };
        grid.save(&folder.join(reconstructions_of_epoch(epoch)))
    }
}
