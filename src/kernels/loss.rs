//! Likelihoods: nats of each image and their gradient, in one pass (`shaders/loss.wgsl`).

use narrows_shaders::loss as shaders;

use super::{Kernel, Operand, Program, floats, floats_mut, within};
use crate::gpu::Variants;
pub use crate::reference::loss::Kind;
use crate::reference::loss::continuous_mean;
use crate::{Error, Result};

/// `value[row] = -log p(x[row] | y[row])` in nats, unweighted, and `dy = scale * d value / dy`.
///
/// Operands: `y` `[rows, columns]` (logits for either Bernoulli, else means), `x` `[rows, columns]`, for
/// [`Kind::GaussianLearned`] `log_variance` `[1]`; then `value` `[rows]`, `dy` `[rows, columns]`, and for
/// [`Kind::GaussianLearned`] `log_variance_gradient` `[rows]`, each row's share, times `scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// Images.
    pub rows: u32,
    /// Pixels of an image, times channels. At most [`Loss::MAX_COLUMNS`].
    pub columns: u32,
    /// Which likelihood.
    pub kind: Kind,
    /// The weight of the gradients: the term's weight over the batch, say.
    pub scale: f32,
    /// Add to `dy` instead of writing it. The other outputs are always written.
    pub accumulate: bool,
}

/// `mean = 1 / (1 - e^-y) - 1 / y`: what logits say that a pixel is on average, of a continuous Bernoulli.
///
/// Operands: `y` `[count]`; then `mean` `[count]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContinuousMean {
    /// How many pixels.
    pub count: u32,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    columns: u32,
    scale: f32,
    deviation: f32,
    log_deviation: f32,
}

impl Loss {
    /// The most columns: 64 lanes share a row, and some CPU drivers end every loop of an invocation after
    /// 65,535 rounds, without a word.
    pub const MAX_COLUMNS: u32 = 64 * 65_000;

    fn learned(&self) -> bool {
        self.kind == Kind::GaussianLearned
    }

    fn pixels(&self) -> usize {
        self.rows as usize * self.columns as usize
    }
}

impl Kernel for Loss {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::SquaredError => "loss squared_error",
            Kind::Gaussian { .. } => "loss gaussian",
            Kind::GaussianLearned => "loss gaussian_learned",
            Kind::Bernoulli => "loss bernoulli",
            Kind::ContinuousBernoulli => "loss continuous_bernoulli",
        }
    }

    fn program(&self, _: &Variants) -> Program {
        Program {
            shader: &shaders::SHADER,
            entry: self.kind.name(),
            constants: vec![("ACCUMULATE", f64::from(u8::from(self.accumulate)))],
            workgroups: shaders::workgroups(self.rows),
        }
    }

    fn params(&self) -> Vec<u8> {
        // The other kinds do not read it.
        let deviation = if let Kind::Gaussian { deviation } = self.kind { deviation } else { 1.0 };
        let log_deviation = f64::from(deviation).ln() as f32;
        let Self { rows, columns, scale, .. } = *self;
        bytemuck::bytes_of(&Params { rows, columns, scale, deviation, log_deviation }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        let (rows, pixels) = (self.rows as usize, self.pixels());
        let mut operands = vec![Operand::read("y", pixels), Operand::read("x", pixels)];
        if self.learned() {
            operands.push(Operand::read("log_variance", 1));
        }
        operands.extend([Operand::write("value", rows), Operand::write("dy", pixels)]);
        if self.learned() {
            operands.push(Operand::write("log_variance_gradient", rows));
        }
        operands
    }

    fn check(&self) -> Result<()> {
        within("columns of a loss", self.columns, 1..=Self::MAX_COLUMNS)?;
        match self.kind {
            Kind::Gaussian { deviation } if !(deviation.is_finite() && deviation > 0.0) => {
                Err(Error::setting("deviation", "a positive number", deviation))
            }
            _ => Ok(()),
        }
    }

    fn flops(&self) -> u64 {
        let each = match self.kind {
            Kind::Bernoulli => 30,
            Kind::ContinuousBernoulli => 60,
            _ => 4,
        };
        each * self.pixels() as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}]", self.rows, self.columns)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let Self { kind, accumulate, .. } = *self;
        let (columns, scale) = (self.columns as usize, f64::from(self.scale));
        let (y, x) = (floats(reads[0]), floats(reads[1]));
        let log_variance = reads.get(2).map_or(0.0, |words| f64::from(floats(words)[0]));
        for row in 0..self.rows as usize {
            let (mut value, mut log_variance_gradient) = (0.0, 0.0);
            for at in row * columns..(row + 1) * columns {
                let (y, x) = (f64::from(y[at]), f64::from(x[at]));
                value += kind.value(y, x, log_variance);
                log_variance_gradient += scale * kind.log_variance_slope(y, x, log_variance);
                let dy = &mut floats_mut(writes[1])[at];
                let before = if accumulate { f64::from(*dy) } else { 0.0 };
                *dy = (before + scale * kind.slope(y, x, log_variance)) as f32;
            }
            floats_mut(writes[0])[row] = value as f32;
            if let Some(gradients) = writes.get_mut(2) {
                floats_mut(gradients)[row] = log_variance_gradient as f32;
            }
        }
    }
}

impl Kernel for ContinuousMean {
    fn name(&self) -> &'static str {
        "loss continuous_mean"
    }

    fn program(&self, _: &Variants) -> Program {
        let workgroups = shaders::mean_workgroups(self.count);
        Program { shader: &shaders::SHADER, entry: "continuous_mean", constants: vec![], workgroups }
    }

    fn params(&self) -> Vec<u8> {
        let params = Params { rows: self.count, columns: 1, ..bytemuck::Zeroable::zeroed() };
        bytemuck::bytes_of(&params).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        let count = self.count as usize;
        vec![Operand::read("y", count), Operand::write("mean", count)]
    }

    fn flops(&self) -> u64 {
        20 * u64::from(self.count)
    }

    fn shape(&self) -> String {
        format!("[{}]", self.count)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let means = floats_mut(writes[0]).iter_mut().zip(floats(reads[0]));
        for (mean, y) in means.take(self.count as usize) {
            *mean = continuous_mean(f64::from(*y)) as f32;
        }
    }
}
