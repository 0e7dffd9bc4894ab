//! The images of a step, clean and corrupted (`shaders/corruption.wgsl`).

use narrows_shaders::{batch::gather_workgroups, corruption as shaders};

use super::batch::Gather;
use super::{Kernel, Operand, Program, State, floats, floats_mut};
use crate::gpu::Variants;
use crate::reference::batch::pixel;
pub use crate::reference::corruption::Corruption;
use crate::rng::{Stream, philox};
use crate::{Error, Result};

/// What [`Gather`] writes, `x[batch, pixels]`, and beside it `seen[batch, pixels]`: the same images, corrupted
/// by noise of the state's seed and step.
///
/// Corrupted are the pixels of [0, 1]; where the mean image is subtracted, it is subtracted from both. So a
/// pixel that dropout takes is a black one either way.
///
/// Operands: `state`, `images`, `chosen` `[batch]` and, centred, `center` `[pixels]`; then `x` and `seen`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corrupt {
    /// The images and where they stand.
    pub gather: Gather,
    /// What is done to them.
    pub corruption: Corruption,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    batch: u32,
    pixels: u32,
    amount: f32,
    scale: f32,
}

/// Whether `corruption` is one that can be done.
///
/// # Errors
/// [`Error::Setting`] for a deviation below 0, a probability outside [0, 1], or pixels of which none is kept
/// that would have to be rescaled.
pub fn check(corruption: Corruption) -> Result<()> {
    let amount = corruption.amount();
    let (expected, good) = match corruption {
        Corruption::Gaussian { .. } => {
            ("a standard deviation that is not negative", amount.is_finite() && amount >= 0.0)
        }
        Corruption::Dropout { rescale: true, .. } => {
            ("a probability below 1 with dropout that is rescaled", (0.0..1.0).contains(&amount))
        }
        _ => ("a probability between 0 and 1", (0.0..=1.0).contains(&amount)),
    };
    if good { Ok(()) } else { Err(Error::setting("corruption_amount", expected, amount)) }
}

impl Kernel for Corrupt {
    fn title(&self) -> &'static str {
        "corrupt"
    }

    fn program(&self, _: &Variants) -> Program {
        Program {
            shader: &shaders::SHADER,
            entry: if self.gather.center { "corrupt_centered" } else { "corrupt" },
            constants: vec![("CORRUPTION", f64::from(self.corruption.code()))],
            workgroups: gather_workgroups(self.gather.batch, self.gather.pixels),
        }
    }

    fn params(&self) -> Vec<u8> {
        let Gather { batch, pixels, .. } = self.gather;
        let (amount, scale) = (self.corruption.amount(), self.corruption.scale());
        bytemuck::bytes_of(&Params { batch, pixels, amount, scale }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        let mut operands = vec![Operand::read("state", State::WORDS)];
        operands.extend(self.gather.operands());
        operands.push(Operand::write("seen", self.gather.batch as usize * self.gather.pixels as usize));
        operands
    }

    fn check(&self) -> Result<()> {
        self.gather.check()?;
        check(self.corruption)
    }

    // The noise, whose ten rounds of integer arithmetic are not counted, and its addition.
    fn flops(&self) -> u64 {
        3 * self.gather.flops()
    }

    fn bytes(&self) -> u64 {
        let pixels = u64::from(self.gather.batch) * u64::from(self.gather.pixels);
        self.gather.bytes() + 4 * State::WORDS as u64 + 4 * pixels
    }

    fn shape(&self) -> String {
        self.gather.shape()
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let State { seed, step, .. } = State::from_words(reads[0]);
        let bytes: &[u8] = bytemuck::cast_slice(reads[1]);
        let pixels = self.gather.pixels as usize;
        let center = if self.gather.center { floats(reads[3]).to_vec() } else { vec![0.0; pixels] };
        let [x, seen] = writes else { return };
        let rows = floats_mut(x).chunks_exact_mut(pixels).zip(floats_mut(seen).chunks_exact_mut(pixels));
        let mut block = 0;
        for ((x, seen), index) in rows.zip(reads[2]) {
            let image = &bytes[*index as usize * pixels..][..pixels];
            for first in (0..pixels).step_by(4) {
                let quad: Vec<f32> = image[first..].iter().take(4).map(|byte| pixel(*byte)).collect();
                let four = std::array::from_fn(|i| f64::from(quad.get(i).copied().unwrap_or_default()));
                let bits = philox([block, step, Stream::Corruption as u32, 0], seed);
                let corrupted = self.corruption.corrupt(four, bits);
                for (i, clean) in quad.iter().enumerate() {
                    let mean = center[first + i];
                    x[first + i] = clean - mean;
                    seen[first + i] = (corrupted[i] - f64::from(mean)) as f32;
                }
                block += 1;
            }
        }
    }
}
