//! Evaluations, bounds, codes and reconstructions of trained models, on the device and on the reference.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use narrows::graph::Device;
use narrows::infer::{ActiveUnits, Decoder, Encoder, ImportanceBound, Reconstructor};
use narrows::model::{CorruptionKind, LikelihoodKind, Registry};
use narrows::train::{Checkpoint, Config, Evaluator, Transform};
use pollster::block_on;
use tiny::trained::{assert_close, bits, evaluated, reconstruction, trained, trained_on, values, variants};
use tiny::{config, dataset, device, normalized, split};

/// Evaluations run in batches of 256; 300 images leave a part of one, which runs over the end.
#[test]
fn an_evaluation_counts_each_image_of_a_partial_batch_once() {
    for variant in variants() {
        let trained = trained(&config(variant.name()), 1);
        let images = dataset(300);
        let [gpu, cpu] = [device(), &Device::Cpu].map(|device| evaluated(device, &trained, &images));
        for ((term, gpu), (_, cpu)) in gpu.iter().zip(cpu.iter()) {
            assert_close(gpu, cpu, 1e-5, &format!("{} {}", variant.name(), term.name));
        }
        // Without noise, the whole's mean is the mean over any parts.
        if !trained.model().unwrap().has_posterior() {
            let parts = [0..1, 1..44, 44..300].map(|range| images.slice(range).unwrap());
            let sums = parts
                .iter()
                .map(|part| part.len() as f64 * reconstruction(&evaluated(device(), &trained, part)));
            assert_close(sums.sum::<f64>() / 300.0, reconstruction(&gpu), 1e-6, variant.name());
        }
    }
}

#[test]
fn an_encoder_alone_gives_the_codes_that_reconstructions_come_from_to_the_bit() {
    for variant in variants() {
        let trained = trained(&config(variant.name()), 1);
        let images = dataset(300);
        let mut encoder = block_on(Encoder::new(device(), &trained, &images)).unwrap();
        let mut whole = block_on(Reconstructor::new(device(), &trained, &images)).unwrap();
        let codes = block_on(encoder.run()).unwrap();
        assert_eq!(codes.len(), 300 * trained.model().unwrap().latent() as usize);
        assert_eq!(codes, block_on(whole.run()).unwrap().codes, "{}", variant.name());
        assert_eq!(codes, block_on(encoder.run()).unwrap());
    }
}

#[test]
fn evaluations_see_images_as_they_are() {
    let mut trained = trained(&config("denoising-dropout"), 1);
    let means = evaluated(device(), &trained, &dataset(30));
    trained.config.model.variant = Registry::built_in().variant("mlp").unwrap().clone();
    trained.config.model.corruption = CorruptionKind::None;
    trained.config.model.corruption_amount = None;
    trained.config.model.corruption_rescale = None;
    assert_eq!(means, evaluated(device(), &trained, &dataset(30)));
    // In training they are corrupted: another corruption is another run.
    let mut other = config("denoising-dropout");
    other.model.corruption_amount = Some(0.25);
    assert_ne!(bits(&trained), bits(&tiny::trained::trained(&other, 1)));
}

#[test]
fn corrupted_images_are_the_same_in_each_run_and_are_what_is_encoded() {
    let trained = trained(&config("denoising-dropout"), 1);
    let images = dataset(30);
    let mut reconstructor = block_on(Reconstructor::corrupted(device(), &trained, &images)).unwrap();
    let results = block_on(reconstructor.run()).unwrap();
    assert_eq!(results, block_on(reconstructor.run()).unwrap());
    let seen = results.seen.unwrap();
    let original = images.bytes().into_iter().map(|byte| f32::from(byte) / 255.0);
    // Half the pixels are lost, the others twice as light.
    let lost = original.zip(&seen).filter(|(clean, seen)| {
        assert!(**seen == 0.0 || (**seen - 2.0 * clean).abs() < 1e-6, "{clean} seen as {seen}");
        *clean > 0.0 && **seen == 0.0
    });
    let share = lost.count() as f64 / images.bytes().iter().filter(|byte| **byte > 0).count() as f64;
    assert!((share - 0.5).abs() < 0.08, "{share} of the pixels are lost");
    let mut clean = block_on(Reconstructor::new(device(), &trained, &images)).unwrap();
    assert_ne!(block_on(clean.run()).unwrap().codes, results.codes);
}

// What is evaluated in training, from a checkpoint and in a run's pictures are the same running statistics.
#[test]
fn a_normalized_model_is_used_by_its_running_statistics_wherever_it_is_used() {
    let config = normalized();
    let mut trainer = trained_on(device(), &config, 0);
    let early = block_on(trainer.checkpoint()).unwrap();
    let validation = block_on(trainer.epoch(&mut |_| true)).unwrap().validation.unwrap();
    let trained = block_on(trainer.checkpoint()).unwrap();
    for name in ["encoder.1.running_mean", "decoder.1.running_variance"] {
        assert_ne!(values(&early, name), values(&trained, name), "{name}");
    }
    let images = split().validation;
    assert_eq!(evaluated(device(), &trained, &images), validation);
    let alone: f64 = (0..images.len())
        .map(|at| evaluated(&Device::Cpu, &trained, &images.slice(at..at + 1).unwrap()))
        .map(|means| reconstruction(&means))
        .sum();
    assert_close(alone / images.len() as f64, reconstruction(&validation), 1e-5, "each image alone");
    let mut forgetful = trained.clone();
    for (name, slot) in early.slots.iter().filter(|(name, _)| name.contains("running")) {
        forgetful.slots.insert(name.to_owned(), slot.shape.clone(), slot.values.clone());
    }
    assert_ne!(evaluated(device(), &forgetful, &images), validation);

    let mut following = block_on(Reconstructor::new(device(), &early, &images)).unwrap();
    following.follow(trainer.replay()).unwrap();
    let mut loaded = block_on(Reconstructor::new(device(), &trained, &images)).unwrap();
    let shown = block_on(loaded.run()).unwrap();
    assert_eq!(block_on(following.run()).unwrap(), shown);
    let mut following = block_on(Decoder::new(device(), &early, 9)).unwrap();
    following.follow(trainer.replay()).unwrap();
    let mut loaded = block_on(Decoder::new(device(), &trained, 9)).unwrap();
    let decoded = block_on(loaded.decode(&shown.codes)).unwrap();
    assert_eq!(block_on(following.decode(&shown.codes)).unwrap(), decoded);
    for (decoded, shown) in decoded.iter().zip(&shown.images) {
        assert!((decoded - shown).abs() < 1e-6);
    }
}

#[test]
fn one_sample_estimates_the_elbo_and_more_bound_the_likelihood_closer() {
    let trained = trained(&config("vae"), 3);
    let images = dataset(300);
    let bound =
        |on: &Device, samples| block_on(ImportanceBound::estimate(on, &trained, &images, samples)).unwrap();
    let [one, many] = [1, 64].map(|samples| bound(device(), samples));
    assert_eq!((one.samples, one.each.len(), many.each.len()), (1, 300, 300));
    assert_eq!(many, bound(device(), 64));
    assert_close(bound(&Device::Cpu, 3).mean(), bound(device(), 3).mean(), 1e-6, "device against reference");

    let model = trained.model().unwrap();
    let seed = trained.config.train.seed;
    let mut evaluator =
        block_on(Evaluator::new(device(), &model, &images, &Transform::default(), seed)).unwrap();
    let means = block_on(evaluator.evaluate_checkpoint(&trained)).unwrap();
    // The same samples, so that all but the divergence is equal; its estimate has a deviation of about 1 an image.
    let (kl, closed) = (-(one.mean() + reconstruction(&means)), means.get("kl").unwrap());
    assert!((kl - closed).abs() < 0.3, "{kl}, in closed form {closed}");
    let elbo = means.elbo().unwrap();
    assert!(elbo < many.mean() && one.mean() < many.mean(), "{elbo}, {}, {}", one.mean(), many.mean());
    let above = one.each.iter().zip(&many.each).filter(|(one, many)| one > many).count();
    assert!(above < 150, "{above} of 300 images have a better first sample than all on average");
}

#[test]
fn only_a_gaussian_code_and_a_probability_have_an_importance_weighted_bound() {
    let refusal = |config: &Config, samples| {
        let outcome =
            block_on(ImportanceBound::estimate(device(), &trained(config, 1), &dataset(5), samples));
        outcome.unwrap_err().to_string()
    };
    let mut squared = config("vae");
    squared.model.likelihood = LikelihoodKind::SquaredError;
    for config in [config("mlp"), squared] {
        assert!(
            refusal(&config, 2).starts_with("importance-weighted bound: expected a variational autoencoder")
        );
    }
    assert_eq!(refusal(&config("vae"), 0), "samples: expected at least 1, got 0");
}

#[test]
fn the_units_of_a_trained_code_are_told_from_idle_ones() {
    let mut active = trained(&config("vae"), 3);
    let units = block_on(ActiveUnits::measure(device(), &active, &dataset(60))).unwrap().unwrap();
    assert_eq!((units.variances.len(), units.count()), (3, 3), "{units:?}");
    // The second unit's mean no longer depends on the image.
    let (shape, mut head) = active.slots.get("encoder.1.weight").map(|(s, head)| (s, head.to_vec())).unwrap();
    head[12..24].fill(0.0);
    active.slots.insert("encoder.1.weight".to_owned(), shape, head);
    let units = block_on(ActiveUnits::measure(device(), &active, &dataset(60))).unwrap().unwrap();
    assert_eq!((units.variances[1], units.count()), (0.0, 2), "{units:?}");
}

#[test]
fn a_model_is_trained_kept_and_used_without_a_path() {
    for variant in variants() {
        let trained = trained(&config(variant.name()), 1);
        let bytes = trained.to_bytes().unwrap();
        let loaded = Checkpoint::from_bytes(&bytes).unwrap();
        assert_eq!(loaded, trained, "{}", variant.name());
        let used = |checkpoint: &Checkpoint| {
            let images = dataset(12);
            let mut reconstructor = block_on(Reconstructor::new(device(), checkpoint, &images)).unwrap();
            let shown = block_on(reconstructor.run()).unwrap();
            let mut decoder = block_on(Decoder::new(device(), checkpoint, 12)).unwrap();
            (block_on(decoder.decode(&shown.codes)).unwrap(), shown)
        };
        let (decoded, shown) = used(&loaded);
        assert_eq!((decoded.clone(), shown.clone()), used(&trained), "{}", variant.name());
        assert_eq!((decoded.len(), shown.images.len()), (12 * 35, 12 * 35));
        assert!(decoded.iter().chain(&shown.images).all(|value| value.is_finite()));
        let cut = Checkpoint::from_bytes(&bytes[..bytes.len() - 1]).unwrap_err().to_string();
        assert!(cut.starts_with("checkpoint: expected a whole safetensors file, found a damaged"), "{cut}");
    }
}
