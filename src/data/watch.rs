//! How far the reading of a data set is.

use std::fmt;
use std::sync::Arc;

/// A function that is told how many files of a data set are read, and of how many.
///
/// Files are read side by side: each number from 1 on is told once, not always in order.
#[derive(Clone, Default)]
pub struct Watch(Option<Arc<Told>>);

type Told = dyn Fn(usize, usize) + Send + Sync;

impl Watch {
    /// Tells `told`.
    pub fn new(told: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    pub(super) fn tell(&self, read: usize, of: usize) {
        if let Some(told) = &self.0 {
            told(read, of);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watch(told)" } else { "Watch(nobody)" })
    }
}
