//! Several ranks that train one model: the same model as one rank's, to rounding.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::sync::Arc;

use narrows::Error;
use narrows::graph::{Device, Share};
use narrows::model::{CorruptionKind, Registry};
use narrows::ranks::{Ranks, in_threads};
use narrows::train::{Checkpoint, Config, Trainer};
use pollster::block_on;
use tiny::trained::{bits, trained_on};
use tiny::{config, device, normalized, split};

const EPOCHS: u32 = 2;

/// Each rank's model after some epochs.
fn among(device: &Device, config: &Config, count: u32) -> Vec<Checkpoint> {
    let rank = |ranks: Arc<dyn Ranks>| {
        let mut trainer = block_on(Trainer::among(device, config, &split(), Some(ranks))).unwrap();
        for _ in 0..EPOCHS {
            block_on(trainer.epoch(&mut |_| true)).unwrap();
        }
        block_on(trainer.checkpoint()).unwrap()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            in_threads(count).into_iter().map(|ranks| scope.spawn(move || rank(ranks))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn alone(device: &Device, config: &Config) -> Checkpoint {
    block_on(trained_on(device, config, EPOCHS).checkpoint()).unwrap()
}

/// The largest difference of a slot's numbers, beside the largest of them.
fn assert_close(what: &str, one: &Checkpoint, other: &Checkpoint, within: f32) {
    for (name, slot) in one.slots.iter() {
        let values = other.slots.get(name).unwrap().1;
        let largest = slot.values.iter().fold(1e-3_f32, |most, x| most.max(x.abs()));
        for (at, (a, b)) in slot.values.iter().zip(values).enumerate() {
            assert!((a - b).abs() <= within * largest, "{what}, {name}[{at}]: {a} against {b}");
        }
    }
}

/// Every variant, and what draws for each image or depends on all of a batch.
fn configs() -> Vec<(String, Config)> {
    let registry = Registry::built_in();
    let names: Vec<&str> = registry.variants().iter().map(|variant| variant.name()).collect();
    let mut all: Vec<(String, Config)> =
        names.iter().map(|name| ((*name).to_owned(), config(name))).collect();
    all.push(("batch norm and dropout".to_owned(), normalized()));
    let mut noisy = config("mlp");
    noisy.model.corruption = CorruptionKind::Gaussian;
    noisy.model.corruption_amount = Some(0.2);
    noisy.train.random_flip = true;
    noisy.train.random_shift = Some(2);
    all.push(("corruption and augmentation".to_owned(), noisy));
    let mut sparse = Config::preset("sparse-kl").unwrap();
    sparse.model.hidden = Vec::new();
    sparse.model.latent = 6;
    all.push(("sparse-kl".to_owned(), sparse));
    all.push(("free bits".to_owned(), with("vae", "model.free_bits = 0.3")));
    all.push(("warm-up".to_owned(), with("vae", "model.kl_warmup = 'linear'\nmodel.kl_warmup_epochs = 2")));
    all.push(("cvae".to_owned(), with("cvae", "")));
    all.push((
        "clipped".to_owned(),
        with("mlp", "train.clip_norm = 0.05\ntrain.optimizer = 'adam'\ntrain.learning_rate = 1e-3"),
    ));
    for (_, config) in &mut all {
        // No number of ranks divides it.
        (config.train.batch, config.train.epochs) = (19, EPOCHS);
    }
    all
}

fn with(preset: &str, settings: &str) -> Config {
    let small = "model.hidden = [12]\nmodel.latent = 3\n";
    let given = toml::from_str(&format!("{small}{settings}")).unwrap();
    Config::preset(preset).unwrap().overlaid(given, "settings").unwrap()
}

#[test]
fn ranks_train_the_model_of_one_rank_to_rounding_and_are_of_one_mind_to_the_bit() {
    for (name, config) in configs() {
        for (device, within) in [(&Device::Cpu, 2e-5), (device(), 2e-4)] {
            let whole = alone(device, &config);
            for count in [2, 4] {
                let what = format!("{name}, {count} ranks, {}", device.name());
                let ranks = among(device, &config, count);
                assert_close(&what, &whole, &ranks[0], within);
                for other in &ranks[1..] {
                    assert_eq!(bits(&ranks[0]), bits(other), "{what}");
                }
            }
        }
    }
}

#[test]
fn as_many_ranks_have_the_same_bits_again_and_one_rank_those_of_none() {
    for config in [config("vae"), normalized()] {
        let again = [2, 2].map(|count| bits(&among(device(), &config, count)[0]));
        assert_eq!(again[0], again[1]);
        assert_eq!(bits(&among(device(), &config, 1)[0]), bits(&alone(device(), &config)));
    }
}

#[test]
fn shares_lie_side_by_side_and_make_up_the_batch() {
    for whole in [8, 13, 64, 127, 128] {
        for ranks in 1..=whole / 4 {
            let shares: Vec<Share> = (0..ranks).map(|rank| Share::of(rank, ranks, whole).unwrap()).collect();
            let mut next = 0;
            for share in &shares {
                assert_eq!((share.first, share.whole), (next, whole));
                assert!(share.images > 0 && share.first % 4 == 0);
                next += share.images;
            }
            assert_eq!(next, whole);
            let most = shares.iter().map(|share| share.images).max().unwrap();
            assert!(shares[..shares.len() - 1].iter().all(|share| share.images + 4 >= most));
        }
    }
    let error = Share::of(0, 5, 16).unwrap_err().to_string();
    assert!(error.contains("at least 20 images, four for each of 5 ranks"), "{error}");
}

#[test]
fn ranks_that_bring_other_numbers_are_told_so() {
    let told: Vec<_> = std::thread::scope(|scope| {
        let sum = |ranks: Arc<dyn Ranks>| {
            let length = 2 + ranks.rank() as usize;
            [ranks.sum(&mut vec![1.0; length]), ranks.spread(&mut vec![1.0; length])]
        };
        let threads: Vec<_> =
            in_threads(2).into_iter().map(|ranks| scope.spawn(move || sum(ranks))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    for error in told {
        let error = error.unwrap_err().to_string();
        assert!(error.contains("numbers of each, as of this one"), "{error}");
    }
}

#[test]
fn a_stop_of_one_rank_stops_all_at_the_same_step_and_a_rank_that_leaves_ends_all() {
    let mut config = config("vae");
    config.train.batch = 13;
    let run = |ranks: Arc<dyn Ranks>, stops: bool, leaves: bool| {
        let own = Arc::clone(&ranks);
        let mut trainer = block_on(Trainer::among(device(), &config, &split(), Some(own))).unwrap();
        drop(ranks);
        if leaves {
            return Err(Error::Stopped);
        }
        let mut steps = 0;
        let outcome = block_on(trainer.epoch(&mut |_| {
            steps += 1;
            !stops || steps < 3
        }));
        outcome.map(drop).or_else(|error| match error {
            Error::Stopped => Ok(()),
            other => Err(other),
        })?;
        Ok(block_on(trainer.checkpoint()).unwrap().step())
    };
    for leaves in [false, true] {
        let run = &run;
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = in_threads(3)
                .into_iter()
                .zip(0..)
                .map(|(ranks, number)| scope.spawn(move || run(ranks, number == 1, leaves && number == 2)))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        match leaves {
            false => assert!(
                outcomes.iter().all(|step| step.as_ref().is_ok_and(|step| *step == 3)),
                "{outcomes:?}"
            ),
            true => {
                let told = outcomes[0].as_ref().unwrap_err().to_string();
                assert!(told.contains("rank 2 left"), "{told}");
            }
        }
    }
}
