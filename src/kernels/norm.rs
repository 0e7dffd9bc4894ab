//! Batch normalisation (`shaders/norm.wgsl`).
//!
//! `moments` `[2, channels]` are mean and inverse deviation of each channel, from [`moments`](super::moments).

use narrows_shaders::norm as shaders;

use super::moments::{Strips, reach};
use super::{Kernel, Operand, Program, floats, floats_mut};
use crate::Result;
use crate::gpu::Variants;
use crate::reference::activation::Activation;
use crate::reference::norm::Channel;

/// `y = f(scale (x - mean) / deviation + shift)` (Ioffe and Szegedy 2015, algorithm 1).
///
/// Operands: `x` `[rows, channels]`, `moments`, `scale` and `shift` `[channels]`; then `y` `[rows, channels]` and, for an
/// activation that [keeps its input](Activation::keeps_input), `preactivation` `[rows, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Normalize {
    /// The pixels, and how they are shared out.
    pub strips: Strips,
    /// f
    pub activation: Activation,
}

/// Of each chunk and channel, the sums of dz and of dz times the standardized x.
///
/// Operands: `x`, `dz` `[rows, channels]`, `moments`; then `parts` `[chunks, 2, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChunkSums(pub Strips);

/// The same of all rows, which are the gradients of shift and of scale.
///
/// Operands: `chunks` `[chunks, 2, channels]`; then `sums` `[2, channels]` and `gradients`, in which that of scale begins
/// at `scale_at` and that of shift at `shift_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MergeSums {
    /// What the chunks are of.
    pub strips: Strips,
    /// The first word of the scale's gradient.
    pub scale_at: u32,
    /// The first word of the shift's gradient.
    pub shift_at: u32,
    /// Add to the scale's gradient instead of writing it.
    pub accumulate_scale: bool,
    /// Add to the shift's gradient instead of writing it.
    pub accumulate_shift: bool,
}

/// The gradient of x.
///
/// Operands: `x`, `dz` `[rows, channels]`, `moments`, `scale` `[channels]`, `totals` `[2, channels]`, which are
/// [`MergeSums`]' sums; then `dx` `[rows, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backward {
    /// The pixels, and how they are shared out.
    pub strips: Strips,
    /// Whether the moments are this batch's own, and move with each x.
    pub own_moments: bool,
    /// Add to `dx` instead of writing it.
    pub accumulate: bool,
}

#[repr(C)]
#[derive(Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    channels: u32,
    chunk: u32,
    scale_at: u32,
    shift_at: u32,
    correction: f32,
}

impl Params {
    fn of(strips: &Strips) -> Self {
        let Strips { rows, channels, chunk } = *strips;
        Self { rows, channels, chunk, ..Self::default() }
    }

    fn bytes(&self) -> Vec<u8> {
        bytemuck::bytes_of(self).to_vec()
    }
}

fn program(entry: &'static str, strips: &Strips, constants: Vec<(&'static str, f64)>) -> Program {
    let workgroups = shaders::workgroups(strips.rows, strips.channels, strips.chunk);
    Program { shader: &shaders::SHADER, entry, constants, workgroups }
}

// What the operands say of a channel.
fn channel(at: usize, moments: &[u32], scale: &[u32], shift: Option<&[u32]>, channels: usize) -> Channel {
    let number = |words: &[u32], at: usize| f64::from(f32::from_bits(words[at]));
    Channel {
        mean: number(moments, at),
        inverse_deviation: number(moments, channels + at),
        scale: number(scale, at),
        shift: shift.map_or(0.0, |shift| number(shift, at)),
    }
}

fn add(target: &mut f32, value: f64, accumulate: bool) {
    let before = if accumulate { f64::from(*target) } else { 0.0 };
    *target = (before + value) as f32;
}

impl Kernel for Normalize {
    fn title(&self) -> &'static str {
        "norm"
    }

    fn program(&self, _: &Variants) -> Program {
        let entry = if self.activation.keeps_input() { "normalize_keep" } else { "normalize" };
        program(entry, &self.strips, vec![("ACTIVATION", f64::from(self.activation.code()))])
    }

    fn params(&self) -> Vec<u8> {
        Params::of(&self.strips).bytes()
    }

    fn operands(&self) -> Vec<Operand> {
        let (count, channels) = (self.strips.count(), self.strips.channels as usize);
        let mut operands = vec![
            Operand::read("x", count),
            Operand::read("moments", 2 * channels),
            Operand::read("scale", channels),
            Operand::read("shift", channels),
            Operand::write("y", count),
        ];
        if self.activation.keeps_input() {
            operands.push(Operand::write("preactivation", count));
        }
        operands
    }

    fn check(&self) -> Result<()> {
        self.strips.check()
    }

    fn flops(&self) -> u64 {
        4 * self.strips.count() as u64
    }

    fn shape(&self) -> String {
        format!("{} {}", self.strips.describe(), self.activation)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let channels = self.strips.channels as usize;
        let x = &floats(reads[0])[..self.strips.count()];
        for (e, x) in x.iter().enumerate() {
            let channel = channel(e % channels, reads[1], reads[2], Some(reads[3]), channels);
            let z = channel.normalized(f64::from(*x));
            floats_mut(writes[0])[e] = self.activation.value(z) as f32;
            if let Some(preactivation) = writes.get_mut(1) {
                floats_mut(preactivation)[e] = z as f32;
            }
        }
    }
}

impl Kernel for ChunkSums {
    fn title(&self) -> &'static str {
        "norm sums of chunks"
    }

    fn program(&self, _: &Variants) -> Program {
        program("chunk_sums", &self.0, vec![])
    }

    fn params(&self) -> Vec<u8> {
        Params::of(&self.0).bytes()
    }

    fn operands(&self) -> Vec<Operand> {
        let count = self.0.count();
        vec![
            Operand::read("x", count),
            Operand::read("dz", count),
            Operand::read("moments", 2 * self.0.channels as usize),
            Operand::write("parts", self.0.parts()),
        ]
    }

    fn check(&self) -> Result<()> {
        self.0.check()
    }

    fn flops(&self) -> u64 {
        4 * self.0.count() as u64
    }

    fn shape(&self) -> String {
        self.0.describe()
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (width, count) = (self.0.channels as usize, self.0.count());
        let rows = self.0.chunk as usize * width;
        let (x, dz) = (&floats(reads[0])[..count], &floats(reads[1])[..count]);
        let parts = floats_mut(writes[0]).chunks_exact_mut(2 * width);
        for ((x, dz), part) in x.chunks(rows).zip(dz.chunks(rows)).zip(parts) {
            for at in 0..width {
                // The sums look at neither scale nor shift.
                let [mean, inverse_deviation] =
                    [at, width + at].map(|at| f64::from(f32::from_bits(reads[2][at])));
                let channel = Channel { mean, inverse_deviation, scale: 1.0, shift: 0.0 };
                let pairs = x[at..].iter().zip(&dz[at..]).step_by(width);
                let [sum, along] = channel.sums(pairs.map(|(x, dz)| (f64::from(*x), f64::from(*dz))));
                part[at] = sum as f32;
                part[width + at] = along as f32;
            }
        }
    }
}

impl Kernel for MergeSums {
    fn title(&self) -> &'static str {
        "norm sums merged"
    }

    fn program(&self, _: &Variants) -> Program {
        let constants = vec![
            ("ACCUMULATE_SCALE", f64::from(u8::from(self.accumulate_scale))),
            ("ACCUMULATE_SHIFT", f64::from(u8::from(self.accumulate_shift))),
        ];
        let workgroups = shaders::merge_workgroups(self.strips.channels);
        Program { shader: &shaders::SHADER, entry: "merge", constants, workgroups }
    }

    fn params(&self) -> Vec<u8> {
        let Self { scale_at, shift_at, .. } = *self;
        Params { scale_at, shift_at, ..Params::of(&self.strips) }.bytes()
    }

    fn operands(&self) -> Vec<Operand> {
        let channels = self.strips.channels;
        vec![
            Operand::read("chunks", self.strips.parts()),
            Operand::write("sums", 2 * channels as usize),
            Operand::write("gradients", reach([self.scale_at, self.shift_at], channels)),
        ]
    }

    fn check(&self) -> Result<()> {
        self.strips.check()
    }

    fn flops(&self) -> u64 {
        self.strips.parts() as u64
    }

    // Of the gradients only this layer's.
    fn bytes(&self) -> u64 {
        4 * (self.strips.parts() as u64 + 4 * u64::from(self.strips.channels))
    }

    fn shape(&self) -> String {
        self.strips.describe()
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let width = self.strips.channels as usize;
        let parts = floats(reads[0])[..self.strips.parts()].chunks_exact(2 * width);
        for at in 0..2 * width {
            let sum: f64 = parts.clone().map(|part| f64::from(part[at])).sum();
            floats_mut(writes[0])[at] = sum as f32;
            let (first, accumulate) = match at < width {
                true => (self.shift_at, self.accumulate_shift),
                false => (self.scale_at, self.accumulate_scale),
            };
            add(&mut floats_mut(writes[1])[first as usize + at % width], sum, accumulate);
        }
    }
}

impl Kernel for Backward {
    fn title(&self) -> &'static str {
        "norm backward"
    }

    fn program(&self, _: &Variants) -> Program {
        program("backward", &self.strips, vec![("ACCUMULATE", f64::from(u8::from(self.accumulate)))])
    }

    fn params(&self) -> Vec<u8> {
        let correction = if self.own_moments { 1.0 / self.strips.rows as f32 } else { 0.0 };
        Params { correction, ..Params::of(&self.strips) }.bytes()
    }

    fn operands(&self) -> Vec<Operand> {
        let (count, channels) = (self.strips.count(), self.strips.channels as usize);
        vec![
            Operand::read("x", count),
            Operand::read("dz", count),
            Operand::read("moments", 2 * channels),
            Operand::read("scale", channels),
            Operand::read("totals", 2 * channels),
            Operand::write("dx", count),
        ]
    }

    fn check(&self) -> Result<()> {
        self.strips.check()
    }

    fn flops(&self) -> u64 {
        6 * self.strips.count() as u64
    }

    fn shape(&self) -> String {
        self.strips.describe()
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let channels = self.strips.channels as usize;
        let correction = if self.own_moments { 1.0 / f64::from(self.strips.rows) } else { 0.0 };
        let (x, dz, totals) = (floats(reads[0]), floats(reads[1]), floats(reads[4]));
        for (e, dx) in floats_mut(writes[0]).iter_mut().enumerate().take(self.strips.count()) {
            let at = e % channels;
            let channel = channel(at, reads[2], reads[3], None, channels);
            let sums = [totals[at], totals[channels + at]].map(f64::from);
            let gradient = channel.gradient(f64::from(x[e]), f64::from(dz[e]), sums, correction);
            add(dx, gradient, self.accumulate);
        }
    }
}
