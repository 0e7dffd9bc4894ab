//! Batch normalisation and its gradient (Ioffe and Szegedy 2015, section 3): the twin of `shaders/norm.wgsl`.

use super::moments::in_turn;

/// A channel's moments and learned parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Channel {
    /// The mean.
    pub mean: f64,
    /// `1 / sqrt(variance + epsilon)`
    pub inverse_deviation: f64,
    /// gamma
    pub scale: f64,
    /// beta
    pub shift: f64,
}

impl Channel {
    /// Every channel, from `moments` `[2, channels]`, `scale` `[channels]` and `shift` `[channels]` or nothing.
    pub fn each(moments: &[f64], scale: &[f64], shift: &[f64]) -> Vec<Self> {
        let (means, deviations) = moments.split_at(scale.len());
        let of = |(at, scale): (usize, &f64)| Self {
            mean: means[at],
            inverse_deviation: deviations[at],
            scale: *scale,
            shift: shift.get(at).copied().unwrap_or_default(),
        };
        scale.iter().enumerate().map(of).collect()
    }

    /// x without its mean, in standard deviations.
    pub fn standardized(self, x: f64) -> f64 {
        (x - self.mean) * self.inverse_deviation
    }

    /// `scale h + shift`, h being x standardized.
    pub fn normalized(self, x: f64) -> f64 {
        self.scale * self.standardized(x) + self.shift
    }

    /// The gradients of shift and scale: the sums of dz and of dz h over the pairs (x, dz).
    pub fn sums(self, pairs: impl Iterator<Item = (f64, f64)>) -> [f64; 2] {
        pairs.fold([0.0; 2], |[dz_sum, along], (x, dz)| [dz_sum + dz, along + dz * self.standardized(x)])
    }

    /// The gradient of x, with the channel's [`Channel::sums`]. `correction` is 1 / rows where mean and deviation are
    /// those of the batch, which depend on x, and 0 where they are constant.
    pub fn gradient(self, x: f64, dz: f64, sums: [f64; 2], correction: f64) -> f64 {
        let moved = correction * (sums[0] + self.standardized(x) * sums[1]);
        self.scale * self.inverse_deviation * (dz - moved)
    }
}

/// [`Channel::sums`] of each `chunk` rows of x and dz, `[rows, channels]`: `[chunks, 2, channels]`.
pub fn chunk_sums(x: &[f64], dz: &[f64], moments: &[f64], chunk: usize) -> Vec<f64> {
    let width = moments.len() / 2;
    // The sums look at neither scale nor shift.
    let channels = Channel::each(moments, &vec![1.0; width], &[]);
    let chunks = x.chunks(chunk * width).zip(dz.chunks(chunk * width));
    let both = |(x, dz): (&[f64], &[f64])| {
        let pairs = |at: usize| x[at..].iter().copied().zip(dz[at..].iter().copied()).step_by(width);
        in_turn(channels.iter().enumerate().map(|(at, channel)| channel.sums(pairs(at))))
    };
    chunks.flat_map(both).collect()
}
