//! The Gaussian code's sample with what else a step makes of the code, compared with the reference and with the kernels that
//! it stands for.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::gradients::{check_gradients, noisy_start};
use common::operands::{self, CODES, EXTREME_CODES, stats};
use common::{check, device, gpu, run, words};
use narrows::graph::{
    Device, Graph, Init, Objective, Plan, Tensor, Term, Warmup, first_difference, gaussian_kl, squared_error,
};
use narrows::kernels::activation::Activation;
use narrows::kernels::divergence::GaussianKl;
use narrows::kernels::latent::Reparameterize;
use narrows::kernels::sample::Sample;
use narrows::kernels::{Gradient, Kernel};
use narrows::reference::compare::Tolerance;

// As in the tests of the parts.
const CLOSE: Tolerance = Tolerance::new(2e-3, 1e-5);

fn state() -> Vec<u32> {
    operands::state(0x7_dead_beef, 41)
}

fn of((rows, latent): (u32, u32), instance: u32) -> Reparameterize {
    Reparameterize { rows, latent, instance, period: 0, first_block: instance % 5 }
}

fn written(kernel: &Sample) -> Vec<Option<Vec<u32>>> {
    vec![None; if kernel.kl.is_some() { 4 } else { 2 }]
}

#[test]
fn the_sample_its_slopes_and_the_divergence_match_the_reference_at_every_shape() {
    for shape in CODES {
        for (instance, kl) in [(0, None), (3, Some(0.25)), (u32::MAX, Some(-3.0))] {
            let kernel = Sample { of: of(shape, instance), kl };
            check(gpu(), &kernel, &[state(), stats(shape)], &written(&kernel), CLOSE);
        }
    }
}

#[test]
fn with_a_period_every_image_draws_what_the_first_does() {
    for ((rows, latent), period) in [((7, 5), 5), ((12, 3), 6), ((6, 130), 390)] {
        let kernel = Sample { of: Reparameterize { period, ..of((rows, latent), 3) }, kl: Some(0.5) };
        check(gpu(), &kernel, &[state(), stats((rows, latent))], &written(&kernel), CLOSE);
    }
}

#[test]
fn the_sample_and_the_divergence_are_the_bits_of_the_kernels_of_their_own() {
    for shape in CODES.into_iter().chain([(66_001, 1)]) {
        let (rows, latent) = shape;
        let together = Sample { of: of(shape, 3), kl: Some(0.25) };
        let got = run(gpu(), &together, &[state(), stats(shape)], &written(&together));
        let alone = run(gpu(), &of(shape, 3), &[state(), stats(shape)], &[None]);
        assert_eq!(got[2], alone[2], "z of {shape:?}");
        let gradient = Some(Gradient { scale: 0.25, accumulate: false });
        let kl = GaussianKl { rows, latent, free_bits: 0.0, gradient };
        let alone = run(gpu(), &kl, &[stats(shape)], &[None, None]);
        assert_eq!(got[4..], alone[1..], "the divergence of {shape:?}");
    }
}

#[test]
fn codes_beyond_the_bounds_stay_finite() {
    let rows = EXTREME_CODES.len() as u32;
    let kernel = Sample { of: of((rows, 1), 0), kl: Some(1.0) };
    let inputs = [state(), words(EXTREME_CODES.as_flattened())];
    // A variance of e^20 dwarfs the others.
    check(gpu(), &kernel, &inputs, &written(&kernel), Tolerance::new(2e-3, 1e-4));
}

#[test]
fn a_code_of_more_numbers_than_a_workgroup_counts_is_refused() {
    let refusal = |latent| Sample { of: of((1, latent), 0), kl: None }.check().err().map(|e| e.to_string());
    assert_eq!(refusal(Sample::MAX_LATENT), None);
    let message = refusal(Sample::MAX_LATENT + 1).unwrap_or_default();
    assert!(message.starts_with("numbers in a Gaussian code: expected"), "{message}");
}

const BATCH: u32 = 5;
const WIDTH: u32 = 6;

// Of x a code of three numbers, of that what `further` makes, and what is minimized of both.
fn plan(read: impl Fn(&mut Graph, Tensor) -> Tensor, kl: impl Fn(Term) -> Objective) -> Plan {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, WIDTH).unwrap();
    let glorot = |rows: usize, columns: usize| {
        (vec![rows, columns], Init::GlorotUniform { fan_in: columns, fan_out: rows })
    };
    let mut weight = |name: &str, rows, columns| {
        let (shape, init) = glorot(rows, columns);
        graph.parameter(name, shape, init).unwrap()
    };
    let [head, back] = [weight("head", 6, 6), weight("back", 6, 3)];
    let code = graph.dense("stats", x, &head, None, Activation::Identity).unwrap().gaussian().unwrap();
    let z = graph.reparameterize(code).unwrap();
    let seen = read(&mut graph, z);
    let y = graph.dense("y", seen, &back, None, Activation::Identity).unwrap();
    graph.minimize(squared_error(y, x) + kl(gaussian_kl(code))).unwrap();
    graph.advance(BATCH).unwrap();
    graph.finish(true)
}

fn labels(plan: &Plan) -> Vec<&str> {
    plan.dispatches.iter().map(|dispatch| dispatch.label.as_str()).collect()
}

fn has(plan: &Plan, name: &str) -> bool {
    plan.dispatches.iter().any(|dispatch| dispatch.kernel.name() == name)
}

// Whatever is joined, the step is the reference's and its gradients are the central differences.
fn is_right(what: &str, plan: &Plan) {
    let setup = noisy_start((BATCH * WIDTH) as usize);
    let close = Tolerance::new(1e-5, 1e-5);
    let found = pollster::block_on(first_difference(plan, &device(), &Device::Cpu, close, &setup)).unwrap();
    assert!(found.is_none(), "{what}: {}", found.unwrap());
    check_gradients(what, plan, &setup);
}

fn as_it_is(_: &mut Graph, z: Tensor) -> Tensor {
    z
}

#[test]
fn a_step_makes_the_divergence_beside_the_sample_and_the_codes_gradient_in_a_product() {
    let plan = plan(as_it_is, |kl| (0.7 * kl).into());
    assert!(labels(&plan).contains(&"z; kl, value and gradient"), "{:?}", labels(&plan));
    assert!(has(&plan, "sample sample_and_kl") && has(&plan, "matmul product_sample"));
    assert!(!has(&plan, "divergence gaussian_kl") && !has(&plan, "latent reparameterize_backward"));
    is_right("joined", &plan);
}

#[test]
fn a_sample_that_others_read_too_has_a_gradient_of_its_own() {
    // Half of it is added to it: two operations send it a gradient.
    let twice = |graph: &mut Graph, z: Tensor| {
        let half = graph.affine(z, 0.5, 0.0).unwrap();
        graph.add(z, half).unwrap()
    };
    let plan = plan(twice, Objective::from);
    assert!(has(&plan, "sample sample_and_kl") && has(&plan, "latent reparameterize_backward"));
    assert!(!has(&plan, "matmul product_sample"));
    is_right("read twice", &plan);
}

#[test]
fn a_divergence_whose_weight_changes_or_that_comes_again_is_made_by_itself() {
    let rising = plan(as_it_is, |kl| kl.warmed_up(Warmup { steps: 4, cycles: 1, rise: 1.0 }).into());
    assert!(has(&rising, "divergence gaussian_kl") && has(&rising, "sample sample"));
    assert!(has(&rising, "matmul product_sample"));
    let twice = plan(as_it_is, |kl| 0.3 * kl.clone() + 0.2 * kl.named("again"));
    assert!(has(&twice, "sample sample_and_kl") && has(&twice, "divergence gaussian_kl"));
    is_right("twice", &twice);
}
