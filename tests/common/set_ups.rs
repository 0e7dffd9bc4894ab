//! Random set-ups: any variant, layers, likelihood, corruption, optimizer and schedule, at small odd sizes.

use narrows::Result;
use narrows::graph::{Padding, Plan, Replay, Shape, State, Store, StoreKind};
use narrows::kernels::activation::Activation;
use narrows::model::{
    CorruptionKind, Extent, InitScheme, LayerConfig, LikelihoodKind, Model, ModelConfig, ReductionKind,
    StackKind,
};
use narrows::train::{Config, OptimizerKind, ScheduleKind, TrainConfig, packed};

use super::noise;

/// Draws that repeat for the same seed (SplitMix64, Steele et al. 2014).
pub struct Draw(pub u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn within(&mut self, least: u32, most: u32) -> u32 {
        least + (self.next() % u64::from(most - least + 1)) as u32
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.within(0, all.len() as u32 - 1) as usize].clone()
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.within(1, count) == 1
    }

    fn extent(&mut self, most: [u32; 2]) -> Extent {
        let [down, across] = most.map(|most| self.within(1, most));
        if self.one_in(2) { Extent::square(down.min(across)) } else { pair(down, across) }
    }
}

// As TOML has it: an extent of two is read, not made.
fn pair(down: u32, across: u32) -> Extent {
    let text = format!("extent = [{down}, {across}]");
    text.parse::<toml::Table>().unwrap()["extent"].clone().try_into().unwrap()
}

/// A training step of random settings, with all it starts from.
pub struct SetUp {
    pub config: Config,
    pub plan: Plan,
    image: Shape,
    total: u32,
    state: State,
}

impl SetUp {
    /// A set-up of the variant called `name`.
    pub fn of(name: &str, draw: &mut Draw) -> Self {
        loop {
            // What a draw gives may not fit together: layers and images, settings that exclude each other.
            if let Ok(set_up) = Self::draw(name, draw) {
                return set_up;
            }
        }
    }

    fn draw(name: &str, draw: &mut Draw) -> Result<Self> {
        let batch = draw.one_of(&[1, 2, 3, 5, 8, 17, 31, 32, 64, 100, 128]);
        let total = batch + draw.within(0, 40);
        let mut config = Config::preset(name)?;
        let image = Shape::new(draw.within(1, 11), draw.within(1, 11), draw.within(1, 3));
        settings(&mut config, draw)?;
        if name != "linear" {
            layers(&mut config, image, draw)?;
        }
        augmentation(&mut config.train, image);
        condition(&mut config)?;
        config.train.batch = batch;
        config.check()?;
        let model = Model::new(&config.model, image)?.with_augmentation(config.train.augmentation());
        let plan = model.training(batch, total, !draw.one_in(4), &config.train.update(total)?, true)?;
        let (step, epoch, cursor) = (draw.within(0, 60), draw.within(0, 5), draw.within(0, total - 1));
        let state = State { step, epoch, cursor, ..State::new(config.train.seed) };
        Ok(Self { config, plan, image, total, state })
    }

    /// Writes images, parameters, moments and state.
    pub fn start(&self, replay: &mut Replay) -> Result<()> {
        let pixels = self.image.columns().unwrap_or_default() as usize;
        let shades = noise(3, pixels * self.total as usize);
        // Some of them black or white.
        let bytes: Vec<u8> = shades.iter().map(|x| (160.0 * x + 128.0).clamp(0.0, 255.0) as u8).collect();
        replay.write("images", &packed(&bytes))?;
        replay.write_initial(self.config.train.seed)?;
        // Half of them start as training does: with no moments, Adam divides each gradient by its own size.
        let moments =
            |store: &&Store| store.kind == StoreKind::Moments && self.config.train.seed.is_multiple_of(2);
        for store in self.plan.stores.iter().filter(moments) {
            let values = noise(5, store.layout.words());
            let squares = values.iter().map(|x| 0.01 * x * x);
            let first = values.iter().map(|x| 0.1 * x);
            let is_second = store.name.starts_with("moment2");
            let moments: Vec<f32> = if is_second { squares.collect() } else { first.collect() };
            replay.write_floats(&store.name, &moments)?;
        }
        if let Some(images) = self.plan.images.filter(|(images, _)| images.classes > 0) {
            let labels: Vec<u32> = (0..self.total).map(|image| image % images.0.classes).collect();
            replay.write("labels", &labels)?;
        }
        if self.config.model.center {
            replay.write_floats("center", &vec![0.4; pixels])?;
        }
        replay.write_state(&self.state)
    }
}

fn settings(config: &mut Config, draw: &mut Draw) -> Result<()> {
    let Config { model, train, .. } = config;
    let variant = model.variant.name();
    let prior = ["vae", "iwae"].contains(&variant);
    model.activation = draw.one_of(&Activation::ALL);
    if variant != "linear" {
        model.hidden = (0..draw.within(0, 2)).map(|_| draw.within(1, 70)).collect();
        model.code_activation = if prior { Activation::Identity } else { draw.one_of(&Activation::ALL) };
        model.output_activation = draw.one_of(&Activation::ALL);
    }
    model.latent = draw.within(1, 40);
    model.likelihood = draw.one_of(&[
        LikelihoodKind::Bernoulli,
        LikelihoodKind::ContinuousBernoulli,
        LikelihoodKind::Gaussian,
        LikelihoodKind::GaussianLearned,
        LikelihoodKind::SquaredError,
    ]);
    model.center = draw.one_in(3);
    if matches!(model.likelihood, LikelihoodKind::Bernoulli | LikelihoodKind::ContinuousBernoulli) {
        (model.center, model.output_activation) = (false, Activation::Identity);
    }
    let deviation = draw.one_of(&[1e-3, 0.05, 1.0]);
    model.deviation = (model.likelihood == LikelihoodKind::Gaussian).then_some(deviation);
    model.tied = !prior && draw.one_in(3);
    model.bias = !draw.one_in(4);
    model.init = draw.one_of(&[InitScheme::GlorotUniform, InitScheme::HeUniform]);
    model.reduction = draw.one_of(&[ReductionKind::Image, ReductionKind::Pixel]);
    own_settings(model, draw)?;
    let noises = [CorruptionKind::Gaussian, CorruptionKind::Dropout, CorruptionKind::SaltAndPepper];
    let corrupted = variant == "denoising" || draw.one_in(3);
    model.corruption = if corrupted { draw.one_of(&noises) } else { CorruptionKind::None };
    let (amount, rescale) = (draw.one_of(&[0.1, 0.3, 0.6]), draw.one_in(2));
    model.corruption_amount = corrupted.then_some(amount);
    model.corruption_rescale = (model.corruption == CorruptionKind::Dropout).then_some(rescale);
    train.optimizer = draw.one_of(&[OptimizerKind::Sgd, OptimizerKind::Adam, OptimizerKind::AdamW]);
    train.learning_rate = draw.one_of(&[1e-4, 1e-3, 1e-2]);
    let momentum = draw.one_of(&[0.0, 0.9]);
    train.momentum = (train.optimizer == OptimizerKind::Sgd).then_some(momentum);
    (train.clip_norm, train.clip_value) =
        draw.one_of(&[(None, None), (Some(0.01), None), (Some(1.0), Some(1e-3))]);
    train.weight_decay = draw.one_of(&[0.0, 1e-4, 0.1]);
    train.schedule = draw.one_of(&[ScheduleKind::Constant, ScheduleKind::Linear, ScheduleKind::Cosine]);
    train.epochs = draw.within(1, 30);
    train.seed = draw.next() >> 1;
    Ok(())
}

fn augmentation(train: &mut TrainConfig, image: Shape) {
    let (draw, side) = (&mut Draw(train.seed), image.height.min(image.width));
    if side > 1 {
        train.random_flip = draw.one_in(3);
        train.random_shift = draw.one_in(3).then(|| draw.within(1, side - 1));
        train.random_crop = draw.one_in(3).then(|| draw.one_of(&[0.3, 0.8]));
    }
}

// Half of those that can be are told of classes.
fn condition(config: &mut Config) -> Result<()> {
    let (draw, model) = (&mut Draw(config.train.seed), &mut config.model);
    if model.variant.name() != "vae" || draw.one_in(2) {
        return Ok(());
    }
    let kind = draw.one_of(&["one-hot", "embedded"]);
    model.set("condition", kind)?;
    model.set("classes", i64::from(draw.within(1, 9)))?;
    if kind == "embedded" {
        model.set("embedding", i64::from(draw.within(1, 12)))?;
    }
    Ok(())
}

fn own_settings(model: &mut ModelConfig, draw: &mut Draw) -> Result<()> {
    match model.variant.name() {
        "vae" => {
            model.set("kl_weight", draw.one_of(&[0.0, 0.3, 1.0, 4.0]))?;
            model.set("free_bits", draw.one_of(&[0.0, 0.01, 0.1, 0.5]))?;
            model.set("kl_warmup", draw.one_of(&["none", "linear", "cyclical"]))
        }
        "iwae" => model.set("samples", draw.one_of(&[1_i64, 2, 5])),
        "adversarial" => model.set("critic_hidden", draw.one_of(&[vec![], vec![7_i64], vec![33, 5]])),
        "contractive" => {
            model.set("contraction", draw.one_of(&["exact", "estimate"]))?;
            model.set("contraction_weight", draw.one_of(&[0.01, 0.5]))
        }
        "sparse" => {
            let kind = draw.one_of(&["none", "l1", "kl"]);
            model.set("sparsity", kind)?;
            if kind == "kl" {
                model.code_activation = Activation::Sigmoid;
                model.set("sparsity_target", draw.one_of(&[0.05, 0.3]))?;
            }
            if kind != "none" {
                model.set("sparsity_weight", draw.one_of(&[1e-3, 0.2]))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

// Layers of other kinds than dense ones in half of the set-ups, and always in the convolutional variant's.
fn layers(config: &mut Config, image: Shape, draw: &mut Draw) -> Result<()> {
    let Config { model, .. } = config;
    (model.encoder, model.decoder, model.stack) = (Vec::new(), Vec::new(), StackKind::None);
    if model.variant.name() != "cnn" && draw.one_in(2) {
        return Ok(());
    }
    model.tied = false;
    model.hidden.clear();
    let (encoder, mut at) = stack(image, draw.within(1, 4), draw)?;
    model.encoder = encoder;
    if !["vae", "iwae"].contains(&model.variant.name()) && draw.one_in(3) {
        model.latent = 0;
    } else {
        at = Shape::flat(model.latent);
    }
    // Back over a few layers of a small image to one of the right size.
    let [down, across] = [image.height, image.width].map(|extent| if extent % 2 == 0 { 2 } else { 1 });
    let small = Shape::new(image.height / down, image.width / across, draw.within(1, 6));
    model.decoder = vec![
        LayerConfig::Dense { units: small.columns().unwrap_or(1), activation: None },
        LayerConfig::Reshape { shape: [small.height, small.width, small.channels] },
    ];
    if at == small {
        model.decoder.clear();
    }
    model.decoder.extend(keeping(small, draw.within(0, 2), draw));
    let (kernel, filters) = (draw.extent([3, 3]), image.channels);
    if draw.one_in(2) {
        model.decoder.push(LayerConfig::ConvTranspose {
            filters,
            kernel: pair(draw.within(down, 4), draw.within(across, 4)),
            stride: pair(down, across),
            padding: Padding::Same,
            output_padding: Extent::zero(),
            activation: None,
        });
    } else {
        let (stride, padding) = (Extent::default(), Padding::Same);
        model.decoder.push(LayerConfig::Upsample { factor: pair(down, across) });
        model.decoder.push(LayerConfig::Conv { filters, kernel, stride, padding, activation: None });
    }
    let own = &mut Draw(config.train.seed);
    if own.one_in(2) {
        let sizes = [pair(own.within(1, 12), own.within(1, 12)), pair(image.height, image.width)];
        model.decoder.extend(sizes.map(|size| LayerConfig::CropOrPad { size }));
    }
    Ok(())
}

fn stack(image: Shape, count: u32, draw: &mut Draw) -> Result<(Vec<LayerConfig>, Shape)> {
    let (mut all, mut at) = (Vec::new(), image);
    while all.len() < count as usize {
        let layer = match draw.within(0, 3) {
            0 => shrinking(at, draw),
            1 if at.height * at.width <= 36 => enlarging(draw),
            2 => LayerConfig::Conv {
                filters: draw.within(1, 10),
                kernel: draw.extent([at.height.min(4), at.width.min(4)]),
                stride: draw.extent([2, 2]),
                padding: draw.one_of(&[Padding::Same, Padding::Valid, Padding::Explicit([1; 2])]),
                activation: draw.one_of(&[None, Some(Activation::Identity)]),
            },
            _ => keeping(at, 1, draw).swap_remove(0),
        };
        at = layer.output(at)?;
        all.push(layer);
    }
    Ok((all, at))
}

fn shrinking(at: Shape, draw: &mut Draw) -> LayerConfig {
    match draw.within(0, 3) {
        0 => LayerConfig::dense(draw.within(1, 40), draw.one_of(&Activation::ALL)),
        1 => LayerConfig::Flatten,
        _ => {
            let size = draw.extent([at.height.min(3), at.width.min(3)]);
            LayerConfig::MaxPool { size, stride: draw.one_of(&[None, Some(Extent::default())]) }
        }
    }
}

fn enlarging(draw: &mut Draw) -> LayerConfig {
    if draw.one_in(2) {
        return LayerConfig::Upsample { factor: draw.extent([2, 3]) };
    }
    LayerConfig::ConvTranspose {
        filters: draw.within(1, 9),
        kernel: Extent::square(3),
        stride: draw.extent([2, 2]),
        padding: draw.one_of(&[Padding::Same, Padding::Valid]),
        output_padding: Extent::zero(),
        activation: draw.one_of(&[None, Some(Activation::Relu)]),
    }
}

// Layers that leave the shape as it is.
fn keeping(at: Shape, count: u32, draw: &mut Draw) -> Vec<LayerConfig> {
    let mut layer = || match draw.within(0, 4) {
        0 => LayerConfig::Activation { activation: draw.one_of(&Activation::ALL) },
        1 => LayerConfig::Dropout { rate: draw.one_of(&[0.1, 0.5]) },
        2 => LayerConfig::Conv {
            filters: at.channels,
            kernel: draw.extent([3, 3]),
            stride: Extent::default(),
            padding: Padding::Same,
            activation: None,
        },
        _ => LayerConfig::BatchNorm {
            momentum: draw.one_of(&[0.1, 1.0]),
            epsilon: draw.one_of(&[1e-5, 1e-3]),
            activation: draw.one_of(&Activation::ALL),
        },
    };
    (0..count).map(|_| layer()).collect()
}
