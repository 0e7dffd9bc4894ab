//! The last kernel of a step: the twin of `shaders/step.wgsl`.

/// Adam's `1 - beta^(t+1)` from `1 - beta^t`.
pub fn next_correction(correction: f64, beta: f64) -> f64 {
    correction + (1.0 - beta) * (1.0 - correction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recurrence_keeps_one_minus_a_power() {
        for beta in [0.0, 0.5, 0.9, 0.999] {
            let mut correction = 1.0 - beta;
            for t in 1..5000 {
                let expected = 1.0 - f64::powi(beta, t);
                assert!((correction - expected).abs() < 1e-12, "{beta}^{t}: {correction}, not {expected}");
                correction = next_correction(correction, beta);
            }
        }
    }
}
