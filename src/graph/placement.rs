//! Where a data set is while a plan reads it: in one buffer, in several, or only what the next steps read.

use super::update::RING_STEPS;
use super::{Device, Images, Plan, Rows, Share};
use crate::Result;
use crate::kernels::state::State;
use crate::reference::batch::{Permutation, ahead};

/// Which images of a data set are on the device, and in which buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// All of them, in the buffer `images`.
    #[default]
    Whole,
    /// All of them, in the buffers `images.0`, `images.1`, ...: so many in each but the last.
    Buffers {
        /// A multiple of 4, so that each buffer begins with a whole word.
        each: u32,
    },
    /// Those of the next steps: the buffer `images` is a ring of batches, each of which is written before its step by
    /// [`Replay::stream`](super::Replay::stream).
    Ring {
        /// The most 32-bit words of the ring, which has room for a batch even where these are fewer.
        words: u64,
    },
}

// Words of rings where nothing limits them: 64 MiB.
const LARGEST_RING: u64 = 16 << 20;

impl Placement {
    /// That of data that stream to `device`.
    pub fn streaming(device: &Device) -> Self {
        let allowed = match device {
            Device::Gpu(gpu) => gpu.data_memory,
            Device::Cpu => u64::MAX,
        };
        // Beside the ring, copies of it are on their way.
        Self::Ring { words: (allowed / 16).min(LARGEST_RING) }
    }

    /// The best place on `device` for `total` images of `pixels` numbers.
    ///
    /// All images are resident where they fit the device's memory for data, in as few buffers as its bindings allow; else
    /// they stream.
    pub fn on(device: &Device, total: usize, pixels: usize, rows: Rows) -> Self {
        let Device::Gpu(gpu) = device else { return Self::Whole };
        let bytes = 4 * (total as u64).saturating_mul(pixels as u64).div_ceil(rows.per_word() as u64);
        if bytes > gpu.data_memory {
            return Self::streaming(device);
        }
        let numbers = (gpu.largest_binding() / 4 * rows.per_word() as u64).min(u32::MAX.into());
        match numbers / (pixels as u64).max(1) {
            held if held >= total as u64 => Self::Whole,
            // One image alone fits no binding: its buffer says so.
            held if held < 4 => Self::Whole,
            held => Self::Buffers { each: (held / 4 * 4) as u32 },
        }
    }
}

/// A ring of batches in the buffer `images`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ring {
    /// Batches in it, a power of two.
    pub(super) steps: u32,
    /// Rows that a batch takes: each begins with a whole word.
    pub(super) rows: u32,
    /// Words that a batch takes.
    pub(super) words: u64,
}

/// The ring of batches of so many images.
pub(super) fn ring(batch: u32, pixels: u32, packing: Rows, most: u64) -> Ring {
    let rows = batch.checked_next_multiple_of(packing.per_word() as u32).unwrap_or(u32::MAX);
    let words = (u64::from(rows) * u64::from(pixels) / packing.per_word() as u64).max(1);
    let fitting = (most / words).clamp(1, RING_STEPS.into()) as u32;
    Ring { steps: 1 << fitting.ilog2(), rows, words }
}

/// Where the rows of a data set come from, while it streams to a device.
pub trait RowSource: std::fmt::Debug + Send + Sync {
    /// Writes the images of these numbers, one after another, packed as the plan reads them. `words` is as long as they are,
    /// rounded up to whole words or more.
    ///
    /// # Errors
    /// Whatever reading meets.
    fn read(&self, images: &[u32], words: &mut [u32]) -> Result<()>;
}

/// The images of the next steps of a plan that streams.
#[derive(Debug)]
pub(super) struct Order {
    images: Images,
    shuffle: bool,
    share: Share,
    pub(super) ring: Ring,
}

impl Order {
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let (images, shuffle) = plan.images?;
        let Placement::Ring { words } = images.placement else { return None };
        let ring = ring(plan.batch, images.shape.columns()?, images.rows, words);
        Some(Self { images, shuffle, share: plan.share, ring })
    }

    /// Images of a step.
    pub(super) fn batch(&self) -> usize {
        self.share.images as usize
    }

    /// The numbers of the images of the step at the state's cursor, and the state behind it.
    pub(super) fn images(&self, state: &mut State) -> impl Iterator<Item = u32> + use<> {
        let State { seed, epoch, cursor, .. } = *state;
        let total = self.images.total;
        let orders = [epoch, epoch.wrapping_add(1)].map(|epoch| Permutation::new(seed, epoch, total));
        let shuffle = self.shuffle;
        self.advance(state);
        let Share { first, images, .. } = self.share;
        (first..first + images).map(move |place| {
            let (position, passes) = ahead(cursor, place, total);
            if shuffle { orders[passes as usize].index(position) } else { position }
        })
    }

    /// The state behind a step.
    pub(super) fn advance(&self, state: &mut State) {
        let (cursor, passes) = ahead(state.cursor, self.share.whole, self.images.total);
        let (step, epoch) = (state.step.wrapping_add(1), state.epoch.wrapping_add(passes));
        *state = State { step, epoch, cursor, ..*state };
    }
}
