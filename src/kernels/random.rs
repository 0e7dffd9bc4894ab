//! Random numbers on their own (`shaders/random.wgsl`).

use narrows_shaders::random as shaders;

use super::{Kernel, Operand, Program, State, floats_mut};
use crate::gpu::Variants;
pub use crate::reference::philox::Stream;
use crate::reference::philox::{normals, sign, uniform};
use crate::reference::random::Draw;

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

/// `values[count]`, uniform in (0, 1) and drawn anew each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Uniform {
    /// How many numbers.
    pub count: u32,
    /// What they are drawn for.
    pub stream: Stream,
}

/// `values[count]`, standard normal and drawn anew each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Normal {
    /// How many numbers.
    pub count: u32,
    /// What they are drawn for.
    pub stream: Stream,
}

/// `values[count]`, -1 or 1 alike often (Rademacher) and drawn anew each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signs {
    /// How many numbers.
    pub count: u32,
    /// What they are drawn for.
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
    fn name(&self) -> &'static str {
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

impl Kernel for Uniform {
    fn name(&self) -> &'static str {
        "random uniform"
    }

    fn program(&self, _: &Variants) -> Program {
        program("draw_uniform", self.count)
    }

    fn params(&self) -> Vec<u8> {
        Params::whole(self.count, self.stream).bytes()
    }

    fn operands(&self) -> Vec<Operand> {
        operands("values", self.count)
    }

    fn flops(&self) -> u64 {
        2 * u64::from(self.count)
    }

    fn shape(&self) -> String {
        format!("[{}]", self.count)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let values = floats_mut(writes[0]).iter_mut().take(self.count as usize);
        let drawn = Params::whole(self.count, self.stream).blocks(reads[0]).flatten();
        for (value, bits) in values.zip(drawn) {
            *value = uniform(bits) as f32;
        }
    }
}

impl Kernel for Normal {
    fn name(&self) -> &'static str {
        "random normal"
    }

    fn program(&self, _: &Variants) -> Program {
        program("draw_normal", self.count)
    }

    fn params(&self) -> Vec<u8> {
        Params::whole(self.count, self.stream).bytes()
    }

    fn operands(&self) -> Vec<Operand> {
        operands("values", self.count)
    }

    // A logarithm, a root, a sine or cosine and five multiplications or additions.
    fn flops(&self) -> u64 {
        8 * u64::from(self.count)
    }

    fn shape(&self) -> String {
        format!("[{}]", self.count)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let values = floats_mut(writes[0]).iter_mut().take(self.count as usize);
        let drawn = Params::whole(self.count, self.stream).blocks(reads[0]).flat_map(normals);
        for (value, normal) in values.zip(drawn) {
            *value = normal as f32;
        }
    }
}

impl Kernel for Signs {
    fn name(&self) -> &'static str {
        "random signs"
    }

    fn program(&self, _: &Variants) -> Program {
        program("draw_signs", self.count)
    }

    fn params(&self) -> Vec<u8> {
        Params::whole(self.count, self.stream).bytes()
    }

    fn operands(&self) -> Vec<Operand> {
        operands("values", self.count)
    }

    fn flops(&self) -> u64 {
        0
    }

    fn shape(&self) -> String {
        format!("[{}]", self.count)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let values = floats_mut(writes[0]).iter_mut().take(self.count as usize);
        let drawn = Params::whole(self.count, self.stream).blocks(reads[0]).flatten();
        for (value, bits) in values.zip(drawn) {
            *value = sign(bits) as f32;
        }
    }
}
