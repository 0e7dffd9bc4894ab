//! Random numbers on their own (`shaders/random.wgsl`).

use narrows_shaders::random as shaders;

use super::{Kernel, Operand, Program, State, floats_mut};
use crate::gpu::Variants;
use crate::reference::random::Draw;
pub use crate::rng::Stream;
use crate::rng::{normals, sign, uniform};

/// `words[count]`: Philox's words for the counters `[first_block + i/4, step, stream, domain]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bits {
    /// How many words.
    pub count: u32,
    /// The counter's first word for elements 0 to 3.
    pub first_block: u32,
    /// The counter's third word: a [`Stream`], or any other.
    pub stream: u32,
    /// The counter's fourth word, 0 for all that narrows draws.
    pub domain: u32,
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
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    count: u32,
    first_block: u32,
    stream: u32,
    domain: u32,
}

impl Params {
    fn whole(count: u32, stream: Stream) -> Self {
        Self { count, first_block: 0, stream: stream as u32, domain: 0 }
    }

    fn bytes(self) -> Vec<u8> {
        bytemuck::bytes_of(&self).to_vec()
    }

    fn blocks(self, state: &[u32]) -> impl Iterator<Item = [u32; 4]> {
        let State { seed, step, .. } = State::from_words(state);
        let Self { first_block, stream, domain, .. } = self;
        Draw { seed, step, first_block, stream, domain }.blocks()
    }
}

fn program(entry: &'static str, count: u32) -> Program {
    Program { shader: &shaders::SHADER, entry, constants: vec![], workgroups: shaders::workgroups(count) }
}

fn operands(output: &'static str, count: u32) -> Vec<Operand> {
    vec![Operand::read("state", State::WORDS), Operand::write(output, count as usize)]
}

impl Bits {
    fn layout(&self) -> Params {
        let Self { count, first_block, stream, domain } = *self;
        Params { count, first_block, stream, domain }
    }
}

impl Kernel for Bits {
    fn title(&self) -> &'static str {
        "random bits"
    }

    fn program(&self, _: &Variants) -> Program {
        program("draw_bits", self.count)
    }

    fn params(&self) -> Vec<u8> {
        self.layout().bytes()
    }

    fn operands(&self) -> Vec<Operand> {
        operands("words", self.count)
    }

    fn flops(&self) -> u64 {
        0
    }

    fn shape(&self) -> String {
        format!("[{}]", self.count)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let words = writes[0].iter_mut().take(self.count as usize);
        for (word, drawn) in words.zip(self.layout().blocks(reads[0]).flatten()) {
            *word = drawn;
        }
    }
}

impl Kernel for Numbers {
    fn title(&self) -> &'static str {
        match self.distribution {
            Distribution::Uniform => "random uniform",
            Distribution::Normal => "random normal",
            Distribution::Signs => "random signs",
        }
    }

    fn program(&self, _: &Variants) -> Program {
        let entry = match self.distribution {
            Distribution::Uniform => "draw_uniform",
            Distribution::Normal => "draw_normal",
            Distribution::Signs => "draw_signs",
        };
        program(entry, self.count)
    }

    fn params(&self) -> Vec<u8> {
        Params::whole(self.count, self.stream).bytes()
    }

    fn operands(&self) -> Vec<Operand> {
        operands("values", self.count)
    }

    fn flops(&self) -> u64 {
        let each = match self.distribution {
            Distribution::Uniform => 2,
            // A logarithm, a root, a sine or cosine and five multiplications or additions.
            Distribution::Normal => 8,
            Distribution::Signs => 0,
        };
        each * u64::from(self.count)
    }

    fn shape(&self) -> String {
        format!("[{}]", self.count)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let blocks = Params::whole(self.count, self.stream).blocks(reads[0]);
        let four = |bits: [u32; 4]| match self.distribution {
            Distribution::Uniform => bits.map(uniform),
            Distribution::Normal => normals(bits),
            Distribution::Signs => bits.map(sign),
        };
        let values = floats_mut(writes[0]).iter_mut().take(self.count as usize);
        for (value, drawn) in values.zip(blocks.flat_map(four)) {
            *value = drawn as f32;
        }
    }
}
