//! The command line as people use it: what it prints and writes, how it stops and resumes.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use narrows::model::Registry;
use narrows::train::Checkpoint;
use serde_json::{Value, json};
use tempfile::TempDir;
use tiny::command::{failure, narrows, place, success, train};
use tiny::listing;

#[test]
fn a_run_ends_by_naming_its_pictures_and_can_be_used() {
    let place = place();
    let (out, _) = success(&mut train(place.path(), &["vae", "--epochs", "2"]));
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        lines[0].starts_with("vae on ") && lines[0].contains(": 45 training and 5 validation images"),
        "{out}"
    );
    assert_eq!(lines[1], "reported: each term's sum for an image, averaged over images, unweighted");
    let minimized = "minimized: reconstruction (nats, summed over pixels, averaged over images) + 1 x kl (nats, \
                     summed over the code, averaged over images; kl_weight is its weight)";
    assert_eq!(lines[2], minimized);
    assert!(lines[3].starts_with("epoch   1/2  train ") && lines[3].contains("  validation "), "{out}");
    let run = place.path().join("runs/vae-001");
    let names = ["best.safetensors", "config.toml"].into_iter().map(str::to_owned);
    let pictures = (1..=2)
        .flat_map(|epoch| ["reconstructions", "samples"].map(|kind| format!("epoch-{epoch:03}-{kind}.png")));
    let all: Vec<String> = names
        .chain(pictures)
        .chain(
            ["last.safetensors", "metrics.jsonl", "previous.safetensors", "report.html", "split.csv"]
                .map(str::to_owned),
        )
        .collect();
    assert_eq!(listing(&run), all);
    for kind in ["reconstructions", "samples"] {
        assert!(out.contains(&format!("runs/vae-001/epoch-002-{kind}.png\n")), "{out}");
    }

    let with = |name: &str, more: &[&str]| {
        let (out, _) = success(narrows(place.path(), &[name, "runs/vae-001"]).args(more));
        out
    };
    assert_eq!(with("sample", &["--count", "5"]), "samples.png: 5 images decoded from codes of N(0, 1)\n");
    let said = with("reconstruct", &["--count", "100", "--out", "r.png"]);
    assert_eq!(said, "r.png: 11 test images above their reconstructions\n");
    let said = with("interpolate", &["--from", "0", "--to", "10", "--steps", "3", "--path", "slerp"]);
    assert_eq!(said, "interpolation.png: 3 images decoded from test image 0 to 10\n");
    for picture in ["samples.png", "r.png", "interpolation.png"] {
        assert!(fs::read(place.path().join(picture)).unwrap().starts_with(b"\x89PNG"));
    }
    let said = with("eval", &[]);
    assert!(said.starts_with("11 test images of data, means over images\nreconstruction  "), "{said}");
    let json: Value = serde_json::from_str(&with("eval", &["--json", "--part", "train"])).unwrap();
    assert_eq!(json["images"].as_u64(), Some(45));
    assert_eq!(json["units"], json!({ "reconstruction": "nats", "kl": "nats" }));
    let number = |name: &str| json[name].as_f64().unwrap();
    let term = |name: &str| json["terms"][name].as_f64().unwrap();
    let elbo = -term("reconstruction") - term("kl");
    assert!((number("elbo_nats_per_image") - elbo).abs() < 1e-9);
    assert!((number("reconstruction_per_pixel") * 35.0 - term("reconstruction")).abs() < 1e-9);
    assert!(number("importance_bound_nats_per_image") > elbo && number("importance_samples") == 64.0);
    let variances = json["unit_variances"].as_array().unwrap();
    let active = variances.iter().filter(|variance| variance.as_f64().unwrap() > 0.01).count();
    assert_eq!((variances.len(), json["active_units"].as_u64()), (3, Some(active as u64)));
    let said = with("eval", &["--samples", "2"]);
    assert!(said.contains("bound on log p(x) of 2 samples of z)\nactive units "), "{said}");
    assert!(!with("eval", &["--samples", "0"]).contains("importance"));
}

#[test]
fn a_penalty_is_explained_where_it_is_printed_and_kept() {
    let place = place();
    let flags = ["sparse-kl", "--epochs", "1", "--run", "run", "--sparsity-weight", "0.5", "--json"];
    let (out, err) = success(&mut train(place.path(), &flags));
    let minimized = "reconstruction (nats, averaged over pixels and images) + 0.5 x sparsity (nats, summed over the \
                     units of the code, averaged over images; sparsity_weight is its weight)";
    assert!(err.contains(&format!("minimized: {minimized}\n")), "{err}");
    let config = fs::read_to_string(place.path().join("run/config.toml")).unwrap();
    assert!(config.contains(&format!("\n# Minimized: {minimized}.\n")), "{config}");
    let metrics: Value = serde_json::from_str(&out).unwrap();
    let column = json!({
        "name": "sparsity", "unit": "nats", "over": "the units of the code", "weight": 0.5, "averaged_over": 1,
    });
    assert_eq!(metrics["columns"][1], column);
    assert!(metrics["train"]["terms"]["sparsity"].as_f64().unwrap() > 0.0);
    assert!(metrics["train"].get("elbo").is_none());
    let (said, _) = success(&mut narrows(place.path(), &["eval", "run"]));
    assert!(
        said.contains("\nsparsity  ") && said.contains(" nats per image, summed over the units of the code")
    );
    assert!(said.contains("0.5 sparsity_weight, not included above"), "{said}");
}

#[test]
fn pictures_of_a_denoising_run_show_what_the_trainer_sees() {
    let place = place();
    let (out, _) = success(&mut train(place.path(), &["denoising-dropout", "--epochs", "1"]));
    assert!(out.starts_with("denoising-dropout on "), "{out}");
    let with = |more: &[&str]| {
        success(
            narrows(place.path(), &["reconstruct", "runs/denoising-dropout-001", "--count", "5"]).args(more),
        )
        .0
    };
    with(&[]);
    let said = with(&["--corrupt", "--out", "corrupted.png"]);
    assert_eq!(said, "corrupted.png: 5 test images, corrupted, above their reconstructions\n");
    let height = |path: &str| {
        let picture = image::open(place.path().join(path)).unwrap().to_luma8();
        let zoom = picture.width() / (5 * 6 + 1);
        picture.height() / zoom
    };
    // Rows of seven pixels and a gap, below the first gap.
    assert_eq!(height("reconstructions.png"), 2 * 8 + 1);
    assert_eq!(height("corrupted.png"), 3 * 8 + 1);
    assert_eq!(height("runs/denoising-dropout-001/epoch-001-reconstructions.png"), 3 * 8 + 1);
}

#[test]
fn presets_are_listed_and_one_is_shown_as_a_file_that_trains_alike() {
    let place = place();
    let (list, _) = success(&mut narrows(place.path(), &["presets"]));
    for name in ["linear", "mlp", "denoising", "denoising-dropout", "score", "vae"] {
        assert!(list.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name}: {list}");
    }
    assert!(list.contains("dropout 0.5 rescaled, sgd 1, batch 32, 10 epochs"), "{list}");
    let (shown, _) = success(&mut narrows(place.path(), &["presets", "denoising-dropout"]));
    fs::write(place.path().join("whole.toml"), shown).unwrap();
    fs::write(place.path().join("short.toml"), "preset = \"denoising-dropout\"\n").unwrap();
    let last = |flags: &[&str], run: &str| {
        success(train(place.path(), &["--epochs", "1", "--run", run]).args(flags));
        fs::read(place.path().join(run).join("last.safetensors")).unwrap()
    };
    let named = last(&["denoising-dropout"], "named");
    assert!(named == last(&["--config", "whole.toml"], "whole"), "the whole file");
    assert!(named == last(&["--config", "short.toml"], "short"), "the file that names the preset");
    assert!(named == last(&["denoising-dropout", "--config", "short.toml"], "both"), "both");
    fs::write(place.path().join("variant.toml"), "[model]\nvariant = \"denoising\"\n").unwrap();
    assert!(named == last(&["denoising-dropout", "--config", "variant.toml"], "other"), "its variant");
    assert!(named != last(&["--config", "variant.toml"], "variant"), "the variant's own preset");
}

#[test]
fn codes_are_the_same_as_npy_and_csv() {
    let place = place();
    success(&mut train(place.path(), &["mlp", "--epochs", "1", "--run", "run"]));
    for file in ["codes.npy", "codes.csv"] {
        let (said, _) = success(&mut narrows(place.path(), &["encode", "run", "--out", file]));
        assert_eq!(said, format!("{file}: codes E[z given x] of 11 test images, 3 numbers each\n"));
    }
    let bytes = fs::read(place.path().join("codes.npy")).unwrap();
    let file = npyz::NpyFile::new(&bytes[..]).unwrap();
    assert_eq!(file.shape(), [11, 3]);
    let codes: Vec<f32> = file.into_vec().unwrap();
    let mut reader = csv::Reader::from_path(place.path().join("codes.csv")).unwrap();
    assert_eq!(reader.headers().unwrap(), vec!["z0", "z1", "z2", "label"]);
    for (row, record) in reader.records().map(Result::unwrap).enumerate() {
        let values: Vec<f32> = record.iter().map(|value| value.parse().unwrap()).collect();
        assert_eq!(values, [&codes[3 * row..3 * row + 3], &[(row % 10) as f32]].concat());
    }
}

#[test]
fn json_is_all_there_is_on_standard_output() {
    let place = place();
    let (out, err) = success(&mut train(place.path(), &["vae", "--epochs", "2", "--run", "run", "--json"]));
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(out, fs::read_to_string(place.path().join("run/metrics.jsonl")).unwrap());
    assert_eq!(lines[1]["epoch"], 2);
    assert_eq!(lines[1]["columns"][0]["unit"], "nats");
    assert_eq!(lines[1]["per_image"], "each term's sum for an image, averaged over images, unweighted");
    for part in ["train", "validation"] {
        let means = &lines[1][part];
        let [per_image, kl] = ["reconstruction", "kl"].map(|term| means["terms"][term].as_f64().unwrap());
        assert!((means["reconstruction_per_pixel"].as_f64().unwrap() * 35.0 - per_image).abs() < 1e-9);
        assert!(kl > 0.0 && (means["elbo"].as_f64().unwrap() + per_image + kl).abs() < 1e-9);
    }
    assert!(err.contains("vae on ") && err.contains("run/epoch-002-samples.png"), "{err}");
}

#[test]
fn plain_autoencoders_report_the_mean_over_pixels_too() {
    let place = place();
    let (out, _) = success(&mut train(place.path(), &["mlp", "--epochs", "1", "--json", "--run", "a"]));
    let line: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(line["train"]["terms"].as_object().unwrap().len(), 1);
    let per_pixel = line["train"]["reconstruction_per_pixel"].as_f64().unwrap();
    let (out, _) = success(&mut train(place.path(), &["mlp", "--epochs", "1", "--run", "b"]));
    assert!(out.contains(&format!("({per_pixel:.5} per pixel)")), "{out}");
    let squared = ["mlp", "--epochs", "1", "--likelihood", "squared-error", "--lr", "0.1", "--run", "c"];
    let (out, _) = success(&mut train(place.path(), &squared));
    assert!(
        out.contains("minimized: reconstruction (squared error, averaged over pixels and images)\n"),
        "{out}"
    );
}

#[test]
fn a_runs_own_configuration_repeats_it_to_the_bit() {
    let place = place();
    let flags = ["mlp", "--epochs", "1", "--run", "a", "--seed", "9223372036854775807", "--lr", "0.3"];
    success(train(place.path(), &flags).args(["--bias", "false"]));
    success(&mut narrows(place.path(), &["train", "--config", "a/config.toml", "--run", "b"]));
    for file in ["config.toml", "last.safetensors"] {
        let [a, b] = ["a", "b"].map(|run| fs::read(place.path().join(run).join(file)).unwrap());
        assert!(a == b, "{file} differs");
    }
    success(&mut narrows(
        place.path(),
        &["train", "--config", "a/config.toml", "--hidden", "", "--run", "c"],
    ));
    assert!(fs::read_to_string(place.path().join("c/config.toml")).unwrap().contains("hidden = []"));
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    // Who runs the tests in the background of a script may have Ctrl-C's signal ignored.
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_saves_says_how_to_go_on_and_does() {
    let place = place();
    let flags = ["vae", "--epochs", "3000", "--run", "run", "--json"];
    let mut child =
        train(place.path(), &flags).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("{\"epoch\":1,"));
    interrupt(&child);
    let seen = 1 + lines.map(Result::unwrap).count();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.ends_with("stopped and saved; resume with: narrows train --resume run\n"), "{said}");
    let last = Checkpoint::last(&Registry::built_in(), &place.path().join("run")).unwrap();
    assert_eq!(last.epoch() as usize, seen);
    let epochs = (seen + 1).to_string();
    success(&mut narrows(place.path(), &["train", "--resume", "run", "--epochs", &epochs]));
    let metrics = fs::read_to_string(place.path().join("run/metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), seen + 1);
}

#[test]
fn a_run_is_forked_with_other_settings_and_begun_with_what_another_learned() {
    let place = place();
    success(&mut train(place.path(), &["mlp", "--epochs", "1"]));
    let resume = |flags: &[&str]| {
        let mut command = narrows(place.path(), &["train", "--resume", "runs/mlp-001"]);
        command.args(flags);
        command
    };
    let said = failure(&mut resume(&["--learning-rate", "0.5"]));
    assert_eq!(said, "epochs: expected more than the 1 that are done: give --epochs too, got 1");
    let (out, _) = success(&mut resume(&["--learning-rate", "0.5", "--on-nan", "rewind", "--epochs", "2"]));
    let told = "origin:   forked from runs/mlp-001 after epoch 1, step 6, with epochs 2 instead of 1, learning_rate 0.5 \
                instead of 1.5, on_nan \"rewind\" instead of \"stop\"\n";
    assert!(out.contains(told), "{out}");
    assert!(out.contains("report:   runs/mlp-001-fork-001/report.html"), "{out}");
    let metrics = fs::read_to_string(place.path().join("runs/mlp-001-fork-001/metrics.jsonl")).unwrap();
    assert!(metrics.starts_with("{\"epoch\":2,") && metrics.lines().count() == 1, "{metrics}");
    for flags in [["--hidden", "5"], ["--batch", "4"], ["--seed", "4"]] {
        let said = failure(&mut resume(&flags));
        assert!(said.contains("--init RUN") && said.ends_with(&format!("got {}", &flags[0][2..])), "{said}");
    }
    let said = failure(&mut resume(&["--run", "other"]));
    assert!(said.starts_with("--run: expected no such flag with --resume"), "{said}");

    let (out, _) = success(&mut train(place.path(), &["mlp", "--epochs", "1", "--init", "runs/mlp-001"]));
    assert!(
        out.contains("origin:   begun with the parameters of runs/mlp-001 after epoch 1: 8 of 8\n"),
        "{out}"
    );
    let said = failure(&mut train(place.path(), &["mlp", "--init", "nowhere"]));
    let expected = "--init: expected glorot-uniform, he-uniform, or a run's folder, a checkpoint or a state dict that exists";
    assert!(said.starts_with(expected), "{said}");
    success(&mut train(place.path(), &["mlp", "--epochs", "1", "--init", "he-uniform"]));
}

#[test]
fn every_subcommand_has_help_with_an_example() {
    let place = TempDir::new().unwrap();
    let uses = [
        "reconstruct",
        "sample",
        "interpolate",
        "traverse",
        "embed",
        "encode",
        "decode",
        "score",
        "export",
        "eval",
    ];
    for name in ["train", "presets", "plan", "devices", "bench"].into_iter().chain(uses) {
        let (help, _) = success(&mut narrows(place.path(), &[name, "--help"]));
        assert!(help.contains(&format!("\n  narrows {name}")), "{help}");
    }
    let (list, _) = success(&mut narrows(place.path(), &["devices", "--json"]));
    let list: Value = serde_json::from_str(&list).unwrap();
    assert!(!list.as_array().unwrap().is_empty(), "these tests need a device; scripts/test.sh installs one");
}

#[test]
fn devices_are_measured_by_every_variant_they_run() {
    let place = TempDir::new().unwrap();
    let (list, _) = success(&mut narrows(place.path(), &["devices", "--measure", "--json"]));
    let list: Value = serde_json::from_str(&list).unwrap();
    let measured = &list[0]["measured"];
    assert!(measured["flops_per_second"].as_f64().unwrap() > 0.0, "{measured}");
    let products = measured["product_512_flops_per_second"].as_object().unwrap();
    assert!(products.contains_key("tile128x8") && products.contains_key("register"), "{measured}");
    assert!(products.values().all(|rate| rate.as_f64().unwrap() > 0.0), "{measured}");
}

#[test]
fn the_reference_is_a_device_too() {
    let place = place();
    let flags = ["train", "linear", "--data", "idx", "--data-dir", "data", "--batch", "8", "--epochs", "1"];
    let (out, _) = success(narrows(place.path(), &flags).args(["--device", "cpu"]));
    assert!(out.starts_with("linear on the CPU reference: "), "{out}");
    // On another kind of device a note says what may differ.
    let (_, err) = success(&mut narrows(place.path(), &["eval", "runs/linear-001"]));
    assert!(
        err.contains(
            "note: the model was trained with the kernels of the reference, this device uses those of `rule "
        ),
        "{err}"
    );
}

#[test]
fn a_run_keeps_the_kernels_that_it_began_with() {
    let place = place();
    let place = place.path();
    let train = ["train", "linear", "--data", "idx", "--data-dir", "data", "--batch", "8", "--epochs", "1"];
    success(narrows(place, &train).args(["--kernels", "register", "--schedule", "constant"]));
    let config = fs::read_to_string(place.join("runs/linear-001/config.toml")).unwrap();
    assert!(config.starts_with("# Trained on ") && config.contains("matrix products: register."), "{config}");
    let resume = ["train", "--resume", "runs/linear-001", "--epochs"];
    let (_, err) = success(narrows(place, &resume).arg("2"));
    assert!(!err.contains("the last bits may differ"), "{err}");
    let config = fs::read_to_string(place.join("runs/linear-001/config.toml")).unwrap();
    assert!(config.contains("matrix products: register."), "{config}");
    // Unless others are asked for.
    let (_, err) = success(narrows(place, &resume).args(["3", "--kernels", "tile32x4"]));
    assert!(
        err.contains("trained with the kernels of `register`, this device uses those of `tile32x4`"),
        "{err}"
    );
}

#[test]
fn what_training_takes_of_the_memory_is_told_buffer_by_buffer() {
    let place = place();
    let told = |batch: &str| {
        let flags = ["plan", "linear", "--data", "idx", "--data-dir", "data", "--batch", batch, "--memory"];
        let (out, _) = success(&mut narrows(place.path(), &flags));
        let whole = out.lines().last().unwrap();
        let megabytes: f64 = whole.strip_suffix(" MB in all").unwrap().parse().unwrap();
        for kept in ["images", "parameters", "gradients"] {
            assert!(out.contains(&format!(" kept    {kept}\n")), "{out}");
        }
        megabytes
    };
    assert!(told("40") > told("8"));
    // Only a GPU's kernels split a product, so what lies between its parts is counted with them alone.
    let split = |kernels: &str| {
        let flags = ["plan", "vae", "--hidden", "24", "--batch", "2048", "--memory", "--kernels", kernels];
        success(&mut narrows(place.path(), &flags)).0
    };
    assert!(
        split("tile64x4").contains(" MB of it between the dispatches of split products"),
        "{}",
        split("tile64x4")
    );
    assert!(!split("register").contains("split products"), "{}", split("register"));
    let beside = failure(&mut narrows(place.path(), &["plan", "linear", "--check", "--memory"]));
    assert_eq!(
        beside,
        "--memory: expected a size beside --check and --measure, or neither of them, got none"
    );
    let elsewhere = failure(&mut narrows(place.path(), &["train", "linear", "--memory"]));
    assert_eq!(elsewhere, "--memory: expected a size, such as 512MiB, got none");
}
