//! Contractive models and tied weights: what they refuse, what they learn, and how their Jacobians are measured.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::gradients::check_gradients;
use common::{device, devices, noise, title};
use narrows::Error;
use narrows::data::{self, Dataset, Source, Split};
use narrows::graph::{Device, Plan, Replay, Shape, first_difference};
use narrows::infer::JacobianNorms;
use narrows::kernels::State;
use narrows::model::{ContractionKind, Model};
use narrows::reference::compare::{Tolerance, compare};
use narrows::train::{Checkpoint, Config, Trainer, packed};
use pollster::block_on;

const IMAGE: Shape = Shape::new(6, 5, 2);
const PIXELS: usize = 60;
const BATCH: u32 = 4;
const TOTAL: u32 = 11;

fn config(preset: &str, settings: &str) -> narrows::Result<Config> {
    Config::preset(preset)?.overlaid(settings.parse().unwrap(), "test")
}

fn training(config: &Config) -> narrows::Result<Plan> {
    config.check()?;
    let model = Model::new(&config.model, IMAGE)?;
    model.training(BATCH, TOTAL, true, &config.train.update(TOTAL)?, true)
}

fn refusal(preset: &str, settings: &str) -> String {
    match config(preset, settings).and_then(|config| training(&config)) {
        Err(error @ Error::Setting { .. }) => error.to_string(),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("accepted {settings}"),
    }
}

fn start(replay: &mut Replay) -> narrows::Result<()> {
    let bytes: Vec<u8> =
        noise(3, PIXELS * TOTAL as usize).iter().map(|x| (127.0 * x + 128.0) as u8).collect::<Vec<u8>>();
    replay.write("images", &packed(&bytes))?;
    replay.write_initial(7)?;
    replay.write_state(&State::new(5))
}

// Convolution, pooling, reshaping, upsampling and a dense code: all that a tangent passes through.
const LAYERS: &str = r#"
    hidden = []
    latent = 4
    activation = "silu"
    code_activation = "tanh"
    tied = false
    contraction = "estimate"
    encoder = [
        { layer = "conv", filters = 3, kernel = 3 },
        { layer = "max-pool", size = 2 },
        { layer = "conv", filters = 4, kernel = 2, padding = "valid", activation = "identity" },
        { layer = "activation", activation = "gelu" },
        { layer = "upsample", factor = 2 },
        { layer = "flatten" },
        { layer = "dense", units = 7, activation = "identity" },
        { layer = "activation", activation = "identity" },
    ]
"#;

// A contractive model of each kind, and a tied one without penalty.
fn cases() -> [(&'static str, Config); 5] {
    let small = "[model]\nlatent = 7\ncontraction_weight = 0.6";
    let deep = "[model]\nhidden = [9, 6]\nlatent = 4\nactivation = \"silu\"\ncode_activation = \"softplus\"";
    [
        ("one layer", config("contractive", small).unwrap()),
        ("deep", config("contractive-deep", &format!("{deep}\ncontraction_weight = 0.4")).unwrap()),
        ("deep, tied, estimated", {
            let more = "tied = true\ncontraction = \"estimate\"\ncontraction_weight = 0.4";
            config("contractive-deep", &format!("{deep}\n{more}")).unwrap()
        }),
        ("layers", config("contractive", &format!("[model]\n{LAYERS}\ncontraction_weight = 0.5")).unwrap()),
        ("tied", config("tied", "[model]\nhidden = [8]\nlatent = 5\nactivation = \"tanh\"").unwrap()),
    ]
}

#[test]
fn gradients_are_the_central_differences_of_the_objective() {
    for (what, config) in cases() {
        let plan = training(&config).unwrap();
        check_gradients(what, &plan, &start);
    }
}

#[test]
fn every_intermediate_result_of_a_step_is_the_references() {
    for device in devices() {
        for (what, config) in cases() {
            let plan = training(&config).unwrap();
            let found = first_difference(&plan, &device, &Device::Cpu, Tolerance::new(2e-5, 2e-5), start);
            assert_eq!(block_on(found).unwrap(), None, "{what} on {}", title(&device));
        }
    }
}

#[test]
fn a_tied_decoder_is_the_encoder_transposed_with_biases_of_its_own() {
    let tied = config("tied", "[model]\nhidden = [8]\nlatent = 5").unwrap();
    let mut free = tied.clone();
    free.model.tied = false;
    let [tied, free] =
        [tied, free].map(|config| Model::new(&config.model, IMAGE).unwrap().decoding(3).unwrap());
    let names =
        |plan: &Plan| plan.layout("parameters").unwrap().iter().map(|p| p.name.clone()).collect::<Vec<_>>();
    let encoder = ["encoder.0.weight", "encoder.0.bias", "encoder.1.weight", "encoder.1.bias"];
    assert_eq!(names(&tied), [&encoder[..], &["decoder.0.bias", "decoder.1.bias"]].concat());

    let values: Vec<f32> = noise(1, tied.layout("parameters").unwrap().words());
    let of = |name: &str| {
        let parameter =
            tied.layout("parameters").unwrap().iter().find(|parameter| parameter.name == name).unwrap();
        (parameter.shape.clone(), tied.layout("parameters").unwrap().view(parameter, &values).to_vec())
    };
    let transposed = |name: &str| {
        let (shape, values) = of(name);
        let columns = shape[1];
        let turned = (0..values.len()).map(|i| values[i % shape[0] * columns + i / shape[0]]);
        (vec![columns, shape[0]], turned.collect::<Vec<f32>>())
    };
    type Shaped = (Vec<usize>, Vec<f32>);
    let named: Vec<(String, Shaped)> = names(&free)
        .into_iter()
        .map(|name| match name.as_str() {
            "decoder.0.weight" => (name, transposed("encoder.1.weight")),
            "decoder.1.weight" => (name, transposed("encoder.0.weight")),
            other => (name.clone(), of(other)),
        })
        .collect();
    let find = |name: &str| named.iter().find(|entry| entry.0 == name).map(|(_, (s, v))| (s.clone(), &v[..]));
    let packed = free.layout("parameters").unwrap().pack(find).unwrap();
    let image = |plan: Plan, parameters: &[f32]| {
        let mut replay = block_on(Replay::new(&Device::Cpu, plan)).unwrap();
        replay.write_floats("parameters", parameters).unwrap();
        replay.write_floats("code", &noise(2, 15)).unwrap();
        block_on(replay.run(1)).unwrap();
        block_on(replay.read_floats("image")).unwrap()
    };
    compare(&image(tied, &values), &image(free, &packed), Tolerance::new(1e-6, 1e-6)).unwrap();
}

#[test]
fn what_no_norm_can_be_taken_of_is_refused_with_what_to_do() {
    let mentions = |message: String, parts: &[&str]| {
        for part in parts {
            assert!(message.contains(part), "{part:?} is missing in: {message}");
        }
    };
    let encoder = |layer: &str, kind: &str| {
        refusal(
            "contractive",
            &format!("[model]\ntied = false\ncontraction = \"{kind}\"\nencoder = [{layer}]"),
        )
    };
    let conv = "{ layer = \"conv\", filters = 3, kernel = 3 }";
    mentions(encoder(conv, "exact"), &["contraction", "estimate", "encoder.0", "conv-3"]);
    mentions(encoder("{ layer = \"batch-norm\" }", "estimate"), &["batch normalisation", "encoder.0"]);
    mentions(encoder("{ layer = \"dropout\", rate = 0.5 }", "estimate"), &["dropout", "encoder.0"]);
    mentions(refusal("vae", "[model]\ntied = true"), &["tied", "Gaussian code"]);
    let listed = format!("[model]\nencoder = [{conv}]");
    mentions(refusal("contractive", &listed), &["tied", "encoder"]);
    for weight in ["-1.0", "nan"] {
        let weight = format!("[model]\ncontraction_weight = {weight}");
        mentions(refusal("contractive", &weight), &["contraction_weight", "not negative"]);
    }
    let vae = Model::new(&Config::preset("vae").unwrap().model, IMAGE).unwrap();
    let exact = vae.jacobian(TOTAL, ContractionKind::Exact);
    mentions(exact.err().unwrap().to_string(), &["contraction", "estimate", "Gaussian"]);
}

fn images(count: usize) -> Dataset {
    let bytes = noise(4, PIXELS * count).iter().map(|x| (127.0 * x + 128.0) as u8).collect::<Vec<u8>>();
    Dataset::new("noise", [6, 5, 2], bytes, None).unwrap()
}

fn untrained(on: &Device, config: &Config) -> Checkpoint {
    let split = Split::new(images(20), images(5), Some(5)).unwrap();
    let trainer = block_on(Trainer::new(on, config, &split)).unwrap();
    block_on(trainer.checkpoint()).unwrap()
}

// The Jacobian of a linear code is its weight, wherever it is taken.
#[test]
fn a_linear_codes_jacobian_is_measured_exactly_and_a_gaussian_codes_closely() {
    let norm = |checkpoint: &Checkpoint, rows: usize| {
        let (_, weight) = checkpoint.slots.get("encoder.0.weight").unwrap();
        weight[..rows * PIXELS].iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt()
    };
    let linear = config("linear", "[model]\nlatent = 7\n[train]\nbatch = 4").unwrap();
    let gaussian = config("vae", "[model]\nhidden = []\nlatent = 7\n[train]\nbatch = 4").unwrap();
    for on in [device(), Device::Cpu] {
        let trained = untrained(&on, &linear);
        let measured = block_on(JacobianNorms::new(&on, &trained, &images(9))).unwrap();
        assert_eq!((measured.kind, measured.norms.len()), (ContractionKind::Exact, 9));
        let expected = norm(&trained, 7);
        assert!(measured.norms.iter().all(|norm| (f64::from(*norm) - expected).abs() < 1e-5 * expected));

        let trained = untrained(&on, &gaussian);
        let measured = block_on(JacobianNorms::new(&on, &trained, &images(300))).unwrap();
        assert_eq!((measured.kind, measured.norms.len()), (ContractionKind::Estimate, 300));
        let expected = norm(&trained, 7);
        assert!((measured.mean() - expected).abs() < 0.02 * expected, "{} of {expected}", measured.mean());
    }
}

#[test]
fn a_convolutional_codes_jacobian_is_the_difference_its_codes_make() {
    let config = config("contractive", &format!("[model]\n{LAYERS}\n[train]\nbatch = 4")).unwrap();
    let model = Model::new(&config.model, IMAGE).unwrap();
    let trained = untrained(&Device::Cpu, &config);
    let image: Vec<u8> = noise(8, PIXELS).iter().map(|x| (100.0 * x + 128.0) as u8).collect();
    // The image itself, and for each pixel the image with it a little darker and a little lighter.
    let step = 2_u8;
    let moved = |pixel: usize| {
        [-1, 1].map(|side| {
            let mut image = image.clone();
            image[pixel] = image[pixel].wrapping_add_signed(side * step as i8);
            image
        })
    };
    let all: Vec<u8> = (0..PIXELS).flat_map(moved).flatten().collect();
    let plan = model.reconstruction(2 * PIXELS as u32, None).unwrap();
    let mut replay = block_on(Replay::new(&Device::Cpu, plan)).unwrap();
    replay.write("images", &packed(&all)).unwrap();
    replay.write_slots(&trained.slots).unwrap();
    replay.write_state(&State::new(0)).unwrap();
    block_on(replay.run(1)).unwrap();
    let codes = block_on(replay.read_floats("code")).unwrap();
    let width = f64::from(2 * step) / 255.0;
    let square: f64 = codes
        .chunks(2 * 4)
        .flat_map(|pair| (0..4).map(move |j| (f64::from(pair[4 + j] - pair[j]) / width).powi(2)))
        .sum();
    let one = Dataset::new("one", [6, 5, 2], image.repeat(400), None).unwrap();
    let measured = block_on(JacobianNorms::new(&Device::Cpu, &trained, &one)).unwrap();
    assert_eq!(measured.kind, ContractionKind::Estimate);
    let mean = measured.norms.iter().map(|norm| f64::from(*norm).powi(2)).sum::<f64>() / 400.0;
    assert!((mean - square).abs() < 0.02 * square, "{mean}, by differences {square}");
}

// Rifai et al. 2011, figure 3: the contractive code answers least to its image.
#[test]
fn a_contractive_code_answers_less_to_real_images_than_a_plain_one() {
    let sample = data::load(Source::Sample, None, Some(0)).unwrap().train;
    let few = |range| sample.slice(range).unwrap();
    let split = Split::new(few(0..600), few(600..700), Some(50)).unwrap();
    let mean = |preset: &str| {
        let settings = "[model]\nlatent = 60\n[train]\nbatch = 30\nepochs = 3";
        let mut config = config(preset, settings).unwrap();
        if preset == "contractive" {
            config.model.set("contraction_weight", 10.0).unwrap();
        }
        let mut trainer = block_on(Trainer::new(&device(), &config, &split)).unwrap();
        let mut last = f64::INFINITY;
        for _ in 0..3 {
            last = block_on(trainer.epoch(&mut |_| true)).unwrap().train.get("reconstruction").unwrap();
        }
        let trained = block_on(trainer.checkpoint()).unwrap();
        (block_on(JacobianNorms::new(&device(), &trained, &split.test)).unwrap().mean(), last)
    };
    let ((plain, plain_loss), (contractive, loss)) = (mean("tied"), mean("contractive"));
    assert!(contractive < 0.8 * plain, "{contractive}, without penalty {plain}");
    assert!(loss < 1.2 * plain_loss, "it must still reconstruct: {loss} against {plain_loss}");
}
