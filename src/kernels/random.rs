//! Random numbers on their own (`shaders/random.wgsl`).

use narrows_shaders::random as shaders;

use super::{Call, Kernel, State, floats_mut, put_all};
use crate::gpu::Variants;
use crate::reference::random::Draw;
pub use crate::rng::Stream;
use crate::rng::{normals, sign, uniform};

/// `words[count]`: Philox's words for the counters `[first_block + i/4, step, stream, instance]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bits {
    /// How many words.
    pub count: u32,
    /// The counter's first word for elements 0 to 3.
    pub first_block: u32,
    /// The counter's third word: a [`Stream`], or any other.
    pub stream: u32,
    /// The counter's fourth word.
    pub instance: u32,
}

/// What numbers are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distribution {
    /// Uniform in (0, 1).
    Uniform,
    /// Standard normal.
    Normal,
    /// -1 or 1, alike often (Rademacher).
    Signs,
}

/// `values[count]`, drawn anew each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Numbers {
    /// How many.
    pub count: u32,
    /// From what.
    pub distribution: Distribution,
    /// What for.
    pub stream: Stream,
    /// Its number among the model's draws from that stream, which draw apart.
    pub instance: u32,
}

impl Numbers {
    const fn blocks(&self) -> Bits {
        Bits { count: self.count, first_block: 0, stream: self.stream as u32, instance: self.instance }
    }
}

impl Bits {
    // A draw of these words, or of numbers made of them with `each` operations.
    fn draw(&self, entry: &'static str, each: u64) -> Call {
        let Self { count, first_block, stream, instance } = *self;
        Call::new(&shaders::SHADER, entry)
            .operands([State::WORDS, count as usize])
            .uniform([
                ("count", count),
                ("first_block", first_block),
                ("stream", stream),
                ("instance", instance),
            ])
            .flops(each, count as usize)
            .shape(format!("[{count}]"))
            .workgroups(|| shaders::workgroups(count))
    }

    fn reference_blocks(self, state: &[u32]) -> impl Iterator<Item = [u32; 4]> {
        let State { seed, step, .. } = State::from_words(state);
        let Self { first_block, stream, instance, .. } = self;
        Draw { seed, step, first_block, stream, instance }.blocks()
    }
}

impl Kernel for Bits {
    fn call(&self, _: &Variants) -> Call {
        self.draw("draw_bits", 0)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        for (word, drawn) in writes[0].iter_mut().zip(self.reference_blocks(reads[0]).flatten()) {
            *word = drawn;
        }
    }
}

impl Kernel for Numbers {
    fn call(&self, _: &Variants) -> Call {
        match self.distribution {
            Distribution::Uniform => self.blocks().draw("draw_uniform", 2),
            // A logarithm, a root, a sine or cosine and five multiplications or additions.
            Distribution::Normal => self.blocks().draw("draw_normal", 8),
            Distribution::Signs => self.blocks().draw("draw_signs", 0),
        }
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let four = |bits: [u32; 4]| match self.distribution {
            Distribution::Uniform => bits.map(uniform),
            Distribution::Normal => normals(bits),
            Distribution::Signs => bits.map(sign),
        };
        let values = self.blocks().reference_blocks(reads[0]).flat_map(four);
        put_all(floats_mut(writes[0]), values, false);
    }
}
