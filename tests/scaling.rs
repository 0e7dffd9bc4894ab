//! Scaling: fitted on the training part, kept in checkpoints, undone in what comes out.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used)]

use narrows::data::{Dataset, ScaleKind, ScaleOver, Scaling, Split};
use narrows::graph::{Device, Rows};
use narrows::infer::{Decoder, Reconstructor};
use narrows::model::{LikelihoodKind, Registry};
use narrows::train::{Checkpoint, Config, OptimizerKind, Precision, Trainer, Transform};
use pollster::block_on;

const COLUMNS: usize = 5;

/// Rows whose columns have very different scales; the last one is constant.
fn table(rows: usize) -> Dataset {
    let number = |at: usize| {
        let (row, column) = (at / COLUMNS, at % COLUMNS);
        let swing = ((row * 37 % 23) as f32 / 23.0).mul_add(2.0, (row % 3) as f32);
        [swing, 1e-3 * swing + 5.0, 1e5 * (swing - 1.0), (row % 7) as f32, 7.0][column]
    };
    Dataset::new("table", [1, COLUMNS, 1], (0..rows * COLUMNS).map(number).collect::<Vec<f32>>(), None)
        .unwrap()
}

fn fit(data: &Dataset, kind: ScaleKind) -> Scaling {
    Scaling::fit(data, kind, None).unwrap()
}

fn scaled(data: &Dataset, scaling: &Scaling) -> Vec<f32> {
    let mut values = data.floats();
    values.chunks_exact_mut(data.pixels()).for_each(|row| scaling.scale(row));
    values
}

fn column(values: &[f32], column: usize) -> Vec<f64> {
    values.iter().skip(column).step_by(COLUMNS).map(|x| f64::from(*x)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn standard_gives_every_column_mean_0_and_deviation_1_and_leaves_a_constant_one_at_0() {
    let data = table(101);
    let scaling = fit(&data, ScaleKind::Auto);
    assert_eq!((scaling.kind, scaling.shift.len()), (ScaleKind::Standard, COLUMNS));
    let values = scaled(&data, &scaling);
    for at in 0..4 {
        let numbers = column(&values, at);
        let squares: Vec<f64> = numbers.iter().map(|x| x * x).collect();
        assert!(mean(&numbers).abs() < 1e-3 && (mean(&squares) - 1.0).abs() < 1e-3, "column {at}");
    }
    assert!(column(&values, 4).iter().all(|x| *x == 0.0));
    assert_eq!(data.constant_columns(), [4]);
}

#[test]
fn landmarks_are_what_was_fitted_to_each_column_in_its_own_units() {
    let data = table(101);
    let near = |got: &[f32], expected: &[f64]| {
        let pairs = got.iter().zip(expected);
        got.len() == expected.len()
            && pairs.into_iter().all(|(x, y)| (f64::from(*x) - y).abs() <= 1e-4 * y.abs().max(1.0))
    };
    let (standard, meaning) = fit(&data, ScaleKind::Standard).landmarks(COLUMNS).unwrap();
    let (unit, _) = fit(&data, ScaleKind::Unit).landmarks(COLUMNS).unwrap();
    assert!(meaning.contains("mean"), "{meaning}");
    for at in 0..4 {
        let numbers = column(&data.floats(), at);
        let middle = mean(&numbers);
        let width = mean(&numbers.iter().map(|x| (x - middle).powi(2)).collect::<Vec<_>>()).sqrt();
        assert!(near(&standard[at], &[middle, middle - width, middle + width]), "{at}: {:?}", standard[at]);
        let ends = [f64::INFINITY, f64::NEG_INFINITY];
        let ends = numbers.iter().fold(ends, |[low, high], x| [low.min(*x), high.max(*x)]);
        assert!(near(&unit[at], &ends), "{at}: {:?}", unit[at]);
    }
    // A constant column has no width.
    assert_eq!((&standard[4][..], &unit[4][..]), (&[7.0][..], &[7.0][..]));
    let whole = Scaling::fit(&data, ScaleKind::Standard, Some(ScaleOver::Whole)).unwrap();
    assert!(whole.landmarks(COLUMNS).is_none() && fit(&data, ScaleKind::None).landmarks(COLUMNS).is_none());
}

#[test]
fn the_way_back_of_every_kind_ends_where_it_began() {
    let positive = table(40);
    let positive = positive.values.iter().map(|x| x.abs()).collect::<Vec<f32>>();
    let data = Dataset::new("positive", [1, COLUMNS, 1], positive, None).unwrap();
    let kinds = [ScaleKind::None, ScaleKind::Unit, ScaleKind::Standard, ScaleKind::Robust, ScaleKind::Log1p];
    for kind in kinds {
        for over in [ScaleOver::Column, ScaleOver::Whole] {
            let scaling = Scaling::fit(&data, kind, Some(over)).unwrap();
            let mut values = scaled(&data, &scaling);
            values.chunks_exact_mut(COLUMNS).for_each(|row| scaling.unscale(row));
            for (x, back) in data.values.iter().zip(values) {
                // One scale for all numbers rounds the small ones as the large ones.
                let close = 1e-5 * x.abs().max(1e-2) + if over == ScaleOver::Column { 0.0 } else { 0.1 };
                assert!((back - x).abs() <= close, "{kind:?} {over:?}: {x} came back as {back}");
            }
        }
    }
}

#[test]
fn one_outlier_does_not_flatten_a_robust_scale() {
    let mut numbers: Vec<f32> = (0..99).map(|row| row as f32).collect();
    numbers.push(1e6);
    let data = Dataset::new("outlier", [1, 1, 1], numbers, None).unwrap();
    let spread = |kind| {
        let scaling = fit(&data, kind);
        let mut ends = [90.0, 10.0];
        ends.chunks_exact_mut(1).for_each(|row| scaling.scale(row));
        ends[0] - ends[1]
    };
    assert!(spread(ScaleKind::Standard) < 0.01);
    assert!((spread(ScaleKind::Robust) - 80.0 / 49.5).abs() < 1e-3);
    // Far ones stay few units away, keep their order, and come back.
    let scaling = fit(&data, ScaleKind::Robust);
    let far = [-1e6, 49.0, 500.0, 600.0, 1e6, 2e6_f32];
    let mut scaled = far;
    scaled.chunks_exact_mut(1).for_each(|row| scaling.scale(row));
    assert!(scaled.is_sorted() && scaled.iter().all(|x| x.abs() < 25.0), "{scaled:?}");
    let mut back = scaled;
    back.chunks_exact_mut(1).for_each(|row| scaling.unscale(row));
    assert!(back.iter().zip(far).all(|(back, x)| (back - x).abs() <= 1e-4 * x.abs()), "{back:?}");
}

#[test]
fn a_column_that_one_value_flattens_is_named_and_a_skewed_one_is_not() {
    // Even numbers, the same with one far value, a skewed column, a rare 1, a constant.
    let number = |at: usize| {
        let (row, column) = (at / COLUMNS, at % COLUMNS);
        let even = 1.0 + (row * 37 % 101) as f32 / 101.0;
        let skewed = (3.0 * even).exp();
        [even, if row == 7 { 1e6 } else { even }, skewed, f32::from(u8::from(row == 9)), 5.0][column]
    };
    let numbers: Vec<f32> = (0..400 * COLUMNS).map(number).collect();
    let data = Dataset::new("x", [1, COLUMNS, 1], numbers, None).unwrap();
    for (kind, named) in [
        (ScaleKind::Standard, true),
        (ScaleKind::Unit, true),
        (ScaleKind::Robust, false),
        (ScaleKind::Log1p, false),
    ] {
        let found = fit(&data, kind).flattened(&data);
        assert_eq!(found.len(), usize::from(named), "{kind:?}: {found:?}");
        assert!(found.iter().all(|column| (column.column, column.farthest) == (1, 1e6)), "{found:?}");
    }
    assert_eq!(fit(&table(101), ScaleKind::Standard).flattened(&table(101)), []);
}

#[test]
fn by_itself_the_scale_follows_the_data() {
    let floats = |values: &[f32]| Dataset::new("x", [1, 2, 1], values.to_vec(), None).unwrap();
    let bytes = |values: &[u8]| Dataset::new("x", [1, 2, 1], values.to_vec(), None).unwrap();
    let kind = |data: &Dataset| fit(data, ScaleKind::Auto).kind;
    assert_eq!(kind(&floats(&[0.0, 1.0, 0.5, 0.25])), ScaleKind::None);
    assert_eq!(kind(&floats(&[0.0, 1.000_000_1, 0.5, 0.25])), ScaleKind::None, "rounding is forgiven");
    assert_eq!(kind(&floats(&[0.0, 1.1, 0.5, 0.25])), ScaleKind::Standard);
    assert_eq!(kind(&floats(&[0.3005, 0.3015, 0.301, 0.3007])), ScaleKind::Standard);
    assert_eq!(kind(&bytes(&[0, 200, 3, 4])), ScaleKind::None);
    let digits = bytes(&[0, 16, 3, 4]);
    let scaling = fit(&digits, ScaleKind::Auto);
    assert_eq!((scaling.kind, scaling.shift.as_slice()), (ScaleKind::Unit, [0.0].as_slice()));
    let values = scaled(&digits, &scaling);
    assert!(values.iter().zip([0.0, 1.0, 3.0 / 16.0, 0.25]).all(|(x, expected)| (x - expected).abs() < 1e-6));
}

#[test]
fn a_logarithm_of_numbers_below_minus_1_is_refused_with_the_row_and_the_column() {
    let error = Scaling::fit(&table(4), ScaleKind::Log1p, None).unwrap_err().to_string();
    assert!(error.contains("log1p of column 2") && error.contains("in row 0"), "{error}");
    assert!(error.contains("--scale standard or robust"), "{error}");
}

#[test]
fn floats_are_kept_in_16_bits_where_asked() {
    let rows = |data: &Dataset, precision| Transform { precision, ..Transform::default() }.rows(data);
    assert_eq!(rows(&table(9), None), Rows::Floats);
    assert_eq!(rows(&table(9), Some(Precision::F16)), Rows::Halves);
    let pictures = Dataset::new("pictures", [1, 2, 1], vec![200_u8; 40], None).unwrap();
    assert_eq!(rows(&pictures, None), Rows::Bytes);
    let mut config = Config::preset("vae").unwrap();
    config.data.precision = Some(Precision::F16);
    let error = config.transform(&pictures).unwrap_err().to_string();
    assert!(error.starts_with("precision: expected none for pictures"), "{error}");
}

#[test]
fn pictures_show_each_column_in_its_own_scale_and_images_in_one() {
    let data = table(101);
    let shown = |scaling: Scaling| Transform { scaling, ..Transform::default() }.shown(data.floats());
    let each = shown(fit(&data, ScaleKind::Standard));
    for at in 0..4 {
        assert!((mean(&column(&each, at)) - 0.5).abs() < 1e-3, "column {at}");
    }
    let unit = shown(fit(&data, ScaleKind::Unit));
    assert!(unit.iter().all(|x| (-1e-5..=1.00001).contains(x)) && column(&unit, 2).contains(&0.0));
    let one = shown(Scaling::fit(&data, ScaleKind::Standard, Some(ScaleOver::Whole)).unwrap());
    assert!(one.contains(&0.0) && one.contains(&1.0));
}

#[test]
fn a_likelihood_that_does_not_fit_is_refused_with_two_ways_out() {
    let split = Split::new(table(40), table(4), Some(0)).unwrap();
    let config = Config::preset("vae").unwrap();
    let error = block_on(Trainer::new(&Device::Cpu, &config, &split)).err().unwrap().to_string();
    assert!(error.contains("--scale unit, or --likelihood gaussian-learned"), "{error}");
}

#[test]
fn a_chosen_optimizer_has_a_rate_of_its_own_and_a_chosen_rate_keeps_the_suited_optimizer() {
    let preset = Config::preset("mlp").unwrap();
    let sgd = (preset.train.optimizer, preset.train.learning_rate);
    assert_eq!(sgd.0, OptimizerKind::Sgd);
    let suited = |settings: &str, data: &Dataset| {
        let given: toml::Table = toml::from_str(settings).unwrap();
        let train = Config::preset_suited_to("mlp", given, data).unwrap().0.train;
        (train.optimizer, train.learning_rate)
    };
    // Numbers beside [0, 1] get another likelihood, for which the rate of SGD was not found.
    let (adam, usual) = (OptimizerKind::Adam, (OptimizerKind::Sgd, 1e-2));
    let unit = Dataset::new("x", [8, 8, 1], vec![0_u8; 9 * 64], None).unwrap();
    for (settings, of_table, of_unit) in [
        ("", (adam, 1e-3), sgd),
        ("train.optimizer = 'adam'", (adam, 1e-3), (adam, 1e-3)),
        ("train.optimizer = 'adamw'", (OptimizerKind::AdamW, 1e-3), (OptimizerKind::AdamW, 1e-3)),
        ("train.optimizer = 'sgd'", usual, sgd),
        ("train.learning_rate = 0.02", (adam, 0.02), (OptimizerKind::Sgd, 0.02)),
        ("train.momentum = 0.5", usual, sgd),
        ("train.optimizer = 'adam'\ntrain.learning_rate = 0.02", (adam, 0.02), (adam, 0.02)),
    ] {
        assert_eq!(suited(settings, &table(9)), of_table, "{settings}");
        assert_eq!(suited(settings, &unit), of_unit, "{settings}");
    }
}

#[test]
fn a_configuration_is_suited_to_few_rows_of_any_numbers() {
    let config = Config::preset("vae").unwrap();
    let (suited, notes) = config.suited_to(&table(9), &config, |_| false).unwrap();
    assert_eq!((suited.train.batch, suited.model.likelihood), (2, LikelihoodKind::GaussianLearned));
    assert!(notes[1].starts_with("epochs: 200 in place of 20, for about 1000 steps in all"), "{notes:?}");
    assert_eq!(notes.len(), 3);
    // As many rows as presets were made for change nothing, whatever the preset.
    let rows = Dataset::new("x", [8, 8, 1], vec![0_u8; 7200 * 64], Some(vec![0; 7200])).unwrap();
    for (_, preset) in Registry::built_in().presets() {
        let config = Config::preset(preset.name).unwrap();
        let (_, notes) = config.suited_to(&rows, &config, |_| false).unwrap();
        assert!(notes.is_empty(), "{}: {notes:?}", preset.name);
    }
    let (kept, notes) = config.suited_to(&table(9), &config, |_| true).unwrap();
    assert_eq!((kept.model.likelihood, notes.len()), (LikelihoodKind::Bernoulli, 1));
    let error = config.suited_to(&table(1), &config, |_| false).unwrap_err().to_string();
    assert!(error.contains("at least 2 training rows"), "{error}");
}

#[test]
fn a_trained_table_comes_out_in_its_own_units_and_its_scale_is_in_the_checkpoint() {
    let mut config = Config::preset("mlp").unwrap();
    config.model.likelihood = LikelihoodKind::SquaredError;
    config.model.hidden = vec![16];
    config.model.latent = 4;
    config.train =
        narrows::train::TrainConfig { epochs: 60, batch: 10, learning_rate: 1e-2, ..Default::default() };
    let split = Split::new(table(60), table(7), Some(0)).unwrap();
    let mut trainer = block_on(Trainer::new(&Device::Cpu, &config, &split)).unwrap();
    let first_loss = block_on(trainer.epoch(&mut |_| true)).unwrap().train.get("reconstruction").unwrap();
    for _ in 1..config.train.epochs {
        block_on(trainer.epoch(&mut |_| true)).unwrap();
    }
    let checkpoint = block_on(trainer.checkpoint()).unwrap();
    let read = Checkpoint::from_bytes(&checkpoint.to_bytes().unwrap()).unwrap();
    assert_eq!(read.transform, checkpoint.transform);
    assert_eq!(read.transform.scaling.kind, ScaleKind::Standard);
    config.data.precision = Some(Precision::F16);
    let mut halves = block_on(Trainer::new(&Device::Cpu, &config, &split)).unwrap();
    let first = block_on(halves.epoch(&mut |_| true)).unwrap().train.get("reconstruction").unwrap();
    assert!(
        (first - first_loss).abs() < 1e-2 * first_loss && first != first_loss,
        "{first} and {first_loss}"
    );

    let results =
        block_on(async { Reconstructor::new(&Device::Cpu, &read, &split.test).await?.run().await }).unwrap();
    let originals = split.test.floats();
    for (at, (image, original)) in results.images.iter().zip(&originals).enumerate() {
        let width = 1.0 / read.transform.scaling.factor[at % COLUMNS];
        assert!((image - original).abs() < width, "column {}: {image} of {original}", at % COLUMNS);
    }
    let decoded =
        block_on(async { Decoder::new(&Device::Cpu, &read, 7).await?.decode(&results.codes).await }).unwrap();
    assert!(decoded.iter().zip(&results.images).all(|(a, b)| (a - b).abs() <= 1e-5 * b.abs().max(1.0)));
}

#[test]
fn adams_rate_falls_with_the_width_of_wide_rows_unless_it_was_chosen() {
    let spread = |columns: usize, width: f32| {
        let values = (0..20 * columns).map(|at| width * (at * 37 % 101) as f32 / 101.0).collect::<Vec<_>>();
        Dataset::new("wide", [1, 1, columns], values, None).unwrap()
    };
    let rows = |columns: usize| spread(columns, 1.0);
    let config = Config::preset("vae").unwrap();
    for (columns, width, rate) in [
        (16_384, 1.0, 1e-3),
        (20_000, 1.0, 5e-4),
        (30_001, 1.0, 3e-4),
        (100_000, 1.0, 1e-4),
        (2_048, 3.0, 1e-3),
        (2_049, 3.0, 9e-4),
        (4_096, 3.0, 4e-4),
        (100_000, 3.0, 2e-5),
    ] {
        let rows = |columns| spread(columns, width);
        let (suited, notes) = config.suited_to(&rows(columns), &config, |_| false).unwrap();
        assert_eq!(suited.train.learning_rate, rate, "{columns}");
        let said = notes
            .iter()
            .any(|note| note.starts_with("learning rate: ") && note.contains(&columns.to_string()));
        assert_eq!(said, rate < 1e-3, "{notes:?}");
        let (kept, _) = config.suited_to(&rows(columns), &config, |name| name == "learning_rate").unwrap();
        assert_eq!(kept.train.learning_rate, 1e-3);
    }
    // At such a rate a learned variance hardly moves: it starts where the mean leaves it.
    let learned = Config::preset("vae").unwrap();
    let learned =
        learned.overlaid("[model]\nlikelihood = 'gaussian-learned'".parse().unwrap(), "here").unwrap();
    for (columns, moved) in [(900, false), (20_000, true)] {
        let (suited, notes) = learned.suited_to(&rows(columns), &learned, |_| false).unwrap();
        let first = suited.model.first_log_variance();
        // The variance of numbers that fill [0, 1] evenly.
        assert!(
            if moved { (first - (1.0_f32 / 12.0).ln()).abs() < 0.2 } else { first == -2.0 },
            "{first} {notes:?}"
        );
    }
}
