//! The Gaussian code: its sample and its mean (`shaders/latent.wgsl`).
//!
//! An encoder's head gives `stats` `[rows, 2 latent]`: mu in the first half of each row, logvar in the other.

use narrows_shaders::{MAX_SHARED_ROW, latent as shaders};

use super::{Call, Kernel, State, elements, floats, floats_mut, put, put_all, widened};
use crate::gpu::Variants;
use crate::reference::latent::{draws, log_ratio, mu_at, reparameterize, reparameterize_logvar_slope};

/// `z = mu + e^(logvar/2) eps` with eps drawn for the state's seed and step (Kingma and Welling 2013,
/// section 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reparameterize {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code.
    pub latent: u32,
    /// Its number among the samples of a model, which draw apart.
    pub instance: u32,
}

/// The gradient of [`Reparameterize`]: `dmu = dz`, `dlogvar = dz eps e^(logvar/2) / 2`, drawing eps again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReparameterizeBackward {
    /// Codes.
    pub rows: u32,
    /// Numbers in a code.
    pub latent: u32,
    /// That of the sample.
    pub instance: u32,
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
    /// That of the sample.
    pub instance: u32,
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
fn call(entry: &'static str, rows: u32, latent: u32, instance: u32) -> Call {
    Call::new(&shaders::SHADER, entry)
        .uniform([("rows", rows), ("latent", latent), ("instance", instance)])
        .shape(format!("[{rows}, {latent}]"))
}

fn noisy(reads: &[&[u32]], latent: u32, instance: u32) -> impl Iterator<Item = [f64; 3]> {
    let State { seed, step, .. } = State::from_words(reads[0]);
    draws(widened(reads[1]), latent as usize, seed, step, instance)
}

impl Kernel for Reparameterize {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, latent, instance } = *self;
        let codes = elements([rows, latent]);
        call("reparameterize", rows, latent, instance)
            .operands([State::WORDS, elements([rows, 2, latent]), codes])
            .flops(20, codes)
            .workgroups(|| shaders::workgroups(rows * latent))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let z =
            noisy(reads, self.latent, self.instance).map(|[mu, logvar, eps]| reparameterize(mu, logvar, eps));
        put_all(floats_mut(writes[0]), z, false);
    }
}

impl Kernel for ReparameterizeBackward {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, latent, instance, accumulate } = *self;
        let [codes, stats] = [elements([rows, latent]), elements([rows, 2, latent])];
        call("reparameterize_backward", rows, latent, instance)
            .operands([State::WORDS, stats, codes, stats])
            .constant("ACCUMULATE", accumulate)
            .flops(20, codes)
            .workgroups(|| shaders::workgroups(rows * latent))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (dstats, latent) = (floats_mut(writes[0]), self.latent as usize);
        let each = noisy(reads, self.latent, self.instance).zip(widened(reads[2]));
        for (e, ([_, logvar, eps], dz)) in each.enumerate() {
            let mu = mu_at(e, latent);
            put(&mut dstats[mu], dz, self.accumulate);
            let slope = reparameterize_logvar_slope(logvar, eps);
            put(&mut dstats[mu + latent], dz * slope, self.accumulate);
        }
    }
}

impl Kernel for LogRatio {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, latent, instance } = *self;
        call("log_ratio", rows, latent, instance)
            .operands([State::WORDS, elements([rows, 2, latent]), rows as usize])
            .limit("numbers in a Gaussian code", latent, 1..=MAX_SHARED_ROW)
            .flops(25, elements([rows, latent]))
            .workgroups(|| shaders::ratio_workgroups(rows))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let each =
            noisy(reads, self.latent, self.instance).map(|[mu, logvar, eps]| log_ratio(mu, logvar, eps));
        let values: Vec<f64> = each.collect();
        let sums = values.chunks(self.latent as usize).map(|code| code.iter().sum());
        put_all(floats_mut(writes[0]), sums, false);
    }
}

impl Kernel for Mean {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, latent } = *self;
        call("mean", rows, latent, 0)
            .operands([elements([rows, 2, latent]), elements([rows, latent])])
            .workgroups(|| shaders::workgroups(rows * latent))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        for (e, z) in floats_mut(writes[0]).iter_mut().enumerate() {
            *z = floats(reads[0])[mu_at(e, self.latent as usize)];
        }
    }
}
