//! Codes worth decoding: the prior's quantiles over two of their numbers, and walks along one number at a time.

use crate::{Error, Result};

/// `side * side` codes `[side * side, latent]` that cover two numbers of the prior, a standard normal, evenly by
/// probability: the quantiles of (i + 1/2) / side. All other numbers are 0, their mean (Kingma and Welling 2013,
/// "Auto-encoding variational Bayes", figure 4).
///
/// Row by row from above, as a picture shows them: the first of `numbers` grows to the right, the second upwards.
///
/// # Errors
/// [`Error::Setting`] where `numbers` are not two different ones below `latent`.
pub fn prior_grid(side: usize, latent: usize, numbers: [usize; 2]) -> Result<Vec<f32>> {
    check_numbers(&numbers, latent)?;
    let [across, up] = numbers;
    let quantiles: Vec<f32> =
        (0..side).map(|at| normal_quantile((at as f64 + 0.5) / side as f64) as f32).collect();
    let mut codes = vec![0.0; side * side * latent];
    for (place, code) in codes.chunks_exact_mut(latent).enumerate() {
        code[across] = quantiles[place % side];
        code[up] = quantiles[side - 1 - place / side];
    }
    Ok(codes)
}

/// A row of `steps` codes for each of `numbers`: `start` with that number in its place at even steps from the first to
/// the second of its `ends`, both included. `[numbers, steps, latent]`.
///
/// # Errors
/// [`Error::Setting`] where `numbers` are not different ones below the length of `start`; [`Error::Shape`] where there
/// are not as many `ends`.
pub fn traversals(start: &[f32], numbers: &[usize], ends: &[[f32; 2]], steps: usize) -> Result<Vec<f32>> {
    check_numbers(numbers, start.len())?;
    if ends.len() != numbers.len() {
        return Err(Error::shape("traversals", format!("{} ends", numbers.len()), ends.len()));
    }
    let last = steps.saturating_sub(1).max(1) as f32;
    let mut codes = Vec::with_capacity(numbers.len() * steps * start.len());
    for (number, [from, to]) in numbers.iter().zip(ends) {
        for step in 0..steps {
            let at = codes.len() + number;
            codes.extend_from_slice(start);
            let t = step as f32 / last;
            codes[at] = from * (1.0 - t) + to * t;
        }
    }
    Ok(codes)
}

fn check_numbers(numbers: &[usize], latent: usize) -> Result<()> {
    let repeated = numbers.iter().enumerate().any(|(at, number)| numbers[..at].contains(number));
    if numbers.is_empty() || repeated || numbers.iter().any(|number| *number >= latent) {
        let expected = match latent {
            0 | 1 => format!("numbers of a code that has {latent}"),
            _ => format!("different numbers of the code, from 0 to {}", latent - 1),
        };
        return Err(Error::setting("dims", expected, format!("{numbers:?}")));
    }
    Ok(())
}

// The x at which a standard normal's distribution function is p, by bisection: 0.5 erfc(-x / sqrt 2) grows with x.
fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        let below = 0.5 * libm::erfc(-middle * std::f64::consts::FRAC_1_SQRT_2) < p;
        *(if below { &mut low } else { &mut high }) = middle;
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_tables() {
        for (p, expected) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.025, -1.959_963_984_540_054),
            (0.841_344_746_068_542_9, 1.0),
            (1e-6, -4.753_424_308_822_899),
        ] {
            let got = normal_quantile(p);
            assert!((got - expected).abs() < 1e-12, "{p}: {got}, expected {expected}");
        }
    }
}
