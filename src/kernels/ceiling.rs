//! What a device can do at most, by measurement: what every benchmark is compared with (`shaders/ceiling.wgsl`).

use narrows_shaders::{MAX_ROUNDS, ceiling as shaders};

use super::{Call, Kernel, floats_mut, prepare_alone};
use crate::Result;
use crate::gpu::{Gpu, Variants, fastest_round, time};
use crate::reference::ceiling as reference;

/// `results[invocations]`: each the sum of 12 independent chains of `8 rounds` multiply-adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MultiplyAdd {
    /// How many invocations.
    pub invocations: u32,
    /// Rounds of 8 x 12 multiply-adds each, at most [`MAX_ROUNDS`].
    pub rounds: u32,
}

/// `duplicate[count] = original[count]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemoryCopy {
    /// How many numbers, a multiple of four.
    pub count: u32,
}

// Powers of two, so that a chain of whole numbers rounds late; the chains tend to 2.
const FACTOR: f32 = 0.5;
const ADDEND: f32 = 1.0;
// Seconds of a submit beside which its own cost is small, and the launches it may have.
const LONG_ENOUGH: f64 = 0.005;
const MOST_LAUNCHES: usize = 1024;
const TRIES: usize = 12;

impl Kernel for MultiplyAdd {
    fn call(&self, _: &Variants) -> Call {
        let Self { invocations, rounds } = *self;
        Call::new(&shaders::SHADER, "multiply_add")
            .operands([invocations as usize])
            .uniform([("count", invocations), ("rounds", rounds)])
            .uniform([("factor", FACTOR), ("addend", ADDEND)])
            .limit("rounds of multiply-adds", rounds, 0..=MAX_ROUNDS)
            .flops(192 * u64::from(rounds), invocations as usize)
            .shape(format!("[{invocations}] x {rounds} x 96"))
            .workgroups(|| shaders::multiply_add_workgroups(invocations))
    }

    fn reference(&self, _: &[&[u32]], writes: &mut [&mut [u32]]) {
        for (i, result) in (0..self.invocations).zip(floats_mut(writes[0])) {
            *result = reference::multiply_add(i, self.rounds, f64::from(FACTOR), f64::from(ADDEND)) as f32;
        }
    }
}

impl Kernel for MemoryCopy {
    fn call(&self, _: &Variants) -> Call {
        let count = self.count;
        Call::new(&shaders::SHADER, "copy")
            .operands([count as usize; 2])
            .uniform([("count", count), ("rounds", 0)])
            .uniform([("factor", 0.0), ("addend", 0.0)])
            .shape(format!("[{count}]"))
            .workgroups(|| shaders::copy_workgroups(count))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        writes[0].copy_from_slice(reads[0]);
    }
}

/// The most a device was seen to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceilings {
    /// Floating-point operations per second, a multiply-add being two.
    pub flops: f64,
    /// Bytes read and written per second.
    pub bytes: f64,
}

impl Ceilings {
    /// What the arithmetic is measured with: lanes enough to fill any GPU.
    pub const ARITHMETIC: MultiplyAdd = MultiplyAdd { invocations: 1 << 18, rounds: 64 };
    /// What memory is measured with: beyond the caches of any GPU, within WebGPU's default limit on a binding.
    pub const COPY: MemoryCopy = MemoryCopy { count: 1 << 24 };

    /// Measures `gpu`, in about a second: the best of several runs, as what disturbs a run only slows it.
    ///
    /// # Errors
    /// [`Error::DeviceLost`](crate::Error::DeviceLost), or [`Error::Device`](crate::Error::Device) where
    /// the driver refuses.
    pub async fn measure(gpu: &Gpu) -> Result<Self> {
        let flops = Self::ARITHMETIC.flops() as f64 / fastest(gpu, &Self::ARITHMETIC).await?;
        let bytes = Self::COPY.bytes() as f64 / fastest(gpu, &Self::COPY).await?;
        Ok(Self { flops, bytes })
    }
}

/// Seconds of a launch of `kernel`, on operands of its own and after one that compiles: the best of a few tries, each of
/// launches enough that what a submit itself costs does not count. By the device's timestamps where it has them.
///
/// # Errors
/// As [`Ceilings::measure`], and [`Error::Setting`](crate::Error::Setting) for a kernel beyond its limits.
pub async fn fastest(gpu: &Gpu, kernel: &dyn Kernel) -> Result<f64> {
    let launch = [prepare_alone(gpu, kernel, &[]).await?];
    let seconds = async |rounds| Ok(time(gpu, &launch, rounds).await?.seconds());
    fastest_round(LONG_ENOUGH, MOST_LAUNCHES, TRIES, seconds).await
}
