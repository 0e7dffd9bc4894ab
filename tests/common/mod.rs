//! What the device tests share: an open device, odd data, and a kernel compared with its reference.
// Each test program uses its part of this; none of it is anyone's interface.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::panic, clippy::unwrap_used)]

pub mod cases;
pub mod faults;
pub mod gradients;
pub mod numeric;
pub mod operands;
pub mod set_ups;
pub mod step;

use std::sync::{Arc, OnceLock};

use narrows::gpu::{Gpu, GpuOptions, Kernels, MatMulVariant, read_words};
use narrows::graph::Device;
use narrows::kernels::{self, Kernel, floats};
use narrows::reference::compare::{Tolerance, compare};
use narrows_shaders::Access;

const HOW_TO_GET_ONE: &str =
    "these tests need a device; scripts/test.sh installs a software one where there is none";

/// The device, once per test program: the best, or the one that `NARROWS_TEST_DEVICE` names as `--device` does; with all it
/// offers, or, where `NARROWS_TEST_DEFAULTS` is set, with nothing but WebGPU's default limits and no optional feature.
pub fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| open(GpuOptions::default()))
}

/// One device for each matrix-product variant the adapter can run, in all their sizes.
pub fn every_gpu() -> &'static [Arc<Gpu>] {
    static GPUS: OnceLock<Vec<Arc<Gpu>>> = OnceLock::new();
    GPUS.get_or_init(|| {
        gpu().matmul_variants().into_iter().map(|variant| with(Kernels::One(variant))).collect()
    })
}

/// One device for each of the shaders that make matrix products, where their sizes make no difference.
pub fn gpus() -> &'static [Arc<Gpu>] {
    static GPUS: OnceLock<Vec<Arc<Gpu>>> = OnceLock::new();
    GPUS.get_or_init(|| {
        let one_size = [MatMulVariant::Tile64x4, MatMulVariant::Register, MatMulVariant::Shuffle32];
        let variants = gpu().matmul_variants();
        let found = one_size.into_iter().filter(|variant| variants.contains(variant));
        found.map(|variant| with(Kernels::One(variant))).collect()
    })
}

fn with(kernels: Kernels) -> Arc<Gpu> {
    Arc::new(open(GpuOptions { kernels, ..Default::default() }))
}

/// Where plans run: the device of each of [`gpus`].
pub fn devices() -> impl Iterator<Item = Device> {
    gpus().iter().map(|gpu| Device::Gpu(Arc::clone(gpu)))
}

/// The device that the rule chose the variant for.
pub fn device() -> Device {
    static CHOSEN: OnceLock<Arc<Gpu>> = OnceLock::new();
    Device::Gpu(Arc::clone(CHOSEN.get_or_init(|| Arc::new(open(GpuOptions::default())))))
}

/// A device and its variant, for messages.
pub fn title(device: &Device) -> String {
    let variant = device.variants().map_or(String::new(), |variants| format!(", {variants}"));
    format!("{}{variant}", device.name())
}

fn open(mut options: GpuOptions) -> Gpu {
    options.only_defaults = std::env::var_os("NARROWS_TEST_DEFAULTS").is_some();
    if let Ok(device) = std::env::var("NARROWS_TEST_DEVICE") {
        options.selector = device.parse().unwrap_or_else(|error| panic!("{error}"));
    }
    pollster::block_on(Gpu::open(&options)).unwrap_or_else(|error| panic!("{error}. {HOW_TO_GET_ONE}"))
}

/// Numbers in [-1, 1) that repeat for the same seed.
pub fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Whole numbers in [-4, 4], whose sums of products f32 holds exactly.
pub fn integers(seed: u64, count: usize) -> Vec<f32> {
    noise(seed, count).into_iter().map(|x| (x * 4.5).trunc()).collect()
}

pub fn words(values: &[f32]) -> Vec<u32> {
    bytemuck::cast_slice(values).to_vec()
}

// What lies before and after every operand, and in every output before the kernel runs. As a float it is
// a large number: one that is read by mistake cannot hide.
const POISON: u32 = 0x7e12_3456;
const MARGIN: usize = 64;

/// Runs `kernel` on `gpu` between poisoned margins: every operand is given its words, operands that are
/// written start from `before` where it is given (for `+=`) and from poison otherwise. Returns each
/// operand afterwards; fails where a margin or an operand that is only read has changed.
pub fn run(
    gpu: &Gpu,
    kernel: &dyn Kernel,
    inputs: &[Vec<u32>],
    before: &[Option<Vec<u32>>],
) -> Vec<Vec<u32>> {
    let operands = kernel.operands();
    let contents: Vec<Vec<u32>> = contents(kernel, inputs, before)
        .into_iter()
        .map(|given| {
            let mut words = vec![POISON; MARGIN];
            words.extend(&given);
            words.resize(MARGIN + given.len().next_multiple_of(64) + MARGIN, POISON);
            words
        })
        .collect();
    pollster::block_on(async {
        let buffers: Vec<wgpu::Buffer> = contents
            .iter()
            .map(|words| {
                let buffer = gpu.storage("operand", words.len());
                gpu.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(words));
                buffer
            })
            .collect();
        let bindings: Vec<wgpu::BufferBinding<'_>> = buffers
            .iter()
            .zip(&operands)
            .map(|(buffer, operand)| {
                let offset = 4 * MARGIN as u64;
                // The margin behind is bound too, as far as the device allows: a driver drops writes past
                // the end of a binding, which would hide them.
                let most = gpu.device.limits().max_storage_buffer_binding_size;
                let size = (buffer.size() - offset).min(most).max(4 * operand.words as u64);
                wgpu::BufferBinding { buffer, offset, size: std::num::NonZeroU64::new(size) }
            })
            .collect();
        let uniform = gpu.uniform(kernel.params());
        let launch = gpu
            .guarded(&kernel.name(), || {
                kernels::prepare(gpu, kernel, uniform.as_entire_buffer_binding(), &bindings)
            })
            .await
            .unwrap_or_else(|error| panic!("{error}"))
            .unwrap_or_else(|error| panic!("{error}"));
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        launch.record(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()));
        gpu.queue.submit([encoder.finish()]);
        let mut results = Vec::new();
        for ((buffer, before), operand) in buffers.iter().zip(&contents).zip(&operands) {
            let after = read_words(gpu, buffer, 0, before.len()).await.unwrap_or_else(|e| panic!("{e}"));
            let end = MARGIN + operand.words;
            let what = format!("{} {} operand {}", kernel.name(), kernel.shape(), operand.name);
            assert_eq!(after[..MARGIN], before[..MARGIN], "{what}: words before it changed");
            assert_eq!(after[end..], before[end..], "{what}: words behind it changed");
            if operand.access == Access::Read {
                assert_eq!(after, *before, "{what} is only read, and changed");
            }
            results.push(after[MARGIN..end].to_vec());
        }
        results
    })
}

// Every operand before `kernel` runs.
fn contents(kernel: &dyn Kernel, inputs: &[Vec<u32>], before: &[Option<Vec<u32>>]) -> Vec<Vec<u32>> {
    let (mut inputs, mut before) = (inputs.iter(), before.iter());
    let of_each = kernel.operands().into_iter().map(|operand| {
        let mut words = match operand.access {
            Access::ReadWrite => before.next().cloned().flatten().unwrap_or_default(),
            _ => inputs.next().unwrap_or_else(|| panic!("no input for {}", operand.name)).clone(),
        };
        words.resize(operand.words, POISON);
        words
    });
    of_each.collect()
}

/// The written operands as the reference computes them.
pub fn expected(kernel: &dyn Kernel, inputs: &[Vec<u32>], before: &[Option<Vec<u32>>]) -> Vec<Vec<u32>> {
    let operands = kernel.operands();
    let written = operands.iter().filter(|operand| operand.access == Access::ReadWrite);
    let mut outputs: Vec<Vec<u32>> = written
        .zip(before)
        .map(|(operand, before)| {
            let mut words = before.clone().unwrap_or_default();
            words.resize(operand.words, POISON);
            words
        })
        .collect();
    let reads: Vec<&[u32]> = inputs.iter().map(Vec::as_slice).collect();
    let mut writes: Vec<&mut [u32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    kernel.reference(&reads, &mut writes);
    outputs
}

/// Compares every written operand of `kernel` on `gpu` with the reference, as floats.
///
/// `before` has one entry for each written operand: its content at the start, or None for poison.
pub fn check(
    gpu: &Gpu,
    kernel: &dyn Kernel,
    inputs: &[Vec<u32>],
    before: &[Option<Vec<u32>>],
    tolerance: Tolerance,
) {
    check_each(gpu, kernel, inputs, before, &vec![Some(tolerance); before.len()]);
}

/// The same where what is written are words, such as counters and random bits: all are equal. Returns them.
pub fn check_words(
    gpu: &Gpu,
    kernel: &dyn Kernel,
    inputs: &[Vec<u32>],
    before: &[Option<Vec<u32>>],
) -> Vec<Vec<u32>> {
    check_each(gpu, kernel, inputs, before, &vec![None; before.len()])
}

/// The same with a tolerance for each written operand, or None where it is words. Returns what was written.
pub fn check_each(
    gpu: &Gpu,
    kernel: &dyn Kernel,
    inputs: &[Vec<u32>],
    before: &[Option<Vec<u32>>],
    tolerances: &[Option<Tolerance>],
) -> Vec<Vec<u32>> {
    let mut got = run(gpu, kernel, inputs, before);
    let operands = kernel.operands();
    let written: Vec<_> =
        operands.iter().filter(|operand| operand.access == Access::ReadWrite).map(|o| o.name).collect();
    assert_eq!(before.len(), written.len(), "{}: one `before` for each written operand", kernel.name());
    assert_eq!(tolerances.len(), written.len(), "{}: one tolerance for each", kernel.name());
    let got = got.split_off(operands.len() - written.len());
    let expected = expected(kernel, inputs, before);
    for (((name, got), expected), tolerance) in written.iter().zip(&got).zip(&expected).zip(tolerances) {
        let differs = match tolerance {
            None => (got != expected).then(|| "its words differ from the CPU's".to_owned()),
            Some(within) => {
                compare(floats(got), floats(expected), *within).err().map(|mismatch| mismatch.to_string())
            }
        };
        if let Some(differs) = differs {
            panic!(
                "{} {} ({} on {}), operand {name}: {differs}",
                kernel.name(),
                kernel.shape(),
                gpu.variants,
                gpu.adapter.label(),
            );
        }
    }
    cases::keep(gpu, kernel, &contents(kernel, inputs, before), tolerances);
    got
}
