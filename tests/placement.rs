//! Data in one buffer, in several, or streaming: training and evaluation give the same bits.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod tiny;

use std::sync::OnceLock;

use narrows::Error;
use narrows::data::{Dataset, Split, Values};
use narrows::gpu::GpuOptions;
use narrows::graph::{Device, Placement, Replay, Rows, State};
use narrows::infer::{ImportanceBound, JacobianNorms, Reconstructor};
use narrows::model::{LikelihoodKind, Model};
use narrows::run::{Run, RunEvent, RunLock};
use narrows::train::{Checkpoint, Config, Evaluator, Precision};
use pollster::block_on;
use tiny::trained::{bits, trained_on};
use tiny::{config, dataset, device, split};

// Many images, and batches that no pass is a whole number of, nor a whole number of words.
const COUNT: usize = 53;
const BATCH: u32 = 7;

// Buffers that the images fill, or end within; rings of one step, of few and of as many as a submit may have.
const PLACEMENTS: [Placement; 5] = [
    Placement::Buffers { each: 8 },
    Placement::Buffers { each: 52 },
    Placement::Ring { words: 0 },
    Placement::Ring { words: 1_300 },
    Placement::Ring { words: 1 << 20 },
];

fn floats() -> Dataset {
    let numbers: Vec<f32> = dataset(COUNT).values.iter().map(|x| 7.0 * x - 300.0).collect();
    Dataset::new("floats", [7, 5, 1], numbers, None).unwrap()
}

fn configs() -> Vec<(Config, Dataset)> {
    let centered = {
        let mut config = config("vae");
        config.model.likelihood = LikelihoodKind::GaussianLearned;
        config.model.center = true;
        config
    };
    let seen_otherwise = {
        let mut config = config("denoising");
        (config.train.random_flip, config.train.random_shift) = (true, Some(2));
        config.model.center = true;
        config.model.likelihood = LikelihoodKind::SquaredError;
        config
    };
    let halves = {
        let mut config = centered.clone();
        config.data.precision = Some(Precision::F16);
        config
    };
    let mirrored = {
        let mut config = config("mlp");
        config.train.random_flip = true;
        config
    };
    let mut all: Vec<_> =
        [config("mlp"), config("denoising"), centered.clone(), seen_otherwise, mirrored, config("cvae")]
            .map(|config| (config, dataset(COUNT)))
            .into();
    all.extend([(centered, floats()), (halves, floats())]);
    for (config, _) in &mut all {
        config.train.batch = BATCH;
    }
    all
}

// Bits of what a plan keeps after submits of these numbers of steps.
fn trained(
    device: &Device,
    config: &Config,
    data: &Dataset,
    placement: Placement,
    submits: &[u32],
) -> Vec<u32> {
    let config = &config.fitted_to_data(data).unwrap();
    let transform = config.transform(data).unwrap();
    let model = Model::new(&config.model, data.shape().try_into().unwrap()).unwrap();
    let model =
        model.with_rows(transform.rows(data), placement).with_augmentation(config.train.augmentation());
    let total = data.len() as u32;
    let update = config.train.update(total).unwrap();
    let plan = model.training(BATCH, total, true, &update, false).unwrap();
    let mut replay = block_on(Replay::new(device, plan)).unwrap();
    transform.feed(&mut replay, data).unwrap();
    replay.write_initial(5).unwrap();
    for steps in submits {
        let mut left = *steps;
        while left > 0 {
            let now = left.min(replay.most_steps());
            let pending = replay.submit(now, "state").unwrap();
            block_on(replay.wait(pending)).unwrap();
            left -= now;
        }
    }
    let slots = block_on(replay.read_slots()).unwrap();
    slots.iter().flat_map(|(_, slot)| slot.values.iter().map(|x| x.to_bits()).collect::<Vec<_>>()).collect()
}

#[test]
fn wherever_the_data_lie_training_gives_the_same_bits() {
    for (config, data) in configs() {
        let expected = trained(device(), &config, &data, Placement::Whole, &[20]);
        for placement in PLACEMENTS {
            for submits in [&[20][..], &[1, 3, 2, 9, 5]] {
                let got = trained(device(), &config, &data, placement, submits);
                assert!(got == expected, "{} of {}: {placement:?}, {submits:?}", config.preset, data.name);
            }
        }
    }
}

#[test]
fn the_reference_streams_too() {
    let (config, data) = configs().swap_remove(3);
    let expected = trained(&Device::Cpu, &config, &data, Placement::Whole, &[5]);
    for placement in PLACEMENTS {
        assert!(trained(&Device::Cpu, &config, &data, placement, &[2, 3]) == expected, "{placement:?}");
    }
}

// A device that holds no data set.
fn small() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE.get_or_init(|| {
        let only_defaults = std::env::var_os("NARROWS_TEST_DEFAULTS").is_some();
        let options = GpuOptions { only_defaults, data_memory: Some(100), ..GpuOptions::default() };
        block_on(Device::open(&options)).unwrap()
    })
}

#[test]
fn what_is_used_of_a_trained_model_streams_with_the_same_bits() {
    ["vae", "cvae"].into_iter().for_each(streams_in_use);
}

fn streams_in_use(preset: &str) {
    let config = config(preset);
    let checkpoint = block_on(trained_on(small(), &config, 2).checkpoint()).unwrap();
    assert_eq!(bits(&checkpoint), bits(&block_on(trained_on(device(), &config, 2).checkpoint()).unwrap()));
    // More than a batch of each use, and no whole number of them.
    let data = dataset(601);
    let model = checkpoint.model().unwrap();
    let results = |device: &Device| {
        let mut evaluator =
            block_on(Evaluator::new(device, &model, &data, &checkpoint.transform, 5)).unwrap();
        let means = block_on(evaluator.evaluate_checkpoint(&checkpoint)).unwrap();
        let again = block_on(evaluator.evaluate_checkpoint(&checkpoint)).unwrap();
        assert_eq!(means.total().to_bits(), again.total().to_bits());
        let mut reconstructor = block_on(Reconstructor::new(device, &checkpoint, &data)).unwrap();
        let bound = block_on(ImportanceBound::estimate(device, &checkpoint, &data, 3)).unwrap();
        let jacobian = block_on(JacobianNorms::new(device, &checkpoint, &data)).unwrap();
        (means.total(), block_on(reconstructor.run()).unwrap(), bound, jacobian)
    };
    assert!(results(small()) == results(device()));
}

fn files(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    ["last.safetensors", "best.safetensors", "epoch-003-reconstructions.png"].map(read).into()
}

fn train(run: &mut Run, stop: u64) -> Result<(), Error> {
    block_on(
        run.train(&mut |event| !matches!(event, RunEvent::Progress(progress) if progress.run_step >= stop)),
    )
}

#[test]
fn a_run_that_streams_resumes_in_the_middle_of_a_pass_wherever_its_data_lie_then() {
    let place = tempfile::TempDir::new().unwrap();
    let (config, data) = (config("denoising"), split());
    let whole = place.path().join("whole");
    train(&mut block_on(Run::create(&whole, device(), &config, &data)).unwrap(), u64::MAX).unwrap();
    for (name, first, second) in
        [("streams", small(), small()), ("then not", small(), device()), ("then", device(), small())]
    {
        let folder = place.path().join(name);
        let mut run = block_on(Run::create(&folder, first, &config, &data)).unwrap();
        assert!(matches!(train(&mut run, 3), Err(Error::Stopped)));
        drop(run);
        let checkpoint = Checkpoint::load(folder.join("last.safetensors")).unwrap();
        assert!((1..15).contains(&checkpoint.step()), "{}", checkpoint.step());
        let mut run =
            block_on(Run::resume(RunLock::of_run(&folder).unwrap(), second, &checkpoint, &config, &data))
                .unwrap();
        train(&mut run, u64::MAX).unwrap();
        assert!(files(&folder) == files(&whole), "{name}");
    }
}

#[test]
fn data_are_placed_by_what_a_binding_and_the_devices_share_hold() {
    let Device::Gpu(gpu) = device() else { panic!("a GPU") };
    let place = |total: usize, pixels: usize, rows| Placement::on(device(), total, pixels, rows);
    assert_eq!(place(1_000, 784, Rows::Floats), Placement::Whole);
    let binding = gpu.largest_binding();
    let pixels = 65_535;
    let total = (binding / 65_535 + 100) as usize;
    let Placement::Buffers { each } = place(total, pixels, Rows::Bytes) else { panic!("several buffers") };
    assert!(each % 4 == 0 && u64::from(each) * 65_535 <= binding && u64::from(each + 4) * 65_535 > binding);
    let Placement::Ring { words } = place(1 << 31, 784, Rows::Floats) else { panic!("no memory has it all") };
    assert!(words > 0);
    assert!(matches!(Placement::on(small(), 41, 35, Rows::Bytes), Placement::Ring { .. }));
    assert_eq!(Placement::on(&Device::Cpu, 1 << 31, 784, Rows::Floats), Placement::Whole);
}

#[test]
fn a_plan_that_streams_wants_its_images_before_its_steps() {
    let config = config("mlp");
    let model = Model::new(&config.model, dataset(9).shape().try_into().unwrap()).unwrap();
    let model = model.with_rows(Rows::Bytes, Placement::Ring { words: 500 });
    let update = config.train.update(COUNT as u32).unwrap();
    let plan = model.training(BATCH, COUNT as u32, true, &update, false).unwrap();
    let mut replay = block_on(Replay::new(device(), plan)).unwrap();
    replay.write_state(&State::new(1)).unwrap();
    let refused = replay.submit(1, "state").unwrap_err().to_string();
    assert!(refused.contains("Replay::stream"), "{refused}");
    let most = replay.most_steps();
    assert_eq!(most, 4, "of 70 words each");
    assert!(replay.submit(most + 1, "state").unwrap_err().to_string().contains("at most 4"));
}

#[test]
fn parts_of_a_data_set_are_views_with_the_same_numbers() {
    let all = dataset(50);
    let Split { train, validation, .. } = Split::new(all.clone(), dataset(11), Some(9)).unwrap();
    assert_eq!(train.values, all.slice(0..41).unwrap().values);
    assert_eq!(validation.values.iter().collect::<Vec<f32>>(), all.floats()[41 * 35..]);
    let middle = all.slice(10..40).unwrap().slice(5..20).unwrap();
    assert_eq!(middle.bytes(), all.bytes()[15 * 35..30 * 35]);
    let Values::Bytes(bytes) = &middle.values else { panic!("bytes") };
    assert_eq!(bytes.row(3, 35), &all.bytes()[18 * 35..19 * 35]);
    assert_eq!(bytes.pieces().flatten().count(), 15 * 35);
}
