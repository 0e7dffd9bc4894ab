//! Ways from one code to another.

/// How codes between two codes are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Interpolation {
    /// The straight line `(1 - t) a + t b`.
    #[default]
    Linear,
    /// The arc `sin((1 - t) w) / sin w a + sin(t w) / sin w b`, with w the angle between a and b (Shoemake
    /// 1985, "Animating rotation with quaternion curves", section 3.3): in many dimensions it stays at the
    /// distance from zero where a standard normal has its mass. The line where a and b are parallel.
    Spherical,
}

impl Interpolation {
    /// `count` codes `[count, latent]` at even steps from `a` to `b` `[latent]`, both included.
    pub fn codes(self, a: &[f32], b: &[f32], count: usize) -> Vec<f32> {
        let (at_a, at_b) = self.weights(a, b);
        let last = count.saturating_sub(1).max(1) as f64;
        let mix = |number: usize| {
            let t = number as f64 / last;
            let (left, right) = (at_a(t), at_b(t));
            a.iter().zip(b).map(move |(a, b)| (left * f64::from(*a) + right * f64::from(*b)) as f32)
        };
        (0..count).flat_map(mix).collect()
    }

    // What a and b are multiplied by at t.
    fn weights(self, a: &[f32], b: &[f32]) -> (impl Fn(f64) -> f64, impl Fn(f64) -> f64) {
        let angle = match self {
            Self::Linear => None,
            Self::Spherical => angle(a, b),
        };
        let weight = move |t: f64| angle.map_or(t, |w: f64| (t * w).sin() / w.sin());
        (move |t| weight(1.0 - t), weight)
    }
}

// None where no plane is spanned, or only a degenerate one.
fn angle(a: &[f32], b: &[f32]) -> Option<f64> {
    let dot =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    let angle = (dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()).clamp(-1.0, 1.0).acos();
    (angle.sin() > 1e-6).then_some(angle)
}
