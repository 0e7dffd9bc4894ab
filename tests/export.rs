//! Exports: what the files say and hold, state dicts there and back. scripts/check-export.sh runs them in other programs.
#![cfg(feature = "export")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod tiny;

use std::collections::BTreeSet;

use narrows::Result;
use narrows::export::onnx::proto::{Extent, GraphProto, ModelProto, ValueInfoProto};
use narrows::export::{Outline, to_onnx, to_pytorch};
use narrows::graph::{Batch, Graph, Tensor};
use narrows::model::{
    Autoencoder, Declare, LayerConfig, Network, NoSettings, Preset, Registry, Step, Variant,
};
use narrows::train::{Checkpoint, Config, StateDict, Trainer};
use pollster::block_on;
use prost::Message;
use tiny::trained::{evaluated, reconstruction, trained};
use tiny::{config, dataset, device, split};

const LAYERS: &str = r#"
    encoder = [
        { layer = "conv", filters = 3, kernel = [3, 2], stride = 2 },
        { layer = "batch-norm", activation = "relu" },
        { layer = "dropout", rate = 0.1 },
    ]
    decoder = [
        { layer = "dense", units = 24, activation = "gelu" },
        { layer = "reshape", shape = [4, 3, 2] },
        { layer = "conv-transpose", filters = 1, kernel = 3, stride = 2 },
        { layer = "crop-or-pad", size = [7, 5] },
    ]
"#;

fn layered() -> Config {
    let mut config = config("vae");
    let [encoder, decoder]: [Vec<LayerConfig>; 2] = ["encoder", "decoder"]
        .map(|side| LAYERS.parse::<toml::Table>().unwrap()[side].clone().try_into().unwrap());
    (config.model.encoder, config.model.decoder) = (encoder, decoder);
    config.model.hidden = Vec::new();
    config
}

fn models(checkpoint: &Checkpoint) -> [ModelProto; 3] {
    let files = to_onnx(checkpoint).unwrap().files;
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["encoder.onnx", "decoder.onnx", "autoencoder.onnx"]);
    [0, 1, 2].map(|at| ModelProto::decode(&files[at].1[..]).unwrap())
}

fn graph(model: &ModelProto) -> &GraphProto {
    model.graph.as_ref().unwrap()
}

// `x [batch, 7, 5, 1]`
fn described(value: &ValueInfoProto) -> String {
    let shape = value.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap().shape.as_ref().unwrap();
    let extents = shape.dim.iter().map(|dim| match dim.value.as_ref().unwrap() {
        Extent::Value(extent) => extent.to_string(),
        Extent::Named(name) => name.clone(),
    });
    format!("{} [{}]", value.name(), extents.collect::<Vec<_>>().join(", "))
}

#[test]
fn inputs_and_outputs_have_names_descriptions_and_an_open_batch() {
    let expected = |gaussian: bool| {
        let codes =
            if gaussian { vec!["mean [batch, 3]", "logvar [batch, 3]"] } else { vec!["code [batch, 3]"] };
        let reconstruction = "reconstruction [batch, 7, 5, 1]";
        let whole = codes.iter().copied().chain([reconstruction]).collect();
        [
            ("x [batch, 7, 5, 1]", codes),
            ("code [batch, 3]", vec![reconstruction]),
            ("x [batch, 7, 5, 1]", whole),
        ]
    };
    for (preset, gaussian) in [("vae", true), ("mlp", false)] {
        let models = models(&trained(&config(preset), 1));
        for (model, (input, outputs)) in models.iter().zip(expected(gaussian)) {
            let graph = graph(model);
            let all = |values: &[ValueInfoProto]| values.iter().map(described).collect::<Vec<_>>();
            assert_eq!(
                (all(&graph.input), all(&graph.output)),
                (vec![input.to_owned()], outputs.iter().map(ToString::to_string).collect())
            );
            let values = graph.input.iter().chain(&graph.output);
            assert!(values.clone().all(|value| !value.doc_string().is_empty()));
            let images = values.filter(|value| ["x", "reconstruction"].contains(&value.name()));
            assert!(images.clone().count() > 0);
            for image in images {
                assert!(image.doc_string().contains("from 0 to 255, as [batch, height, width, channels]"));
            }
            assert_eq!((model.producer_name(), model.ir_version()), ("narrows", 8));
            assert_eq!(model.opset_import[0].version(), 17);
            let properties: Vec<String> = model
                .metadata_props
                .iter()
                .map(|entry| format!("{}={}", entry.key(), entry.value()))
                .collect();
            let variant = format!("narrows.variant={preset}");
            assert_eq!(properties, [&variant, "narrows.latent=3", "narrows.epoch=1"]);
        }
    }
}

#[test]
fn a_conditional_model_reads_labels_whose_classes_it_names() {
    let mut config = config("cvae");
    config.model.set("condition", "embedded").unwrap();
    let checkpoint = trained(&config, 1);
    for (model, first) in models(&checkpoint).iter().zip(["x", "code", "x"]) {
        let graph = graph(model);
        let names: Vec<&str> = graph.input.iter().map(ValueInfoProto::name).collect();
        assert_eq!(names, [first, "label"]);
        assert_eq!(described(&graph.input[1]), "label [batch]");
        let kind = graph.input[1].r#type.as_ref().unwrap().tensor_type.as_ref().unwrap().elem_type;
        assert_eq!(kind, Some(7), "int64");
        let classes = model.metadata_props.iter().find(|entry| entry.key() == "narrows.classes").unwrap();
        assert_eq!(classes.value(), r#"["0","1","2","3","4","5","6","7","8","9"]"#);
        assert!(graph.initializer.iter().any(|tensor| tensor.name() == "embedding.weight"));
    }
    let files = to_pytorch(&checkpoint).unwrap().files;
    let module = String::from_utf8(files[1].1.clone()).unwrap();
    for line in ["def encode(self, x, label):", "self.embedding = nn.Linear(10, 8, bias=False)"] {
        assert!(module.contains(line), "{module}");
    }
    assert_eq!(
        StateDict::from_bytes(&files[0].1).unwrap().tensors.get("embedding.weight").unwrap().0,
        [8, 10]
    );
}

#[test]
fn a_label_that_no_class_has_is_no_row_of_the_classes() {
    for model in models(&trained(&config("cvae"), 1)) {
        let graph = graph(&model);
        let node = |reader: &str| graph.node.iter().find(|node| node.op_type() == reader).unwrap();
        let constant = |name: &str| {
            let tensor = graph.initializer.iter().find(|tensor| tensor.name() == name).unwrap();
            (tensor.dims.clone(), tensor.raw_data().to_vec())
        };
        // The label, or below 0 the number of classes: both are out of bounds where there is no such class.
        let below = node("Less");
        assert_eq!(below.input[0], "label");
        assert_eq!(constant(&below.input[1]), (vec![1], 0_i64.to_le_bytes().to_vec()));
        let place = node("Where");
        assert_eq!([&place.input[0], &place.input[2]], [&below.output[0], &below.input[0]]);
        assert_eq!(constant(&place.input[1]), (vec![1], 10_i64.to_le_bytes().to_vec()));
        let row = node("Gather");
        assert_eq!(row.input[1], place.output[0]);
        let identity = (0..100).flat_map(|at| f32::from(at % 11 == 0).to_le_bytes()).collect();
        assert_eq!(constant(&row.input[0]), (vec![10, 10], identity));
    }
}

#[test]
fn the_usage_names_what_the_files_take_and_give() {
    for preset in ["vae", "mlp", "cvae"] {
        let checkpoint = trained(&config(preset), 1);
        let usage = to_onnx(&checkpoint).unwrap().usage;
        for (model, said) in models(&checkpoint).iter().zip(&usage) {
            let all = |values: &[ValueInfoProto]| values.iter().map(described).collect::<Vec<_>>().join(", ");
            let [inputs, outputs] = [&graph(model).input, &graph(model).output].map(|values| all(values));
            let file = format!("{}.onnx", graph(model).name());
            assert_eq!(said.replace("int64 ", ""), format!("{file}: {inputs} -> {outputs}"));
            let names: Vec<&str> = model.metadata_props.iter().map(|entry| entry.key()).collect();
            assert_eq!(usage.last().unwrap(), &format!("properties of each file: {}", names.join(", ")));
        }
    }
    let usage = to_pytorch(&trained(&config("cvae"), 1)).unwrap().usage;
    let expected = [
        "model.py: from model import load; model = load()",
        "model.encode(x [batch, 7, 5, 1], label int64 [batch]) -> mean [batch, 3], logvar [batch, 3]",
        "model.decode(code [batch, 3], label int64 [batch]) -> reconstruction [batch, 7, 5, 1]",
        "model(x [batch, 7, 5, 1], label int64 [batch]) -> reconstruction [batch, 7, 5, 1]",
        "x, reconstruction: f32, numbers from 0 to 255, as [batch, height, width, channels]",
        "label: from 0 to 9, the place of the class in CLASSES: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
    ];
    assert_eq!(usage, expected);
}

#[test]
fn a_graph_is_in_order_holds_the_weights_once_and_draws_nothing() {
    let checkpoint = trained(&layered(), 1);
    let dict = checkpoint.state_dict().unwrap();
    let mut weights = BTreeSet::new();
    for model in models(&checkpoint) {
        let graph = graph(&model);
        let mut known = BTreeSet::new();
        for tensor in &graph.initializer {
            assert!(known.insert(tensor.name()), "{} is there twice", tensor.name());
            let Some((shape, values)) = dict.tensors.get(tensor.name()) else { continue };
            let dims: Vec<usize> = tensor.dims.iter().map(|extent| *extent as usize).collect();
            assert_eq!(dims, shape, "{}", tensor.name());
            let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            assert_eq!(tensor.raw_data(), bytes, "{}", tensor.name());
            weights.insert(tensor.name().to_owned());
        }
        let constants: BTreeSet<&str> = known.clone();
        known.extend(graph.input.iter().map(ValueInfoProto::name));
        let mut read = BTreeSet::new();
        for node in &graph.node {
            for input in node.input.iter().filter(|input| !input.is_empty()) {
                assert!(known.contains(&input[..]), "{} reads {input}, which is not there yet", node.name());
                read.insert(&input[..]);
            }
            for output in &node.output {
                assert!(known.insert(output), "{output} is there twice");
            }
            let operator = node.op_type();
            assert!(!operator.contains("Random") && operator != "Dropout", "{operator}");
        }
        assert!(constants.is_subset(&read), "{:?} are not read", constants.difference(&read));
        assert!(graph.output.iter().all(|output| known.contains(output.name())));
    }
    // All that is learned is in one of them.
    assert_eq!(weights, dict.tensors.iter().map(|(name, _)| name.to_owned()).collect());
}

#[test]
fn state_dicts_have_pytorchs_names_and_layouts() {
    let checkpoint = trained(&layered(), 1);
    let dict = checkpoint.state_dict().unwrap();
    // One filter's rows, columns and channels lie behind each other in a slot.
    for (name, [first, height, width, last]) in
        [("encoder.0.weight", [3, 3, 2, 1]), ("decoder.2.weight", [2, 3, 3, 1])]
    {
        let ((here, slot), (there, values)) =
            (checkpoint.slots.get(name).unwrap(), dict.tensors.get(name).unwrap());
        assert_eq!((here, there), (vec![first, height, width, last], vec![first, last, height, width]));
        for (at, value) in values.iter().enumerate() {
            let (a, b) = (at / (last * height * width), at / (height * width) % last);
            let (row, column) = (at / width % height, at % width);
            assert_eq!(*value, slot[((a * height + row) * width + column) * last + b], "{name} {at}");
        }
    }
    for (there, here) in [
        ("weight", "scale"),
        ("bias", "shift"),
        ("running_mean", "running_mean"),
        ("running_var", "running_variance"),
    ] {
        let value = dict.tensors.get(&format!("encoder.1.{there}")).unwrap().1;
        assert_eq!(value, checkpoint.slots.get(&format!("encoder.1.{here}")).unwrap().1);
    }
    assert_eq!(dict.tensors.get("encoder.3.weight").unwrap().0, [6, 36]);
}

#[test]
fn a_module_declares_what_its_state_dict_holds() {
    let files = to_pytorch(&trained(&layered(), 1)).unwrap().files;
    let [("model.safetensors", weights), ("model.py", module)] = &files[..] else {
        panic!("{}", files.len())
    };
    let module = String::from_utf8(module.clone()).unwrap();
    for line in [
        "\"0\": nn.Conv2d(1, 3, (3, 2), stride=2),",
        "\"1\": nn.BatchNorm2d(3, eps=1e-5, momentum=0.1),",
        "\"2\": nn.Dropout(0.1),",
        "\"3\": nn.Linear(36, 6),",
        "\"2\": nn.ConvTranspose2d(2, 1, 3, stride=2),",
        "h = F.gelu(h)",
        "return h.reshape(-1, 7, 5, 1)",
    ] {
        assert!(module.contains(line), "{line}:\n{module}");
    }
    let dict = StateDict::from_bytes(weights).unwrap();
    for (name, _) in dict.tensors.iter() {
        let (layer, _) = name.rsplit_once('.').unwrap();
        let (_, number) = layer.rsplit_once('.').unwrap();
        assert!(module.contains(&format!("\"{number}\": nn.")), "{name}");
    }
    assert!(module.lines().all(|line| line.len() <= 88 && line.trim_end() == line), "{module}");
}

fn begun(config: &Config, dict: &StateDict) -> Result<Trainer> {
    let mut trainer = block_on(Trainer::new(device(), config, &split()))?;
    block_on(trainer.begin_with_state_dict(dict, "there.safetensors"))?;
    Ok(trainer)
}

#[test]
fn a_run_begins_with_an_exported_state_dict_where_the_other_stands() {
    for config in [layered(), config("mlp"), config("adversarial"), config("contractive")] {
        let before = trained(&config, 1);
        let dict = StateDict::from_bytes(&before.state_dict().unwrap().to_bytes().unwrap()).unwrap();
        let mut other = config.clone();
        other.train.seed += 1;
        let trainer = begun(&other, &dict).unwrap();
        let count = dict.tensors.iter().count();
        assert_eq!(
            trainer.origin(),
            [format!("begun with the parameters of there.safetensors: {count} of {count}")]
        );
        let loss = |trained: &Checkpoint| reconstruction(&evaluated(device(), trained, &dataset(9)));
        assert_eq!(loss(&before), loss(&block_on(trainer.checkpoint()).unwrap()));
    }
}

#[test]
fn what_does_not_match_is_named_and_nothing_that_matches_is_refused() {
    let config = config("mlp");
    let mut dict = trained(&config, 1).state_dict().unwrap();
    let taken = dict.tensors.get("encoder.0.weight").unwrap().1.to_vec();
    let mut tensors = narrows::graph::Slots::default();
    tensors.insert("encoder.0.weight".to_owned(), vec![12, 35], taken.clone());
    tensors.insert("encoder.0.bias".to_owned(), vec![11], vec![0.0; 11]);
    tensors.insert("head.weight".to_owned(), vec![1], vec![0.0]);
    dict.tensors = tensors;
    dict.others.insert("encoder.1.bias".to_owned(), "I64".to_owned());
    dict.others.insert("encoder.1.num_batches_tracked".to_owned(), "I64".to_owned());
    let trainer = begun(&config, &dict).unwrap();
    let origin = [
        "begun with the parameters of there.safetensors: 1 of 8",
        "of another shape: encoder.0.bias [12] here, [11] there",
        "not there: decoder.0.bias; decoder.0.weight; decoder.1.bias; decoder.1.weight; encoder.1.weight",
        "not here: encoder.1.num_batches_tracked; head.weight",
        "of numbers that are no floats: encoder.1.bias I64",
    ];
    assert_eq!(trainer.origin(), origin);
    let checkpoint = block_on(trainer.checkpoint()).unwrap();
    assert_eq!(checkpoint.slots.get("encoder.0.weight").unwrap().1, taken);

    let mut other = StateDict::default();
    other.tensors.insert("fc1.weight".to_owned(), vec![12, 35], taken);
    let said = begun(&config, &other).err().unwrap().to_string();
    let expected = "--init: expected a state dict with tensors of this model's names and shapes, unlike there.safetensors, \
                    got not there: decoder.0.bias; decoder.0.weight; decoder.1.bias; decoder.1.weight; encoder.0.bias; \
                    encoder.0.weight and 2 more. not here: fc1.weight";
    assert_eq!(said, expected);
}

// A safetensors file of one tensor, byte by byte.
fn file(kind: &str, bytes: &[u8]) -> Vec<u8> {
    let header =
        format!("{{\"w\":{{\"dtype\":\"{kind}\",\"shape\":[2],\"data_offsets\":[0,{}]}}}}", bytes.len());
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), bytes].concat()
}

#[test]
fn floats_of_16_and_64_bits_are_converted_and_others_are_told_apart() {
    let read = |kind, bytes: &[u8]| StateDict::from_bytes(&file(kind, bytes));
    for (kind, bytes) in [
        ("F16", vec![0x00, 0x3e, 0x00, 0xc0]),
        ("BF16", vec![0xc0, 0x3f, 0x00, 0xc0]),
        ("F32", [1.5_f32, -2.0].map(f32::to_le_bytes).concat()),
        ("F64", [1.5_f64, -2.0].map(f64::to_le_bytes).concat()),
    ] {
        assert_eq!(
            read(kind, &bytes).unwrap().tensors.get("w").unwrap(),
            (vec![2], &[1.5, -2.0][..]),
            "{kind}"
        );
    }
    let whole = read("I64", &[0; 16]).unwrap();
    assert_eq!((whole.tensors.iter().count(), &whole.others["w"][..]), (0, "I64"));
    for (kind, bytes) in [("F16", vec![0, 0x7c, 0, 0]), ("F64", [1e300, 0.0].map(f64::to_le_bytes).concat())]
    {
        let said = read(kind, &bytes).unwrap_err().to_string();
        assert_eq!(said, "state dict: expected finite numbers of 32 bits in the tensor \"w\", found inf");
    }
    let cut = StateDict::from_bytes(&file("F32", &[0; 8])[..60]).unwrap_err().to_string();
    assert!(cut.starts_with("state dict: expected a whole safetensors file, found a damaged"), "{cut}");
    assert!(StateDict::is_one(&file("F32", &[0; 8])));
    assert!(!StateDict::is_one(&trained(&config("mlp"), 1).to_bytes().unwrap()));
    assert!(!StateDict::is_one(b"no such file"));
}

struct Doubled;
struct DoubledModel(Network);

impl Variant for Doubled {
    const NAME: &'static str = "doubled";
    const SUMMARY: &'static str = "codes are twice what the encoder gives";
    const PRESETS: &'static [Preset] = &[Preset::new(Self::NAME, Self::SUMMARY, &[])];
    type Settings = NoSettings;
    type Model = DoubledModel;

    fn declare(&self, _: NoSettings, declare: &mut Declare<'_>) -> Result<DoubledModel> {
        Ok(DoubledModel(declare.network(1)?))
    }
}

impl Autoencoder for DoubledModel {
    fn network(&self) -> &Network {
        &self.0
    }

    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()> {
        self.0.step(batch, step)
    }

    fn code(&self, graph: &mut Graph, x: Tensor, _: Option<Tensor>) -> Result<Tensor> {
        let code = self.0.encoder.record(graph, x)?;
        graph.scale(code, 2.0)
    }
}

#[test]
fn a_variant_that_computes_more_than_its_networks_is_refused() {
    let mut config = Config::preset_of(&Registry::built_in().with(Doubled), "doubled").unwrap();
    config.train.batch = 8;
    let checkpoint = trained(&config, 1);
    let said = Outline::new(&checkpoint).unwrap_err().to_string();
    let expected = "variant: expected one whose codes and mean images are what its encoder and decoder give, got doubled, \
                    which computes more than these";
    assert_eq!(said, expected);
    // What it learned is no less.
    assert_eq!(checkpoint.state_dict().unwrap().tensors.iter().count(), 4);
}
