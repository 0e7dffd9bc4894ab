//! One dispatch, described once: what it binds, checks, counts and launches.

use std::fmt::Display;
use std::ops::RangeInclusive;

use narrows_shaders::{Access, Binding, Entry, Shader};

use crate::{Error, Result};

/// What a device runs for a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// The WGSL module.
    pub shader: &'static Shader,
    /// The entry point in it.
    pub entry: &'static str,
    /// The override constants.
    pub constants: Vec<(&'static str, f64)>,
    /// How many workgroups, before folding.
    pub workgroups: u32,
}

impl Program {
    /// The entry's table.
    ///
    /// # Errors
    /// [`Error::Device`] where the shader has no such entry.
    pub fn table(&self) -> Result<&'static Entry> {
        self.shader.entry(self.entry).ok_or_else(|| Error::Device {
            operation: format!("{}::{}", self.shader.name, self.entry),
            message: "the shader has no such entry point".to_owned(),
        })
    }

    // The storage bindings of its table, of no length yet.
    fn storage(&self) -> impl Iterator<Item = Operand> {
        let bindings = self.shader.entry(self.entry).map_or(&[][..], |entry| entry.bindings);
        let operand = |binding: &Binding| Operand { name: binding.name, access: binding.access, words: 0 };
        bindings.iter().map(operand).filter(|operand| operand.access != Access::Uniform)
    }
}

/// One operand of a kernel: a name for messages, and the number of 32-bit words it must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// The binding's name in the shader.
    pub name: &'static str,
    /// Whether it is written.
    pub access: Access,
    /// Words.
    pub words: usize,
}

/// A field of the uniform `Params`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Word {
    /// `u32`
    U32(u32),
    /// `f32`
    F32(f32),
}

impl Word {
    /// Its bits.
    pub const fn bits(self) -> u32 {
        match self {
            Self::U32(value) => value,
            Self::F32(value) => value.to_bits(),
        }
    }
}

impl From<u32> for Word {
    fn from(value: u32) -> Self {
        Self::U32(value)
    }
}

impl From<f32> for Word {
    fn from(value: f32) -> Self {
        Self::F32(value)
    }
}

/// Where an extent must lie for the shader to compute right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is limited, as a message names it.
    pub what: String,
    /// Its value.
    pub value: u64,
    /// The values allowed.
    pub range: RangeInclusive<u64>,
}

impl Limit {
    /// `what` is `value`, and must lie in `range`.
    pub fn new<T: Into<u64>>(what: impl Into<String>, value: T, range: RangeInclusive<T>) -> Self {
        let (least, most) = range.into_inner();
        Self { what: what.into(), value: value.into(), range: least.into()..=most.into() }
    }

    /// Whether the value lies in the range.
    pub fn holds(&self) -> bool {
        self.range.contains(&self.value)
    }

    /// The same as an error.
    ///
    /// # Errors
    /// [`Error::Setting`] where the value lies outside.
    pub fn check(&self) -> Result<()> {
        if self.holds() {
            return Ok(());
        }
        let expected = match (*self.range.start(), *self.range.end()) {
            (least, most) if most >= u64::from(u32::MAX) => format!("at least {least}"),
            (0, most) => format!("at most {most}"),
            (least, most) => format!("between {least} and {most}"),
        };
        Err(Error::setting(&*self.what, expected, self.value))
    }
}

/// The words of a storage operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Words that it must have.
    pub words: usize,
    /// Words of them that are read and written in a dispatch.
    pub used: usize,
}

/// A dispatch as plain data. Its methods add to it one after the other.
///
/// A call is described before its settings are checked, so a wrong setting must not panic on the way: count with
/// [`elements`](super::elements), which saturates, and give [`Call::workgroups`] after operands and limits.
#[derive(Debug)]
#[must_use]
pub struct Call {
    /// Shader, entry point, constants and workgroups.
    pub program: Program,
    /// The name of the shaders that do the same, if the shader is one of several.
    pub family: Option<&'static str>,
    /// Of the storage operands, in the order of the entry's table, which has their names.
    pub lengths: Vec<Length>,
    /// The fields of the uniform `Params`, in its order and by its names.
    pub uniform: Vec<(&'static str, Word)>,
    /// What extents are limited to.
    pub limits: Vec<Limit>,
    /// What else is wrong with its settings.
    pub refusal: Option<Error>,
    /// Floating-point operations, counting a multiply-add as two.
    pub flops: u64,
    /// The dimensions, for reports: `[128, 784] x [784, 400]`.
    pub shape: String,
}

impl Call {
    /// A call of `entry` in `shader`.
    pub const fn new(shader: &'static Shader, entry: &'static str) -> Self {
        Self {
            program: Program { shader, entry, constants: Vec::new(), workgroups: 0 },
            family: None,
            lengths: Vec::new(),
            uniform: Vec::new(),
            limits: Vec::new(),
            refusal: None,
            flops: 0,
            shape: String::new(),
        }
    }

    /// The name of the shaders that do the same, where the variants in use choose among several.
    pub const fn family(mut self, name: &'static str) -> Self {
        self.family = Some(name);
        self
    }

    /// The words of the next storage operands, in the table's order.
    pub fn operands(mut self, words: impl IntoIterator<Item = usize>) -> Self {
        self.lengths.extend(words.into_iter().map(|words| Length { words, used: words }));
        self
    }

    /// The next storage operand, of whose words only `used` are read and written.
    pub fn part_of(mut self, words: usize, used: usize) -> Self {
        self.lengths.push(Length { words, used });
        self
    }

    /// The next fields of the uniform `Params`.
    pub fn uniform<W: Into<Word>>(mut self, fields: impl IntoIterator<Item = (&'static str, W)>) -> Self {
        self.uniform.extend(fields.into_iter().map(|(name, value)| (name, value.into())));
        self
    }

    /// An override constant.
    pub fn constant(mut self, name: &'static str, value: impl Into<f64>) -> Self {
        self.program.constants.push((name, value.into()));
        self
    }

    /// An extent that must lie in `range`.
    pub fn limit<T: Into<u64>>(self, what: impl Into<String>, value: T, range: RangeInclusive<T>) -> Self {
        self.limits([Limit::new(what, value, range)])
    }

    /// Several such extents.
    pub fn limits(mut self, limits: impl IntoIterator<Item = Limit>) -> Self {
        self.limits.extend(limits);
        self
    }

    /// A setting that is as `expected` where `holds`.
    pub fn setting(self, name: &str, holds: bool, expected: &str, got: impl Display) -> Self {
        self.require(if holds { Ok(()) } else { Err(Error::setting(name, expected, got)) })
    }

    /// Anything else that must hold; the first error counts.
    pub fn require(mut self, checked: Result<()>) -> Self {
        self.refusal = self.refusal.or(checked.err());
        self
    }

    /// `each` floating-point operations for every one of `elements`.
    pub const fn flops(mut self, each: u64, elements: usize) -> Self {
        self.flops = self.flops.saturating_add(each.saturating_mul(elements as u64));
        self
    }

    /// The dimensions, for reports.
    pub fn shape(mut self, shape: impl Into<String>) -> Self {
        self.shape = shape.into();
        self
    }

    /// How many workgroups, before folding. `count` is called only where nothing is refused so far, so that 32 bits can
    /// count the words of every operand.
    pub fn workgroups(mut self, count: impl FnOnce() -> u32) -> Self {
        let refused = self.refusal.is_some() || !self.limits.iter().all(Limit::holds);
        if !refused && self.check_operands().is_ok() {
            self.program.workgroups = count();
        }
        self
    }

    /// What a report calls it: shader, or family, and entry point.
    pub fn name(&self) -> String {
        let Program { shader, entry, .. } = &self.program;
        format!("{} {entry}", self.family.unwrap_or(shader.name))
    }

    /// The storage operands: first those read, then those written, as the entry's table lists them.
    pub fn storage(&self) -> Vec<Operand> {
        let named = self.program.storage().zip(&self.lengths);
        named.map(|(binding, length)| Operand { words: length.words, ..binding }).collect()
    }

    /// Bytes read and written: what is used of each operand, once.
    pub fn bytes(&self) -> u64 {
        self.lengths.iter().fold(0, |sum, length| bytes(length.used).saturating_add(sum))
    }

    /// Whether extents and settings are ones that the shader computes right, with operands whose elements its 32-bit
    /// indices can count.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first that is not, [`Error::TooLarge`]; [`Error::Shape`] where the entry has more or
    /// fewer operands than lengths are given; [`Error::Device`] where there is no such entry.
    pub fn check(self) -> Result<()> {
        self.limits.iter().try_for_each(Limit::check)?;
        match self.refusal {
            Some(refusal) => Err(refusal),
            None => self.check_operands(),
        }
    }

    fn check_operands(&self) -> Result<()> {
        self.program.table()?;
        let (listed, given) = (self.program.storage().count(), self.lengths.len());
        if listed != given {
            return Err(Error::shape(self.name(), format!("{listed} lengths of operands"), given));
        }
        for operand in self.storage() {
            let (needed, allowed) = (bytes(operand.words), 4 * u64::from(u32::MAX));
            if needed > allowed {
                let operation = format!("{} operand {}", self.name(), operand.name);
                let advice = "Use a smaller batch or model";
                return Err(Error::TooLarge { operation, needed, allowed, advice });
            }
        }
        Ok(())
    }
}

fn bytes(words: usize) -> u64 {
    4_u64.saturating_mul(words as u64)
}
