//! The Gaussian code: its sample and its mean (`shaders/latent.wgsl`).
//!
//! An encoder's head gives `stats` `[rows, 2 latent]`: mu in the first half of each row, logvar in the other.

use narrows_shaders::latent as shaders;

use super::state::State;
use super::{Kernel, Operand, Program, floats, floats_mut, put, within};
use crate::Result;
use crate::gpu::Variants;
use crate::reference::latent::{log_ratio, reparameterize, reparameterize_logvar_slope};
use crate::rng::{Stream, normal_at};

/// `z = mu + e^(logvar/2) eps` with eps drawn for the state's seed and step (Kingma and Welling 2013,
/// section 2.4).
///
/// Operands: `state`, `stats` `[rows, 2 latent]`; then `z` `[rows, latent]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reparameterize {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code.
    pub latent: u32,
}

/// The gradient of [`Reparameterize`]: `dmu = dz`, `dlogvar = dz eps e^(logvar/2) / 2`, drawing eps again.
///
/// Operands: `state`, `stats` `[rows, 2 latent]`, `dz` `[rows, latent]`; then `dstats` `[rows, 2 latent]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReparameterizeBackward {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code.
    pub latent: u32,
    /// Add to `dstats` instead of writing it.
    pub accumulate: bool,
}

/// `value[row] = log p(z) - log q(z|x)` of the sample z that [`Reparameterize`] draws, in nats, with the prior
/// p = N(0, 1) (Burda et al. 2015, equation 8, but for the likelihood).
///
/// Operands: `state`, `stats` `[rows, 2 latent]`; then `value` `[rows]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogRatio {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code. At most [`LogRatio::MAX_LATENT`].
    pub latent: u32,
}

/// `z = mu`: the code without noise, for inference.
///
/// Operands: `stats` `[rows, 2 latent]`; then `z` `[rows, latent]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mean {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code.
    pub latent: u32,
}

impl LogRatio {
    /// The most numbers in a code: 64 lanes share a row, and some CPU drivers end every loop of an
    /// invocation after 65,535 rounds, without a word.
    pub const MAX_LATENT: u32 = 64 * 65_000;
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    latent: u32,
}

fn params(rows: u32, latent: u32) -> Vec<u8> {
    bytemuck::bytes_of(&Params { rows, latent }).to_vec()
}

fn program(entry: &'static str, accumulate: bool, workgroups: u32) -> Program {
    let constants = vec![("ACCUMULATE", f64::from(u8::from(accumulate)))];
    Program { shader: &shaders::SHADER, entry, constants, workgroups }
}

fn size(rows: u32, columns: u32) -> usize {
    rows as usize * columns as usize
}

// Where the mu of element e of z stands in stats; its logvar stands `latent` further.
fn mu_at(e: usize, latent: u32) -> usize {
    let latent = latent as usize;
    e / latent * 2 * latent + e % latent
}

impl Kernel for Reparameterize {
    fn name(&self) -> &'static str {
        "reparameterize"
    }

    fn program(&self, _: &Variants) -> Program {
        program("reparameterize", false, shaders::workgroups(self.rows * self.latent))
    }

    fn params(&self) -> Vec<u8> {
        params(self.rows, self.latent)
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("state", State::WORDS),
            Operand::read("stats", size(self.rows, 2 * self.latent)),
            Operand::write("z", size(self.rows, self.latent)),
        ]
    }

    fn flops(&self) -> u64 {
        20 * size(self.rows, self.latent) as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}]", self.rows, self.latent)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let state = State::from_words(reads[0]);
        let stats = floats(reads[1]);
        let count = size(self.rows, self.latent);
        for (e, z) in floats_mut(writes[0]).iter_mut().enumerate().take(count) {
            let mu = mu_at(e, self.latent);
            let logvar = mu + self.latent as usize;
            let eps = normal_at(state.seed, state.step, Stream::Latent, e);
            *z = reparameterize(f64::from(stats[mu]), f64::from(stats[logvar]), eps) as f32;
        }
    }
}

impl Kernel for ReparameterizeBackward {
    fn name(&self) -> &'static str {
        "reparameterize backward"
    }

    fn program(&self, _: &Variants) -> Program {
        let workgroups = shaders::workgroups(self.rows * self.latent);
        program("reparameterize_backward", self.accumulate, workgroups)
    }

    fn params(&self) -> Vec<u8> {
        params(self.rows, self.latent)
    }

    fn operands(&self) -> Vec<Operand> {
        let stats = size(self.rows, 2 * self.latent);
        vec![
            Operand::read("state", State::WORDS),
            Operand::read("stats", stats),
            Operand::read("dz", size(self.rows, self.latent)),
            Operand::write("dstats", stats),
        ]
    }

    fn flops(&self) -> u64 {
        20 * size(self.rows, self.latent) as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}]", self.rows, self.latent)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let state = State::from_words(reads[0]);
        let (stats, dz) = (floats(reads[1]), floats(reads[2]));
        let dstats = floats_mut(writes[0]);
        for (e, dz) in dz.iter().enumerate().take(size(self.rows, self.latent)) {
            let mu = mu_at(e, self.latent);
            let logvar = mu + self.latent as usize;
            let eps = normal_at(state.seed, state.step, Stream::Latent, e);
            let slope = reparameterize_logvar_slope(f64::from(stats[logvar]), eps);
            put(&mut dstats[mu], f64::from(*dz), self.accumulate);
            put(&mut dstats[logvar], f64::from(*dz) * slope, self.accumulate);
        }
    }
}

impl Kernel for LogRatio {
    fn name(&self) -> &'static str {
        "latent log_ratio"
    }

    fn program(&self, _: &Variants) -> Program {
        program("log_ratio", false, shaders::ratio_workgroups(self.rows))
    }

    fn params(&self) -> Vec<u8> {
        params(self.rows, self.latent)
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("state", State::WORDS),
            Operand::read("stats", size(self.rows, 2 * self.latent)),
            Operand::write("value", self.rows as usize),
        ]
    }

    fn check(&self) -> Result<()> {
        within("numbers in a Gaussian code", self.latent, 1..=Self::MAX_LATENT)
    }

    fn flops(&self) -> u64 {
        25 * size(self.rows, self.latent) as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}]", self.rows, self.latent)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let state = State::from_words(reads[0]);
        let stats = floats(reads[1]);
        let latent = self.latent as usize;
        let each = |e: usize| {
            let mu = mu_at(e, self.latent);
            let eps = normal_at(state.seed, state.step, Stream::Latent, e);
            log_ratio(f64::from(stats[mu]), f64::from(stats[mu + latent]), eps)
        };
        for (row, value) in floats_mut(writes[0]).iter_mut().enumerate().take(self.rows as usize) {
            *value = (row * latent..(row + 1) * latent).map(each).sum::<f64>() as f32;
        }
    }
}

impl Kernel for Mean {
    fn name(&self) -> &'static str {
        "latent mean"
    }

    fn program(&self, _: &Variants) -> Program {
        program("mean", false, shaders::workgroups(self.rows * self.latent))
    }

    fn params(&self) -> Vec<u8> {
        params(self.rows, self.latent)
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("stats", size(self.rows, 2 * self.latent)),
            Operand::write("z", size(self.rows, self.latent)),
        ]
    }

    fn flops(&self) -> u64 {
        0
    }

    fn shape(&self) -> String {
        format!("[{}, {}]", self.rows, self.latent)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let stats = floats(reads[0]);
        let count = size(self.rows, self.latent);
        for (e, z) in floats_mut(writes[0]).iter_mut().enumerate().take(count) {
            *z = stats[mu_at(e, self.latent)];
        }
    }
}
