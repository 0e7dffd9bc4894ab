//! The ways to make a matrix product, by name.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// A way to make a matrix product, in the size of its tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatMulVariant {
    /// Tiles of 128 x 128 a workgroup and 8 x 8 an invocation, staged in workgroup memory: for large products on GPUs.
    Tile128x8,
    /// 64 x 64 a workgroup and 8 x 8 an invocation.
    Tile64x8,
    /// 64 x 64 a workgroup and 4 x 4 an invocation.
    Tile64x4,
    /// 32 x 32 a workgroup and 4 x 4 an invocation: for small products on GPUs.
    Tile32x4,
    /// Registers only, no barrier: runs everywhere, good on CPU drivers.
    Register,
    /// A subgroup of exactly 8 that shares operands by shuffles, 32 x 32: best on 8-lane CPU drivers.
    Shuffle32,
    /// 64 rows x 32 columns: for large products there.
    Shuffle64,
}

impl MatMulVariant {
    /// Every variant, for tests that walk them.
    pub const ALL: [Self; 7] = [
        Self::Tile128x8,
        Self::Tile64x8,
        Self::Tile64x4,
        Self::Tile32x4,
        Self::Register,
        Self::Shuffle32,
        Self::Shuffle64,
    ];

    /// The name in options, reports and checkpoints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tile128x8 => "tile128x8",
            Self::Tile64x8 => "tile64x8",
            Self::Tile64x4 => "tile64x4",
            Self::Tile32x4 => "tile32x4",
            Self::Register => "register",
            Self::Shuffle32 => "shuffle32",
            Self::Shuffle64 => "shuffle64",
        }
    }

    /// Rows and columns that a workgroup makes.
    pub const fn tile(self) -> [u32; 2] {
        match self {
            Self::Tile128x8 => [128, 128],
            Self::Tile64x8 | Self::Tile64x4 => [64, 64],
            Self::Tile32x4 => [32, 32],
            Self::Register => [8, 64],
            Self::Shuffle32 => [32, 32],
            Self::Shuffle64 => [64, 32],
        }
    }

    /// Invocations of a workgroup.
    pub const fn invocations(self) -> u32 {
        match self {
            Self::Tile128x8 | Self::Tile64x4 => 256,
            Self::Tile64x8 | Self::Tile32x4 => 64,
            Self::Register | Self::Shuffle32 | Self::Shuffle64 => 8,
        }
    }

    /// Whether a device with these features can run it.
    pub fn runs_on(self, info: &wgpu::AdapterInfo, features: wgpu::Features) -> bool {
        match self {
            Self::Shuffle32 | Self::Shuffle64 => {
                features.contains(wgpu::Features::SUBGROUP)
                    && info.subgroup_min_size == 8
                    && info.subgroup_max_size == 8
            }
            _ => true,
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
        // What older checkpoints call them.
        let name = match text {
            "tile" => "tile64x4",
            "shuffle" => "shuffle32",
            name => name,
        };
        Self::ALL.into_iter().find(|variant| variant.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|variant| variant.name()).collect();
            Error::setting("kernels", format!("rule, measured, {}", names.join(", ")), text)
        })
    }
}
