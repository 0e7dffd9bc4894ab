//! One file per shader: its parameters, the shapes it takes, and how it is recorded into a caller's pass.
//!
//! A [`Kernel`] is plain data. It says which program a device runs for it and computes the same result on
//! the CPU, so whatever is built from kernels can be replayed on either.

pub mod activation;
pub mod batch;
pub mod ceiling;
pub mod contraction;
pub mod conv;
pub mod corruption;
pub mod divergence;
pub mod dropout;
pub mod hadamard;
pub mod latent;
pub mod loss;
pub mod matmul;
pub mod moments;
pub mod norm;
pub mod optimizer;
pub mod pool;
pub mod random;
pub mod record;
pub mod reduce;
pub mod sparsity;
pub mod spread;
pub mod state;
pub mod step;
pub mod upsample;

use std::fmt::Debug;

use narrows_shaders::{Access, Entry, Shader};

pub use self::state::State;
use crate::gpu::{Gpu, Launch, Variants};
use crate::{Error, Result};

/// What a device runs for a kernel.
#[derive(Clone, Debug)]
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
    /// [`Error::Device`] where the shader has no such entry, which the table tests rule out.
    pub fn table(&self) -> Result<&'static Entry> {
        self.shader.entry(self.entry).ok_or_else(|| Error::Device {
            operation: format!("{}::{}", self.shader.name, self.entry),
            message: "the shader has no such entry point".to_owned(),
        })
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

impl Operand {
    /// An operand that is read.
    pub const fn read(name: &'static str, words: usize) -> Self {
        Self { name, access: Access::Read, words }
    }

    /// An operand that is written, or read and written.
    pub const fn write(name: &'static str, words: usize) -> Self {
        Self { name, access: Access::ReadWrite, words }
    }
}

/// A computation that a device and the CPU reference can both do.
pub trait Kernel: Debug + Send + Sync {
    /// What a report calls it: stem and entry point.
    fn name(&self) -> &'static str;

    /// What the device runs, given the variants in use.
    fn program(&self, variants: &Variants) -> Program;

    /// The uniform `Params`, as bytes.
    fn params(&self) -> Vec<u8>;

    /// The storage operands: first those read, then those written, as the shader's table lists them.
    fn operands(&self) -> Vec<Operand>;

    /// Whether its extents and settings are ones it computes right.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first that is not, [`Error::TooLarge`].
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Floating-point operations, counting a multiply-add as two.
    fn flops(&self) -> u64;

    /// Bytes read and written: each operand once, unless it uses but a part of one.
    fn bytes(&self) -> u64 {
        self.operands().iter().map(|operand| 4 * operand.words as u64).sum()
    }

    /// The dimensions, for reports: `[128, 784] x [784, 400]`.
    fn shape(&self) -> String;

    /// The same computation on the CPU: the words read, then the words written, in operand order.
    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]);
}

/// Views words as floats.
pub fn floats(words: &[u32]) -> &[f32] {
    bytemuck::cast_slice(words)
}

/// Views words as floats, to write.
pub fn floats_mut(words: &mut [u32]) -> &mut [f32] {
    bytemuck::cast_slice_mut(words)
}

// An operand's words as f64, for references.
fn widened(words: &[u32]) -> Vec<f64> {
    floats(words).iter().map(|value| f64::from(*value)).collect()
}

// `=` or, where `accumulate`, `+=` of a reference.
fn put(target: &mut f32, value: f64, accumulate: bool) {
    let before = if accumulate { f64::from(*target) } else { 0.0 };
    *target = (before + value) as f32;
}

// As `put`, element by element.
fn put_all(target: &mut [f32], values: impl IntoIterator<Item = f64>, accumulate: bool) {
    target.iter_mut().zip(values).for_each(|(target, value)| put(target, value, accumulate));
}

/// Whether `kernel` computes right what it is asked to: its own [`Kernel::check`], and operands whose
/// elements the shaders' 32-bit indices can count.
///
/// # Errors
/// [`Error::Setting`], [`Error::TooLarge`].
pub fn check(kernel: &dyn Kernel) -> Result<()> {
    kernel.check()?;
    for operand in kernel.operands() {
        let (needed, allowed) = (4 * operand.words as u64, 4 * u64::from(u32::MAX));
        if needed > allowed {
            let operation = format!("{} operand {}", kernel.name(), operand.name);
            return Err(Error::TooLarge {
                operation,
                needed,
                allowed,
                advice: "Use a smaller batch or model",
            });
        }
    }
    Ok(())
}

// For `Kernel::check`: `value` must lie in `range`.
fn within(what: &str, value: u32, range: std::ops::RangeInclusive<u32>) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    let expected = match (*range.start(), *range.end()) {
        (least, u32::MAX) => format!("at least {least}"),
        (least, most) => format!("between {least} and {most}"),
    };
    Err(Error::setting(what, expected, value))
}

/// Prepares a launch of `kernel` on the caller's buffers, given in operand order.
///
/// `params` is a range of a uniform buffer that holds [`Kernel::params`]. Creating the pipeline on first
/// use is the slow part; the launch itself can be recorded again and again.
///
/// # Errors
/// As [`check`]; [`Error::Shape`] where an operand is missing or too short.
pub fn prepare(
    gpu: &Gpu,
    kernel: &dyn Kernel,
    params: wgpu::BufferBinding<'_>,
    operands: &[wgpu::BufferBinding<'_>],
) -> Result<Launch> {
    check(kernel)?;
    let program = kernel.program(&gpu.variants);
    let table = program.table()?;
    let expected = kernel.operands();
    if operands.len() != expected.len() {
        let count = |n| format!("{n} operands");
        return Err(Error::shape(kernel.name(), count(expected.len()), count(operands.len())));
    }
    for (operand, buffer) in expected.iter().zip(operands) {
        let bytes = buffer.size.map_or(buffer.buffer.size() - buffer.offset, u64::from);
        if bytes < 4 * operand.words as u64 {
            let operation = format!("{} operand {}", kernel.name(), operand.name);
            return Err(Error::shape(
                operation,
                format!("{} words", operand.words),
                format!("{} words", bytes / 4),
            ));
        }
    }
    let pipeline = gpu.pipeline(program.shader, table, &program.constants);
    let mut buffers = vec![params];
    buffers.extend_from_slice(operands);
    Ok(Launch::new(gpu, pipeline, &buffers, program.workgroups))
}

/// Prepares a launch of `kernel` on buffers of its own, for measurements: `contents` are the words the
/// first operands begin with; the others begin as zeros.
///
/// # Errors
/// As [`prepare`], or [`Error::Device`] where the driver refuses.
pub async fn prepare_alone(gpu: &Gpu, kernel: &dyn Kernel, contents: &[Vec<u32>]) -> Result<Launch> {
    let prepared = gpu.guarded(kernel.name(), || {
        let buffers: Vec<wgpu::Buffer> =
            kernel.operands().iter().map(|operand| gpu.storage(operand.name, operand.words)).collect();
        for (buffer, words) in buffers.iter().zip(contents) {
            gpu.queue.write_buffer(buffer, 0, bytemuck::cast_slice(words));
        }
        let mut params = kernel.params();
        // A uniform struct's size is rounded up to 16 bytes.
        params.resize(params.len().next_multiple_of(16), 0);
        let uniform = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("params"),
            size: params.len() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        gpu.queue.write_buffer(&uniform, 0, &params);
        let bindings: Vec<_> = buffers.iter().map(wgpu::Buffer::as_entire_buffer_binding).collect();
        prepare(gpu, kernel, uniform.as_entire_buffer_binding(), &bindings)
    });
    prepared.await?
}
