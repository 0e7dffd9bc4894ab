//! How a kernel is made ready for a device: checked, bound, and split where the variants in use would rather.

use super::{Call, Kernel};
use crate::gpu::{Gpu, Launch, Variants};
use crate::{Error, Result};

// Words at a multiple of which a binding may begin.
const ALIGNMENT: usize = 64;

/// Two kernels that do together what one does.
#[derive(Debug)]
pub struct Split {
    /// It reads the first operands of the whole, and writes what lies between.
    pub first: Box<dyn Kernel>,
    /// It reads what lies between and the other operands that the whole reads, and writes what that writes.
    pub second: Box<dyn Kernel>,
    /// How many operands the first one takes.
    pub taken: usize,
    /// The words of each operand between them.
    pub between: Vec<usize>,
}

fn room(words: &usize) -> usize {
    words.next_multiple_of(ALIGNMENT)
}

impl Split {
    // Words of what lies between the two.
    fn scratch(&self) -> usize {
        self.between.iter().map(room).sum()
    }

    fn prepare(&self, gpu: &Gpu, operands: &[wgpu::BufferBinding<'_>]) -> Result<Launch> {
        let scratch = gpu.scratch(self.scratch());
        let mut offset = 0;
        let between = self.between.iter().map(|words| {
            let size = std::num::NonZeroU64::new(4 * *words as u64);
            let binding = wgpu::BufferBinding { buffer: &scratch, offset: 4 * offset as u64, size };
            offset += room(words);
            binding
        });
        let between: Vec<_> = between.collect();
        let (taken, others) = operands.split_at(self.taken.min(operands.len()));
        let with_params = |kernel: &dyn Kernel, operands: &[wgpu::BufferBinding<'_>]| {
            let params = gpu.uniform(kernel.params());
            check_operands(kernel, operands)?;
            prepare_whole(gpu, kernel, params.as_entire_buffer_binding(), operands)
        };
        let first = with_params(self.first.as_ref(), &[taken, &between].concat())?;
        Ok(first.then(with_params(self.second.as_ref(), &[&between, others].concat())?))
    }
}

/// The dispatches that `kernel` is on a device with these variants.
///
/// # Errors
/// As [`Kernel::check`].
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn calls(kernel: &dyn Kernel, variants: &Variants) -> Result<Vec<Call>> {
    kernel.check()?;
    Ok(match kernel.split(variants) {
        None => vec![kernel.call(variants)],
        Some(split) => vec![split.first.call(variants), split.second.call(variants)],
    })
}

/// Words of the device's buffer for what lies between two dispatches that `kernel` takes with these variants.
pub(crate) fn scratch(kernel: &dyn Kernel, variants: &Variants) -> usize {
    kernel.split(variants).map_or(0, |split| split.scratch())
}

/// What a plan calls the programs of a kernel: one, or those of a [`Split`].
pub(crate) fn program(kernel: &dyn Kernel, variants: &Variants) -> String {
    match kernel.split(variants) {
        None => kernel.call(variants).program(),
        Some(Split { first, second, .. }) => {
            format!("{} + {}", first.call(variants).program(), second.call(variants).program())
        }
    }
}

/// Prepares a launch of `kernel` on the caller's buffers, given in operand order.
///
/// `params` is a range of a uniform buffer that holds [`Kernel::params`]. Creating the pipeline on first
/// use is the slow part; the launch itself can be recorded again and again. A kernel that is [`split`](Kernel::split) keeps
/// what lies between in a buffer of the device.
///
/// # Errors
/// As [`Kernel::check`]; [`Error::Shape`] where an operand is missing or too short.
pub fn prepare(
    gpu: &Gpu,
    kernel: &dyn Kernel,
    params: wgpu::BufferBinding<'_>,
    operands: &[wgpu::BufferBinding<'_>],
) -> Result<Launch> {
    check_operands(kernel, operands)?;
    match kernel.split(&gpu.variants) {
        None => prepare_whole(gpu, kernel, params, operands),
        Some(split) => split.prepare(gpu, operands),
    }
}

fn check_operands(kernel: &dyn Kernel, operands: &[wgpu::BufferBinding<'_>]) -> Result<()> {
    kernel.check()?;
    let wanted = kernel.operands();
    if operands.len() != wanted.len() {
        let count = |n| format!("{n} operands");
        return Err(Error::shape(kernel.name(), count(wanted.len()), count(operands.len())));
    }
    for (operand, buffer) in wanted.iter().zip(operands) {
        let bytes = buffer.size.map_or(buffer.buffer.size() - buffer.offset, u64::from);
        if bytes < 4 * operand.words as u64 {
            let operation = format!("{} operand {}", kernel.name(), operand.name);
            let words = |count| format!("{count} words");
            return Err(Error::shape(operation, words(operand.words as u64), words(bytes / 4)));
        }
    }
    Ok(())
}

fn prepare_whole(
    gpu: &Gpu,
    kernel: &dyn Kernel,
    params: wgpu::BufferBinding<'_>,
    operands: &[wgpu::BufferBinding<'_>],
) -> Result<Launch> {
    let call = kernel.call(&gpu.variants);
    let pipeline = gpu.pipeline(call.shader, call.table()?, &call.constants);
    let buffers = [&[params], operands].concat();
    Ok(Launch::new(gpu, pipeline, &buffers, call.workgroups))
}

/// Prepares a launch of `kernel` on buffers of its own, for measurements: `contents` are the words the
/// first operands begin with; the others begin as zeros.
///
/// # Errors
/// As [`prepare`], or [`Error::Device`] where the driver refuses.
pub async fn prepare_alone(gpu: &Gpu, kernel: &dyn Kernel, contents: &[Vec<u32>]) -> Result<Launch> {
    let name = kernel.name();
    let prepared = gpu.guarded(&name, || {
        let buffers: Vec<wgpu::Buffer> =
            kernel.operands().iter().map(|operand| gpu.storage(operand.name, operand.words)).collect();
        for (buffer, words) in buffers.iter().zip(contents) {
            gpu.queue.write_buffer(buffer, 0, bytemuck::cast_slice(words));
        }
        let uniform = gpu.uniform(kernel.params());
        let bindings: Vec<_> = buffers.iter().map(wgpu::Buffer::as_entire_buffer_binding).collect();
        prepare(gpu, kernel, uniform.as_entire_buffer_binding(), &bindings)
    });
    prepared.await?
}
