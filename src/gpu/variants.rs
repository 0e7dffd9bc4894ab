//! Which kernel variant a device gets: by rule, from what the adapter says of itself.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// The ways to make a matrix product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatMulVariant {
    /// Tiles staged in workgroup memory: for GPUs.
    Tile,
    /// Registers only, no barrier: runs everywhere, good on CPU drivers.
    Register,
    /// A subgroup of exactly 8 that shares operands by shuffles: best on 8-lane CPU drivers.
    Shuffle,
}

impl MatMulVariant {
    /// Every variant, for tests that walk them.
    pub const ALL: [Self; 3] = [Self::Tile, Self::Register, Self::Shuffle];

    /// The name in options, reports and checkpoints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tile => "tile",
            Self::Register => "register",
            Self::Shuffle => "shuffle",
        }
    }
}

impl fmt::Display for MatMulVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for MatMulVariant {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|variant| variant.name() == text)
            .ok_or_else(|| Error::setting("matmul variant", "tile, register or shuffle", text))
    }
}

/// The variants in use, one a family of kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variants {
    /// Matrix products.
    pub matmul: MatMulVariant,
}

impl Variants {
    /// The rule: `shuffle` where subgroups are exactly 8 wide, `register` on other CPU drivers, `tile` on
    /// GPUs.
    ///
    /// Subgroups of 8 on a GPU exist too (some Intel), but there the tile is the better kernel.
    pub fn choose(info: &wgpu::AdapterInfo, features: wgpu::Features) -> Self {
        let cpu = info.device_type == wgpu::DeviceType::Cpu;
        let matmul = match cpu {
            true if Self::supports(MatMulVariant::Shuffle, info, features) => MatMulVariant::Shuffle,
            true => MatMulVariant::Register,
            false => MatMulVariant::Tile,
        };
        Self { matmul }
    }

    /// Whether a device with these features can run `variant`.
    pub fn supports(variant: MatMulVariant, info: &wgpu::AdapterInfo, features: wgpu::Features) -> bool {
        match variant {
            MatMulVariant::Tile | MatMulVariant::Register => true,
            MatMulVariant::Shuffle => {
                features.contains(wgpu::Features::SUBGROUP)
                    && info.subgroup_min_size == 8
                    && info.subgroup_max_size == 8
            }
        }
    }
}
