//! The Gaussian code: its sample and its mean (`shaders/latent.wgsl`).
//!
//! An encoder's head gives `stats` `[rows, 2 latent]`: mu in the first half of each row, logvar in the other.

use narrows_shaders::{MAX_SHARED_ROW, latent as shaders};

use super::{Call, Kernel, State, elements, floats, floats_mut, put, put_all, widened};
use crate::gpu::Variants;
use crate::reference::latent::{log_ratio, reparameterize, reparameterize_logvar_slope};
use crate::rng::{Stream, normal_at};

/// `z = mu + e^(logvar/2) eps` with eps drawn for the state's seed and step (Kingma and Welling 2013,
/// section 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reparameterize {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code.
    pub latent: u32,
}

/// The gradient of [`Reparameterize`]: `dmu = dz`, `dlogvar = dz eps e^(logvar/2) / 2`, drawing eps again.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogRatio {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code. At most [`MAX_SHARED_ROW`].
    pub latent: u32,
}

/// `z = mu`: the code without noise, for inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mean {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code.
    pub latent: u32,
}

// What every entry has.
fn call(entry: &'static str, rows: u32, latent: u32) -> Call {
    Call::new(&shaders::SHADER, entry)
        .uniform([("rows", rows), ("latent", latent)])
        .shape(format!("[{rows}, {latent}]"))
}

// Where the mu of element e of z stands in stats; its logvar stands `latent` further.
fn mu_at(e: usize, latent: u32) -> usize {
    let latent = latent as usize;
    e / latent * 2 * latent + e % latent
}

// mu, logvar and the noise of each number of the codes.
fn draws(state: &[u32], stats: &[u32], latent: u32) -> impl Iterator<Item = [f64; 3]> {
    let State { seed, step, .. } = State::from_words(state);
    let stats = widened(stats);
    (0..stats.len() / 2).map(move |e| {
        let mu = mu_at(e, latent);
        [stats[mu], stats[mu + latent as usize], normal_at(seed, step, Stream::Latent, e)]
    })
}

impl Kernel for Reparameterize {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, latent } = *self;
        let codes = elements([rows, latent]);
        call("reparameterize", rows, latent)
            .operands([State::WORDS, elements([rows, 2, latent]), codes])
            .flops(20, codes)
            .workgroups(|| shaders::workgroups(rows * latent))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let z =
            draws(reads[0], reads[1], self.latent).map(|[mu, logvar, eps]| reparameterize(mu, logvar, eps));
        put_all(floats_mut(writes[0]), z, false);
    }
}

impl Kernel for ReparameterizeBackward {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, latent, accumulate } = *self;
        let [codes, stats] = [elements([rows, latent]), elements([rows, 2, latent])];
        call("reparameterize_backward", rows, latent)
            .operands([State::WORDS, stats, codes, stats])
            .constant("ACCUMULATE", accumulate)
            .flops(20, codes)
            .workgroups(|| shaders::workgroups(rows * latent))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let dstats = floats_mut(writes[0]);
        let draws = draws(reads[0], reads[1], self.latent).zip(widened(reads[2]));
        for (e, ([_, logvar, eps], dz)) in draws.enumerate() {
            let mu = mu_at(e, self.latent);
            put(&mut dstats[mu], dz, self.accumulate);
            let slope = reparameterize_logvar_slope(logvar, eps);
            put(&mut dstats[mu + self.latent as usize], dz * slope, self.accumulate);
        }
    }
}

impl Kernel for LogRatio {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, latent } = *self;
        call("log_ratio", rows, latent)
            .operands([State::WORDS, elements([rows, 2, latent]), rows as usize])
            .limit("numbers in a Gaussian code", latent, 1..=MAX_SHARED_ROW)
            .flops(25, elements([rows, latent]))
            .workgroups(|| shaders::ratio_workgroups(rows))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let mut draws = draws(reads[0], reads[1], self.latent);
        for value in floats_mut(writes[0]) {
            let code = draws.by_ref().take(self.latent as usize);
            *value = code.map(|[mu, logvar, eps]| log_ratio(mu, logvar, eps)).sum::<f64>() as f32;
        }
    }
}

impl Kernel for Mean {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, latent } = *self;
        call("mean", rows, latent)
            .operands([elements([rows, 2, latent]), elements([rows, latent])])
            .workgroups(|| shaders::workgroups(rows * latent))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        for (e, z) in floats_mut(writes[0]).iter_mut().enumerate() {
            *z = floats(reads[0])[mu_at(e, self.latent)];
        }
    }
}
