//! What a trained model is worth: the constant answer beside it, and warnings of one that learned nothing.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fmt::Write;
use std::fs;

use narrows::infer::Verdict;
use narrows::model::Registry;
use narrows::reference::loss::LEAST_LOG_VARIANCE;
use narrows::train::Checkpoint;
use pollster::block_on;
use tempfile::TempDir;
use tiny::command::{narrows, success};

/// Ten columns from thousandths to tens of thousands, which two hidden numbers and a little noise decide.
fn table(rows: u32) -> String {
    let number = |seed: u32| {
        f64::from((seed.wrapping_mul(0x9E37_79B9) ^ 0x5bd1).wrapping_mul(0x85EB_CA6B) >> 8)
            / f64::from(1 << 24)
            - 0.5
    };
    let mut text = (0..10).map(|column| format!("c{column}")).collect::<Vec<_>>().join(",") + ",kind\n";
    for row in 0..rows {
        let [a, b] = [number(2 * row), number(2 * row + 1)];
        for column in 0..10 {
            let scale = 10_f64.powi(column - 3);
            let turn = f64::from(column) * 0.7;
            let value = a * turn.cos() + b * turn.sin() + 0.05 * number(row * 10 + column as u32 + 99_999);
            write!(text, "{},", scale * (3.0 + value)).unwrap();
        }
        writeln!(text, "{}", ["calm", "wild"][usize::from(a > 0.0)]).unwrap();
    }
    text
}

fn place() -> TempDir {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("table.csv"), table(300)).unwrap();
    place
}

#[test]
fn a_table_of_very_different_columns_beats_a_constant_answer_at_the_defaults_and_says_so() {
    let place = place();
    let place = place.path();
    let (out, notes) = success(&mut narrows(
        place,
        &["train", "vae", "--data", "table.csv", "--label", "kind", "--hidden", "16", "--run", "run"],
    ));
    assert!(notes.contains("note: epochs: ") && !notes.contains("warning"), "{notes}");
    let compared = out.lines().find(|line| line.starts_with("compare:")).unwrap();
    let numbers: Vec<f64> = compared.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.len() == 2 && numbers[1] < 0.6 * numbers[0], "{compared}");
    // New rows of an old run have the same two beside each other, and the report has.
    let (said, _) = success(&mut narrows(place, &["eval", "run", "--data", "table.csv", "--samples", "0"]));
    assert!(
        said.contains("\nconstant  ") && said.contains(" nats per row of always answering with the mean"),
        "{said}"
    );
    let report = fs::read_to_string(place.join("run/report.html")).unwrap();
    assert!(report.contains("always answering with the mean costs"));
}

#[test]
fn a_collapsed_code_is_warned_of_in_train_eval_and_report() {
    let place = place();
    let place = place.path();
    let arguments = [
        "train",
        "vae",
        "--data",
        "table.csv",
        "--drop",
        "kind",
        "--kl-weight",
        "1000",
        "--epochs",
        "12",
        "--run",
        "run",
    ];
    let (_, notes) = success(&mut narrows(place, &arguments));
    let collapsed =
        "the code collapsed: none of its 20 units is active, so it says next to nothing of the rows";
    let helps = "weigh the KL less (--kl-weight 0.1) or let it grow (--kl-warmup linear)";
    assert!(notes.contains(collapsed) && notes.contains(helps), "{notes}");
    let (_, notes) = success(&mut narrows(place, &["eval", "run", "--samples", "0"]));
    assert!(notes.contains(collapsed), "{notes}");
    let (_, notes) = success(&mut narrows(place, &["report", "run"]));
    assert!(notes.contains(collapsed), "{notes}");
    assert!(fs::read_to_string(place.join("run/report.html")).unwrap().contains(collapsed));
    // Of one row nothing varies.
    fs::write(place.join("one.csv"), table(1)).unwrap();
    let (said, notes) = success(&mut narrows(place, &["eval", "run", "--data", "one.csv", "--samples", "0"]));
    assert!(!said.contains("active units") && !notes.contains("collapsed"), "{said}{notes}");
}

#[test]
fn a_learned_variance_at_its_floor_is_warned_of() {
    let place = place();
    let place = place.path();
    success(&mut narrows(
        place,
        &["train", "mlp", "--data", "table.csv", "--drop", "kind", "--epochs", "3", "--run", "run"],
    ));
    let mut checkpoint =
        Checkpoint::find(&Registry::built_in(), &place.join("run"), None).unwrap().checkpoint;
    let rows = checkpoint.config.data.clone().seen_from(&place.join("run")).load().unwrap().test;
    let mut judge = |log_variance: f32| {
        checkpoint.slots.insert("log_variance".to_owned(), vec![1], vec![log_variance]);
        block_on(Verdict::measure(tiny::device(), &checkpoint, &rows)).unwrap().warnings
    };
    let floor = |warnings: &[String]| {
        warnings.iter().any(|said| said.starts_with("the learned variance is at its floor of 1e-6"))
    };
    assert!(!floor(&judge(LEAST_LOG_VARIANCE + 1.0)));
    assert!(floor(&judge(LEAST_LOG_VARIANCE)) && floor(&judge(-40.0)));
}

#[test]
fn rows_that_are_all_alike_are_warned_of_before_and_after_training() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("alike.csv"), "a,b,c\n".to_owned() + &"3.5,3.5,-1\n".repeat(60)).unwrap();
    let arguments = ["train", "vae", "--data", "alike.csv", "--likelihood", "gaussian-learned"];
    let arguments = [&arguments[..], &["--hidden", "8", "--epochs", "3", "--run", "run"]].concat();
    let (_, notes) = success(&mut narrows(place.path(), &arguments));
    let alike = "warning: the training rows are all alike, so there is nothing to learn";
    assert_eq!(notes.matches(alike).count(), 2, "{notes}");
    assert!(!notes.contains("Train longer"), "{notes}");
}

#[test]
fn a_loss_that_begins_a_thousand_times_too_high_is_warned_of_after_the_first_epoch() {
    let place = place();
    let arguments =
        ["train", "vae", "--data", "table.csv", "--drop", "kind", "--hidden", "16", "--epochs", "3"];
    let (_, notes) =
        success(&mut narrows(place.path(), &[&arguments[..], &["--lr", "3.3", "--run", "far"]].concat()));
    let far = "warning: the loss of the first epoch is ";
    assert!(notes.contains(far) && notes.contains("Lower the learning rate (--lr 0.33)"), "{notes}");
    let (_, notes) = success(&mut narrows(place.path(), &[&arguments[..], &["--run", "near"]].concat()));
    assert!(!notes.contains(far), "{notes}");
}
