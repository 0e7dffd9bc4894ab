//! Random numbers on their own (`shaders/random.wgsl`).

use narrows_shaders::random as shaders;

use super::{Call, Kernel, State};
use crate::gpu::Variants;
use crate::reference::random::blocks;
pub use crate::rng::Stream;
use crate::rng::{normals, sign, uniform};

/// What numbers are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distribution {
    /// Philox's words themselves.
    Bits,
    /// Uniform in (0, 1).
    Uniform,
    /// Standard normal.
    Normal,
    /// -1 or 1, equally likely (Rademacher).
    Signs,
}

/// `values[count]`, drawn anew each step: number i from Philox's word for the counter
/// `[first_block + i/4, step, stream, instance]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Numbers {
    /// How many.
    pub count: u32,
    /// From what.
    pub distribution: Distribution,
    /// The counter's first word for numbers 0 to 3.
    pub first_block: u32,
    /// What for: a [`Stream`], or any other number.
    pub stream: u32,
    /// Its number among the model's draws from that stream, which draw apart.
    pub instance: u32,
}

impl Kernel for Numbers {
    fn call(&self, _: &Variants) -> Call {
        let Self { count, distribution, first_block, stream, instance } = *self;
        // The ten rounds of integer arithmetic are not counted.
        let (entry, flops) = match distribution {
            Distribution::Bits => ("draw_bits", 0),
            Distribution::Uniform => ("draw_uniform", 2),
            // A logarithm, a root, a sine or cosine and five multiplications or additions.
            Distribution::Normal => ("draw_normal", 8),
            Distribution::Signs => ("draw_signs", 0),
        };
        Call::new(&shaders::SHADER, entry)
            .operands([State::WORDS, count as usize])
            .uniform([("count", count), ("first_block", first_block)])
            .uniform([("stream", stream), ("instance", instance)])
            .flops(flops, count as usize)
            .shape(format!("[{count}]"))
            .workgroups(|| shaders::workgroups(count))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let State { seed, step, .. } = State::from_words(reads[0]);
        let Self { distribution, first_block, stream, instance, .. } = *self;
        let blocks = blocks(seed, [first_block, step, stream, instance]);
        let word = |number: f64| (number as f32).to_bits();
        let four = |bits: [u32; 4]| match distribution {
            Distribution::Bits => bits,
            Distribution::Uniform => bits.map(uniform).map(word),
            Distribution::Normal => normals(bits).map(word),
            Distribution::Signs => bits.map(sign).map(word),
        };
        writes[0].iter_mut().zip(blocks.flat_map(four)).for_each(|(to, drawn)| *to = drawn);
    }
}
