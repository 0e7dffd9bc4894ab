//! Whole training steps against PyTorch's: every gradient, ten losses, the parameters at the end.
//!
//! `tests/golden/README.md` says what the files hold and how they were made.
#![allow(clippy::panic, clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use common::{devices, title};
use narrows::graph::{Device, ParameterLayout, Plan, Replay, Shape, Store, StoreKind, TermSpec};
use narrows::model::{CommonSettings, LikelihoodKind, Model, ReductionKind, Registry};
use narrows::train::{Config, OptimizerKind, TrainConfig, packed};
use safetensors::SafeTensors;
use serde_json::Value;

const CASES: usize = 40;

// All relative to a tensor's largest value.
struct Allowed {
    gradient: f32,
    loss: f32,
    end: f32,
}

// What PyTorch's own float32 strays by, as `make.py` prints it. Measured: 2.4e-7, 2.7e-7, 3.5e-7.
const REFERENCE: Allowed = Allowed { gradient: 5e-7, loss: 5e-7, end: 5e-7 };
// Measured: 2.7e-6, 7.7e-7, 7.9e-7 on lavapipe, 1.2e-6, 8.7e-7, 3.3e-6 on SwiftShader. WGSL lets exp and
// tanh be some times worse than theirs.
const ON_A_DEVICE: Allowed = Allowed { gradient: 5e-6, loss: 2e-6, end: 5e-6 };

struct Case {
    name: String,
    config: Value,
    tensors: HashMap<String, (Vec<usize>, Vec<f32>)>,
    images: Vec<u8>,
    // None for a model that is not conditional.
    labels: Option<Vec<u32>>,
}

impl Case {
    fn load(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let config = serde_json::from_str(&header.metadata().as_ref().unwrap()["config"]).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let images = file.tensor("images").unwrap().data().to_vec();
        let labels = file.tensor("labels").ok();
        let labels = labels.map(|labels| labels.data().iter().map(|label| u32::from(*label)).collect());
        let floats = file.iter().filter(|(name, _)| !["images", "labels"].contains(name));
        let tensors = floats.map(|(name, tensor)| {
            (name.to_owned(), (tensor.shape().to_vec(), bytemuck::pod_collect_to_vec(tensor.data())))
        });
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Self { name, tensors: tensors.collect(), config, images, labels }
    }

    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
        paths.sort();
        assert!(paths.len() >= CASES, "{} golden files, expected {CASES}", paths.len());
        paths.iter().map(|path| Self::load(path)).collect()
    }

    fn number(&self, key: &str) -> f64 {
        self.config[key].as_f64().unwrap_or_else(|| panic!("{}: no number {key}", self.name))
    }

    fn text(&self, key: &str) -> &str {
        self.config[key].as_str().unwrap_or_else(|| panic!("{}: no text {key}", self.name))
    }

    // A preset made small, where the case is one of `presets.py`.
    fn preset(&self) -> Option<Config> {
        let mut settings: toml::Table = serde_json::from_value(self.config.get("settings")?.clone()).unwrap();
        // The files are older than the warm-up's place among the variant's own settings.
        let train = settings["train"].as_table_mut().unwrap();
        let warmup = train.clone().into_iter().filter(|(name, _)| name.starts_with("kl_"));
        train.retain(|name, _| !name.starts_with("kl_"));
        settings["model"].as_table_mut().unwrap().extend(warmup);
        let preset = Config::preset(self.text("preset")).unwrap_or_else(|e| panic!("{}: {e}", self.name));
        Some(preset.overlaid(settings, &self.name).unwrap_or_else(|e| panic!("{e}")))
    }

    fn model(&self) -> Model {
        if let Some(config) = self.preset() {
            let [height, width, channels] = serde_json::from_value(self.config["image"].clone()).unwrap();
            return Model::new(&config.model, Shape::new(height, width, channels))
                .unwrap_or_else(|e| panic!("{}: {e}", self.name));
        }
        let config = &self.config;
        let hidden: Vec<u32> = serde_json::from_value(config["hidden"].clone()).unwrap();
        let variant = match &config["kl_weight"] {
            Value::Null if hidden.is_empty() => "linear",
            Value::Null => "mlp",
            _ => "vae",
        };
        let likelihood = &config["likelihood"];
        let activation = |key| self.text(key).parse().unwrap();
        let mut model = Config::preset(variant).unwrap().model;
        model.common = CommonSettings {
            hidden,
            latent: self.number("latent") as u32,
            activation: activation("activation"),
            code_activation: activation("code_activation"),
            output_activation: activation("output_activation"),
            likelihood: match likelihood["name"].as_str().unwrap() {
                "bernoulli" => LikelihoodKind::Bernoulli,
                "squared_error" => LikelihoodKind::SquaredError,
                "gaussian" => LikelihoodKind::Gaussian,
                "gaussian_learned" => LikelihoodKind::GaussianLearned,
                other => panic!("{}: likelihood {other}", self.name),
            },
            deviation: likelihood["deviation"].as_f64().map(|deviation| deviation as f32),
            bias: config["bias"].as_bool().unwrap(),
            reduction: match self.text("reduction") {
                "image" => ReductionKind::Image,
                "pixel" => ReductionKind::Pixel,
                other => panic!("{}: reduction {other}", self.name),
            },
            ..CommonSettings::default()
        };
        if let Some(weight) = config["kl_weight"].as_f64() {
            model.set("kl_weight", weight).unwrap();
        }
        Model::new(&model, Shape::flat(self.number("pixels") as u32))
            .unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    fn settings(&self) -> TrainConfig {
        if let Some(config) = self.preset() {
            return config.train;
        }
        let optimizer = &self.config["optimizer"];
        let number = |key: &str| optimizer[key].as_f64();
        TrainConfig {
            epochs: 1,
            batch: self.number("count") as u32,
            optimizer: match optimizer["name"].as_str().unwrap() {
                "sgd" => OptimizerKind::Sgd,
                "adam" => OptimizerKind::Adam,
                "adamw" => OptimizerKind::AdamW,
                other => panic!("{}: optimizer {other}", self.name),
            },
            learning_rate: number("learning_rate").unwrap() as f32,
            momentum: number("momentum").map(|momentum| momentum as f32),
            beta1: number("beta1"),
            beta2: number("beta2"),
            epsilon: number("epsilon").map(|epsilon| epsilon as f32),
            weight_decay: number("weight_decay").unwrap_or(0.0) as f32,
            seed: self.config["seed"].as_u64().unwrap(),
            ..TrainConfig::default()
        }
    }

    // The named tensors under a prefix, in a flat buffer.
    fn flat(&self, layout: &ParameterLayout, prefix: &str) -> Vec<f32> {
        let named = |name: &str| {
            self.tensors.get(&format!("{prefix}.{name}")).map(|(shape, values)| (shape.clone(), &values[..]))
        };
        layout.pack(named).unwrap_or_else(|error| panic!("{} {prefix}: {error}", self.name))
    }

    fn replay(&self, device: &Device) -> Replay {
        let settings = self.settings();
        let count = settings.batch;
        let update = settings.update(count).unwrap();
        let plan = self.model().training(count, count, false, &update, false).unwrap();
        let groups = stores(&plan, StoreKind::Parameters);
        let mut replay = pollster::block_on(Replay::new(device, plan)).unwrap();
        replay.write("images", &packed(&self.images)).unwrap();
        if let Some(labels) = &self.labels {
            replay.write("labels", labels).unwrap();
        }
        if let Some(config) = self.preset().filter(|config| config.model.center) {
            assert_eq!(self.images.len() % config.train.batch as usize, 0);
            replay.write_floats("center", &mean(&self.images, config.train.batch as usize)).unwrap();
        }
        replay.write_initial(settings.seed).unwrap();
        for Store { name, layout, .. } in &groups {
            replay.write_floats(name, &self.flat(layout, "initial")).unwrap();
        }
        replay
    }
}

fn stores(plan: &Plan, kind: StoreKind) -> Vec<Store> {
    plan.stores.iter().filter(|store| store.kind == kind).cloned().collect()
}

// What the files call a term: the first two as they were before there could be others.
fn term_name(at: usize, term: &TermSpec) -> String {
    match at {
        0 => "reconstruction".to_owned(),
        1 => "penalty".to_owned(),
        _ => format!("term.{}", term.name),
    }
}

// The mean image of `count`.
fn mean(images: &[u8], count: usize) -> Vec<f32> {
    let pixels = images.len() / count;
    let sum =
        |pixel: usize| images.iter().skip(pixel).step_by(pixels).map(|byte| f64::from(*byte)).sum::<f64>();
    (0..pixels).map(|pixel| (sum(pixel) / (255.0 * count as f64)) as f32).collect()
}

// The larger; where f32::max would drop a NaN, this keeps it.
fn worse(a: f32, b: f32) -> f32 {
    if a.is_nan() || b <= a { a } else { b }
}

// Gathers every deviation, so that one failure does not hide the others.
#[derive(Default)]
struct Findings {
    failures: Vec<String>,
    worst: HashMap<&'static str, f32>,
}

impl Findings {
    fn compare(&mut self, kind: &'static str, what: &str, got: &[f32], expected: &[f32], allowed: f32) {
        let largest = expected.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        let difference = got.iter().zip(expected).map(|(got, expected)| (got - expected).abs());
        let deviation = difference.fold(0.0, worse) / largest.max(f32::MIN_POSITIVE);
        let worst = self.worst.entry(kind).or_default();
        *worst = worse(*worst, deviation);
        if got.len() != expected.len() || deviation.is_nan() || deviation > allowed {
            self.failures
                .push(format!("{what}: off by {deviation:.1e} of its largest, allowed {allowed:.1e}"));
        }
    }

    // Every named slot by itself, and zeros between the slots.
    fn compare_flat(
        &mut self,
        kind: &'static str,
        what: &str,
        layout: &ParameterLayout,
        got: &[f32],
        expected: &[f32],
        allowed: f32,
    ) {
        let mut padding = got.to_vec();
        for parameter in layout.iter() {
            let what = format!("{what} {kind} {}", parameter.name);
            let (got, expected) = (layout.view(parameter, got), layout.view(parameter, expected));
            self.compare(kind, &what, got, expected, allowed);
            padding[parameter.offset..parameter.offset + parameter.len()].fill(0.0);
        }
        if padding.iter().any(|word| word.to_bits() != 0) {
            self.failures.push(format!("{what} {kind}: something between the slots"));
        }
    }
}

fn check(case: &Case, device: &Device, allowed: &Allowed, findings: &mut Findings) {
    let what = format!("{} on {}", case.name, title(device));
    let mut replay = case.replay(device);
    let groups = stores(replay.plan(), StoreKind::Parameters);
    let read = |replay: &Replay, name: &str| pollster::block_on(replay.read_floats(name)).unwrap();
    pollster::block_on(replay.run(1)).unwrap();
    for Store { name, layout, .. } in &groups {
        // By the update and the group, which have one name wherever they are not the plain ones.
        let range = match name.strip_prefix("parameters.") {
            None => "gradients".to_owned(),
            Some(group) => format!("gradients.{group}.{group}"),
        };
        let gradients = read(&replay, &range);
        let expected = case.flat(layout, "gradient");
        findings.compare_flat("gradient", &what, layout, &gradients, &expected, allowed.gradient);
    }

    let steps = case.number("steps") as u32;
    assert!(steps <= Plan::ring_steps());
    pollster::block_on(replay.run(steps - 1)).unwrap();
    let ring = read(&replay, "ring");
    let terms = replay.plan().terms.clone();
    for (slot, term) in terms.iter().enumerate() {
        let got = &ring[slot * Plan::ring_steps() as usize..][..steps as usize];
        let expected = &case.tensors[&term_name(slot, term)].1;
        findings.compare("loss", &format!("{what} {}", term.name), got, expected, allowed.loss);
    }
    for Store { name, layout, .. } in &groups {
        let end = case.flat(layout, "final");
        findings.compare_flat("end", &what, layout, &read(&replay, name), &end, allowed.end);
    }
    if let Ok(statistics) = replay.plan().layout("statistics") {
        let expected = case.flat(statistics, "statistic");
        let got = read(&replay, "statistics");
        findings.compare_flat("statistic", &what, statistics, &got, &expected, allowed.end);
    }
    for Store { name, layout, .. } in stores(replay.plan(), StoreKind::Moments) {
        let values = read(&replay, &name);
        // PyTorch's are not in the file; what lies between the slots must stay zero all the same.
        findings.compare_flat("moment", &what, &layout, &values, &values, 0.0);
    }
}

fn check_all(devices: impl Iterator<Item = Device>, allowed: &Allowed) {
    let cases = Case::all();
    // Most of the time goes into compiling shaders, which a driver does on one processor.
    let findings: Vec<Findings> = std::thread::scope(|scope| {
        let on = |device: Device| {
            let cases = &cases;
            scope.spawn(move || {
                let mut findings = Findings::default();
                cases.iter().for_each(|case| check(case, &device, allowed, &mut findings));
                println!("{}: largest deviations {:?}", title(&device), findings.worst);
                findings
            })
        };
        let threads: Vec<_> = devices.map(on).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let failures: Vec<String> = findings.into_iter().flat_map(|findings| findings.failures).collect();
    assert!(failures.is_empty(), "{} differ from PyTorch:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_reference_takes_pytorchs_steps() {
    check_all(std::iter::once(Device::Cpu), &REFERENCE);
}

#[test]
fn every_matmul_variant_takes_pytorchs_steps() {
    check_all(devices(), &ON_A_DEVICE);
}

#[test]
fn every_preset_has_a_case() {
    let cases = Case::all();
    let registry = Registry::built_in();
    let missing: Vec<&str> = registry
        .presets()
        .map(|(_, preset)| preset.name)
        .filter(|name| cases.iter().all(|case| case.config["preset"] != *name))
        .collect();
    assert!(missing.is_empty(), "tests/golden/presets.py has no case of {missing:?}");
}

#[test]
fn a_wrong_golden_value_is_caught() {
    let mut case = Case::all().swap_remove(0);
    let name = case.tensors.keys().find(|name| name.starts_with("gradient.")).unwrap().clone();
    let values = &mut case.tensors.get_mut(&name).unwrap().1;
    values[0] = f32::NAN;
    let mut findings = Findings::default();
    check(&case, &Device::Cpu, &REFERENCE, &mut findings);
    assert_eq!(findings.failures.len(), 1, "{:?}", findings.failures);
}
