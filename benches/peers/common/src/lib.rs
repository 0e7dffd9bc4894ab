//! What every peer in Rust needs for a comparison with narrows: arguments, images, a clock, and the line of JSON.
//!
//! A program is called as `PEER MODEL IMAGES BATCH EPOCHS [DEVICE]`, trains one epoch to warm up and then EPOCHS more,
//! and prints one line: `{"peer", "version", "model", "device", "batch", "start_s", "ms_per_step", "loss"}`. A sample of
//! `ms_per_step` is an epoch's time by its steps: whole steps, from the bytes of the images to the changed parameters.

use std::time::Instant;
use std::{env, fs, process};

/// Learning rate and epsilon of Adam, as in narrows; its decays are 0.9 and 0.999.
pub const LEARNING_RATE: f64 = 1e-3;
pub const EPSILON: f64 = 1e-8;

/// The code of the MLP, and of both variational autoencoders.
pub const MLP_CODE: usize = 30;
pub const VAE_CODE: usize = 20;

/// The models, by the names of narrows' presets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// 784-256-30-256-784, relu.
    Mlp,
    /// Three convolutions of 16, 32 and 64 channels with max pooling, and three transposed ones; selu.
    Cnn,
    /// 784-400-20-400-784, relu.
    Vae,
    /// Strided convolutions of 32, 64, 128 and 256 channels, and as many transposed ones; relu. 64x64x3.
    VaeCnn,
}

/// Images as bytes.
pub struct Images {
    pub count: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    bytes: Vec<u8>,
}

/// What to train, on what, how long.
pub struct Run {
    pub model: Model,
    pub images: Images,
    pub batch: usize,
    pub device: Option<String>,
    name: String,
    epochs: usize,
    began: Instant,
}

/// Ends the program with a message: the comparison then leaves the peer out and shows the message.
pub fn stop(message: &str) -> ! {
    eprintln!("error: {message}");
    process::exit(1)
}

impl Run {
    /// From the program's arguments.
    pub fn from_arguments() -> Self {
        let began = Instant::now();
        let arguments: Vec<String> = env::args().skip(1).collect();
        let [name, images, batch, epochs, device @ ..] = &arguments[..] else {
            stop("expected MODEL IMAGES.npy BATCH EPOCHS [DEVICE]")
        };
        let model = match name.as_str() {
            "mlp" => Model::Mlp,
            "cnn" => Model::Cnn,
            "vae" => Model::Vae,
            "vae-cnn" => Model::VaeCnn,
            other => stop(&format!("expected mlp, cnn, vae or vae-cnn, got {other}")),
        };
        let number = |text: &str| match text.parse() {
            Ok(number) if number > 0 => number,
            _ => stop(&format!("expected a positive number, got {text}")),
        };
        let images = Images::read(images).unwrap_or_else(|error| stop(&format!("{images}: {error}")));
        let (batch, epochs) = (number(batch), number(epochs));
        Self { model, images, batch, device: device.first().cloned(), name: name.clone(), epochs, began }
    }

    /// Steps of an epoch; images that fill no batch are left out.
    pub fn steps(&self) -> usize {
        self.images.count / self.batch
    }

    /// Trains and prints the result. `epoch` trains on all batches in order, waits for the device, and returns the
    /// mean of the loss, in nats per image.
    pub fn measure(&self, peer: &str, device: &str, mut epoch: impl FnMut() -> f64) {
        epoch();
        let first = self.began.elapsed().as_secs_f64();
        let (mut samples, mut loss) = (Vec::new(), f64::NAN);
        for _ in 0..self.epochs {
            let began = Instant::now();
            loss = epoch();
            samples.push(1e3 * began.elapsed().as_secs_f64() / self.steps() as f64);
        }
        let least = samples.iter().copied().fold(f64::INFINITY, f64::min);
        let start = (first - least * self.steps() as f64 / 1e3).max(0.0);
        println!(
            "{{\"peer\":{peer:?},\"version\":{:?},\"model\":{:?},\"device\":{device:?},\"batch\":{},\"start_s\":{start:.3},\
             \"ms_per_step\":{samples:?},\"loss\":{}}}",
            version(peer),
            self.name,
            self.batch,
            if loss.is_finite() { loss.to_string() } else { "null".to_owned() },
        );
    }
}

impl Images {
    // A .npy file of bytes, [count, height, width] or [count, height, width, channels].
    fn read(path: &str) -> Result<Self, String> {
        let file = fs::read(path).map_err(|error| error.to_string())?;
        let length = file.get(8..10).ok_or("expected a .npy file")?;
        let data = 10 + usize::from(u16::from_le_bytes([length[0], length[1]]));
        let header = String::from_utf8_lossy(file.get(10..data).ok_or("expected a .npy file")?).into_owned();
        if !header.contains("|u1") || header.contains("True") {
            return Err(format!("expected bytes in C order, got {header}"));
        }
        let shape = header.split('(').nth(1).and_then(|text| text.split(')').next()).unwrap_or_default();
        let shape: Vec<usize> = shape.split(',').filter_map(|extent| extent.trim().parse().ok()).collect();
        let (count, height, width, channels) = match shape[..] {
            [count, height, width] => (count, height, width, 1),
            [count, height, width, channels] => (count, height, width, channels),
            _ => return Err(format!("expected 3 or 4 dimensions, got {shape:?}")),
        };
        let bytes = file[data..].to_vec();
        if bytes.len() != count * height * width * channels {
            return Err(format!("expected the numbers of {shape:?}, got {}", bytes.len()));
        }
        Ok(Self { count, height, width, channels, bytes })
    }

    /// The numbers of one image.
    pub fn pixels(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// The images of one batch in [0, 1], `[batch, height, width, channels]`.
    pub fn batch(&self, step: usize, batch: usize) -> Vec<f32> {
        let length = batch * self.pixels();
        self.bytes[step * length..][..length].iter().map(|&byte| f32::from(byte) / 255.0).collect()
    }

    /// The same images in the order that most peers want, `[count, channels, height, width]`.
    pub fn channels_first(mut self) -> Self {
        let (plane, channels) = (self.height * self.width, self.channels);
        for image in self.bytes.chunks_exact_mut(plane * channels) {
            let last = image.to_vec();
            for (place, value) in image.iter_mut().enumerate() {
                *value = last[place % plane * channels + place / plane];
            }
        }
        self
    }
}

// The version of a crate in the lockfile that this was built with.
fn version(name: &str) -> &'static str {
    let name = if name == "candle" { "candle-core" } else { name };
    let line = format!("name = \"{name}\"\nversion = \"");
    let rest = include_str!("../../Cargo.lock").split(&line).nth(1);
    rest.and_then(|rest| rest.split('"').next()).unwrap_or("unknown")
}

/// Normal numbers for the code's noise, where a peer makes none on its device: the Box-Muller transform of a
/// 64-bit linear congruential generator.
pub struct Noise(pub u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// So many of them.
    pub fn normal(&mut self, count: usize) -> Vec<f32> {
        let one = |_| (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos();
        (0..count).map(one).map(|value| value as f32).collect()
    }
}
