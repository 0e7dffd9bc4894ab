//! The optimizers, with the settings that each has.

/// How gradients become updates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Stochastic gradient descent: `v = momentum v + g; p -= lr v`.
    Sgd {
        /// Zero for none.
        momentum: f32,
        /// Added to the gradient as `weight_decay * p`.
        weight_decay: f32,
    },
    /// Adam (Kingma and Ba 2014, algorithm 1), or AdamW (Loshchilov and Hutter 2017, algorithm 2).
    Adam {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Added to the root of the second moment.
        epsilon: f32,
        /// Decay of the parameters.
        weight_decay: f32,
        /// Whether the decay bypasses the moments, as in AdamW.
        decoupled: bool,
    },
}

impl Optimizer {
    /// Adam with the decays of the paper.
    pub const ADAM: Self =
        Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0, decoupled: false };

    /// The decays of the two moments; zero for an optimizer without them.
    pub const fn betas(self) -> [f64; 2] {
        match self {
            Self::Sgd { .. } => [0.0; 2],
            Self::Adam { beta1, beta2, .. } => [beta1, beta2],
        }
    }

    /// The names of its flat moment buffers.
    pub const fn moments(self) -> &'static [&'static str] {
        match self {
            Self::Sgd { .. } => &["momentum"],
            Self::Adam { .. } => &["moment1", "moment2"],
        }
    }
}
