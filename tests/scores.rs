//! Scores of single items: their terms and bounds, the worst of them, and classes that a model never saw.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use narrows::infer::{ImportanceBound, Scores};
use narrows::train::{Checkpoint, Evaluator, TermMeans, Trainer};
use pollster::block_on;
use serde_json::Value;
use tempfile::TempDir;
use tiny::command::{failure, narrows, place, success, train};
use tiny::{dataset, device, split};

fn trained(variant: &str) -> Checkpoint {
    block_on(async {
        let mut trainer = Trainer::new(device(), &tiny::config(variant), &split()).await?;
        trainer.epoch(&mut |_| true).await?;
        trainer.checkpoint().await
    })
    .unwrap()
}

#[test]
fn an_items_scores_are_the_same_wherever_it_stands() {
    for variant in ["vae", "iwae"] {
        let (checkpoint, data) = (trained(variant), dataset(300));
        let backwards: Vec<usize> = (0..300).rev().collect();
        let [scores, other] = [&data, &data.at(&backwards).unwrap()]
            .map(|data| block_on(Scores::new(device(), &checkpoint, data, 3)).unwrap());
        let row = |scores: &Scores, at: usize| scores.row(at).collect::<Vec<f64>>();
        assert!((0..300).all(|at| row(&scores, at) == row(&other, 299 - at)), "{variant}");
        assert!(scores.anomaly[0] != scores.anomaly[1]);
    }
}

#[test]
fn scores_of_items_have_the_means_of_an_evaluation() {
    for variant in ["mlp", "vae", "adversarial", "iwae"] {
        let (checkpoint, data) = (trained(variant), dataset(300));
        let scores = block_on(Scores::new(device(), &checkpoint, &data, 0)).unwrap();
        let means = block_on(async {
            let (model, seed) = (checkpoint.model()?, checkpoint.config.train.seed);
            let mut evaluator = Evaluator::new(device(), &model, &data, &checkpoint.transform, seed).await?;
            evaluator.evaluate_checkpoint(&checkpoint).await
        })
        .unwrap();
        for (term, mean) in means.iter() {
            let sum: f64 = scores.terms.iter().map(|item| item.get(&term.name).unwrap()).sum();
            // One sample of z for all images is not one for each.
            let close = if variant == "mlp" { 0.0 } else { 0.1 };
            assert!((sum / 300.0 - mean).abs() <= close * mean.abs(), "{variant} {}: {mean}", term.name);
        }
        let mean = |value: &dyn Fn(&TermMeans) -> f64| scores.terms.iter().map(value).sum::<f64>();
        let expected = mean(&|item| item.explained().unwrap_or_else(|| item.objective()));
        assert_eq!(scores.anomaly.iter().sum::<f64>(), expected, "{variant}");
        let row: Vec<f64> = scores.row(7).collect();
        assert_eq!(row.len(), scores.columns().len(), "{variant}");
        assert_eq!(row.last(), Some(&scores.anomaly[7]));
    }
}

#[test]
fn with_samples_the_score_is_the_negative_importance_weighted_bound() {
    let (checkpoint, data) = (trained("vae"), dataset(13));
    let scores = block_on(Scores::new(device(), &checkpoint, &data, 5)).unwrap();
    let bound = block_on(ImportanceBound::estimate(device(), &checkpoint, &data, 5)).unwrap();
    let each = scores.bound.clone().unwrap();
    assert!(each.iter().zip(&bound.each).all(|(own, other)| (own - other).abs() < 0.1 * other.abs()));
    assert!(scores.anomaly.iter().zip(&each).all(|(score, bound)| *score == -bound));
    assert_eq!(
        scores.columns().last_chunk(),
        Some(&["importance_bound", "squared_error", "score"].map(str::to_owned))
    );
    assert!(block_on(Scores::new(device(), &trained("mlp"), &data, 5)).is_err());
    // By another column, whose larger numbers are out of the ordinary.
    let by_error = scores.clone().by("squared_error").unwrap();
    assert_eq!(by_error.anomaly, scores.squared_error);
    assert_eq!(scores.clone().by("importance_bound").unwrap(), scores);
    let error = scores.by("score").unwrap_err().to_string();
    assert!(error.ends_with("negative_elbo, importance_bound, squared_error, got score"), "{error}");
}

#[test]
fn the_worst_items_come_first_and_what_is_no_number_before_them() {
    let mut scores = block_on(Scores::new(device(), &trained("mlp"), &dataset(5), 0)).unwrap();
    scores.anomaly = vec![1.0, f64::NAN, 3.0, f64::INFINITY, -2.0];
    assert_eq!(scores.worst(4), [1, 3, 2, 0]);
}

fn rows(count: usize, wild: Option<usize>) -> String {
    let mut text = "a,b,c,name\n".to_owned();
    for row in 0..count {
        let at = row as f64 / 7.0;
        let (a, b) = (at.sin(), at.cos());
        let c = if wild == Some(row) { -2.5 } else { a * b };
        writeln!(text, "{a},{b},{c},row-{row}").unwrap();
    }
    text
}

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_wild_row_among_100_new_ones_is_the_worst_and_flagged() {
    let place = TempDir::new().unwrap();
    let place = place.path();
    fs::write(place.join("rows.csv"), rows(200, None)).unwrap();
    fs::write(place.join("new.csv"), rows(100, Some(63))).unwrap();
    let flags = ["train", "vae", "--data", "rows.csv", "--id", "name", "--hidden", "16", "--latent", "2"];
    success(narrows(place, &flags).args(["--epochs", "30", "--run", "run"]));
    let flags = ["score", "run", "--data", "new.csv", "--threshold", "1", "--worst", "3", "--samples", "4"];
    let (said, _) = success(&mut narrows(place, &flags));
    let named = said.split_once("worst:     row 63, row-63: ").unwrap().1.lines().next().unwrap();
    assert!(named.contains(", most by c, -2.5 for "), "{said}");
    let worst: Vec<&str> = said.lines().filter(|line| line.starts_with("worst: ")).collect();
    assert!(worst.len() == 3 && worst[0].contains(" 63,"), "{said}");
    assert!(said.contains("worst.png: the 3 with the largest scores and their reconstructions\n"), "{said}");
    assert!(fs::metadata(place.join("worst.png")).unwrap().len() > 5_000);
    let table = lines(&place.join("scores.csv"));
    assert_eq!(
        table[0],
        "index,reconstruction,kl,negative_elbo,importance_bound,squared_error,score,flagged,id"
    );
    assert_eq!(table.len(), 101);
    assert!(table[64].starts_with("63,") && table[64].ends_with(",1,row-63"), "{}", table[64]);
    let summary: Value = serde_json::from_slice(&fs::read(place.join("scores.csv.json")).unwrap()).unwrap();
    assert_eq!(summary["by"], "importance_bound");
    assert_eq!((&summary["quantile"], &summary["threshold_part"]), (&1.0.into(), &"train".into()));
    let threshold = summary["threshold"].as_f64().unwrap();
    let over = |line: &&String| line.split(',').nth(6).unwrap().parse::<f64>().unwrap() > threshold;
    assert_eq!(summary["flagged"], table[1..].iter().filter(over).count());
    // The threshold of that result, where the training part is gone.
    fs::rename(place.join("rows.csv"), place.join("gone.csv")).unwrap();
    let again =
        ["score", "run", "--data", "new.csv", "--threshold-from", "scores.csv.json", "--out", "again.csv"];
    let (said, _) = success(narrows(place, &again).args(["--samples", "4"]));
    assert!(
        said.contains(" with a score above ") && said.contains("the threshold of scores.csv.json"),
        "{said}"
    );
    assert_eq!(lines(&place.join("again.csv")), table);
    let said = failure(&mut narrows(place, &["score", "run", "--data", "new.csv", "--threshold", "0.9"]));
    assert!(
        said.starts_with("--threshold: expected the run's own data at their place, or the threshold of an"),
        "{said}"
    );
    let said = failure(&mut narrows(place, &again));
    assert_eq!(
        said,
        "--threshold-from: expected a threshold of negative_elbo with --samples 0, as these scores, got one of \
         importance_bound with --samples 4"
    );
    fs::write(place.join("other.json"), "{}").unwrap();
    let flags = ["score", "run", "--data", "new.csv", "--threshold-from", "other.json"];
    let said = failure(&mut narrows(place, &flags));
    assert_eq!(
        said,
        "other.json: expected what `narrows score --threshold` wrote beside its result, found no threshold"
    );
    // The same again, as JSON and as an array.
    for format in ["jsonl", "npy"] {
        let out = format!("scores.{format}");
        success(narrows(place, &["score", "run", "--data", "new.csv", "--out"]).arg(&out));
        assert!(fs::metadata(place.join(out)).unwrap().len() > 1_000);
    }
    let first: Value = serde_json::from_str(&lines(&place.join("scores.jsonl"))[0]).unwrap();
    let number = |name: &str| first[name].as_f64().unwrap();
    assert_eq!(number("index"), 0.0);
    assert!((number("reconstruction") + number("kl") - number("score")).abs() < 1e-3, "{first}");
    assert_eq!(first["id"], "row-0");
}

#[test]
fn a_class_that_is_left_out_of_data_in_one_piece_is_in_the_test_part_whole() {
    let place = TempDir::new().unwrap();
    let place = place.path();
    let kinds = (0..200)
        .map(|row| format!("{row},{}.5,{}\n", row % 7, ["common", "rare"][usize::from(row % 10 == 3)]));
    let text = "a,b,kind\n".to_owned() + &kinds.collect::<String>();
    fs::write(place.join("rows.csv"), text).unwrap();
    let flags =
        ["train", "mlp", "--data", "rows.csv", "--label", "kind", "--leave-out", "rare", "--hidden", "4"];
    success(narrows(place, &flags).args(["--latent", "1", "--epochs", "1", "--run", "run"]));
    for epochs in ["1", "2"] {
        let (said, _) = success(&mut narrows(place, &["score", "run", "--positive", "rare"]));
        assert!(said.contains("positive:  20 of rare: "), "{said}");
        let rows = lines(&place.join("scores.csv"));
        let of_rare: Vec<&String> = rows.iter().filter(|row| row.contains(",rare,")).collect();
        assert_eq!((of_rare.len(), rows.len()), (20, 1 + 18 + 20), "{rows:?}");
        assert!(of_rare.iter().all(|row| row.ends_with('3')), "the row of the file: {of_rare:?}");
        success(&mut narrows(place, &["train", "--resume", "run", "--epochs", epochs]));
    }
}

#[test]
fn a_class_that_is_left_out_is_in_the_test_part_alone() {
    let place = place();
    let place = place.path();
    success(&mut train(place, &["vae", "--leave-out", "3,4", "--epochs", "3", "--run", "run"]));
    for part in ["train", "validation", "test"] {
        success(narrows(place, &["encode", "run", "--out", "codes.csv", "--part"]).arg(part));
        let left = lines(&place.join("codes.csv"))[1..]
            .iter()
            .filter(|line| line.split(',').nth(3).is_some_and(|label| ["3", "4"].contains(&label)))
            .count();
        assert_eq!(left, if part == "test" { 2 } else { 0 }, "{part}");
    }
    let (said, _) = success(&mut narrows(
        place,
        &["score", "run", "--positive", "3,4", "--worst", "2", "--threshold", "0.5"],
    ));
    assert!(said.contains("positive:  2 of 3, 4: ROC-AUC "), "{said}");
    assert!(said.contains("flagged:   ") && place.join("worst.png").exists(), "{said}");
    let (_, notes) = success(&mut narrows(place, &["train", "--resume", "run", "--epochs", "4"]));
    assert!(!notes.contains("split.csv"), "{notes}");
    let said = failure(&mut narrows(place, &["score", "run", "--positive", "12"]));
    assert_eq!(said, "--positive: expected one of the classes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, got 12");
    let said = failure(&mut narrows(place, &["score", "run", "--positive", "0,1,2,3,4,5,6,7,8,9"]));
    assert!(said.starts_with("--positive: expected classes that some of the items are of"), "{said}");
    let said = failure(&mut train(place, &["vae", "--leave-out", "0,1,2,3,4,5,6,7,8,9", "--run", "none"]));
    assert!(said.starts_with("leave_out: expected classes that leave something to train on"), "{said}");
}
