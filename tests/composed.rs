//! What terms are composed of: their values, the draws among them, and shapes that do not fit.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::gradients::{after_a_step, noisy_start, read};
use common::{device, noise};
use narrows::graph::{Device, Graph, Init, Tensor};
use narrows::kernels::activation::Activation;
use narrows::{Error, Result};

const BATCH: u32 = 5;
const WIDTH: u32 = 7;
const NUMBERS: usize = (BATCH * WIDTH) as usize;

#[test]
fn a_term_has_the_value_computed_by_hand() {
    let size = WIDTH as usize;
    let mut graph = Graph::new(BATCH);
    let input = graph.input("x", BATCH, WIDTH).unwrap();
    let identity = (0..size * size).map(|at| f32::from(u8::from(at % (size + 1) == 0))).collect();
    let weight = graph.parameter("identity", vec![size, size], Init::Values(identity)).unwrap();
    let x = graph.dense("same", input, &weight, None, Activation::Identity).unwrap();
    let build = |g: &mut Graph| -> Result<Tensor> {
        let y = g.affine(x, -0.5, 0.25)?;
        let e = g.exp(y)?;
        let square = g.multiply(x, x)?;
        let positive = g.add(e, square)?;
        let log = g.log(positive)?;
        let mixed = g.weighted_sum((2.0, log), (-1.0, x))?;
        let [sum, mean] = [g.row_sum(mixed)?, g.row_mean(y)?];
        let rows = g.multiply_rows(mixed, mean)?;
        let left = g.columns(rows, 2, BATCH)?;
        let product = g.matmul(left, y)?;
        let three = g.concat(&[product, x, y])?;
        let rows = g.reshape(three, 3 * BATCH, WIDTH)?;
        let lme = g.log_mean_exp(rows, 3)?;
        let lse = g.log_sum_exp(lme, BATCH)?;
        let spread = g.repeat_rows(lse, BATCH)?;
        let apart = g.subtract(lme, spread)?;
        let cut = g.detach(apart)?;
        let through = g.straight_through(cut, x)?;
        let each = g.row_mean(through)?;
        let scaled = g.scale(sum, 0.1)?;
        g.add(each, scaled)
    };
    let term = build(&mut graph).unwrap().term("composed");
    graph.minimize(term).unwrap();
    graph.advance(BATCH).unwrap();
    let plan = graph.finish(false);

    let x: Vec<Vec<f64>> =
        noise(3, NUMBERS).chunks(size).map(|row| row.iter().map(|x| f64::from(*x)).collect()).collect();
    let each = |f: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
        (0..BATCH as usize).map(|r| (0..size).map(|c| f(r, c)).collect()).collect()
    };
    let sum = |row: &[f64]| row.iter().sum::<f64>();
    let y = each(&|r, c| 0.25 - 0.5 * x[r][c]);
    let mixed = each(&|r, c| 2.0 * (y[r][c].exp() + x[r][c].powi(2)).ln() - x[r][c]);
    let rows = each(&|r, c| mixed[r][c] * sum(&y[r]) / f64::from(WIDTH));
    let product = each(&|r, c| (0..BATCH as usize).map(|k| rows[r][2 + k] * y[k][c]).sum());
    let lme = each(&|r, c| ((product[r][c].exp() + x[r][c].exp() + y[r][c].exp()) / 3.0).ln());
    let apart = each(&|r, c| lme[r][c] - lme.iter().map(|row| row[c].exp()).sum::<f64>().ln());
    let values = (0..BATCH as usize).map(|r| sum(&apart[r]) / f64::from(WIDTH) + 0.1 * sum(&mixed[r]));
    let expected = values.sum::<f64>() / f64::from(BATCH);
    for device in [device(), Device::Cpu] {
        let got = f64::from(read(&after_a_step(&device, &plan, &noisy_start(NUMBERS)), "ring")[0]);
        assert!((got - expected).abs() < 1e-5 * expected.abs().max(1.0), "{got}, by hand {expected}");
    }
}

#[test]
fn draws_differ_from_each_other_and_from_step_to_step_and_repeat_for_a_seed() {
    let plan = || {
        let mut graph = Graph::new(BATCH);
        graph.input("x", BATCH, WIDTH).unwrap();
        for name in ["first", "second"] {
            let drawn = graph.normal(name, BATCH, WIDTH).unwrap();
            graph.output(name, drawn).unwrap();
        }
        graph.advance(BATCH).unwrap();
        graph.finish(false)
    };
    for device in [device(), Device::Cpu] {
        let mut replay = after_a_step(&device, &plan(), &noisy_start(NUMBERS));
        let [first, second] = ["first", "second"].map(|name| read(&replay, name));
        assert_ne!(first, second);
        let again = after_a_step(&device, &plan(), &noisy_start(NUMBERS));
        assert_eq!([&first, &second], [&read(&again, "first"), &read(&again, "second")]);
        pollster::block_on(replay.run(1)).unwrap();
        assert_ne!(read(&replay, "first"), first);
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    // Of the shape and place of a.
    let foreign = Graph::new(BATCH).input("x", BATCH, WIDTH).unwrap();
    let mut graph = Graph::new(BATCH);
    let g = &mut graph;
    let [a, b, c] = [(BATCH, WIDTH), (BATCH, 6), (6, WIDTH)]
        .map(|(rows, columns)| g.input(&format!("{rows} {columns}"), rows, columns).unwrap());
    let cases: Vec<(&str, Result<Tensor>)> = vec![
        ("weighted sum", g.weighted_sum((1.0, a), (1.0, b))),
        ("add", g.add(a, c)),
        ("subtract", g.subtract(b, a)),
        ("multiply", g.multiply(a, b)),
        ("multiply rows by more than a column", g.multiply_rows(a, b)),
        ("straight through", g.straight_through(a, b)),
        ("reshape", g.reshape(a, 6, 6)),
        ("reshape beyond 32 bits", g.reshape(a, 1 << 31, 1 << 31)),
        ("reshape to nothing", g.reshape(a, 0, 7)),
        ("repeat never", g.repeat_rows(a, 0)),
        ("repeat too often", g.repeat_rows(a, u32::MAX)),
        ("groups that do not divide", g.log_mean_exp(a, 3)),
        ("groups of none", g.log_sum_exp(a, 0)),
        ("a group larger than the rows", g.log_sum_exp(a, 10)),
        ("concat of different rows", g.concat(&[a, c])),
        ("concat of nothing", g.concat(&[])),
        ("columns beyond the last", g.columns(a, 5, 3)),
        ("columns from beyond the last", g.columns(a, u32::MAX, 1)),
        ("more columns than there are", g.columns(a, 0, u32::MAX)),
        ("no columns", g.columns(a, 0, 0)),
        ("no columns, further on", g.columns(a, 2, 0)),
        ("matmul", g.matmul(a, b)),
        ("no draws", g.normal("none", 0, 7)),
        ("no draws of no columns", g.uniform("none", 7, 0)),
        ("draws beyond 32 bits", g.uniform("many", 1 << 20, 1 << 20)),
        ("another graph's, affine", g.affine(foreign, 1.0, 0.0)),
        ("another graph's, sum", g.add(foreign, foreign)),
        ("another graph's, product", g.multiply(foreign, foreign)),
        ("another graph's, rows", g.multiply_rows(a, foreign)),
        ("another graph's, exp", g.exp(foreign)),
        ("another graph's, log", g.log(foreign)),
        ("another graph's, row sum", g.row_sum(foreign)),
        ("another graph's, row mean", g.row_mean(foreign)),
        ("another graph's, repeat", g.repeat_rows(foreign, 2)),
        ("another graph's, log mean exp", g.log_mean_exp(foreign, BATCH)),
        ("another graph's, detach", g.detach(foreign)),
        ("another graph's, reshape", g.reshape(foreign, 4, 3)),
        ("another graph's, straight through", g.straight_through(foreign, foreign)),
        ("another graph's, concat", g.concat(&[foreign])),
        ("another graph's, columns", g.columns(foreign, 0, 1)),
        ("another graph's, matmul", g.matmul(a, foreign)),
    ];
    for (case, result) in cases {
        let fits =
            matches!(result, Err(Error::Shape { .. } | Error::Setting { .. } | Error::TooLarge { .. }));
        assert!(fits, "{case}: {result:?}");
    }
    // A term is a number for each row.
    assert!(graph.minimize(a.term("wide")).is_err());
}
