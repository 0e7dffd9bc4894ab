//! What terms are composed of: each operation's gradient, and every device that runs it.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::cell::Cell;

use common::gradients::{after_a_step, check_gradients, noisy_start, read};
use common::{devices, title};
use narrows::Result;
use narrows::graph::{Device, Graph, Init, Objective, Optimizer, Plan, Tensor, Update, first_difference};
use narrows::kernels::activation::Activation;
use narrows::reference::compare::Tolerance;

const BATCH: u32 = 5;
const WIDTH: u32 = 7;
const NUMBERS: usize = (BATCH * WIDTH) as usize;

/// Makes a tensor of so many columns, between -1 and 1, with a parameter of its own behind it.
type Layers<'a> = &'a dyn Fn(&mut Graph, u32) -> Tensor;
type Case = (&'static str, fn(&mut Graph, Layers<'_>) -> Result<Tensor>);

// Each operation with a parameter behind each operand, and with the same tensor for both.
const CASES: &[Case] = &[
    ("affine and scale", |g, layer| {
        let a = layer(g, WIDTH);
        let y = g.affine(a, -1.5, 0.25)?;
        g.scale(y, 0.5)
    }),
    ("add", |g, layer| {
        let [a, b] = [layer(g, WIDTH), layer(g, WIDTH)];
        g.add(a, b)
    }),
    ("add, twice the same", |g, layer| {
        let a = layer(g, WIDTH);
        g.add(a, a)
    }),
    ("subtract", |g, layer| {
        let [a, b] = [layer(g, WIDTH), layer(g, WIDTH)];
        g.subtract(a, b)
    }),
    ("weighted sum", |g, layer| {
        let [a, b] = [layer(g, WIDTH), layer(g, WIDTH)];
        g.weighted_sum((0.7, a), (-1.3, b))
    }),
    ("weighted sum, twice the same", |g, layer| {
        let a = layer(g, WIDTH);
        g.weighted_sum((2.0, a), (-0.5, a))
    }),
    ("multiply", |g, layer| {
        let [a, b] = [layer(g, WIDTH), layer(g, WIDTH)];
        g.multiply(a, b)
    }),
    ("multiply, twice the same", |g, layer| {
        let a = layer(g, WIDTH);
        g.multiply(a, a)
    }),
    ("a masked parameter", |g, layer| {
        let x = layer(g, WIDTH);
        let shape = vec![WIDTH as usize; 2];
        let weight = g.parameter("masked", shape.clone(), Init::GlorotUniform { fan_in: 7, fan_out: 7 })?;
        let lower = (0..WIDTH * WIDTH).map(|at| f32::from(u8::from(at % WIDTH < at / WIDTH))).collect();
        let mask = g.slot("mask", shape, Init::Values(lower))?;
        let [weight, mask] = [g.tensor_of(&weight)?, g.tensor_of(&mask)?];
        let masked = g.multiply(weight, mask)?;
        g.matmul(x, masked)
    }),
    ("multiply rows", |g, layer| {
        let [a, b] = [layer(g, WIDTH), layer(g, 1)];
        g.multiply_rows(a, b)
    }),
    ("multiply rows, twice the same", |g, layer| {
        let a = layer(g, 1);
        g.multiply_rows(a, a)
    }),
    ("exp and log of one tensor", |g, layer| {
        let a = layer(g, WIDTH);
        let positive = g.affine(a, 0.4, 1.0)?;
        let [up, down] = [g.exp(positive)?, g.log(positive)?];
        g.multiply(up, down)
    }),
    ("row sum", |g, layer| {
        let a = layer(g, WIDTH);
        g.row_sum(a)
    }),
    ("row mean of what is used elsewhere", |g, layer| {
        let a = layer(g, WIDTH);
        let mean = g.row_mean(a)?;
        g.multiply_rows(a, mean)
    }),
    ("repeated rows", |g, layer| {
        let [a, b] = [layer(g, WIDTH), layer(g, 3 * WIDTH)];
        let [once, many, others] = [g.repeat_rows(a, 1)?, g.repeat_rows(a, 3)?, g.reshape(b, 15, WIDTH)?];
        let product = g.multiply(many, others)?;
        let again = g.repeat_rows(once, 3)?;
        g.add(product, again)
    }),
    ("log mean exp", |g, layer| {
        let a = layer(g, 6);
        let groups = g.reshape(a, 15, 2)?;
        g.log_mean_exp(groups, 3)
    }),
    ("log sum exp of what is used elsewhere", |g, layer| {
        let a = layer(g, 9);
        let rows = g.reshape(a, 15, 3)?;
        let sum = g.log_sum_exp(rows, 5)?;
        let spread = g.repeat_rows(sum, 5)?;
        g.subtract(rows, spread)
    }),
    ("concat, one of them twice", |g, layer| {
        let [a, b] = [layer(g, WIDTH), layer(g, 1)];
        let all = g.concat(&[a, b, a])?;
        let mean = g.row_mean(all)?;
        g.multiply_rows(all, mean)
    }),
    ("concat with what has no gradient", |g, layer| {
        let a = layer(g, WIDTH);
        let fixed = g.uniform("fixed", BATCH, 2)?;
        let all = g.concat(&[fixed, a])?;
        g.exp(all)
    }),
    ("columns that overlap", |g, layer| {
        let a = layer(g, WIDTH);
        let [left, right] = [g.columns(a, 1, 3)?, g.columns(a, 3, 3)?];
        g.multiply(left, right)
    }),
    ("all columns", |g, layer| {
        let a = layer(g, WIDTH);
        let all = g.columns(a, 0, WIDTH)?;
        g.multiply(all, a)
    }),
    ("matmul", |g, layer| {
        let [a, b] = [layer(g, WIDTH), layer(g, WIDTH)];
        let b = g.reshape(b, WIDTH, BATCH)?;
        g.matmul(a, b)
    }),
    ("matmul, twice the same", |g, layer| {
        let a = layer(g, BATCH);
        g.matmul(a, a)
    }),
    ("draws", |g, layer| {
        let a = layer(g, WIDTH);
        let [normal, uniform] = [g.normal("normal", BATCH, WIDTH)?, g.uniform("uniform", BATCH, WIDTH)?];
        let noisy = g.multiply(a, normal)?;
        g.add(noisy, uniform)
    }),
    ("straight through and detach", |g, layer| {
        // Of two that have the same value: a change of the parameter is then one of what the gradient goes to.
        let a = layer(g, WIDTH);
        let through = g.straight_through(a, a)?;
        let drawn = g.normal("drawn", BATCH, WIDTH)?;
        let cut = g.detach(drawn)?;
        g.multiply(through, cut)
    }),
];

// A step that minimizes, for each case, the sum of a row's squares, or the number that is all of a row.
fn step(cases: &[Case]) -> Plan {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, WIDTH).unwrap();
    let mut objective: Option<Objective> = None;
    for (case, record) in cases {
        let made = Cell::new(0);
        let layer = |graph: &mut Graph, width: u32| {
            let name = format!("{case} {}", made.replace(made.get() + 1));
            let init = Init::GlorotUniform { fan_in: WIDTH as usize, fan_out: width as usize };
            let weight = graph.parameter(&name, vec![width as usize, WIDTH as usize], init).unwrap();
            graph.dense(&name, x, &weight, None, Activation::Tanh).unwrap()
        };
        let y = record(&mut graph, &layer).unwrap_or_else(|error| panic!("{case}: {error}"));
        let squares = graph.multiply(y, y).unwrap();
        let term = graph.row_sum(squares).unwrap().term(*case);
        objective = Some(match objective {
            Some(others) => others + term,
            None => term.into(),
        });
    }
    let update = Update::default().minimize(objective.unwrap());
    graph.update(update.by(Optimizer::Sgd { momentum: 0.0, weight_decay: 0.0 }, 0.1)).unwrap();
    graph.advance(BATCH).unwrap();
    graph.finish(true)
}

#[test]
fn gradients_of_every_operation_are_central_differences() {
    for case in CASES {
        check_gradients(case.0, &step(std::slice::from_ref(case)), &noisy_start(NUMBERS));
    }
}

#[test]
fn every_operation_on_every_device_is_the_references() {
    let (plan, close) = (step(CASES), Tolerance::new(2e-5, 2e-5));
    for device in devices() {
        let found = first_difference(&plan, &device, &Device::Cpu, close, noisy_start(NUMBERS));
        assert_eq!(pollster::block_on(found).unwrap(), None, "{}", title(&device));
    }
}

// The gradients of the parameters that `cases` have.
fn gradients(case: Case) -> Vec<f32> {
    read(&after_a_step(&Device::Cpu, &step(&[case]), &noisy_start(NUMBERS)), "gradients")
}

#[test]
fn what_is_detached_sends_no_gradient_and_the_other_factor_sends_all_of_its_own() {
    let both = gradients(("a * a", |g, layer| {
        let a = layer(g, WIDTH);
        let squares = g.multiply(a, a)?;
        g.affine(squares, 1.0, 0.0)
    }));
    let one = gradients(("a * detached a", |g, layer| {
        let a = layer(g, WIDTH);
        let cut = g.detach(a)?;
        g.multiply(a, cut)
    }));
    assert!(one.iter().any(|x| *x != 0.0));
    assert!(one.iter().zip(&both).all(|(one, both)| 2.0 * one == *both), "{one:?}, {both:?}");
}

#[test]
fn straight_through_takes_one_value_and_sends_the_gradient_to_the_other_alone() {
    // The second has the same value by other means: what is there of b is cut off, and a is there less itself.
    let through = gradients(("through", |g, layer| {
        let [a, b] = [layer(g, WIDTH), layer(g, WIDTH)];
        let value = g.exp(b)?;
        g.straight_through(value, a)
    }));
    let value = gradients(("through", |g, layer| {
        let [a, b] = [layer(g, WIDTH), layer(g, WIDTH)];
        let value = g.exp(b)?;
        let (fixed, cut) = (g.detach(value)?, g.detach(a)?);
        let apart = g.subtract(a, cut)?;
        g.add(fixed, apart)
    }));
    let (of_a, of_b) = through.split_at(64);
    assert!(of_a.iter().any(|x| *x != 0.0) && of_b.iter().all(|x| *x == 0.0), "{through:?}");
    assert_eq!(through, value);
}
