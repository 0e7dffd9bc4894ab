//! One dispatch, described once: what it binds, checks, counts and launches.

use std::fmt::Display;
use std::ops::RangeInclusive;

use narrows_shaders::{Access, Binding, Entry, Shader};

use crate::gpu::{MatMulVariant, Product};
use crate::{Error, Result};

/// One storage operand of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// The binding's name in the shader.
    pub name: &'static str,
    /// Whether it is written.
    pub access: Access,
    /// The 32-bit words that it must have.
    pub words: usize,
    /// How many of them one dispatch reads or writes.
    pub used: usize,
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

/// A dispatch as plain data. Its methods add to it one after the other.
///
/// A call is described before its settings are checked, so a wrong setting must not panic on the way: count with
/// [`elements`](super::elements), which saturates, and give [`Call::workgroups`] after operands and limits.
#[derive(Debug)]
#[must_use]
pub struct Call {
    /// The WGSL module.
    pub shader: &'static Shader,
    /// The entry point in it.
    pub entry: &'static str,
    /// The override constants.
    pub constants: Vec<(&'static str, f64)>,
    /// How many workgroups, before folding.
    pub workgroups: u32,
    /// The name of the shaders that do the same, if the shader is one of several.
    pub family: Option<&'static str>,
    /// The storage operands as the entry's table lists them: first those read, then those written.
    pub operands: Vec<Operand>,
    /// The fields of the uniform `Params`, in its order and by its names.
    pub uniform: Vec<(&'static str, Word)>,
    /// The first thing that is wrong with its settings.
    pub refusal: Option<Error>,
    /// Floating-point operations, counting a multiply-add as two.
    pub flops: u64,
    /// The dimensions, for reports: `[128, 784] x [784, 400]`.
    pub shape: String,
    /// The product that it makes and the variant that does, where the variants in use choose by it.
    pub product: Option<(Product, MatMulVariant)>,
}

impl Call {
    /// A call of `entry` in `shader`.
    pub const fn new(shader: &'static Shader, entry: &'static str) -> Self {
        Self {
            shader,
            entry,
            constants: Vec::new(),
            workgroups: 0,
            family: None,
            operands: Vec::new(),
            uniform: Vec::new(),
            refusal: None,
            flops: 0,
            shape: String::new(),
            product: None,
        }
    }

    /// The name of the shaders that do the same, where the variants in use choose among several.
    pub const fn family(mut self, name: &'static str) -> Self {
        self.family = Some(name);
        self
    }

    /// The words of the next storage operands, in the table's order.
    pub fn operands(self, words: impl IntoIterator<Item = usize>) -> Self {
        words.into_iter().fold(self, |call, words| call.part_of(words, words))
    }

    /// The next storage operand, of whose words only `used` are read or written.
    pub fn part_of(mut self, words: usize, used: usize) -> Self {
        let binding = self.storage().nth(self.operands.len());
        // One that the table lacks has no name; `check` refuses it.
        let (name, access) = binding.map_or(("", Access::Read), |binding| (binding.name, binding.access));
        self.operands.push(Operand { name, access, words, used });
        self
    }

    /// The next fields of the uniform `Params`.
    pub fn uniform<W: Into<Word>>(mut self, fields: impl IntoIterator<Item = (&'static str, W)>) -> Self {
        self.uniform.extend(fields.into_iter().map(|(name, value)| (name, value.into())));
        self
    }

    /// An override constant.
    pub fn constant(mut self, name: &'static str, value: impl Into<f64>) -> Self {
        self.constants.push((name, value.into()));
        self
    }

    /// An extent that must lie in `range` for the shader to compute right.
    pub fn limit<T: Into<u64>>(self, what: &str, value: T, range: RangeInclusive<T>) -> Self {
        let (least, most) = range.into_inner();
        let (least, most, value) = (least.into(), most.into(), value.into());
        if (least..=most).contains(&value) {
            return self;
        }
        let expected = match (least, most) {
            (least, most) if least > most => {
                "smaller extents beside it, with which a value is possible".to_owned()
            }
            (least, most) if most >= u64::from(u32::MAX) => format!("at least {least}"),
            (0, most) => format!("at most {most}"),
            (least, most) => format!("between {least} and {most}"),
        };
        self.setting(what, false, &expected, value)
    }

    /// Extents that must be at least one, named as the `height of a pooling` is.
    pub fn at_least_one<const N: usize>(self, of: &str, extents: [(&str, u32); N]) -> Self {
        let limit = |call: Self, (name, extent)| call.limit(&format!("{name} of {of}"), extent, 1..=u32::MAX);
        extents.into_iter().fold(self, limit)
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
        if self.refusal.is_none() && self.check_operands().is_ok() {
            self.workgroups = count();
        }
        self
    }

    /// What a report calls it: shader, or family, and entry point.
    pub fn name(&self) -> String {
        format!("{} {}", self.family.unwrap_or(self.shader.name), self.entry)
    }

    /// What a plan calls it: shader and entry point, and the size in which a variant comes.
    pub fn program(&self) -> String {
        let size = self.product.map_or(String::new(), |(_, variant)| format!(" {variant}"));
        format!("{}::{}{size}", self.shader.name, self.entry)
    }

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

    // The storage bindings of the table.
    fn storage(&self) -> impl Iterator<Item = &'static Binding> {
        let bindings = self.shader.entry(self.entry).map_or(&[][..], |entry| entry.bindings);
        bindings.iter().filter(|binding| binding.access != Access::Uniform)
    }

    /// Bytes read and written: what is used of each operand, once.
    pub fn bytes(&self) -> u64 {
        self.operands.iter().fold(0, |sum, operand| bytes(operand.used).saturating_add(sum))
    }

    /// Whether extents and settings are ones that the shader computes right, with operands whose elements its 32-bit
    /// indices can count.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first that is not, [`Error::TooLarge`]; [`Error::Shape`] where the entry has more or
    /// fewer operands than lengths are given; [`Error::Device`] where there is no such entry.
    pub fn check(self) -> Result<()> {
        match self.refusal {
            Some(refusal) => Err(refusal),
            None => self.check_operands(),
        }
    }

    fn check_operands(&self) -> Result<()> {
        self.table()?;
        let (listed, given) = (self.storage().count(), self.operands.len());
        if listed != given {
            return Err(Error::shape(self.name(), format!("{listed} lengths of operands"), given));
        }
        for operand in &self.operands {
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
