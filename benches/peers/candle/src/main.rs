//! The models in candle, which trains on the CPU here; on NVIDIA and Apple GPUs it has back-ends of its own.

use candle_core::{Device, Result, Tensor};
use candle_nn::{
    AdamW, Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig, Linear, Module, Optimizer,
    ParamsAdamW, VarBuilder, VarMap, conv_transpose2d, conv2d, linear,
};
use peer_common::{EPSILON, LEARNING_RATE, MLP_CODE, Model, Run, VAE_CODE, stop};

struct Autoencoder {
    model: Model,
    down: Vec<Conv2d>,
    encoder: Vec<Linear>,
    decoder: Vec<Linear>,
    up: Vec<ConvTranspose2d>,
}

impl Autoencoder {
    fn new(model: Model, at: &VarBuilder<'_>) -> Result<Self> {
        let dense = |name: &str, widths: &[usize]| -> Result<Vec<Linear>> {
            let layer = |(number, pair): (usize, &[usize])| {
                linear(pair[0], pair[1], at.pp(format!("{name}.{number}")))
            };
            widths.windows(2).enumerate().map(layer).collect()
        };
        let (down, encoder, decoder, up): (&[usize], &[usize], &[usize], &[usize]) = match model {
            Model::Mlp => (&[], &[784, 256, MLP_CODE], &[MLP_CODE, 256, 784], &[]),
            Model::Vae => (&[], &[784, 400, 2 * VAE_CODE], &[VAE_CODE, 400, 784], &[]),
            Model::VaeCnn => {
                (&[3, 32, 64, 128, 256], &[4096, 2 * VAE_CODE], &[VAE_CODE, 4096], &[256, 128, 64, 32, 3])
            }
            Model::Cnn => stop(
                "candle's gradient of max pooling is another where an edge is left out, as from 7 x 7 to 3 x 3",
            ),
        };
        let strided = Conv2dConfig { padding: 1, stride: 2, ..Default::default() };
        let convolution = |(number, pair): (usize, &[usize])| {
            conv2d(pair[0], pair[1], 3, strided, at.pp(format!("down.{number}")))
        };
        let doubling = ConvTranspose2dConfig { padding: 1, output_padding: 1, stride: 2, dilation: 1 };
        let transposed = |(number, pair): (usize, &[usize])| {
            conv_transpose2d(pair[0], pair[1], 3, doubling, at.pp(format!("up.{number}")))
        };
        Ok(Self {
            model,
            down: down.windows(2).enumerate().map(convolution).collect::<Result<_>>()?,
            encoder: dense("encoder", encoder)?,
            decoder: dense("decoder", decoder)?,
            up: up.windows(2).enumerate().map(transposed).collect::<Result<_>>()?,
        })
    }

    /// Nats per image.
    fn loss(&self, images: &Tensor) -> Result<Tensor> {
        let mut x = images.clone();
        for layer in &self.down {
            x = layer.forward(&x)?.relu()?;
        }
        let code = through(&self.encoder, x.flatten_from(1)?)?;
        if self.model == Model::Mlp {
            return bernoulli(&through(&self.decoder, code.relu()?)?, &images.flatten_from(1)?);
        }
        let (z, kl) = sample(&code)?;
        let mut x = through(&self.decoder, z)?;
        if !self.up.is_empty() {
            x = x.relu()?.reshape(((), 256, 4, 4))?;
        }
        x = through(&self.up, x)?;
        bernoulli(&x.flatten_from(1)?, &images.flatten_from(1)?)? + kl
    }
}

// Layers with relu between them.
fn through<M: Module>(layers: &[M], mut x: Tensor) -> Result<Tensor> {
    for (number, layer) in layers.iter().enumerate() {
        x = layer.forward(&if number > 0 { x.relu()? } else { x })?;
    }
    Ok(x)
}

// A Gaussian code by reparameterization, and its KL to the standard normal, averaged over images.
fn sample(code: &Tensor) -> Result<(Tensor, Tensor)> {
    let (mu, logvar) = (code.narrow(1, 0, VAE_CODE)?, code.narrow(1, VAE_CODE, VAE_CODE)?);
    let z = (&mu + ((&logvar * 0.5)?.exp()? * mu.randn_like(0.0, 1.0)?)?)?;
    let kl = (((mu.sqr()? + logvar.exp()?)? - logvar)? - 1.0)?;
    Ok((z, (kl.sum_all()? * (0.5 / code.dim(0)? as f64))?))
}

// The negative log-likelihood of Bernoulli pixels from logits, averaged over images: max(x, 0) - x t + log(1 + e^-|x|).
fn bernoulli(logits: &Tensor, images: &Tensor) -> Result<Tensor> {
    let tail = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    ((logits.relu()? - (logits * images)?)? + tail)?.sum_all()? / logits.dim(0)? as f64
}

fn train() -> Result<()> {
    let mut run = Run::from_arguments();
    run.images = run.images.channels_first();
    let variables = VarMap::new();
    let at = VarBuilder::from_varmap(&variables, candle_core::DType::F32, &Device::Cpu);
    let model = Autoencoder::new(run.model, &at)?;
    let settings = ParamsAdamW { lr: LEARNING_RATE, eps: EPSILON, weight_decay: 0.0, ..Default::default() };
    let mut adam = AdamW::new(variables.all_vars(), settings)?;
    let images = &run.images;
    let mut epoch = || -> Result<f64> {
        let mut total = 0.0;
        for step in 0..run.steps() {
            let shape = (run.batch, images.channels, images.height, images.width);
            let loss = model.loss(&Tensor::from_vec(images.batch(step, run.batch), shape, &Device::Cpu)?)?;
            adam.backward_step(&loss)?;
            total += f64::from(loss.to_scalar::<f32>()?);
        }
        Ok(total / run.steps() as f64)
    };
    run.measure("candle", "CPU", || epoch().unwrap_or_else(|error| stop(&error.to_string())));
    Ok(())
}

fn main() {
    train().unwrap_or_else(|error| stop(&error.to_string()));
}
