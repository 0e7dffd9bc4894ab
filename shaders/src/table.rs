//! The vocabulary of the binding tables.

use std::borrow::Cow;

/// WebGPU's default limit on workgroups in one dimension of a dispatch.
pub const MAX_WORKGROUPS: u32 = 65_535;

/// The most rounds that the loops of one invocation may run together. Some CPU drivers end every loop of an invocation
/// once that has run 65,535 rounds, without a word.
pub const MAX_ROUNDS: u32 = 65_000;

/// The most numbers of a row that 64 lanes share, each taking every 64th in a round.
pub const MAX_SHARED_ROW: u32 = max_shared_row(1);

/// The same where each number takes so many `rounds`, at least one.
pub const fn max_shared_row(rounds: u64) -> u32 {
    64 * (MAX_ROUNDS as u64 / rounds) as u32
}

/// How an entry point uses a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// The one uniform `Params` struct, always at binding 0.
    Uniform,
    /// `var<storage, read>`.
    Read,
    /// `var<storage, read_write>`.
    ReadWrite,
}

/// One binding of group 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binding {
    /// The `@binding` number.
    pub slot: u32,
    /// The variable's name in the shader.
    pub name: &'static str,
    /// How the entry point uses it.
    pub access: Access,
}

impl Binding {
    /// The uniform `Params` at binding 0.
    pub const PARAMS: Self = Self { slot: 0, name: "params", access: Access::Uniform };

    /// A storage buffer that is read.
    pub const fn read(slot: u32, name: &'static str) -> Self {
        Self { slot, name, access: Access::Read }
    }

    /// A storage buffer that is written, or read and written.
    pub const fn write(slot: u32, name: &'static str) -> Self {
        Self { slot, name, access: Access::ReadWrite }
    }
}

/// One entry point and exactly the bindings it uses, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The function's name.
    pub name: &'static str,
    /// What it binds.
    pub bindings: &'static [Binding],
}

/// A complete WGSL module: fragments joined, ready for a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shader {
    /// The file's stem.
    pub name: &'static str,
    /// The WGSL text, as wgpu takes it on native platforms. [`standard_source`](Self::standard_source) is for the others.
    pub source: &'static str,
    /// The `override` constants a caller may set.
    pub overrides: &'static [&'static str],
    /// The entry points.
    pub entries: &'static [Entry],
    /// Whether the device must offer subgroups.
    pub subgroups: bool,
}

impl Shader {
    /// The WGSL text as the standard wants it, for browsers and every compiler but naga: where
    /// [`subgroups`](Self::subgroups) are used it begins with `enable subgroups;`, which naga does not know.
    pub fn standard_source(&self) -> Cow<'static, str> {
        if self.subgroups { format!("enable subgroups;\n{}", self.source).into() } else { self.source.into() }
    }

    /// The entry point called `name`.
    pub fn entry(&self, name: &str) -> Option<&'static Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}

/// Spreads `workgroups` over the x and y of a dispatch, at most [`MAX_WORKGROUPS`] each.
///
/// Every shader here recovers its linear number as `group.x + group.y * groups.x` and ignores the
/// numbers past its own count, which folding can add.
pub const fn fold(workgroups: u32) -> [u32; 3] {
    if workgroups == 0 {
        return [0, 0, 0];
    }
    let down = workgroups.div_ceil(MAX_WORKGROUPS);
    [workgroups.div_ceil(down), down, 1]
}
