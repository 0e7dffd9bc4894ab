//! The Gaussian code: its sample, its mean, and its divergence from the prior (`shaders/latent.wgsl`).
//!
//! An encoder's head gives `stats` `[rows, 2 latent]`: mu in the first half of each row, logvar in the other.

use narrows_shaders::latent as shaders;

use super::state::State;
use super::{Kernel, Operand, Program, floats, floats_mut, put, within};
use crate::Result;
use crate::gpu::Variants;
use crate::reference::latent::{
    gaussian_kl, gaussian_kl_slopes, reparameterize, reparameterize_logvar_slope,
};
use crate::reference::philox::{Stream, normal_at};

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

/// `value[row] = KL(N(mu, e^logvar) || N(0, 1))` in nats, unweighted, and `dstats = scale * d value / dstats`
/// (Kingma and Welling 2013, appendix B).
///
/// Operands: `stats` `[rows, 2 latent]`; then `value` `[rows]`, `dstats` `[rows, 2 latent]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaussianKl {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code. At most [`GaussianKl::MAX_LATENT`].
    pub latent: u32,
    /// The weight of the gradient: beta over the batch, say.
    pub scale: f32,
    /// Add to `dstats` instead of writing it. `value` is always written.
    pub accumulate: bool,
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

impl GaussianKl {
    /// The most numbers in a code: 64 lanes share a row, and some CPU drivers end every loop of an
    /// invocation after 65,535 rounds, without a word.
    pub const MAX_LATENT: u32 = 64 * 65_000;
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    latent: u32,
    scale: f32,
}

// Only the divergence reads the scale.
fn params(rows: u32, latent: u32, scale: f32) -> Vec<u8> {
    bytemuck::bytes_of(&Params { rows, latent, scale }).to_vec()
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
        params(self.rows, self.latent, 0.0)
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
        params(self.rows, self.latent, 0.0)
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

impl Kernel for GaussianKl {
    fn name(&self) -> &'static str {
        "gaussian_kl"
    }

    fn program(&self, _: &Variants) -> Program {
        program("gaussian_kl", self.accumulate, shaders::kl_workgroups(self.rows))
    }

    fn params(&self) -> Vec<u8> {
        params(self.rows, self.latent, self.scale)
    }

    fn operands(&self) -> Vec<Operand> {
        let stats = size(self.rows, 2 * self.latent);
        vec![
            Operand::read("stats", stats),
            Operand::write("value", self.rows as usize),
            Operand::write("dstats", stats),
        ]
    }

    fn check(&self) -> Result<()> {
        within("numbers in a Gaussian code", self.latent, 1..=Self::MAX_LATENT)
    }

    fn flops(&self) -> u64 {
        15 * size(self.rows, self.latent) as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}]", self.rows, self.latent)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let stats = floats(reads[0]);
        let latent = self.latent as usize;
        let scale = f64::from(self.scale);
        for row in 0..self.rows as usize {
            let mut value = 0.0;
            for mu in row * 2 * latent..row * 2 * latent + latent {
                let (m, v) = (f64::from(stats[mu]), f64::from(stats[mu + latent]));
                value += gaussian_kl(m, v);
                let [by_mu, by_logvar] = gaussian_kl_slopes(m, v);
                let dstats = floats_mut(writes[1]);
                put(&mut dstats[mu], scale * by_mu, self.accumulate);
                put(&mut dstats[mu + latent], scale * by_logvar, self.accumulate);
            }
            floats_mut(writes[0])[row] = value as f32;
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
        params(self.rows, self.latent, 0.0)
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
