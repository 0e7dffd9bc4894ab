//! The means of terms on their way to the ring of losses.

use super::update::RING_STEPS;
use super::{Graph, Slice};
use crate::Result;
use crate::kernels::record::{Mean, MeansToRing};
use crate::kernels::step::Advance;

const RING: &str = "ring";

/// A dispatch that keeps means.
#[derive(Debug)]
pub(super) struct Keeping {
    // Its place among the dispatches.
    at: usize,
    names: String,
    kernel: MeansToRing,
    // Of each term.
    values: Vec<Slice>,
}

impl Graph {
    /// Records the means of an update's terms, whose first has line `slot` of the ring. The ring has a row for each term, and
    /// grows with them. A dispatch takes the means of several.
    pub(super) fn keep_means(&mut self, means: &[(Mean, Slice, String)], slot: u32) -> Result<()> {
        let ring = match self.named.get(RING) {
            Some(ring) => *ring,
            None => self.named_buffer(RING, 0),
        };
        let ring = Slice { words: RING_STEPS as usize * self.terms.len(), ..ring };
        self.buffers[ring.buffer.0].words = ring.words;
        self.name(RING, ring);
        for (means, slot) in means.chunks(MeansToRing::MOST).zip((slot..).step_by(MeansToRing::MOST)) {
            let names: Vec<&str> = means.iter().map(|(_, _, name)| name.as_str()).collect();
            let (names, values) = (names.join(", "), means.iter().map(|(_, values, _)| *values).collect());
            let means = means.iter().map(|(mean, ..)| *mean).collect();
            let kernel = MeansToRing { means, capacity: RING_STEPS, slot };
            let keeping = Keeping { at: self.dispatches.len(), names, kernel, values };
            let operands = [&[self.state()], &keeping.operands(ring)[..]].concat();
            self.record(format!("mean {}", keeping.names), keeping.kernel.clone(), &operands)?;
            self.keeping.push(keeping);
        }
        Ok(())
    }

    /// Takes means back for the dispatch that counts the step, the last ones that it has room for: their names, and what it is
    /// to bind. Only those of each step: where an update does not run in each, its terms have no values in the others.
    pub(super) fn take_means(&mut self) -> Option<(String, MeansToRing, Vec<Slice>)> {
        let mut keeping = std::mem::take(&mut self.keeping);
        keeping.retain(|of| of.count() <= Advance::MAX_VALUES && self.dispatches[of.at].every == [1]);
        let mut taken = keeping.pop()?;
        self.dispatches.remove(taken.at);
        while let Some(joined) = keeping.pop().and_then(|before| before.joined(&taken)) {
            self.dispatches.remove(joined.at);
            taken = joined;
        }
        let operands = taken.operands(*self.named.get(RING)?);
        Some((taken.names, taken.kernel, operands))
    }
}

impl Keeping {
    // The values of its terms as a dispatch binds them, and the ring.
    fn operands(&self, ring: Slice) -> Vec<Slice> {
        let values = MeansToRing::bound(self.values.len()).map(|at| self.values[at]);
        values.chain([ring]).collect()
    }

    // Values of all its terms.
    fn count(&self) -> u64 {
        self.kernel.means.iter().map(|mean| u64::from(mean.count)).sum()
    }

    // At its place, this and the one that comes next, where both are few enough and their lines follow one another.
    fn joined(&self, next: &Self) -> Option<Self> {
        let Self { at, kernel: MeansToRing { capacity, slot, .. }, .. } = *self;
        let means = [&self.kernel.means[..], &next.kernel.means].concat();
        let follows = slot as usize + self.kernel.means.len() == next.kernel.slot as usize;
        let few = means.len() <= MeansToRing::MOST && self.count() + next.count() <= Advance::MAX_VALUES;
        (few && follows).then(|| Self {
            at,
            names: format!("{}, {}", self.names, next.names),
            kernel: MeansToRing { means, capacity, slot },
            values: [&self.values[..], &next.values].concat(),
        })
    }
}
