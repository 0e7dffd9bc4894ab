//! Convolutional presets fit images of any size from 8 x 8 up, and say so where they do not.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[cfg(feature = "cli")]
mod tiny;

use narrows::data::{Dataset, Split};
use narrows::graph::{Device, Shape};
use narrows::model::{ContractionKind, LayerConfig, Model, ModelConfig, Registry, StackKind};
use narrows::train::{Config, Trainer};

const SHAPES: [[u32; 3]; 11] = [
    [8, 8, 1],
    [9, 8, 3],
    [28, 28, 1],
    [31, 17, 1],
    [32, 32, 3],
    [64, 64, 3],
    [96, 96, 3],
    [100, 37, 4],
    [256, 256, 3],
    [8, 1000, 1],
    [57, 113, 2],
];
const CONVOLUTIONAL: [&str; 2] = ["cnn", "vae-cnn"];

fn shape([height, width, channels]: [u32; 3]) -> Shape {
    Shape::new(height, width, channels)
}

fn fitted(preset: &str, image: Shape) -> ModelConfig {
    Config::preset(preset).unwrap().model.fitted_to(image).unwrap_or_else(|error| panic!("{error}"))
}

fn through(layers: &[LayerConfig], input: Shape) -> Shape {
    layers.iter().fold(input, |at, layer| layer.output(at).unwrap_or_else(|error| panic!("{error}")))
}

// What a model says of its configuration.
fn model(text: &str, image: Shape) -> String {
    let config = Config::preset("mlp").unwrap().overlaid(text.parse().unwrap(), "here").unwrap();
    Model::new(&config.model, image).map_or_else(|error| error.to_string(), |_| "fits".to_owned())
}

#[test]
fn convolutions_fit_images_of_any_size_and_end_in_exactly_it() {
    for image in SHAPES.map(shape) {
        // A dense code or none, by either kind of stack.
        for (preset, latent) in [("cnn", 0), ("cnn", 5), ("vae-cnn", 20), ("mlp", 0), ("mlp", 7)] {
            let mut config = Config::preset(preset).unwrap();
            if preset == "mlp" {
                config = config.overlaid("[model]\nstack = 'strided'".parse().unwrap(), "here").unwrap();
            }
            config.model.latent = latent;
            let model = config.model.fitted_to(image).unwrap();
            let small = through(&model.encoder, image);
            for side in [small.height, small.width] {
                assert!((3..=7).contains(&side), "{preset}: {image} to {small}");
            }
            assert!(small.channels <= 256, "{preset}: {image} to {small}");
            let code = if latent > 0 { Shape::flat(small.columns().unwrap()) } else { small };
            let back = model.decoder.iter().skip(usize::from(latent > 0));
            let decoded = through(&back.cloned().collect::<Vec<_>>(), code);
            assert_eq!(decoded, image, "{preset} with a code of {latent}");
            assert_eq!(model.stack, StackKind::None);
            assert_eq!(model.fitted_to(image).unwrap(), model, "{preset}: a second time");
            let (listed, stack) = (Model::new(&model, image).unwrap(), Model::new(&config.model, image));
            assert_eq!(stack.unwrap().config(), listed.config(), "{preset}: a model fits itself");
        }
    }
}

#[test]
fn filters_grow_with_depth_and_the_decoder_mirrors_them() {
    let filters = |layers: &[LayerConfig]| {
        let of = |layer: &LayerConfig| match layer {
            LayerConfig::Conv { filters, .. } | LayerConfig::ConvTranspose { filters, .. } => Some(*filters),
            _ => None,
        };
        layers.iter().filter_map(of).collect::<Vec<_>>()
    };
    let pooled = fitted("cnn", Shape::new(256, 256, 3));
    assert_eq!(filters(&pooled.encoder), [16, 32, 64, 128, 256, 256]);
    assert_eq!(filters(&pooled.decoder), [256, 128, 64, 32, 16, 3]);
    let strided = fitted("vae-cnn", Shape::new(31, 17, 1));
    assert_eq!(filters(&strided.encoder), [32, 64, 128]);
    assert_eq!(filters(&strided.decoder), [64, 32, 1]);
}

#[test]
fn one_step_of_a_fitted_model_is_finite() {
    for (preset, [height, width, channels]) in [
        ("cnn", [9, 8, 3]),
        ("vae-cnn", [9, 8, 3]),
        ("cnn", [31, 17, 1]),
        ("vae-cnn", [31, 17, 1]),
        ("cnn", [32, 32, 3]),
    ] {
        let pixels = height * width * channels;
        let images = |count: usize| {
            let shades: Vec<u8> = (0..count * pixels).map(|at| (at * 37 % 251) as u8).collect();
            Dataset::new("shades", [height, width, channels], shades, None).unwrap()
        };
        let split = Split::new(images(2), images(1), Some(0)).unwrap();
        let mut config = Config::preset(preset).unwrap();
        config.train.batch = 2;
        let config = config.fitted_to(split.train.shape().try_into().unwrap()).unwrap();
        let mut trainer = pollster::block_on(Trainer::new(&Device::Cpu, &config, &split)).unwrap();
        let report = pollster::block_on(trainer.epoch(&mut |_| true)).unwrap();
        assert!(report.train.iter().all(|(_, mean)| mean.is_finite()), "{preset} {height} x {width}");
        let checkpoint = pollster::block_on(trainer.checkpoint()).unwrap();
        let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
        assert!(checkpoint.slots.iter().all(|(_, slot)| finite(&slot.values)), "{preset}");
        let stack = checkpoint.config.model.stack;
        assert!(stack.is_none() && !checkpoint.config.model.decoder.is_empty(), "the layers are spelled out");
    }
}

#[cfg(feature = "cli")]
#[test]
fn a_run_on_pictures_of_another_size_lists_its_layers_and_resumes() {
    let place = tempfile::TempDir::new().unwrap();
    let header = format!("{:<117}\n", "{'descr': '|u1', 'fortran_order': False, 'shape': (8, 11, 9, 3), }");
    let pixels: Vec<u8> = (0..8 * 11 * 9 * 3).map(|at| (at * 37 % 251) as u8).collect();
    let length = (header.len() as u16).to_le_bytes();
    let file = [b"\x93NUMPY\x01\x00".as_slice(), &length, header.as_bytes(), &pixels].concat();
    std::fs::write(place.path().join("pictures.npy"), file).unwrap();
    for preset in CONVOLUTIONAL {
        let narrows = |arguments: &[&str]| {
            let mut command = tiny::command::narrows(place.path(), arguments);
            tiny::command::success(command.args(["--device", "cpu"]))
        };
        let begin = ["train", preset, "--data", "pictures.npy", "--batch", "2", "--run", preset];
        narrows(&[&begin[..], &["--epochs", "1"]].concat());
        let text = std::fs::read_to_string(place.path().join(preset).join("config.toml")).unwrap();
        let config = Config::from_toml(&Registry::built_in(), &text, "mlp", "config.toml").unwrap();
        assert_eq!(config.model, fitted(preset, Shape::new(11, 9, 3)));
        narrows(&["train", "--resume", preset, "--epochs", "2"]);
        narrows(&["plan", preset, "--data", "pictures.npy", "--batch", "2"]);
    }
}

#[test]
fn images_below_8_x_8_are_refused_with_the_presets_that_take_them() {
    for preset in CONVOLUTIONAL {
        for image in [Shape::new(7, 30, 1), Shape::new(30, 7, 1), Shape::flat(2)] {
            let config = Config::preset(preset).unwrap();
            let said = config.fitted_to(image).err().unwrap().to_string();
            let got = format!("got {image}");
            for word in ["images", "at least 8", "mlp and vae", &got] {
                assert!(said.contains(word), "{said} does not mention {word}");
            }
            assert_eq!(Model::new(&config.model, image).err().unwrap().to_string(), said);
            fitted("vae", image);
        }
    }
}

#[test]
fn layers_that_are_listed_stay_as_they_are() {
    let (registry, image) = (Registry::built_in(), Shape::new(12, 10, 1));
    let run = Config::preset("cnn").unwrap().fitted_to(image).unwrap();
    let again = Config::from_toml(&registry, &run.to_toml().unwrap(), "vae", "config.toml").unwrap();
    assert_eq!(again, run, "a run's file");
    assert_eq!(again.fitted_to(Shape::new(64, 64, 3)).unwrap(), run);

    let own = "[model]\nencoder = [{ layer = 'max-pool', size = 2 }]\nlatent = 4";
    let half = Config::preset("cnn").unwrap().overlaid(own.parse().unwrap(), "here").unwrap();
    let fitted = half.fitted_to(image).unwrap().model;
    assert_eq!(fitted.encoder, half.model.encoder, "only the decoder is the stack's");
    assert_eq!(Model::new(&fitted, image).unwrap().latent(), 4);
}

#[test]
fn a_choice_of_other_layers_is_kept_in_a_file() {
    let registry = Registry::built_in();
    for text in [
        "[model]\nstack = 'none'\nhidden = [9]\nlatent = 3",
        "[model]\nstack = 'none'\nlatent = 3",
        "[model]\nstack = 'strided'",
    ] {
        let config = Config::preset("cnn").unwrap().overlaid(text.parse().unwrap(), "here").unwrap();
        config.check().unwrap();
        let again = Config::from_toml(&registry, &config.to_toml().unwrap(), "vae", "again").unwrap();
        assert_eq!(again, config, "{text}");
        Model::new(&config.model, Shape::new(9, 11, 2)).unwrap();
    }
}

#[test]
fn a_stack_beside_other_layers_is_refused() {
    let image = Shape::new(12, 10, 1);
    let listed = "encoder = [{ layer = 'flatten' }]\ndecoder = [{ layer = 'dense', units = 120 }]";
    let both = model(&format!("[model]\nstack = 'pooled'\n{listed}"), image);
    assert_eq!(both, "stack: expected none where `encoder` and `decoder` list the layers, got pooled");
    let hidden = model("[model]\nstack = 'pooled'\nhidden = [5]", image);
    assert_eq!(hidden, "hidden: expected none where `stack` means the layers, got [5]");
    let check = |text: &str, preset: &str| {
        let config = Config::preset(preset).unwrap().overlaid(text.parse().unwrap(), "here").unwrap();
        config.check().unwrap_err().to_string()
    };
    assert!(check("[model]\nstack = 'pooled'\ntied = true", "mlp").starts_with("tied: expected false where"));
    let linear = check("[model]\nstack = 'pooled'", "linear");
    assert_eq!(linear, "stack: expected none for the variant linear, got pooled");
}

#[test]
fn a_decoder_of_another_size_says_what_would_mend_it() {
    let image = Shape::new(9, 12, 3);
    let decoder = |last: &str| {
        let layers = "{ layer = 'dense', units = 60 }, { layer = 'reshape', shape = [4, 5, 3] }";
        model(&format!("[model]\ndecoder = [{layers}, {{ {last} }}]"), image)
    };
    let expected = "decoder: expected a last layer that gives images of 9 x 12 x 3";
    let dense = decoder("layer = 'dense', units = 7");
    assert_eq!(dense, format!("{expected} (`units = 324` in the layer dense-7), got 1 x 1 x 7"));
    let small = decoder("layer = 'conv-transpose', filters = 3, kernel = 3, stride = 2");
    let change = "`padding = [0, 0]`, `output_padding = [0, 1]` in the layer conv-transpose-3";
    assert_eq!(small, format!("{expected} ({change}), got 8 x 10 x 3"));
    let mended = "layer = 'conv-transpose', filters = 3, kernel = 3, stride = 2, padding = [0, 0], output_padding = [0, 1]";
    assert_eq!(decoder(mended), "fits");
    let large = decoder("layer = 'upsample', factor = 3");
    let layer = r#"{ layer = "crop-or-pad", size = [9, 12] }"#;
    assert_eq!(large, format!("{expected} (`{layer}` at the end), got 12 x 15 x 3"));
    let both = decoder("layer = 'upsample', factor = [1, 3]");
    let layer =
        r#"{ layer = "conv-transpose", filters = 3, kernel = [3, 2], stride = [2, 1], padding = [0, 2] }"#;
    assert_eq!(both, format!("{expected} (`{layer}` at the end), got 4 x 15 x 3"));
    // What is said to mend it does, for any size.
    for factor in ["[1, 3]", "[2, 1]", "4", "1", "[3, 2]"] {
        let last = format!("layer = 'upsample', factor = {factor}");
        let said = decoder(&last);
        let layer = said.split('`').nth(1).unwrap_or_else(|| panic!("{said}"));
        assert_eq!(
            decoder(&format!("{last} }}, {}", layer.trim_end_matches('}'))),
            "fits",
            "{factor}: {said}"
        );
    }
}

#[test]
fn what_is_no_training_takes_fewer_large_pictures_at_once() {
    let image = shape([256, 256, 1]);
    let model = Model::new(&fitted("vae-cnn", image), image).unwrap();
    let total = 1000;
    let plans = [
        model.evaluation_of(total),
        model.importance(total),
        model.reconstruction(total, None),
        model.jacobian(total, ContractionKind::Estimate),
        model.decoding_of(total),
    ];
    for plan in plans.map(Result::unwrap) {
        let results = plan.buffers.iter().filter(|buffer| !buffer.persistent);
        let largest = 4 * results.map(|buffer| buffer.words).max().unwrap();
        assert!((1..64).contains(&plan.batch) && largest <= 64 << 20, "{}: {largest} bytes", plan.batch);
    }
    let small = Model::new(&fitted("vae", shape([28, 28, 1])), shape([28, 28, 1])).unwrap();
    assert_eq!(small.reconstruction(total, None).unwrap().batch, 256);
    assert_eq!(small.decoding_of(3).unwrap().batch, 3);
}
