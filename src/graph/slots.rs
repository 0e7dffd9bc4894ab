//! What survives a step, by name: the content of a checkpoint.

use std::collections::BTreeMap;

/// One slot: its shape and its numbers, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slot {
    /// `[out_features, in_features]`, `[out_features]`, ...
    pub shape: Vec<usize>,
    /// Its elements.
    pub values: Vec<f32>,
}

/// All that survives a step, but for the run's position: parameters, moments, statistics, rates.
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

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
