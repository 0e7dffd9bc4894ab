//! One step of gradient descent: the twin of `shaders/optimizer.wgsl`.
//!
//! Each step is computed in f64 from the moments as f32 stores them, so that it overflows where the
//! device does.

/// Stochastic gradient descent with momentum.
#[derive(Clone, Copy, Debug)]
pub struct Sgd {
    /// The step's learning rate.
    pub learning_rate: f64,
    /// The share of the velocity that a step keeps.
    pub momentum: f64,
    /// The factor of the L2 penalty's slope.
    pub weight_decay: f64,
}

impl Sgd {
    /// One parameter and its velocity, in place.
    pub fn update(&self, gradient: f32, parameter: &mut f32, velocity: &mut f32) {
        let p = f64::from(*parameter);
        let g = f64::from(gradient) + self.weight_decay * p;
        *velocity = flush(self.momentum * f64::from(*velocity) + g);
        *parameter = (p - self.learning_rate * f64::from(*velocity)) as f32;
    }
}

/// Adam (Kingma and Ba 2014), with L2 or decoupled weight decay (Loshchilov and Hutter 2017).
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    /// The step's learning rate.
    pub learning_rate: f64,
    /// The share of each moment that a step keeps.
    pub betas: [f64; 2],
    /// `1 - beta^t` of each moment.
    pub corrections: [f64; 2],
    /// What keeps the divisor from zero.
    pub epsilon: f64,
    /// The weight decay.
    pub weight_decay: f64,
    /// Whether the decay acts on the parameter instead of its gradient.
    pub decoupled: bool,
}

impl Adam {
    /// One parameter and its two moments, in place.
    pub fn update(&self, gradient: f32, parameter: &mut f32, moments: [&mut f32; 2]) {
        let Self { learning_rate, betas, corrections, epsilon, .. } = *self;
        let decay = self.weight_decay * f64::from(*parameter);
        let (mut p, mut g) = (f64::from(*parameter), f64::from(gradient));
        if self.decoupled {
            p -= learning_rate * decay;
        } else {
            g += decay;
        }
        let [m, v] = moments;
        *m = flush(betas[0] * f64::from(*m) + (1.0 - betas[0]) * g);
        *v = flush(betas[1] * f64::from(*v) + (1.0 - betas[1]) * g * g);
        let scale = (f64::from(*v) / corrections[1]).sqrt() + epsilon;
        *parameter = (p - learning_rate * (f64::from(*m) / corrections[0]) / scale) as f32;
    }
}

fn flush(moment: f64) -> f32 {
    if moment.abs() < 1e-30 { 0.0 } else { moment as f32 }
}
