//! Settings that are refused: by their names, wherever they are given, and never ignored.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::fs;

use narrows::Error;
use narrows::graph::Shape;
use narrows::model::{
    COMMON, Declare, Model, Network, NoSettings, Preset, Registry, Setting, Settings, Variant, VariantRef,
};
use narrows::train::{Config, DATA, TRAIN};
use tempfile::TempDir;
use tiny::command::{failure, misuse, narrows};
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
        ("[model]\nlatent = \"x\"\n", "c.toml: model.latent: expected a whole number, as 400, got \"x\""),
        ("[train]\nepochs = 3\n[model\n", "c.toml: expected TOML, got in line 3: "),
        ("model = 3\n", "c.toml: model: expected a section [model], got 3"),
        ("[model]\nvariant = \"gan\"\n", "c.toml: model.variant: expected one of linear, mlp, "),
        ("[model]\nvariant = 3\n", "c.toml: variant: expected vae, as the model began, got 3"),
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
        (
            "[model]\nlatent = 0\n",
            "latent: expected at least 1; 0 leaves the code to the last layer of a --stack, or of `encoder` in a file, got 0",
        ),
        (
            "[train]\nseed = -1\n",
            "c.toml: train.seed: expected a whole number from 0 to 9223372036854775807, got -1",
        ),
    ] {
        fs::write(place.path().join("c.toml"), content).unwrap();
        let said = failure(&mut narrows(place.path(), &["train", "--config", "c.toml"]));
        assert!(said.starts_with(expected), "{said}");
    }
    fs::write(place.path().join("c.toml"), "[model]\nvariant = \"mlp\"\n").unwrap();
    let said = failure(&mut narrows(place.path(), &["train", "vae", "--config", "c.toml"]));
    assert_eq!(said, "c.toml: preset: expected vae, as on the command line, got mlp");
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
        ("vae", "train", "rewinds", "5", only("rewinds", "on_nan rewind", "5")),
        ("vae", "train", "plateau_factor", "0.5", only("plateau_factor", "schedule plateau", "0.5")),
        ("vae", "train", "plateau_patience", "5", only("plateau_patience", "schedule plateau", "5")),
        ("vae", "data", "fit", "pad", only("fit", "source folder", "\"pad\"")),
        ("vae", "data", "cache", "kept", only("cache", "source folder", "\"kept\"")),
        ("vae", "data", "missing", "mean", only("missing", "source table", "\"mean\"")),
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
        let sections: [(&str, Vec<Setting>); 3] =
            [("model", of_model(variant)), ("train", TRAIN.to_vec()), ("data", DATA.to_vec())];
        for (section, setting) in
            sections.iter().flat_map(|(section, all)| all.iter().map(move |s| (section, s)))
        {
            // What data say of a conditional model is given where it is another setting.
            let also = if setting.name == "embedding" { "classes = 3\n" } else { "" };
            let when = setting.when.map(|(other, values)| format!("{other} = {:?}\n{also}", values[0]));
            for value in ["0", "-1", "nan", "4294967295", "1e30", "[0]", "[4294967295]"] {
                let text =
                    format!("[{section}]\n{}{} = {value}\n", when.clone().unwrap_or_default(), setting.name);
                let config = Config::preset_of(&registry, variant.name()).unwrap();
                let outcome =
                    config.overlaid(text.parse().unwrap(), "here").and_then(|config| planned(&config));
                let Err(error) = outcome else { continue };
                let Error::Setting { setting: named, .. } = &error else { panic!("{text}{error}") };
                assert!(named.contains(setting.name), "{}: {text}{error}", variant.name());
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
    let preset = said("vae", &|config| config.overlaid("preset = 3".parse().unwrap(), "here").map(drop));
    assert_eq!(preset, "here: preset: expected the name of a preset, got 3");
    let other = "[model]\nvariant = 'mlp'\n";
    let variant = said("vae", &|config| config.overlaid(other.parse().unwrap(), "here").map(drop));
    assert_eq!(variant, "here: variant: expected vae, as the model began, got \"mlp\"");
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

narrows::settings! {
    /// Settings with a name that training has.
    pub struct BatchSettings {
        /// Images
        batch: u32 = 1, "N";
    }
}

narrows::settings! {
    /// Settings with a name that every model has.
    pub struct LatentSettings {
        /// Width
        latent: u32 = 1, "N";
    }
}

impl Settings for BatchSettings {}
impl Settings for LatentSettings {}

macro_rules! variant {
    ($type:ident, $settings:ty, $($preset:literal),*) => {
        struct $type;

        impl Variant for $type {
            const NAME: &'static str = "own";
            const SUMMARY: &'static str = "one of a caller's own";
            const PRESETS: &'static [Preset] = &[$(Preset::new($preset, "", &[])),*];
            type Settings = $settings;
            type Model = Network;

            fn declare(&self, _: $settings, declare: &mut Declare<'_>) -> narrows::Result<Network> {
                declare.network(1)
            }
        }
    };
}

variant!(Fits, NoSettings, "own");
variant!(WithoutPreset, NoSettings,);
variant!(NamedOtherwise, NoSettings, "other");
variant!(WithTakenPreset, NoSettings, "own", "tied");
variant!(WithPresetTwice, NoSettings, "own", "more", "more");
variant!(WithBatch, BatchSettings, "own");
variant!(WithLatent, LatentSettings, "own");

/// Else one of the two would be ignored.
#[test]
fn a_name_of_a_callers_variant_that_stands_for_two_things_is_refused() {
    let built_in = Registry::built_in;
    Config::preset_of(&built_in().with(WithBatch).with(Fits), "own").unwrap();
    for (registry, expected) in [
        (
            built_in().with(WithoutPreset),
            "first preset of the variant own: expected one with the variant's name, got none",
        ),
        (
            built_in().with(NamedOtherwise),
            "first preset of the variant own: expected one with the variant's name, got other",
        ),
        (
            built_in().with(WithTakenPreset),
            "preset of the variant own: expected a name that no other preset has, got tied",
        ),
        (
            built_in().with(WithPresetTwice),
            "preset of the variant own: expected a name that no other preset has, got more",
        ),
        (
            built_in().with(WithBatch),
            "setting of the variant own: expected a name that no setting of models or of training has, got batch",
        ),
        (
            built_in().with(WithLatent),
            "setting of the variant own: expected a name that no setting of models or of training has, got latent",
        ),
    ] {
        assert_eq!(Config::preset_of(&registry, "vae").unwrap_err().to_string(), expected);
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
