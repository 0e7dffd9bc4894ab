//! Batch normalisation and its gradient (Ioffe and Szegedy 2015, section 3): the twin of `shaders/norm.wgsl`.

/// A channel's moments and what is learned of it.
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
    /// Each of them, from `moments` `[2, channels]`, `scale` `[channels]` and `shift`, which may be missing.
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
    /// those of the batch, and move with each x, and 0 where they stand still.
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
    let both = chunks.flat_map(|(x, dz)| {
        let pairs = |at: usize| x[at..].iter().copied().zip(dz[at..].iter().copied()).step_by(width);
        let sums: Vec<[f64; 2]> =
            channels.iter().enumerate().map(|(at, channel)| channel.sums(pairs(at))).collect();
        [0, 1].map(|which| sums.iter().map(move |sums| sums[which]).collect::<Vec<_>>())
    });
    both.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::super::moments::Moments;
    use super::*;

    const EPSILON: f64 = 0.03;
    const X: [f64; 7] = [0.3, -1.2, 4.0, 0.31, 2.2, -0.7, 1.1];
    const DZ: [f64; 7] = [1.0, -0.4, 0.2, 2.1, -1.3, 0.0, 0.6];

    fn of_batch(x: &[f64], scale: f64, shift: f64) -> Channel {
        let moments = Moments::of(x.iter().copied());
        let inverse_deviation = moments.inverse_deviation(EPSILON);
        Channel { mean: moments.mean, inverse_deviation, scale, shift }
    }

    fn pairs(x: &[f64]) -> impl Iterator<Item = (f64, f64)> {
        x.iter().copied().zip(DZ)
    }

    // What the gradients are of: sum of dz z.
    fn loss(channel: Channel, x: &[f64]) -> f64 {
        pairs(x).map(|(x, dz)| dz * channel.normalized(x)).sum()
    }

    fn close(what: &str, slope: f64, value: impl Fn(f64) -> f64) {
        let h = 1e-5;
        let numeric = (value(h) - value(-h)) / (2.0 * h);
        assert!((numeric - slope).abs() < 1e-8, "{what}: {slope}, numerically {numeric}");
    }

    fn moved(x: &[f64], at: usize, by: f64) -> Vec<f64> {
        let mut x = x.to_vec();
        x[at] += by;
        x
    }

    #[test]
    fn gradients_through_the_batchs_own_moments_are_central_differences() {
        let (scale, shift) = (1.7, -0.4);
        let channel = of_batch(&X, scale, shift);
        let sums = channel.sums(pairs(&X));
        close("shift", sums[0], |by| loss(of_batch(&X, scale, shift + by), &X));
        close("scale", sums[1], |by| loss(of_batch(&X, scale + by, shift), &X));
        for (at, (x, dz)) in pairs(&X).enumerate() {
            let slope = channel.gradient(x, dz, sums, 1.0 / X.len() as f64);
            close("x", slope, |by| {
                let x = moved(&X, at, by);
                loss(of_batch(&x, scale, shift), &x)
            });
        }
    }

    #[test]
    fn gradients_through_running_moments_are_central_differences() {
        let channel = Channel { mean: 0.2, inverse_deviation: 0.8, scale: 1.7, shift: -0.4 };
        let sums = channel.sums(pairs(&X));
        close("scale", sums[1], |by| loss(Channel { scale: 1.7 + by, ..channel }, &X));
        for (at, (x, dz)) in pairs(&X).enumerate() {
            let slope = channel.gradient(x, dz, sums, 0.0);
            close("x", slope, |by| loss(channel, &moved(&X, at, by)));
        }
    }

    #[test]
    fn what_is_normalized_has_the_mean_and_deviation_that_are_learned() {
        let channel = of_batch(&X, 2.0, 5.0);
        let after = Moments::of(X.iter().map(|x| channel.normalized(*x)));
        let before = Moments::of(X.iter().copied());
        let shrunk = before.squares / (before.squares / before.count + EPSILON);
        assert!((after.mean - 5.0).abs() < 1e-12);
        assert!((after.squares - 4.0 * shrunk).abs() < 1e-12, "{after:?}");
    }
}
