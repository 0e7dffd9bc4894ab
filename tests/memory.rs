//! Data, training, checkpoints and inference in memory: none of it needs a file.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use narrows::data::{Dataset, Split, idx};
use narrows::graph::Device;
use narrows::infer::{Reconstructions, Reconstructor};
use narrows::model::Registry;
use narrows::picture::Grid;
use narrows::train::{Checkpoint, Config, Trainer};
use pollster::block_on;

// Images of 3 x 2 as the content of an IDX file.
fn images(count: u32) -> Dataset {
    let header = [0x0803, count, 3, 2].map(u32::to_be_bytes).concat();
    let pixels: Vec<u8> = (0..count * 6).map(|at| (at * 37 % 251) as u8).collect();
    idx::from_bytes("few", &[header, pixels].concat(), None).unwrap()
}

fn config() -> Config {
    let text = "[model]\nhidden = [5]\nlatent = 2\n[train]\nbatch = 4\nepochs = 3\n";
    Config::from_toml(&Registry::built_in(), text, "vae", "test").unwrap()
}

fn trainer(config: &Config) -> Trainer {
    let split = Split::new(images(12), images(4), Some(4)).unwrap();
    block_on(Trainer::new(&Device::Cpu, config, &split)).unwrap()
}

fn reconstructions(checkpoint: &Checkpoint) -> Reconstructions {
    block_on(async { Reconstructor::new(&Device::Cpu, checkpoint, &images(4)).await?.run().await }).unwrap()
}

#[test]
fn a_model_is_trained_kept_as_bytes_resumed_and_used_without_a_file() {
    let config = config();
    let mut whole = trainer(&config);
    block_on(whole.epoch(&mut |_| true)).unwrap();
    let first = block_on(whole.checkpoint()).unwrap();
    let bytes = first.to_bytes().unwrap();
    let loaded = Checkpoint::from_bytes(&bytes).unwrap();
    assert_eq!(loaded, first);
    assert_eq!(loaded.to_bytes().unwrap(), bytes);

    let mut resumed = trainer(&config);
    resumed.restore(&loaded).unwrap();
    for _ in 0..2 {
        block_on(whole.epoch(&mut |_| true)).unwrap();
        block_on(resumed.epoch(&mut |_| true)).unwrap();
    }
    let [whole, resumed] = [whole, resumed].map(|trainer| block_on(trainer.checkpoint()).unwrap());
    assert_eq!(resumed, whole);
    assert_ne!(whole, first);

    let results = reconstructions(&Checkpoint::from_bytes(&whole.to_bytes().unwrap()).unwrap());
    assert_eq!(results, reconstructions(&whole));
    assert_eq!([results.codes.len(), results.images.len()], [4 * 2, 4 * 6]);
    let png = Grid { images: &results.images, shape: whole.shape, columns: 2 }.png().unwrap();
    assert!(png.starts_with(b"\x89PNG"));
}

#[test]
fn bytes_that_are_no_checkpoint_and_text_that_is_no_configuration_are_refused_by_what_they_should_be() {
    let said = Checkpoint::from_bytes(b"no checkpoint").unwrap_err().to_string();
    assert!(said.starts_with("checkpoint: expected a whole safetensors file, found a damaged"), "{said}");
    let said =
        Config::from_toml(&Registry::built_in(), "[model]\nlatent =", "vae", "test").unwrap_err().to_string();
    assert!(said.starts_with("test: expected TOML, got in line 2: "), "{said}");
}
