//! Small training steps of every variant, at odd sizes, and a graph recorded by hand.

use narrows::graph::{
    Graph, Init, Padding, Plan, Replay, Shape, State, StoreKind, bernoulli_nll, squared_error,
};
use narrows::kernels::activation::Activation;
use narrows::model::{Extent, LayerConfig, Model, StackKind, VariantRef};
use narrows::train::{Config, packed};

use super::noise;

/// Odd, and small enough for every intermediate result.
pub const IMAGE: Shape = Shape::new(9, 3, 1);
pub const PIXELS: u32 = 27;
/// Even, so that another image's index is at hand for a wrong kernel.
pub const TOTAL: u32 = 14;
pub const BATCH: u32 = 5;

/// The preset of `variant`, made small, and smooth so that its slopes have no jumps.
pub fn config(variant: &VariantRef) -> Config {
    let mut config = Config::preset(variant.name()).unwrap();
    config.model.latent = 3;
    if !config.model.hidden.is_empty() {
        config.model.hidden = vec![17, 9];
        config.model.activation = Activation::Silu;
    }
    // The code of a sparse autoencoder is one of logistic units.
    if ![Activation::Identity, Activation::Sigmoid].contains(&config.model.code_activation) {
        config.model.code_activation = Activation::Tanh;
    }
    if !config.model.stack.is_none() {
        config.model.stack = StackKind::None;
        config.model.activation = Activation::Silu;
        config.model.encoder = vec![
            LayerConfig::Conv {
                filters: 2,
                kernel: Extent::square(3),
                stride: Extent::default(),
                padding: Padding::Same,
                activation: None,
            },
            LayerConfig::MaxPool { size: Extent::square(2), stride: None },
        ];
        config.model.decoder = vec![
            LayerConfig::dense(8, Activation::Silu),
            LayerConfig::Reshape { shape: [4, 1, 2] },
            LayerConfig::ConvTranspose {
                filters: 1,
                kernel: Extent::square(3),
                stride: Extent::square(2),
                padding: Padding::Valid,
                output_padding: Extent::zero(),
                activation: None,
            },
        ];
    }
    for (setting, value) in [("kl_weight", 0.7), ("contraction_weight", 0.7)] {
        if variant.settings().iter().any(|known| known.name == setting) {
            config.model.set(setting, value).unwrap();
        }
    }
    if variant.name() == "adversarial" {
        config.model.set("critic_hidden", vec![11]).unwrap();
    }
    config.train.seed = 0x1234_5678_9abc;
    config
}

/// A training step of `config`, shuffled.
pub fn plan(config: &Config, keep_all: bool) -> Plan {
    let model = Model::new(&config.model, IMAGE).unwrap();
    model.training(BATCH, TOTAL, true, &config.train.update(TOTAL).unwrap(), keep_all).unwrap()
}

/// Writes images, parameters and state for the first step; biases are not zero.
pub fn start(config: &Config, replay: &mut Replay) -> narrows::Result<()> {
    let bytes: Vec<u8> =
        noise(3, (PIXELS * TOTAL) as usize).iter().map(|x| (127.0 * x + 128.0) as u8).collect();
    replay.write("images", &packed(&bytes))?;
    if config.model.center {
        replay.write_floats("center", &vec![0.5; PIXELS as usize])?;
    }
    replay.write_initial(config.train.seed)?;
    for store in replay.plan().stores.clone() {
        if store.kind != StoreKind::Parameters {
            continue;
        }
        let mut flat = store.layout.initial(config.train.seed);
        for (parameter, seed) in store.layout.iter().zip(10..) {
            if parameter.name.ends_with("bias") {
                let values = noise(seed, parameter.len());
                flat[parameter.offset..][..values.len()].copy_from_slice(&values);
            }
        }
        replay.write_floats(&store.name, &flat)?;
    }
    replay.write_state(&State::new(config.train.seed))
}

const BY_HAND: [f32; 3] = [1.0, 0.3, 0.2];

/// One weight and one bias used by two layers, a tensor read by two layers, a prediction read by two terms.
pub fn by_hand() -> Plan {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, PIXELS).unwrap();
    let pixels = PIXELS as usize;
    let glorot = Init::GlorotUniform { fan_in: pixels, fan_out: pixels };
    let square = graph.parameter("square", vec![pixels, pixels], glorot.clone()).unwrap();
    let bias = graph.parameter("bias", vec![pixels], Init::Constant(0.1)).unwrap();
    let other = graph.parameter("other", vec![pixels, pixels], glorot.clone()).unwrap();
    let once = graph.dense("once", x, &square, Some(&bias), Activation::Tanh).unwrap();
    let twice = graph.dense("twice", once, &square, Some(&bias), Activation::Gelu).unwrap();
    let beside = graph.dense("beside", once, &other, None, Activation::Identity).unwrap();
    let objective = BY_HAND[0] * squared_error(twice, x)
        + BY_HAND[1] * squared_error(beside, x).named("beside")
        + BY_HAND[2] * bernoulli_nll(beside, x).named("bernoulli");
    graph.minimize(objective).unwrap();
    graph.finish(true)
}

/// Writes images and parameters for [`by_hand`].
pub fn start_by_hand(replay: &mut Replay) -> narrows::Result<()> {
    let x: Vec<f32> = noise(3, (BATCH * PIXELS) as usize).iter().map(|x| 0.5 + 0.5 * x).collect();
    replay.write_floats("x", &x)?;
    replay.write_initial(7)
}
