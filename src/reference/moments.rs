//! Mean and variance of each channel over a batch: the twin of `shaders/moments.wgsl`.

/// The number of values, their mean, and the sum of their squared deviations from it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// The number of values.
    pub count: f64,
    /// Their mean.
    pub mean: f64,
    /// The sum of squared deviations.
    pub squares: f64,
}

impl Moments {
    /// Those of `values`, in two passes.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / count;
        Self { count, mean, squares: values.map(|value| (value - mean).powi(2)).sum() }
    }

    /// Those of these values and the values of `other` together (Chan, Golub and LeVeque 1979).
    pub fn merged(self, other: Self) -> Self {
        if other.count == 0.0 {
            return self;
        }
        let count = self.count + other.count;
        let apart = other.mean - self.mean;
        let share = other.count / count;
        let squares = self.squares + other.squares + apart * apart * self.count * share;
        Self { count, mean: self.mean + share * apart, squares }
    }

    /// `1 / sqrt(variance + epsilon)` with the biased variance (Ioffe and Szegedy 2015, algorithm 1).
    pub fn inverse_deviation(self, epsilon: f64) -> f64 {
        inverse_deviation(self.squares / self.count, epsilon)
    }

    /// The unbiased estimate of the variance of all data.
    pub fn unbiased_variance(self) -> f64 {
        self.squares / (self.count - 1.0)
    }
}

/// `1 / sqrt(variance + epsilon)`
pub fn inverse_deviation(variance: f64, epsilon: f64) -> f64 {
    1.0 / (variance + epsilon).sqrt()
}

/// The moments of each of `channels` columns of x, `[rows, channels]`.
pub fn columns(x: &[f32], channels: usize) -> Vec<Moments> {
    let column = |channel| x[channel..].iter().step_by(channels).map(|value| f64::from(*value));
    (0..channels).map(|channel| Moments::of(column(channel))).collect()
}

/// The means and then the sums of squares of each `chunk` rows of x, `[rows, channels]`: `[chunks, 2, channels]`.
pub fn parts(x: &[f32], channels: usize, chunk: usize) -> Vec<f64> {
    let both = |moments: Moments| [moments.mean, moments.squares];
    let chunks = x.chunks(chunk * channels);
    chunks.flat_map(|rows| in_turn(columns(rows, channels).into_iter().map(both))).collect()
}

/// The first numbers of all pairs, then the second ones.
pub(super) fn in_turn(pairs: impl Iterator<Item = [f64; 2]>) -> Vec<f64> {
    let (firsts, seconds): (Vec<f64>, Vec<f64>) = pairs.map(<(f64, f64)>::from).unzip();
    [firsts, seconds].concat()
}

/// The moments of each channel over all rows, from their [`parts`].
pub fn merged(parts: &[f64], rows: usize, channels: usize, chunk: usize) -> Vec<Moments> {
    let of_channel = |channel: usize| {
        let parts = parts.chunks_exact(2 * channels).zip((0..rows).step_by(chunk));
        parts.fold(Moments::default(), |whole, (part, first)| {
            let count = chunk.min(rows - first) as f64;
            whole.merged(Moments { count, mean: part[channel], squares: part[channels + channel] })
        })
    };
    (0..channels).map(of_channel).collect()
}
