//! A plan's gradients against central differences of its loss, on the CPU reference.

use narrows::Result;
use narrows::graph::{Device, Plan, Replay};

use super::noise;

// The weighted losses of the first step, and the gradient, with these parameters.
fn loss_and_gradient(
    plan: &Plan,
    setup: &dyn Fn(&mut Replay) -> Result<()>,
    weights: &[f32],
    parameters: Option<&[f32]>,
) -> (f64, Vec<f32>) {
    let mut replay = pollster::block_on(Replay::new(&Device::Cpu, plan.clone())).unwrap();
    setup(&mut replay).unwrap();
    if let Some(parameters) = parameters {
        replay.write_floats("parameters", parameters).unwrap();
    }
    pollster::block_on(replay.run(1)).unwrap();
    let read = |name| pollster::block_on(replay.read_floats(name)).unwrap();
    let loss = read("ring").into_iter().zip(weights).take(plan.terms.len());
    (loss.map(|(term, weight)| f64::from(term * weight)).sum(), read("gradients"))
}

/// Holds the gradient of each parameter of `plan`, which leaves its losses in `ring`, against central differences of
/// the losses, `weights` giving what each term weighs: along a random direction in each parameter's own space.
pub fn check_gradients(
    what: &str,
    plan: &Plan,
    setup: &dyn Fn(&mut Replay) -> Result<()>,
    weights: &[f32],
    initial: &[f32],
) {
    let (_, gradient) = loss_and_gradient(plan, setup, weights, None);
    for (parameter, seed) in plan.parameters.iter().zip(20..) {
        let direction = noise(seed, parameter.len());
        let slope = plan.parameters.view(parameter, &gradient).iter().zip(&direction);
        let slope: f64 = slope.map(|(g, d)| f64::from(*g) * f64::from(*d)).sum();
        let moved = |by: f32| {
            let mut flat = initial.to_vec();
            for (value, d) in flat[parameter.offset..].iter_mut().zip(&direction) {
                *value += by * d;
            }
            loss_and_gradient(plan, setup, weights, Some(&flat)).0
        };
        let h = 2e-3;
        let numeric = (moved(h) - moved(-h)) / (2.0 * f64::from(h));
        // The losses are f32: about 20 with an error of 1e-6.
        let within = 2e-3 + 1e-3 * slope.abs();
        assert!(
            (numeric - slope).abs() < within && slope != 0.0,
            "{what}, {}: {slope}, numerically {numeric}",
            parameter.name
        );
    }
}
