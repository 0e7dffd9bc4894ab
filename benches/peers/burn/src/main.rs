//! The models in burn, on wgpu, with kernel fusion and tuned kernels: through SPIR-V with the feature `spirv`, else WGSL.
#![recursion_limit = "256"]

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::{relu, selu, softplus};
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use peer_common::{EPSILON, LEARNING_RATE, MLP_CODE, Model, Run, VAE_CODE};

/// Each model has the layers that it needs.
#[derive(Module, Debug)]
struct Autoencoder {
    down: Vec<Conv2d>,
    encoder: Vec<Linear>,
    decoder: Vec<Linear>,
    up: Vec<ConvTranspose2d>,
}

fn linear(widths: &[usize], device: &Device) -> Vec<Linear> {
    widths.windows(2).map(|pair| LinearConfig::new(pair[0], pair[1]).init(device)).collect()
}

fn down(channels: &[usize], stride: usize, device: &Device) -> Vec<Conv2d> {
    let layer = |pair: &[usize]| {
        Conv2dConfig::new([pair[0], pair[1]], [3, 3])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .init(device)
    };
    channels.windows(2).map(layer).collect()
}

// Of stride 2. The first may go from 3 x 3 to 7 x 7; each other doubles the extent.
fn up(channels: &[usize], from_three: bool, device: &Device) -> Vec<ConvTranspose2d> {
    let layer = |(number, pair): (usize, &[usize])| {
        let edge = usize::from(!from_three || number > 0);
        ConvTranspose2dConfig::new([pair[0], pair[1]], [3, 3])
            .with_stride([2, 2])
            .with_padding([edge, edge])
            .with_padding_out([edge, edge])
            .init(device)
    };
    channels.windows(2).enumerate().map(layer).collect()
}

impl Autoencoder {
    fn new(model: Model, device: &Device) -> Self {
        let none = Self { down: vec![], encoder: vec![], decoder: vec![], up: vec![] };
        match model {
            Model::Mlp => Self {
                encoder: linear(&[784, 256, MLP_CODE], device),
                decoder: linear(&[MLP_CODE, 256, 784], device),
                ..none
            },
            Model::Cnn => Self {
                down: down(&[1, 16, 32, 64], 1, device),
                up: up(&[64, 32, 16, 1], true, device),
                ..none
            },
            Model::Vae => Self {
                encoder: linear(&[784, 400, 2 * VAE_CODE], device),
                decoder: linear(&[VAE_CODE, 400, 784], device),
                ..none
            },
            Model::VaeCnn => Self {
                down: down(&[3, 32, 64, 128, 256], 2, device),
                encoder: linear(&[4096, 2 * VAE_CODE], device),
                decoder: linear(&[VAE_CODE, 4096], device),
                up: up(&[256, 128, 64, 32, 3], false, device),
            },
        }
    }

    /// Nats per image.
    fn loss(&self, model: Model, images: Tensor<4>) -> Tensor<1> {
        let batch = images.dims()[0];
        match model {
            Model::Mlp => {
                let code = relu(dense(&self.encoder, images.clone().flatten(1, 3)));
                bernoulli(dense(&self.decoder, code), images.flatten(1, 3))
            }
            Model::Cnn => {
                let pooled = MaxPoolOptions::new([2, 2]);
                let mut x = images.clone();
                for layer in &self.down {
                    x = max_pool2d(selu(layer.forward(x)), pooled.clone());
                }
                bernoulli(grow(&self.up, x, selu), images)
            }
            Model::Vae => {
                let (z, kl) = sample(dense(&self.encoder, images.clone().flatten(1, 3)));
                bernoulli(dense(&self.decoder, z), images.flatten(1, 3)) + kl
            }
            Model::VaeCnn => {
                let mut x = images.clone();
                for layer in &self.down {
                    x = relu(layer.forward(x));
                }
                let (z, kl) = sample(dense(&self.encoder, x.flatten(1, 3)));
                let x = relu(dense(&self.decoder, z)).reshape([batch, 256, 4, 4]);
                bernoulli(grow(&self.up, x, relu), images) + kl
            }
        }
    }
}

// Dense layers with relu between them.
fn dense(layers: &[Linear], mut x: Tensor<2>) -> Tensor<2> {
    for (number, layer) in layers.iter().enumerate() {
        x = layer.forward(if number > 0 { relu(x) } else { x });
    }
    x
}

// Transposed convolutions with an activation between them.
fn grow(layers: &[ConvTranspose2d], mut x: Tensor<4>, activation: fn(Tensor<4>) -> Tensor<4>) -> Tensor<4> {
    for (number, layer) in layers.iter().enumerate() {
        x = layer.forward(if number > 0 { activation(x) } else { x });
    }
    x
}

// A Gaussian code by reparameterization, and its KL to the standard normal, averaged over images.
fn sample(code: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
    let [batch, _] = code.dims();
    let mu = code.clone().narrow(1, 0, VAE_CODE);
    let logvar = code.narrow(1, VAE_CODE, VAE_CODE);
    let noise = Tensor::random([batch, VAE_CODE], Distribution::Normal(0.0, 1.0), &mu.device());
    let z = mu.clone() + (logvar.clone() * 0.5).exp() * noise;
    let kl = (mu.clone() * mu + logvar.clone().exp() - logvar - 1.0).sum() * (0.5 / batch as f64);
    (z, kl)
}

// The negative log-likelihood of Bernoulli pixels from logits, averaged over images.
fn bernoulli<const D: usize>(logits: Tensor<D>, images: Tensor<D>) -> Tensor<1> {
    let batch = logits.dims()[0] as f64;
    (softplus(logits.clone(), 1.0) - logits * images).sum() / batch
}

fn main() {
    let mut run = Run::from_arguments();
    run.images = run.images.channels_first();
    let device = Device::wgpu(Default::default()).autodiff();
    let mut model = Autoencoder::new(run.model, &device);
    let mut adam = AdamConfig::new().with_epsilon(EPSILON as f32).init();
    let images = &run.images;
    run.measure("burn", if cfg!(feature = "spirv") { "wgpu by SPIR-V, its default" } else { "wgpu by WGSL, its default" }, || {
        let mut total = Tensor::<1>::zeros([1], &device);
        for step in 0..run.steps() {
            let shape = [run.batch, images.channels, images.height, images.width];
            let batch = TensorData::new(images.batch(step, run.batch), shape);
            let loss = model.loss(run.model, Tensor::<4>::from_data(batch, &device));
            total = total + loss.clone().detach();
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = adam.step(LEARNING_RATE, model.clone(), gradients);
        }
        f64::from(total.into_scalar::<f32>()) / run.steps() as f64
    });
}
