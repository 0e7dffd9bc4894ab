//! Layers as TOML describes them: what they mean, what they refuse, and what they compute on every device.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::{devices, noise, title};
use narrows::Error;
use narrows::gpu::{MatMulVariant, Variants};
use narrows::graph::{Device, Padding, Replay, Shape, first_difference};
use narrows::model::{Extent, LayerConfig, Model, ModelConfig, Registry};
use narrows::reference::activation::Activation;
use narrows::reference::compare::Tolerance;
use narrows::train::{Config, packed};

fn config(layers: &str) -> narrows::Result<Config> {
    Config::preset("mlp")?.overlaid(layers.parse().unwrap(), "c.toml")
}

fn model(layers: &str, image: Shape) -> narrows::Result<Model> {
    let config = config(layers)?;
    config.check()?;
    Model::new(&config.model, image)
}

fn refusal(layers: &str) -> String {
    refusal_of(model(layers, Shape::new(6, 8, 3)))
}

fn refusal_of(model: narrows::Result<Model>) -> String {
    match model {
        Err(error @ Error::Setting { .. }) => error.to_string(),
        Err(error) => panic!("{error:?}"),
        Ok(model) => panic!("accepted {:?}", model.config()),
    }
}

// Every kind of layer, at shapes that nothing divides.
const EVERY: &str = r#"
[model]
latent = 5
activation = "silu"
encoder = [
    { layer = "crop-or-pad", size = [5, 9] },
    { layer = "crop-or-pad", size = [6, 8] },
    { layer = "conv", filters = 6, kernel = [3, 2], stride = [1, 2], activation = "identity" },
    { layer = "batch-norm", activation = "tanh" },
    { layer = "activation", activation = "softplus" },
    { layer = "max-pool", size = 2, stride = [2, 1] },
    { layer = "conv", filters = 4, kernel = 3, padding = 1 },
    { layer = "flatten" },
    { layer = "dropout", rate = 0.25 },
    { layer = "dense", units = 11 },
]
decoder = [
    { layer = "dense", units = 16 },
    { layer = "reshape", shape = [2, 2, 4] },
    { layer = "upsample", factor = [1, 2] },
    { layer = "conv-transpose", filters = 5, kernel = 3, stride = [2, 1], padding = "same" },
    { layer = "conv-transpose", filters = 3, kernel = 3, stride = [1, 2], padding = 1, output_padding = [0, 1] },
    { layer = "max-pool", size = [2, 1], stride = 1 },
    { layer = "conv", filters = 3, kernel = 1 },
    { layer = "conv-transpose", filters = 3, kernel = [4, 1], padding = "valid" },
    { layer = "upsample", factor = 2 },
    { layer = "crop-or-pad", size = [6, 8] },
]
"#;

#[test]
fn layers_survive_toml() {
    let config = config(EVERY).unwrap();
    let again = Config::preset("mlp").unwrap().overlaid(config.to_toml().unwrap().parse().unwrap(), "again");
    assert_eq!(again.unwrap(), config);
    let conv = LayerConfig::Conv {
        filters: 4,
        kernel: Extent::square(3),
        stride: Extent::default(),
        padding: Padding::Explicit([1; 2]),
        activation: None,
    };
    assert_eq!(config.model.encoder[6], conv);
    assert!(config.model.hidden.is_empty(), "the preset's widths mean nothing beside layers on both sides");
}

#[test]
fn the_code_is_what_the_last_layer_gives_where_latent_is_zero() {
    let layers = "[model]\nlatent = 0\nencoder = [{ layer = \"max-pool\", size = 2 }]\n\
        decoder = [{ layer = \"upsample\", factor = 2 }]";
    let model = model(layers, Shape::new(6, 8, 3)).unwrap();
    assert_eq!(model.latent(), 3 * 4 * 3);
}

#[test]
fn parameters_are_named_after_their_layers() {
    let model = model(EVERY, Shape::new(6, 8, 3)).unwrap();
    let plan = model.decoding(1).unwrap();
    let layout = plan.layout("parameters").unwrap();
    let shape =
        |name: &str| layout.iter().find(|parameter| parameter.name == name).map(|found| found.shape.clone());
    assert_eq!(shape("encoder.2.weight").unwrap(), [6, 3, 2, 3]);
    assert_eq!(shape("encoder.2.bias").unwrap(), [6]);
    assert_eq!(shape("encoder.10.weight").unwrap(), [5, 11], "the code's own layer comes last");
    assert_eq!(shape("decoder.3.weight").unwrap(), [4, 3, 3, 5], "from its input channels to its filters");
    assert_eq!(shape("decoder.5.weight"), None, "a pooling layer has no weight");
}

#[test]
fn layers_that_do_not_fit_are_named() {
    let encoder = |layers: &str| refusal(&format!("[model]\nencoder = [{layers}]"));
    let window = encoder("{ layer = \"conv\", filters = 2, kernel = 9, padding = \"valid\" }");
    assert!(window.contains("encoder.0") && window.contains("kernel"), "{window}");
    let second = encoder("{ layer = \"flatten\" }, { layer = \"max-pool\", size = 2 }");
    assert!(second.contains("encoder.1 size") && second.contains("1 x 1 x 144"), "{second}");
    let reshape = encoder("{ layer = \"reshape\", shape = [5, 5, 5] }");
    assert!(reshape.contains("encoder.0 shape") && reshape.contains("6 x 8 x 3"), "{reshape}");
    let size = encoder("{ layer = \"crop-or-pad\", size = [0, 3] }");
    assert!(size.contains("encoder.0 size") && size.contains("at least 1"), "{size}");
    let rate = encoder("{ layer = \"dropout\", rate = 1.0 }");
    assert!(rate.contains("rate") && rate.contains("below 1"), "{rate}");
    let image = refusal("[model]\ndecoder = [{ layer = \"dense\", units = 100 }]");
    assert!(image.contains("6 x 8 x 3") && image.contains("1 x 1 x 100"), "{image}");
    let logits = refusal("[model]\ndecoder = [{ layer = \"dense\", units = 144, activation = \"sigmoid\" }]");
    assert!(logits.contains("logits"), "{logits}");
    let widths =
        "[model]\nhidden = [3]\nencoder = [{ layer = \"flatten\" }]\ndecoder = [{ layer = \"flatten\" }]";
    assert!(refusal(widths).contains("hidden"));
}

// The layer before the crop is the one whose output is the image's.
#[test]
fn a_crop_at_the_end_leaves_the_output_activation_to_the_layer_before_it() {
    let image = Shape::new(31, 17, 1);
    let decoder = |activation: &str| {
        format!(
            "[model]\nactivation = \"relu\"\ndecoder = [{{ layer = \"dense\", units = 144 }}, \
             {{ layer = \"reshape\", shape = [16, 9, 1] }}, {{ layer = \"conv-transpose\", filters = 1, kernel = 3, \
             stride = 2{activation} }}, {{ layer = \"crop-or-pad\", size = [31, 17] }}]"
        )
    };
    let plan = model(&decoder(""), image).unwrap().decoding(1).unwrap();
    let constants = |label: &str| {
        let dispatch = plan.dispatches.iter().find(|dispatch| dispatch.label == label).unwrap();
        dispatch.kernel.call(&Variants::one(MatMulVariant::Tile64x4)).constants
    };
    let activation =
        |label: &str| constants(label).iter().find(|(name, _)| *name == "ACTIVATION").map(|one| one.1);
    assert_ne!(activation("decoder.0"), activation("decoder.2"));
    let said = refusal_of(model(&decoder(", activation = \"relu\""), image));
    assert!(said.contains("logits") && said.contains("relu"), "{said}");
}

#[test]
fn a_layer_misspelt_says_where_and_what() {
    let mentions = |layers: &str, words: &[&str]| {
        let message = config(&format!("[model]\nencoder = [{layers}]")).unwrap_err().to_string();
        for word in words {
            assert!(message.contains(word), "{message} does not mention {word}");
        }
    };
    mentions("{ layer = \"convolution\" }", &["c.toml", "convolution", "conv-transpose"]);
    mentions("{ layer = \"conv\", filters = 3 }", &["c.toml", "kernel"]);
    mentions("{ layer = \"conv\", filters = 3, kernel = \"3\" }", &["whole number"]);
    mentions("{ layer = \"conv\", filters = 3, kernel = [3, 3, 3] }", &["[down, across]"]);
    mentions("{ layer = \"conv\", filters = 3, kernel = -3 }", &["whole number"]);
    mentions("{ layer = \"conv\", filters = 3, kernel = 3, padding = \"full\" }", &["\"same\", \"valid\""]);
    mentions("{ layer = \"dense\", units = 3, rate = 1 }", &["rate"]);
}

#[test]
fn a_gaussian_code_needs_a_width() {
    let mut config = ModelConfig::new(Registry::built_in().variant("vae").unwrap().clone());
    (config.latent, config.encoder) = (0, vec![LayerConfig::Flatten]);
    let error =
        Model::new(&config, Shape::new(2, 2, 1)).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("latent") && error.contains("2 numbers for each"), "{error}");
}

#[test]
fn every_kind_of_layer_computes_what_the_reference_does_forward_and_backward() {
    let config = config(EVERY).unwrap();
    let image = Shape::new(6, 8, 3);
    let total = 9;
    let pixels = 6 * 8 * 3;
    let model = Model::new(&config.model, image).unwrap();
    assert_eq!(config.model.activation, Activation::Silu);
    for device in devices() {
        let plan = model.training(5, total, true, &config.train.update(total).unwrap(), true).unwrap();
        let bytes: Vec<u8> =
            noise(3, pixels * total as usize).iter().map(|x| (127.0 * x + 128.0) as u8).collect();
        let setup = |replay: &mut Replay| {
            replay.write("images", &packed(&bytes))?;
            replay.write_initial(5)
        };
        let tolerance = Tolerance::new(2e-5, 2e-4);
        let found =
            pollster::block_on(first_difference(&plan, &device, &Device::Cpu, tolerance, setup)).unwrap();
        assert!(found.is_none(), "{}: {}", title(&device), found.unwrap());
    }
}
