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

#[cfg(test)]
mod tests {
    use super::*;

    const A: [f32; 3] = [3.0, 0.0, 0.0];
    const B: [f32; 3] = [0.0, 0.0, -3.0];

    fn close(got: &[f32], expected: &[f32]) -> bool {
        got.len() == expected.len()
            && got.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-6)
    }

    #[test]
    fn both_ways_begin_and_end_at_the_codes_themselves() {
        for way in [Interpolation::Linear, Interpolation::Spherical] {
            let codes = way.codes(&A, &B, 5);
            assert!(close(&codes[..3], &A) && close(&codes[12..], &B), "{way:?}: {codes:?}");
        }
    }

    #[test]
    fn the_line_goes_through_the_middle_and_the_arc_keeps_its_distance() {
        assert!(close(&Interpolation::Linear.codes(&A, &B, 3)[3..6], &[1.5, 0.0, -1.5]));
        let half = 4.5_f32.sqrt();
        assert!(close(&Interpolation::Spherical.codes(&A, &B, 3)[3..6], &[half, 0.0, -half]));
    }

    #[test]
    fn an_arc_without_a_plane_is_the_line() {
        let doubled = A.map(|a| 2.0 * a);
        let opposite = A.map(|a| -a);
        for b in [A, doubled, opposite, [0.0; 3]] {
            let arc = Interpolation::Spherical.codes(&A, &b, 4);
            assert!(close(&arc, &Interpolation::Linear.codes(&A, &b, 4)), "{b:?}: {arc:?}");
        }
    }

    #[test]
    fn one_code_is_the_first() {
        assert!(close(&Interpolation::Linear.codes(&A, &B, 1), &A));
        assert!(Interpolation::Spherical.codes(&A, &B, 0).is_empty());
    }
}
