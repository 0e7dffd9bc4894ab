//! What the tests of training and of the command line share: a device, few small images, small models.
#![allow(dead_code, missing_docs, unreachable_pub)]

#[cfg(feature = "cli")]
pub mod command;
pub mod trained;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use narrows::data::{Dataset, Split};
use narrows::gpu::GpuOptions;
use narrows::graph::Device;
use narrows::model::{LayerConfig, StackKind};
use narrows::train::Config;

const HOW_TO_GET_ONE: &str =
    "these tests need a device; scripts/test.sh installs a software one where there is none";

/// Rows and columns of the images: odd, so that rows of bytes straddle words.
pub const SIZE: [usize; 2] = [7, 5];

/// The device, once per test program; where `NARROWS_TEST_DEFAULTS` is set with nothing but WebGPU's
/// defaults.
pub fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE.get_or_init(|| {
        let only_defaults = std::env::var_os("NARROWS_TEST_DEFAULTS").is_some();
        let options = GpuOptions { only_defaults, ..Default::default() };
        pollster::block_on(Device::open(&options)).unwrap_or_else(|error| panic!("{error}. {HOW_TO_GET_ONE}"))
    })
}

/// `count` images that a few numbers describe: a bar of some height and brightness.
pub fn pixels(count: usize) -> Vec<u8> {
    let [height, width] = SIZE;
    let image = |i: usize| {
        let (top, light) = (i % height, 255 - 12 * (i % 11));
        (0..height * width).map(move |at| if at / width >= top { light as u8 } else { (i * 7 % 23) as u8 })
    };
    (0..count).flat_map(image).collect()
}

pub fn dataset(count: usize) -> Dataset {
    let labels = (0..count).map(|i| (i % 10) as u8).collect();
    let [height, width] = SIZE;
    Dataset::new("bars", [height, width, 1], pixels(count), Some(labels)).unwrap()
}

/// 41 training, 9 validation and 11 test images: no batch divides them.
pub fn split() -> Split {
    Split::new(dataset(50), dataset(11), Some(9)).unwrap()
}

/// The same images as a folder of IDX files.
pub fn write_idx(folder: &Path) {
    let [height, width] = SIZE.map(|extent| extent as u32);
    for (part, count) in [("train", 50), ("t10k", 11)] {
        let header = [0x0803, count as u32, height, width].map(u32::to_be_bytes).concat();
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), [header, pixels(count)].concat())
            .unwrap();
        let header = [0x0801, count as u32].map(u32::to_be_bytes).concat();
        let labels = dataset(count).labels.unwrap();
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), [header, labels].concat()).unwrap();
    }
}

/// 7 x 5 to 3 x 2 and back.
pub fn layers() -> [Vec<LayerConfig>; 2] {
    parsed(
        r#"
        encoder = [{ layer = "conv", filters = 3, kernel = 3 }, { layer = "max-pool", size = 2 }]
        decoder = [
            { layer = "dense", units = 12 },
            { layer = "reshape", shape = [3, 2, 2] },
            { layer = "conv-transpose", filters = 1, kernel = 3, stride = 2, padding = "valid" },
        ]
    "#,
    )
}

fn parsed(text: &str) -> [Vec<LayerConfig>; 2] {
    let mut sides: std::collections::HashMap<String, Vec<LayerConfig>> = toml::from_str(text).unwrap();
    ["encoder", "decoder"].map(|side| sides.remove(side).unwrap())
}

/// The variant's preset, made small.
pub fn config(variant: &str) -> Config {
    let mut config = Config::preset(variant).unwrap();
    if !config.model.hidden.is_empty() {
        config.model.hidden = vec![12];
    }
    config.model.latent = 3;
    if !config.model.stack.is_none() {
        config.model.stack = StackKind::None;
        [config.model.encoder, config.model.decoder] = layers();
    }
    config.train.batch = 8;
    config.train.epochs = 3;
    config
}

/// Batch normalisation on either side, and dropout: what training changes beside parameters, and draws.
pub fn normalized() -> Config {
    let mut config = config("mlp");
    config.model.hidden = Vec::new();
    [config.model.encoder, config.model.decoder] = parsed(
        r#"
        encoder = [
            { layer = "conv", filters = 3, kernel = 3, activation = "identity" },
            { layer = "batch-norm", activation = "relu", momentum = 0.5 },
            { layer = "max-pool", size = 2 },
            { layer = "dropout", rate = 0.1 },
        ]
        decoder = [
            { layer = "dense", units = 12 },
            { layer = "batch-norm", activation = "gelu", momentum = 0.5 },
            { layer = "dense", units = 35 },
        ]
    "#,
    );
    config.train.learning_rate = 0.5;
    config
}

/// The names of what is in a folder, sorted.
pub fn listing(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}
