//! What survives a step, by name: the content of a checkpoint. A replay reads, writes and copies it.

use std::collections::BTreeMap;

use super::{Replay, Store, StoreKind};
use crate::Result;
use crate::kernels::state::State;

/// One slot: its shape and its numbers, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slot {
    /// `[out_features, in_features]`, `[out_features]`, ...
    pub shape: Vec<usize>,
    /// Its elements.
    pub values: Vec<f32>,
}

/// All that survives a step, except the run's position: parameters, moments, statistics, rates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slots(BTreeMap<String, Slot>);

impl Slots {
    /// Adds a slot, or replaces the one of that name.
    pub fn insert(&mut self, name: String, shape: Vec<usize>, values: Vec<f32>) {
        self.0.insert(name, Slot { shape, values });
    }

    /// The shape and the elements of a slot.
    pub fn get(&self, name: &str) -> Option<(Vec<usize>, &[f32])> {
        self.0.get(name).map(|slot| (slot.shape.clone(), &slot.values[..]))
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Slot)> {
        self.0.iter().map(|(name, slot)| (name.as_str(), slot))
    }
}

/// What survives a step.
///
/// # Errors
/// Each fails as [`Replay::read`] and [`Replay::write`]; with [`Error::Shape`](crate::Error::Shape) for a slot that is
/// missing or has another shape.
impl Replay {
    /// Writes what the first step starts from: the state, and the first values of every store for `seed`.
    pub fn write_initial(&mut self, seed: u64) -> Result<()> {
        for Store { name, layout, .. } in self.plan().stores.clone() {
            self.write_floats(&name, &layout.initial(seed))?;
        }
        self.write_state(&State::new(seed))
    }

    /// Writes all slots of the plan from `slots`, by their names in a checkpoint.
    pub fn write_slots(&mut self, slots: &Slots) -> Result<()> {
        for Store { name, prefix, layout, .. } in self.plan().stores.clone() {
            let flat = layout.pack(|slot| slots.get(&format!("{prefix}{slot}")))?;
            self.write_floats(&name, &flat)?;
        }
        Ok(())
    }

    /// Reads all slots of the plan, by their names in a checkpoint.
    pub async fn read_slots(&self) -> Result<Slots> {
        let mut slots = Slots::default();
        for store in &self.plan().stores {
            let flat = self.read_floats(&store.name).await?;
            for (name, slot) in store.slots() {
                slots.insert(name, slot.shape.clone(), store.layout.view(slot, &flat).to_vec());
            }
        }
        Ok(slots)
    }

    /// Copies this plan's parameters and statistics, but no moments, from another replay on the same device.
    pub fn copy_trained(&mut self, other: &Self) -> Result<()> {
        let trained = |store: &&Store| matches!(store.kind, StoreKind::Parameters | StoreKind::Statistics);
        let stores: Vec<Store> = self.plan().stores.iter().filter(trained).cloned().collect();
        stores.iter().try_for_each(|Store { name, layout, .. }| {
            let mut from = other.plan().slice(name)?;
            // What a step declares stands behind what every plan has, so that a plan without the step ends before it.
            if other.plan().layout(name).is_ok_and(|others| layout.begins(others)) {
                from.words = layout.words();
            }
            self.copy_slice(name, other, from)
        })
    }
}
