//! How far the Gaussian code is from its prior (`shaders/divergence.wgsl`).
//!
//! An encoder's head gives `stats` `[rows, 2 latent]`: mu in the first half of each row, logvar in the other.

use narrows_shaders::divergence as shaders;

use super::state::State;
use super::{Kernel, Operand, Program, floats, floats_mut, within};
use crate::gpu::Variants;
use crate::reference::divergence::{gaussian_kl, gaussian_kl_slopes, is_free};
use crate::{Error, Result};

/// `value[row] = KL(N(mu, e^logvar) || N(0, 1))` in nats, unweighted, and
/// `dstats = scale * kl_share * d value / dstats` (Kingma and Welling 2013, appendix B), with the share of the
/// weight that the step's state gives.
///
/// With free bits, a dimension whose mean nats over the batch are not above them has no gradient: that of
/// `sum over j of max(free_bits, mean of kl_j)` (Kingma et al. 2016, equation 15). `value` has all nats.
///
/// Operands: `state`, `stats` `[rows, 2 latent]` and, with free bits, `sums` `[latent]`: of each dimension's nats
/// over the batch; then `value` `[rows]`, `dstats` `[rows, 2 latent]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaussianKl {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code. At most [`GaussianKl::MAX_LATENT`].
    pub latent: u32,
    /// The weight of the gradient: beta over the batch, say.
    pub scale: f32,
    /// Nats that each dimension may have for nothing; zero for none.
    pub free_bits: f32,
    /// Add to `dstats` instead of writing it. `value` is always written.
    pub accumulate: bool,
}

/// `each = KL(N(mu_j, e^logvar_j) || N(0, 1))`: the nats of each dimension on its own.
///
/// Operands: `stats` `[rows, 2 latent]`; then `each` `[rows, latent]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KlByDimension {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code.
    pub latent: u32,
}

impl GaussianKl {
    /// The most numbers in a code: 64 lanes share a row, and some CPU drivers end every loop of an
    /// invocation after 65,535 rounds, without a word.
    pub const MAX_LATENT: u32 = 64 * 65_000;

    fn has_free_bits(&self) -> bool {
        self.free_bits > 0.0
    }
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    latent: u32,
    scale: f32,
    free_bits: f32,
}

fn size(rows: u32, columns: u32) -> usize {
    rows as usize * columns as usize
}

fn shape(rows: u32, latent: u32) -> String {
    format!("[{rows}, {latent}]")
}

// mu and logvar of dimension j of a row.
fn moments(stats: &[f32], row: usize, latent: usize, j: usize) -> [f64; 2] {
    let at = row * 2 * latent + j;
    [f64::from(stats[at]), f64::from(stats[at + latent])]
}

impl Kernel for GaussianKl {
    fn title(&self) -> &'static str {
        if self.has_free_bits() { "divergence gaussian_kl_free" } else { "divergence gaussian_kl" }
    }

    fn program(&self, _: &Variants) -> Program {
        Program {
            shader: &shaders::SHADER,
            entry: if self.has_free_bits() { "gaussian_kl_free" } else { "gaussian_kl" },
            constants: vec![("ACCUMULATE", f64::from(u8::from(self.accumulate)))],
            workgroups: shaders::row_workgroups(self.rows),
        }
    }

    fn params(&self) -> Vec<u8> {
        let Self { rows, latent, scale, free_bits, .. } = *self;
        bytemuck::bytes_of(&Params { rows, latent, scale, free_bits }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        let stats = size(self.rows, 2 * self.latent);
        let mut operands = vec![Operand::read("state", State::WORDS), Operand::read("stats", stats)];
        if self.has_free_bits() {
            operands.push(Operand::read("sums", self.latent as usize));
        }
        operands.extend([Operand::write("value", self.rows as usize), Operand::write("dstats", stats)]);
        operands
    }

    fn check(&self) -> Result<()> {
        within("numbers in a Gaussian code", self.latent, 1..=Self::MAX_LATENT)?;
        if self.free_bits.is_finite() && self.free_bits >= 0.0 {
            return Ok(());
        }
        Err(Error::setting("free_bits", "nats that are not negative", self.free_bits))
    }

    fn flops(&self) -> u64 {
        15 * size(self.rows, self.latent) as u64
    }

    fn shape(&self) -> String {
        shape(self.rows, self.latent)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let state = State::from_words(reads[0]);
        let stats = floats(reads[1]);
        let latent = self.latent as usize;
        let scale = f64::from(self.scale) * f64::from(state.kl_share);
        let free = |j: usize| {
            let sum = |sums: &&[u32]| f64::from(floats(sums)[j]);
            reads.get(2).is_some_and(|sums| is_free(sum(sums), self.rows, self.free_bits))
        };
        for row in 0..self.rows as usize {
            let mut value = 0.0;
            for j in 0..latent {
                let [mu, logvar] = moments(stats, row, latent, j);
                value += gaussian_kl(mu, logvar);
                let slopes = gaussian_kl_slopes(mu, logvar);
                for (slope, at) in slopes.into_iter().zip([j, j + latent]) {
                    let gradient = if free(j) { 0.0 } else { scale * slope };
                    let target = &mut floats_mut(writes[1])[row * 2 * latent + at];
                    let before = if self.accumulate { f64::from(*target) } else { 0.0 };
                    *target = (before + gradient) as f32;
                }
            }
            floats_mut(writes[0])[row] = value as f32;
        }
    }
}

impl Kernel for KlByDimension {
    fn title(&self) -> &'static str {
        "divergence kl_by_dimension"
    }

    fn program(&self, _: &Variants) -> Program {
        Program {
            shader: &shaders::SHADER,
            entry: "kl_by_dimension",
            constants: vec![],
            workgroups: shaders::dimension_workgroups(self.rows * self.latent),
        }
    }

    fn params(&self) -> Vec<u8> {
        let Self { rows, latent } = *self;
        bytemuck::bytes_of(&Params { rows, latent, scale: 0.0, free_bits: 0.0 }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("stats", size(self.rows, 2 * self.latent)),
            Operand::write("each", size(self.rows, self.latent)),
        ]
    }

    fn flops(&self) -> u64 {
        12 * size(self.rows, self.latent) as u64
    }

    fn shape(&self) -> String {
        shape(self.rows, self.latent)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let latent = self.latent as usize;
        for (e, each) in floats_mut(writes[0]).iter_mut().enumerate().take(size(self.rows, self.latent)) {
            let [mu, logvar] = moments(floats(reads[0]), e / latent, latent, e % latent);
            *each = gaussian_kl(mu, logvar) as f32;
        }
    }
}
