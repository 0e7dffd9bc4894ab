//! Which images a step sees, and their pixels (`shaders/batch.wgsl`).

use narrows_shaders::batch as shaders;

use super::{Kernel, Operand, Program, State, floats, floats_mut, within};
use crate::gpu::Variants;
use crate::reference::batch::{Permutation, ahead, pixel};
use crate::{Error, Result};

/// `indices[batch]`: the images from the state's cursor on, in the order of its pass.
///
/// A batch may run over the end of a pass into the next, which has an order of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Permute {
    /// Images a step, at most `count`.
    pub batch: u32,
    /// Images in the data set, at least one.
    pub count: u32,
    /// Whether each pass has an order of its own; otherwise every pass is in the data's order.
    pub shuffle: bool,
}

/// `x[batch, pixels] = byte / 255` of the images at `indices`.
///
/// Offsets are counted in 32 bits, so `count * pixels` must stay below 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gather {
    /// Images a step.
    pub batch: u32,
    /// Images in the data set.
    pub count: u32,
    /// Bytes an image.
    pub pixels: u32,
    /// Whether the mean image is subtracted.
    pub center: bool,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    batch: u32,
    count: u32,
    pixels: u32,
}

impl Kernel for Permute {
    fn title(&self) -> &'static str {
        "batch permute"
    }

    fn program(&self, _: &Variants) -> Program {
        Program {
            shader: &shaders::SHADER,
            entry: "permute",
            constants: vec![("SHUFFLE", f64::from(u8::from(self.shuffle)))],
            workgroups: shaders::permute_workgroups(self.batch),
        }
    }

    fn params(&self) -> Vec<u8> {
        let Self { batch, count, .. } = *self;
        bytemuck::bytes_of(&Params { batch, count, pixels: 0 }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![Operand::read("state", State::WORDS), Operand::write("indices", self.batch as usize)]
    }

    fn check(&self) -> Result<()> {
        within("images", self.count, 1..=u32::MAX)?;
        within("batch", self.batch, 1..=self.count)
    }

    fn flops(&self) -> u64 {
        0
    }

    fn shape(&self) -> String {
        format!("[{}] of {}", self.batch, self.count)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let State { seed, epoch, cursor, .. } = State::from_words(reads[0]);
        let orders = [epoch, epoch.wrapping_add(1)].map(|epoch| Permutation::new(seed, epoch, self.count));
        for (i, index) in (0..self.batch).zip(writes[0].iter_mut()) {
            let (position, passes) = ahead(cursor, i, self.count);
            *index = if self.shuffle { orders[passes as usize].index(position) } else { position };
        }
    }
}

impl Kernel for Gather {
    fn title(&self) -> &'static str {
        "batch gather"
    }

    fn program(&self, _: &Variants) -> Program {
        Program {
            shader: &shaders::SHADER,
            entry: if self.center { "gather_centered" } else { "gather" },
            constants: vec![],
            workgroups: shaders::gather_workgroups(self.batch, self.pixels),
        }
    }

    fn params(&self) -> Vec<u8> {
        let Self { batch, count, pixels, .. } = *self;
        bytemuck::bytes_of(&Params { batch, count, pixels }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        let [batch, count, pixels] = [self.batch, self.count, self.pixels].map(|extent| extent as usize);
        let mut operands =
            vec![Operand::read("images", (count * pixels).div_ceil(4)), Operand::read("chosen", batch)];
        if self.center {
            operands.push(Operand::read("center", pixels));
        }
        operands.push(Operand::write("x", batch * pixels));
        operands
    }

    fn check(&self) -> Result<()> {
        within("images", self.count, 1..=u32::MAX)?;
        within("pixels", self.pixels, 1..=u32::MAX)?;
        let needed = u64::from(self.count) * u64::from(self.pixels);
        let allowed = u64::from(u32::MAX);
        if needed <= allowed {
            return Ok(());
        }
        let advice = "Use fewer or smaller images";
        Err(Error::TooLarge { operation: "images of a data set".to_owned(), needed, allowed, advice })
    }

    fn flops(&self) -> u64 {
        u64::from(self.batch) * u64::from(self.pixels)
    }

    // Of the data set, the images chosen.
    fn bytes(&self) -> u64 {
        let pixels = u64::from(self.batch) * u64::from(self.pixels);
        let center = if self.center { 4 * u64::from(self.pixels) } else { 0 };
        pixels + 4 * u64::from(self.batch) + center + 4 * pixels
    }

    fn shape(&self) -> String {
        format!("[{}, {}] of {}", self.batch, self.pixels, self.count)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let bytes: &[u8] = bytemuck::cast_slice(reads[0]);
        let pixels = self.pixels as usize;
        let center = if self.center { floats(reads[2]) } else { &[] };
        let rows = floats_mut(writes[0]).chunks_exact_mut(pixels);
        for (row, index) in rows.zip(reads[1]).take(self.batch as usize) {
            let image = &bytes[*index as usize * pixels..][..pixels];
            for (x, byte) in row.iter_mut().zip(image) {
                *x = pixel(*byte);
            }
            for (x, mean) in row.iter_mut().zip(center) {
                *x -= mean;
            }
        }
    }
}
