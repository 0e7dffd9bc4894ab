//! Mistakes and mishaps on the command line: one clear line, the right exit code, nothing lost.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;
use std::process::{Command, Output, Stdio};

use narrows::Error;
use narrows::graph::Shape;
use narrows::model::{COMMON, Model, Registry, Setting, VariantRef};
use narrows::train::{Config, TRAIN};
use tempfile::TempDir;
use tiny::command::{failure, misuse, narrows, place, success, text, train};
use tiny::listing;

#[test]
fn a_mistake_in_a_configuration_is_named_with_its_file() {
    let place = TempDir::new().unwrap();
    for (content, expected) in [
        (
            "[model]\nlatnt = 3\n",
            "c.toml: setting of the variant vae: expected latent (the nearest name), or one of hidden, ",
        ),
        (
            "[modle]\nlatent = 3\n",
            "c.toml: expected model (the nearest name), or one of train, data, preset, got `modle`",
        ),
        ("[model]\nlatent = \"x\"\n", "c.toml: model.latent: expected u32, got invalid type: string \"x\""),
        ("[train]\nepochs = 3\n[model\n", "c.toml: expected TOML, got in line 3: "),
        ("model = 3\n", "c.toml: model: expected a section [model], got 3"),
        ("[model]\nvariant = \"gan\"\n", "c.toml: model.variant: expected one of linear, mlp, "),
        ("preset = \"gan\"\n", "c.toml: preset: expected one of linear, mlp, "),
        ("preset = 3\n", "c.toml: preset: expected the name of a preset, got 3"),
        (
            "preset = \"denoising-dropout\"\n[model]\nvariant = \"mlp\"\n",
            "c.toml: model.variant: expected denoising, as of the preset denoising-dropout, got mlp",
        ),
        (
            "[model]\nvariant = \"denoising\"\ncorruption = \"none\"\n",
            "corruption: expected gaussian, dropout or salt-and-pepper for a denoising autoencoder, got none",
        ),
        ("[model]\nlatent = 0\n", "latent: expected at least 1 without layers in `encoder`, got 0"),
        ("[train]\nseed = -1\n", "c.toml: train.seed: expected u64, got invalid value: integer `-1`"),
    ] {
        fs::write(place.path().join("c.toml"), content).unwrap();
        let said = failure(&mut narrows(place.path(), &["train", "--config", "c.toml"]));
        assert!(said.starts_with(expected), "{said}");
    }
    fs::write(place.path().join("c.toml"), "[model]\nvariant = \"mlp\"\n").unwrap();
    let said = failure(&mut narrows(place.path(), &["train", "vae", "--config", "c.toml"]));
    assert_eq!(said, "c.toml: preset: expected vae, as the command says, got mlp");
    assert!(
        failure(&mut narrows(place.path(), &["train", "--config", "d.toml"]))
            .starts_with("d.toml: cannot read: ")
    );
    assert_eq!(listing(place.path()), ["c.toml"]);
}

/// A setting that the variant does not have, or that another one switches off, is never ignored.
#[test]
fn a_setting_that_does_not_apply_is_refused_in_a_file_in_flags_and_in_the_library() {
    let place = TempDir::new().unwrap();
    // Variant, section, setting, value, and what is said of it, wherever it stands.
    let foreign = |variant: &str, owner: &str| {
        format!(
            "setting of the variant {variant}: expected a setting that applies ({owner}), one of hidden, latent, "
        )
    };
    let only = |setting: &str, with: &str, value: &str| {
        format!("{setting}: expected nothing but with the {with}, got {value}")
    };
    for (variant, section, setting, value, expected) in [
        ("mlp", "model", "kl_weight", "0.5", foreign("mlp", "kl_weight is one of vae")),
        ("mlp", "model", "free_bits", "0.5", foreign("mlp", "free_bits is one of vae")),
        ("mlp", "model", "kl_warmup", "linear", foreign("mlp", "kl_warmup is one of vae")),
        ("vae", "model", "contraction", "exact", foreign("vae", "contraction is one of contractive")),
        ("vae", "model", "deviation", "0.5", only("deviation", "likelihood gaussian", "0.5")),
        (
            "vae",
            "model",
            "corruption_amount",
            "0.5",
            only("corruption_amount", "corruption gaussian or dropout or salt-and-pepper", "0.5"),
        ),
        (
            "denoising",
            "model",
            "corruption_rescale",
            "true",
            only("corruption_rescale", "corruption dropout", "true"),
        ),
        (
            "vae",
            "model",
            "kl_warmup_epochs",
            "3",
            only("kl_warmup_epochs", "kl_warmup linear or cyclical", "3"),
        ),
        ("vae", "model", "kl_cycles", "3", only("kl_cycles", "kl_warmup cyclical", "3")),
        ("sparse", "model", "sparsity_target", "0.5", only("sparsity_target", "sparsity kl", "0.5")),
        ("vae", "train", "momentum", "0.5", only("momentum", "optimizer sgd", "0.5")),
        ("mlp", "train", "beta1", "0.5", only("beta1", "optimizer adam or adamw", "0.5")),
    ] {
        let flag = format!("--{}", setting.replace('_', "-"));
        let said = failure(&mut narrows(place.path(), &["train", variant, &flag, value]));
        assert!(said.starts_with(&format!("command line: {expected}")), "{flag}: {said}");

        let word = value.parse::<f64>().is_err() && value.parse::<bool>().is_err();
        let quoted = if word { format!("\"{value}\"") } else { value.to_owned() };
        let text = format!("preset = \"{variant}\"\n[{section}]\n{setting} = {quoted}\n");
        fs::write(place.path().join("c.toml"), &text).unwrap();
        let said = failure(&mut narrows(place.path(), &["train", "--config", "c.toml"]));
        assert!(said.starts_with(&format!("c.toml: {expected}")), "{text}: {said}");

        let config = Config::preset(variant).unwrap();
        let said = config.overlaid(text.parse().unwrap(), "here").unwrap_err().to_string();
        assert!(said.starts_with(&format!("here: {expected}")), "{text}: {said}");
    }
    assert_eq!(listing(place.path()), ["c.toml"]);
}

/// Every setting of every variant: a value is taken, or refused by the setting's name.
#[test]
fn a_value_that_makes_no_sense_is_refused_by_the_name_of_its_setting() {
    let registry = Registry::built_in();
    let planned = |config: &Config| {
        config.check()?;
        let model = Model::new(&config.model, Shape::new(28, 28, 1))?;
        let update = config.train.update(60_000)?;
        model.training(config.train.batch, 60_000, true, &update, false).map(drop)
    };
    let of_model = |variant: &VariantRef| COMMON.iter().chain(variant.settings()).copied().collect();
    for variant in registry.variants() {
        let sections: [(&str, Vec<Setting>); 2] = [("model", of_model(variant)), ("train", TRAIN.to_vec())];
        for (section, setting) in
            sections.iter().flat_map(|(section, all)| all.iter().map(move |s| (section, s)))
        {
            let when = setting.when.map(|(other, values)| format!("{other} = {:?}\n", values[0]));
            for value in ["0", "-1", "nan", "4294967295", "1e30", "[0]", "[4294967295]"] {
                let text =
                    format!("[{section}]\n{}{} = {value}\n", when.clone().unwrap_or_default(), setting.name);
                let config = Config::preset_of(&registry, variant.name()).unwrap();
                let outcome =
                    config.overlaid(text.parse().unwrap(), "here").and_then(|config| planned(&config));
                let Err(error) = outcome else { continue };
                let Error::Setting { setting: named, .. } = &error else { panic!("{text}{error}") };
                // Layers that are listed for another code do not fit it.
                let listed = (variant.name(), setting.name) == ("cnn", "latent") && named == "decoder";
                assert!(named.contains(setting.name) || listed, "{}: {text}{error}", variant.name());
            }
        }
    }
    for (variant, setting, value, expected) in [
        ("iwae", "samples", 0.into(), "from 1 to 65000, got 0"),
        ("iwae", "samples", 100_000.into(), "from 1 to 65000, got 100000"),
        ("sparse", "sparsity_weight", f64::NAN.into(), "a number that is not negative, got NaN"),
        ("contractive", "contraction_weight", (-1).into(), "a number that is not negative, got -1"),
        ("adversarial", "critic_learning_rate", 0.into(), "a positive number, got 0"),
        (
            "adversarial",
            "critic_hidden",
            toml::Value::Array(vec![0.into()]),
            "layers of at least 1 unit, got [0]",
        ),
        ("vae", "free_bits", f64::INFINITY.into(), "a number that is not negative, got inf"),
    ] {
        let mut config = Config::preset(variant).unwrap();
        config.model.set(setting, value).unwrap();
        let error = config.check().unwrap_err().to_string();
        assert_eq!(error, format!("{setting}: expected {expected}"));
    }
}

/// As fields and by [`narrows::model::ModelConfig::set`], where no text is between.
#[test]
fn the_library_refuses_settings_that_do_not_apply_too() {
    let said = |preset: &str, change: &dyn Fn(&mut Config) -> narrows::Result<()>| {
        let mut config = Config::preset(preset).unwrap();
        let outcome = change(&mut config).and_then(|()| config.check());
        outcome.unwrap_err().to_string()
    };
    let set = |name: &'static str| move |config: &mut Config| config.model.set(name, 0.5);
    let foreign = said("mlp", &set("kl_weight"));
    let applies = "setting of the variant mlp: expected a setting that applies (kl_weight is one of vae), one of hidden, ";
    assert!(foreign.starts_with(applies), "{foreign}");
    let typo = said("vae", &set("kl_wieght"));
    let nearest = "setting of the variant vae: expected kl_weight (the nearest name), or one of hidden, ";
    assert!(typo.starts_with(nearest), "{typo}");
    let variant = said("vae", &|config| config.model.set("variant", "mlp"));
    assert_eq!(variant, "variant: expected vae, as the model began, got \"mlp\"");
    let unused = said("vae", &|config| config.model.set("kl_warmup_epochs", 3));
    assert_eq!(unused, "kl_warmup_epochs: expected nothing but with the kl_warmup linear or cyclical, got 3");
    type Change = fn(&mut Config);
    let fields: [(&str, Change, &str); 4] = [
        (
            "vae",
            |config| config.model.deviation = Some(0.5),
            "deviation: expected nothing but with the likelihood",
        ),
        (
            "vae",
            |config| config.model.corruption_amount = Some(0.5),
            "corruption_amount: expected nothing but with the corruption gaussian or ",
        ),
        (
            "vae",
            |config| config.train.momentum = Some(0.5),
            "momentum: expected nothing but with the optimizer sgd",
        ),
        (
            "mlp",
            |config| config.train.beta1 = Some(0.5),
            "beta1: expected nothing but with the optimizer adam or ",
        ),
    ];
    for (preset, change, expected) in fields {
        let text = said(preset, &|config| {
            change(config);
            Ok(())
        });
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn a_typo_is_told_the_nearest_name() {
    let place = TempDir::new().unwrap();
    for (text, nearest) in [
        ("[model]\nkl_wieght = 0.5\n", "setting of the variant vae: expected kl_weight"),
        ("[model]\nactivatoin = \"relu\"\n", "setting of the variant vae: expected activation"),
        ("[train]\nlearning_rat = 0.5\n", "setting of training: expected learning_rate"),
    ] {
        fs::write(place.path().join("c.toml"), text).unwrap();
        let said = failure(&mut narrows(place.path(), &["train", "--config", "c.toml"]));
        assert!(said.starts_with(&format!("c.toml: {nearest} (the nearest name), or one of ")), "{said}");
        let config = Config::preset("vae").unwrap().overlaid(text.parse().unwrap(), "here");
        assert!(config.unwrap_err().to_string().starts_with(&format!("here: {nearest} (the nearest name)")));
    }
    let said = misuse(&mut narrows(place.path(), &["train", "--kl-wieght", "0.5"]));
    assert!(said.contains("a similar argument exists: '--kl-weight'"), "{said}");
}

#[test]
fn a_mistake_in_the_flags_is_one_line_and_leaves_nothing() {
    let place = place();
    for (arguments, expected) in [
        (&["train", "foo"][..], "preset: expected one of linear, mlp, "),
        (
            &["train", "vae", "--activation", "reluu"],
            "command line: model.activation: expected one of `identity`,",
        ),
        (
            &["train", "--likelihood", "poisson"],
            "command line: model.likelihood: expected one of `bernoulli`,",
        ),
        (&["presets", "foo"], "preset: expected one of linear, mlp, "),
        (
            &["train", "denoising-dropout", "--corruption-amount", "1"],
            "corruption_amount: expected a probability below 1 with dropout that is rescaled, got 1",
        ),
        (&["train", "--lr", "-1"], "learning_rate: expected a positive number, got -1"),
        (&["train", "--epochs", "0"], "epochs: expected at least 1, got 0"),
        (
            &["train", "mlp", "--sparsity", "l1"],
            "command line: setting of the variant mlp: expected a setting that applies (sparsity is one of sparse), \
             one of hidden, ",
        ),
        (
            &["train", "sparse-kl", "--code-activation", "relu"],
            "code_activation: expected sigmoid with the sparsity kl",
        ),
        (
            &["train", "sparse-kl", "--sparsity-target", "1"],
            "sparsity_target: expected above 0 and below 1, got 1",
        ),
        (&["train", "--kl-warmup", "cyclical", "--kl-cycles", "0"], "kl_cycles: expected at least 1, got 0"),
        (&["train", "--seed", "9223372036854775808"], "command line: train.seed: expected u64, got "),
        (&["train", "--hidden", "4,x"], "command line: model.hidden: expected u32, got "),
        (&["train", "--clip-norm", "0"], "clip_norm: expected a positive number, got 0"),
        (&["train", "--latent", "0"], "latent: expected at least 1 without layers in `encoder`, got 0"),
        (
            &["train", "--hidden", "4000000000"],
            "hidden, latent, encoder, decoder: expected layers of at most 2147483648 weights",
        ),
        (
            &["train", "--data", "idx", "--data-dir", "nowhere"],
            "data set idx: expected a folder of IDX files at nowhere",
        ),
        (
            &["train", "--data", "idx", "--data-dir", "data", "--batch", "46"],
            "batch: expected between 1 and the 45 images",
        ),
        (
            &["train", "--run", "data/t10k-labels-idx1-ubyte/x"],
            "data/t10k-labels-idx1-ubyte/x: cannot create: ",
        ),
        (&["train", "--device", "nonsense"], "no device matches the name \"nonsense\"; available: "),
        (
            &["train", "--device", "cpu", "--matmul", "tile"],
            "--matmul: expected no such flag with --device cpu",
        ),
        (&["train", "--matmul", "foo"], "matmul variant: expected tile, register or shuffle, got foo"),
        (
            &["train", "--resume", "nowhere"],
            "nowhere: expected a run's folder, with last.safetensors, found no such folder",
        ),
        (
            &["train", "--resume", "data"],
            "data: expected a run's folder, with last.safetensors, found a folder without it",
        ),
        (&["plan", "--check", "--device", "cpu"], "--check: expected a device to hold against the reference"),
        (&["eval", "data"], "data: expected a run's folder, with last.safetensors"),
        (&["eval", "x.safetensors"], "x.safetensors: cannot read: "),
        (&["sample", "x", "--out", "y/x.png"], "--out: expected a file in a folder that exists, got y"),
        (&["sample", "x", "--out", "x.jpg"], "--out: expected a name ending in .png, got x.jpg"),
        (&["encode", "x", "--out", "x.txt"], "--out: expected a name ending in .npy or .csv, got x.txt"),
    ] {
        let said = failure(&mut narrows(place.path(), arguments));
        assert!(said.starts_with(expected), "{arguments:?}: {said}");
    }
    for (arguments, expected) in [
        (&["trian"][..], "a similar subcommand exists: 'train'"),
        (&["sample", "x", "--count", "0"], "0 is not in 1..=10000"),
        (&["eval", "x", "--part", "all"], "[possible values: test, validation, train]"),
    ] {
        let said = misuse(&mut narrows(place.path(), arguments));
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    let made: Vec<String> = listing(place.path()).into_iter().filter(|name| name != "runs").collect();
    assert_eq!(made, ["data"]);
    assert!(!place.path().join("runs").exists() || listing(&place.path().join("runs")).is_empty());
}

#[test]
fn a_resumed_run_takes_only_epochs_and_the_datas_place() {
    let place = place();
    success(&mut train(place.path(), &["mlp", "--epochs", "1", "--run", "run"]));
    let resume = |more: &[&str]| {
        let mut command = narrows(place.path(), &["train", "--resume", "run"]);
        command.args(more);
        command
    };
    let (out, _) = success(&mut resume(&[]));
    assert!(out.starts_with("all 1 epochs are done; --epochs with more than 1 goes on\n"), "{out}");
    fs::rename(place.path().join("data"), place.path().join("moved")).unwrap();
    assert!(failure(&mut resume(&["--epochs", "2"])).contains("expected a folder of IDX files at data"));
    success(&mut resume(&["--epochs", "2", "--data-dir", "moved"]));
    assert!(place.path().join("run/epoch-002-reconstructions.png").exists());
    for (flags, named) in [
        (&["--lr", "0.1"][..], "learning_rate"),
        (&["vae"], "preset vae"),
        (&["--data", "mnist", "--validation", "2"], "source, validation"),
        (&["--config", "run/config.toml"], "config"),
    ] {
        let expected =
            "--resume: expected only --epochs and --data-dir with it: every other setting is the run's, got ";
        assert_eq!(failure(&mut resume(flags)), format!("{expected}{named}"));
    }
    assert!(misuse(&mut resume(&["--run", "other"])).contains("cannot be used with"));
    // Found out before the data are looked for.
    let again = failure(&mut train(place.path(), &["mlp", "--run", "run"]));
    assert_eq!(again, "run: expected a folder without a run, or --resume to continue this one, found a run");
}

#[test]
fn only_what_has_a_prior_can_be_sampled() {
    let place = place();
    success(&mut train(place.path(), &["mlp", "--epochs", "1", "--run", "run"]));
    let said = failure(&mut narrows(place.path(), &["sample", "run"]));
    assert_eq!(
        said,
        "sample: expected a model with a prior, as a variational autoencoder, got mlp, whose codes have no prior to draw from"
    );
    let said = failure(&mut narrows(place.path(), &["reconstruct", "run", "--corrupt"]));
    assert_eq!(
        said,
        "--corrupt: expected a model trained on corrupted images, got mlp, trained on images as they are"
    );
    let said = failure(&mut narrows(place.path(), &["eval", "run", "--data", "sample"]));
    assert_eq!(
        said,
        "data set sample: expected images of 7 x 5 x 1, as in training, got images of 28 x 28 x 1"
    );
    let said =
        failure(&mut narrows(place.path(), &["eval", "run", "--validation", "0", "--part", "validation"]));
    assert_eq!(said, "--part: expected a part with images, got validation, which has none");
}

#[test]
fn a_closed_pipe_ends_quietly_and_does_not_end_a_run() {
    let place = place();
    // Not even the first line finds a reader.
    let unread = |mut command: Command| {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let Output { status, stderr, .. } = child.wait_with_output().unwrap();
        let said = text(&stderr);
        assert!(status.success() && !said.contains("panicked") && !said.contains("pipe"), "{status}: {said}");
    };
    unread(narrows(place.path(), &["plan", "vae"]));
    unread(narrows(place.path(), &["devices", "--json"]));
    unread(train(place.path(), &["mlp", "--epochs", "2", "--run", "run"]));
    assert!(place.path().join("run/epoch-002-reconstructions.png").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_of_and_loses_no_run() {
    let place = place();
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let told = |command: &mut Command| {
        let said = failure(command.stdout(full()));
        assert!(said.starts_with("standard output: cannot write: No space left on device"), "{said}");
    };
    told(&mut narrows(place.path(), &["devices"]));
    told(&mut train(place.path(), &["mlp", "--epochs", "2", "--run", "run"]));
    assert!(place.path().join("run/epoch-002-reconstructions.png").exists());
    for (name, file) in [("reconstruct", "full.png"), ("encode", "full.npy"), ("encode", "full.csv")] {
        std::os::unix::fs::symlink("/dev/full", place.path().join(file)).ok();
        let said = failure(&mut narrows(place.path(), &[name, "run", "--out", file]));
        assert!(said.starts_with(&format!("{file}: cannot write: No space left on device")), "{said}");
    }
}
