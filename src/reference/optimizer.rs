//! One step of gradient descent: the twin of `shaders/optimizer.wgsl`.

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

    /// The decays of the two moments; zero where there are none.
    pub const fn betas(self) -> [f64; 2] {
        match self {
            Self::Sgd { .. } => [0.0; 2],
            Self::Adam { beta1, beta2, .. } => [beta1, beta2],
        }
    }

    /// Whether its settings make steps that are finite.
    pub fn is_sound(self) -> bool {
        let decays = match self {
            Self::Sgd { momentum, .. } => [momentum.into(); 2],
            Self::Adam { beta1, beta2, .. } => [beta1, beta2],
        };
        let (epsilon, weight_decay) = match self {
            Self::Sgd { weight_decay, .. } => (1.0, weight_decay),
            Self::Adam { epsilon, weight_decay, .. } => (epsilon, weight_decay),
        };
        let is_fraction = |decay: &f64| (0.0..1.0).contains(decay);
        let is_positive = epsilon.is_finite() && epsilon > 0.0;
        decays.iter().all(is_fraction) && is_positive && weight_decay.is_finite() && weight_decay >= 0.0
    }

    /// The names of its flat moment buffers.
    pub const fn moments(self) -> &'static [&'static str] {
        match self {
            Self::Sgd { .. } => &["momentum"],
            Self::Adam { .. } => &["moment1", "moment2"],
        }
    }

    /// One parameter and its moments, in place, by a step's learning rate and Adam's corrections `1 - beta^t`.
    ///
    /// Each step is computed in f64 from the moments as f32 stores them, so that it overflows where the device does.
    pub fn update(
        self,
        [learning_rate, correction1, correction2]: [f64; 3],
        gradient: f32,
        parameter: &mut f32,
        [m, v]: [&mut f32; 2],
    ) {
        let (mut p, mut g) = (f64::from(*parameter), f64::from(gradient));
        match self {
            Self::Sgd { momentum, weight_decay } => {
                g += f64::from(weight_decay) * p;
                *m = flush(f64::from(momentum) * f64::from(*m) + g);
                p -= learning_rate * f64::from(*m);
            }
            Self::Adam { beta1, beta2, epsilon, weight_decay, decoupled } => {
                let decay = f64::from(weight_decay) * p;
                if decoupled {
                    p -= learning_rate * decay;
                } else {
                    g += decay;
                }
                *m = flush(beta1 * f64::from(*m) + (1.0 - beta1) * g);
                *v = flush(beta2 * f64::from(*v) + (1.0 - beta2) * g * g);
                let scale = (f64::from(*v) / correction2).sqrt() + f64::from(epsilon);
                p -= learning_rate * (f64::from(*m) / correction1) / scale;
            }
        }
        *parameter = p as f32;
    }
}

fn flush(moment: f64) -> f32 {
    if moment.abs() < 1e-30 { 0.0 } else { moment as f32 }
}
