//! Clipping: gradients that are too large are made smaller before they move anything.

use super::{Graph, Slice, Update};
use crate::Result;
use crate::kernels::clip::{ClampEach, NormFactor, ScaleBy, SquaredNorm};

impl Graph {
    /// Records the clipping of an update's gradients: first of their numbers, then of their norm.
    pub(super) fn clip(&mut self, update: &Update, stores: &[usize]) -> Result<()> {
        let flat = |store: &usize| self.flat(*store, self.unwinding.gradients[store]);
        let gradients: Vec<Slice> = stores.iter().map(flat).flat_map(Slice::bindings).collect();
        if let Some(limit) = update.clip.value {
            for slice in &gradients {
                let kernel = ClampEach { count: slice.words as u32, limit };
                self.record(format!("clip values of {}", update.name), kernel, &[*slice])?;
            }
        }
        let Some(max_norm) = update.clip.norm else { return Ok(()) };
        let chunks = |slice: &Slice| SquaredNorm::chunks(slice.words as u32);
        let all: u32 = gradients.iter().map(chunks).sum();
        let label = format!("norm of {}'s gradients", update.name);
        let sums = self.buffer(format!("{label}, in parts"), all as usize);
        let mut first = 0;
        for slice in &gradients {
            let kernel = SquaredNorm { count: slice.words as u32, max_norm, first, sums: all };
            self.record(format!("{label}, in parts"), kernel, &[*slice, sums])?;
            first += chunks(slice);
        }
        let factor = self.interim(label, 1, &[sums], NormFactor { sums: all })?;
        for slice in &gradients {
            let kernel = ScaleBy { count: slice.words as u32 };
            self.record(format!("clip norm of {}", update.name), kernel, &[factor, *slice])?;
        }
        Ok(())
    }
}
