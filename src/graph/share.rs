//! A part of each batch, where several ranks train one model: what each draws and averages as one rank would of the whole
//! batch, and what they exchange.

use super::{Graph, Slice};
use crate::{Error, Result};

// Images of a share are whole multiples of it, so that blocks of four random numbers do not lie across two shares.
const BLOCK: u32 = 4;

/// Which images of a step's batch one of several ranks takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The first.
    pub first: u32,
    /// How many.
    pub images: u32,
    /// Those of the whole batch.
    pub whole: u32,
    // What the images of all shares but the last are multiples of.
    unit: u32,
}

impl Share {
    /// All of a batch.
    pub const fn all(whole: u32) -> Self {
        Self { first: 0, images: whole, whole, unit: whole }
    }

    /// That of `rank` of `ranks`: as many images as each other's, but for four.
    ///
    /// # Errors
    /// [`Error::Setting`] for a batch of fewer than four images for each rank.
    pub fn of(rank: u32, ranks: u32, whole: u32) -> Result<Self> {
        if ranks <= 1 {
            return Ok(Self::all(whole));
        }
        let blocks = whole.div_ceil(BLOCK);
        if blocks < ranks || rank >= ranks {
            let expected = format!("at least {} images, four for each of {ranks} ranks", 4 * ranks);
            return Err(Error::setting("batch", expected, whole));
        }
        let (each, more) = (blocks / ranks, blocks % ranks);
        let first = BLOCK * (each * rank + more.min(rank));
        let end = (first + BLOCK * (each + u32::from(rank < more))).min(whole);
        let unit = if more == 0 { BLOCK * each } else { BLOCK };
        Ok(Self { first, images: end - first, whole, unit })
    }

    /// Whether other ranks have other shares.
    pub const fn is_part(&self) -> bool {
        self.images < self.whole
    }
}

/// What ranks tell each other before a dispatch runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exchange {
    /// All ranks' numbers are added up, and each has the sum times this factor in place of its own.
    Sum(Slice, f32),
    /// Each rank has the numbers of all, one rank's behind another's.
    Gather {
        /// This rank's.
        own: Slice,
        /// All ranks'.
        all: Slice,
    },
}

impl Exchange {
    pub(super) fn slices_mut(&mut self) -> impl Iterator<Item = &mut Slice> {
        let (one, other) = match self {
            Self::Sum(slice, _) => (slice, None),
            Self::Gather { own, all } => (own, Some(all)),
        };
        [Some(one), other].into_iter().flatten()
    }

    /// What a rank tells the others.
    pub const fn own(&self) -> Slice {
        match self {
            Self::Sum(slice, _) | Self::Gather { own: slice, .. } => *slice,
        }
    }

    /// Where it finds what all told.
    pub const fn all(&self) -> Slice {
        match self {
            Self::Sum(slice, _) | Self::Gather { all: slice, .. } => *slice,
        }
    }
}

impl Graph {
    /// The same graph, for a rank that takes a share of each batch. Call it first.
    pub fn sharing(mut self, share: Share) -> Self {
        (self.batch, self.share) = (share.images, share);
        self
    }

    /// Images of a whole batch, of which this graph may take a share.
    pub fn whole_batch(&self) -> u32 {
        self.share.whole
    }

    /// Rows of the whole batch where `rows` are this share's.
    pub(super) fn whole_rows(&self, rows: u32) -> u32 {
        if self.share.is_part() { rows / self.batch.max(1) * self.share.whole } else { rows }
    }

    /// The first of Philox's blocks for what has `rows` of `columns` numbers, each image as many.
    pub(super) fn first_block(&self, rows: u32, columns: u32) -> u32 {
        // A share begins at a multiple of four images.
        (rows / self.batch.max(1)).wrapping_mul(columns).wrapping_mul(self.share.first / BLOCK)
    }

    /// Has the next dispatch run behind an exchange. Nothing where there is one rank alone.
    pub(super) fn exchange(&mut self, exchange: Exchange) {
        if self.share.is_part() {
            self.exchanges.push(exchange);
        }
    }

    /// Has the next dispatch find the sum over the whole batch in `sums`, times this share of the batch: divided by this
    /// share's rows it is the mean over all.
    pub(super) fn exchange_mean(&mut self, name: String, sums: Slice) {
        if self.share.is_part() {
            self.name(name, sums);
            self.exchange(Exchange::Sum(sums, self.batch as f32 / self.share.whole as f32));
        }
    }

    /// Rows to a chunk, at most `most`, so that no chunk of the whole batch lies across two shares, each image having so many
    /// rows.
    pub(super) fn chunk(&self, rows: u32, most: u32) -> u32 {
        if !self.share.is_part() {
            return most;
        }
        let unit = rows / self.batch.max(1) * self.share.unit;
        (1..=most.min(unit).max(1)).rev().find(|chunk| unit.is_multiple_of(*chunk)).unwrap_or(1)
    }
}
