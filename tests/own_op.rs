//! An operation from outside, with a shader, a parameter and a slot of its own, held to what a built-in one is held to.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::gradients::check_gradients;
use common::{device, devices, noise, title};
use narrows::gpu::Variants;
use narrows::graph::{
    Device, Graph, Init, Op, OpContext, Optimizer, Parameter, Plan, Replay, Share, Slice, Tensor, Update,
    first_difference,
};
use narrows::kernels::activation::Activation;
use narrows::kernels::hadamard::{Multiply, MultiplyBackward};
use narrows::kernels::reduce::ColumnSum;
use narrows::kernels::{Call, Kernel, floats_mut, put_all, widened};
use narrows::reference::compare::Tolerance;
use narrows::{Error, Result};
use narrows_shaders::{Binding, Entry, Shader};

const BATCH: u32 = 5;
const WIDTH: u32 = 7;

const SHADER: Shader = Shader {
    name: "cube",
    source: "
        override ACCUMULATE: bool = false;
        struct Params { count: u32 }
        @group(0) @binding(0) var<uniform> params: Params;
        @group(0) @binding(1) var<storage, read> x: array<f32>;
        @group(0) @binding(2) var<storage, read_write> y: array<f32>;
        @group(0) @binding(3) var<storage, read> dy: array<f32>;
        @group(0) @binding(4) var<storage, read_write> dx: array<f32>;

        @compute @workgroup_size(64)
        fn cube(@builtin(global_invocation_id) id: vec3<u32>) {
            if id.x < params.count { y[id.x] = x[id.x] * x[id.x] * x[id.x]; }
        }

        @compute @workgroup_size(64)
        fn cube_backward(@builtin(global_invocation_id) id: vec3<u32>) {
            if id.x < params.count {
                var gradient = 3.0 * x[id.x] * x[id.x] * dy[id.x];
                if ACCUMULATE { gradient += dx[id.x]; }
                dx[id.x] = gradient;
            }
        }",
    overrides: &["ACCUMULATE"],
    entries: &[
        Entry { name: "cube", bindings: &[Binding::PARAMS, Binding::read(1, "x"), Binding::write(2, "y")] },
        Entry {
            name: "cube_backward",
            bindings: &[
                Binding::PARAMS,
                Binding::read(1, "x"),
                Binding::read(3, "dy"),
                Binding::write(4, "dx"),
            ],
        },
    ],
    subgroups: false,
};

/// `y = x³`
#[derive(Debug)]
struct Cube {
    count: u32,
}

/// `dx = 3 x² dy`
#[derive(Debug)]
struct CubeBackward {
    count: u32,
    accumulate: bool,
}

fn call(entry: &'static str, operands: usize, count: u32) -> Call {
    Call::new(&SHADER, entry)
        .operands(std::iter::repeat_n(count as usize, operands))
        .uniform([("count", count)])
        .shape(format!("[{count}]"))
        .workgroups(|| count.div_ceil(64))
}

impl Kernel for Cube {
    fn call(&self, _: &Variants) -> Call {
        call("cube", 2, self.count)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        put_all(floats_mut(writes[0]), widened(reads[0]).into_iter().map(|x| x.powi(3)), false);
    }
}

impl Kernel for CubeBackward {
    fn call(&self, _: &Variants) -> Call {
        call("cube_backward", 3, self.count).constant("ACCUMULATE", self.accumulate)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let dx = widened(reads[0]).into_iter().zip(widened(reads[1])).map(|(x, dy)| 3.0 * x * x * dy);
        put_all(floats_mut(writes[0]), dx, self.accumulate);
    }
}

/// `gain[c] x[r, c]³`, which counts the sum of each column's cubes in a slot.
struct ScaledCubes {
    gain: Parameter,
    sums: Parameter,
}

impl Op for ScaledCubes {
    fn label(&self) -> String {
        "scaled cubes".to_owned()
    }

    fn outputs(&self, inputs: &[Tensor]) -> Result<Vec<[u32; 2]>> {
        match inputs {
            [x] if x.columns as usize == self.gain.len() => Ok(vec![[x.rows, x.columns]]),
            _ => Err(Error::Shape {
                operation: self.label(),
                expected: format!("one input of {} columns", self.gain.len()),
                got: format!("{inputs:?}"),
            }),
        }
    }

    fn parameters(&self) -> Vec<&Parameter> {
        vec![&self.gain]
    }

    fn forward(&self, context: &mut OpContext<'_>) -> Result<()> {
        let x = context.inputs()[0];
        let cubes = context.buffer("cubes", x.count() as usize)?;
        context.save(cubes);
        context.record("cubes", Cube { count: x.count() }, &[context.input(0)?, cubes])?;
        let scaled = Multiply { rows: 1, columns: x.columns, repeat: x.rows, accumulate: false };
        context.record("scaled", scaled, &[cubes, context.parameter(&self.gain)?, context.output(0)?])?;
        if context.is_training() {
            let sums = ColumnSum { accumulate: true, ..ColumnSum::whole(x.rows, x.columns) };
            context.record("sums of cubes", sums, &[cubes, context.parameter(&self.sums)?])?;
        }
        Ok(())
    }

    fn backward(&self, context: &mut OpContext<'_>) -> Result<()> {
        let Some(dy) = context.gradient(0)? else { return Ok(()) };
        let (x, cubes, gain) = (context.inputs()[0], context.saved(0)?, context.parameter(&self.gain)?);
        let of_cubes = context.buffer("d cubes", x.count() as usize)?;
        let spare = context.buffer("d gain, unused", self.gain.len())?;
        let (of_gain, accumulate_s) = context.parameter_target(&self.gain)?.unwrap_or((spare, false));
        let of = Multiply { rows: 1, columns: x.columns, repeat: x.rows, accumulate: false };
        let scaled = MultiplyBackward { of, accumulate_s };
        context.record("d scaled", scaled, &[cubes, gain, dy, of_cubes, of_gain])?;
        if let Some((dx, accumulate)) = context.target(0)? {
            let kernel = CubeBackward { count: x.count(), accumulate };
            context.record("d x by cubes", kernel, &[context.input(0)?, of_cubes, dx])?;
        }
        Ok(())
    }
}

// Two of them in one step, on a tensor that is used elsewhere too, with one gain and a slot each.
fn step() -> Plan {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, WIDTH).unwrap();
    let width = WIDTH as usize;
    let init = Init::GlorotUniform { fan_in: width, fan_out: width };
    let weight = graph.parameter("weight", vec![width, width], init).unwrap();
    let gain = graph.parameter("gain", vec![width], Init::Constant(0.7)).unwrap();
    let hidden = graph.dense("hidden", x, &weight, None, Activation::Tanh).unwrap();
    let [once, again] = ["once", "again"].map(|name| {
        let sums = graph.slot(format!("{name}.sums"), vec![width], Init::Constant(0.0)).unwrap();
        graph.op(ScaledCubes { gain: gain.clone(), sums }, &[hidden]).unwrap()[0]
    });
    let product = graph.multiply(once, hidden).unwrap();
    let both = graph.weighted_sum((1.0, product), (0.5, again)).unwrap();
    let term = graph.row_sum(both).unwrap().term("cubes");
    let sgd = Optimizer::Sgd { momentum: 0.0, weight_decay: 0.0 };
    graph.update(Update::default().minimize(term).by(sgd, 0.1)).unwrap();
    graph.output("hidden", hidden).unwrap();
    graph.output("product", product).unwrap();
    graph.advance(BATCH).unwrap();
    graph.finish(true)
}

fn start(replay: &mut Replay) -> Result<()> {
    replay.write_floats("x", &noise(3, (BATCH * WIDTH) as usize))?;
    replay.write_initial(7)
}

#[test]
fn its_gradients_are_central_differences() {
    check_gradients("scaled cubes", &step(), &start);
}

#[test]
fn every_device_computes_what_the_reference_does() {
    for device in devices() {
        let (plan, close) = (step(), Tolerance::new(2e-5, 2e-5));
        let found = first_difference(&plan, &device, &Device::Cpu, close, start);
        assert_eq!(pollster::block_on(found).unwrap(), None, "{}", title(&device));
    }
}

#[test]
fn its_values_and_its_slot_are_those_computed_by_hand() {
    for device in [device(), Device::Cpu] {
        let mut replay = pollster::block_on(Replay::new(&device, step())).unwrap();
        start(&mut replay).unwrap();
        let mut sums = vec![0.0; WIDTH as usize];
        for _ in 0..3 {
            let gain = pollster::block_on(replay.read_slots()).unwrap().get("gain").unwrap().1.to_vec();
            pollster::block_on(replay.run(1)).unwrap();
            let [hidden, product] =
                ["hidden", "product"].map(|name| pollster::block_on(replay.read_floats(name)).unwrap());
            for (at, (x, product)) in hidden.iter().zip(&product).enumerate() {
                let column = at % WIDTH as usize;
                sums[column] += f64::from(*x).powi(3);
                let expected = f64::from(gain[column]) * f64::from(*x).powi(4);
                assert!((f64::from(*product) - expected).abs() < 1e-5, "{product}, by hand {expected}");
            }
        }
        let slots = pollster::block_on(replay.read_slots()).unwrap();
        for name in ["once.sums", "again.sums"] {
            let (_, got) = slots.get(name).unwrap();
            let close = got.iter().zip(&sums).all(|(got, sum)| (f64::from(*got) - sum).abs() < 1e-5);
            assert!(close, "{name}: {got:?}, by hand {sums:?}");
        }
    }
}

#[test]
fn inputs_that_it_does_not_take_are_refused_in_its_words() {
    let mut graph = Graph::new(BATCH);
    let narrow = graph.input("x", BATCH, 3).unwrap();
    let gain = graph.parameter("gain", vec![4], Init::Constant(1.0)).unwrap();
    let sums = graph.slot("sums", vec![4], Init::Constant(0.0)).unwrap();
    let said = graph.op(ScaledCubes { gain, sums }, &[narrow]).unwrap_err().to_string();
    assert!(said.starts_with("scaled cubes: expected one input of 4 columns"), "{said}");
}

// What belongs to another graph, and a slot for a parameter.
#[test]
fn inputs_and_parameters_that_are_not_the_graphs_are_refused() {
    let declare = |first: f32| {
        let mut graph = Graph::new(BATCH);
        let x = graph.input("x", BATCH, 4).unwrap();
        let gain = graph.parameter("gain", vec![4], Init::Constant(first)).unwrap();
        let sums = graph.slot("sums", vec![4], Init::Constant(0.0)).unwrap();
        (graph, x, gain, sums)
    };
    let ((mut graph, x, gain, sums), (_, foreign, other, _)) = (declare(1.0), declare(2.0));
    let mut refused = |gain: &Parameter, x: Tensor, part: &str| {
        let op = ScaledCubes { gain: gain.clone(), sums: sums.clone() };
        let said = graph.op(op, &[x]).unwrap_err().to_string();
        assert!(said.starts_with("scaled cubes") && said.contains(part), "{said}");
    };
    refused(&gain, foreign, "a tensor of this graph");
    refused(&other, x, "a parameter of this graph, got gain");
    refused(&sums.clone(), x, "a parameter of this graph, got sums");
}

// Asks for the gradient of a parameter that it does not list: no update would know that it leads there.
struct Unlisted(Parameter);

impl Op for Unlisted {
    fn label(&self) -> String {
        "unlisted".to_owned()
    }

    fn outputs(&self, inputs: &[Tensor]) -> Result<Vec<[u32; 2]>> {
        Ok(inputs.iter().map(|x| [x.rows, 1]).collect())
    }

    fn forward(&self, _: &mut OpContext<'_>) -> Result<()> {
        Ok(())
    }

    fn backward(&self, context: &mut OpContext<'_>) -> Result<()> {
        context.parameter_target(&self.0).map(drop)
    }
}

#[test]
fn the_gradient_of_a_parameter_that_an_operation_does_not_list_is_refused() {
    let mut graph = Graph::new(BATCH);
    let gain = graph.parameter("gain", vec![BATCH as usize, 4], Init::Constant(1.0)).unwrap();
    let x = graph.tensor_of(&gain).unwrap();
    let y = graph.op(Unlisted(gain), &[x]).unwrap()[0];
    let said = graph.minimize(y.term("y")).unwrap_err().to_string();
    assert!(said.starts_with("unlisted: expected a gradient of one of its parameters, got gain"), "{said}");
}

// Records a cube of a range that it moved beyond its buffer, or off the alignment of bindings.
struct Astray(usize);

impl Op for Astray {
    fn label(&self) -> String {
        "astray".to_owned()
    }

    fn outputs(&self, inputs: &[Tensor]) -> Result<Vec<[u32; 2]>> {
        Ok(inputs.iter().map(|x| [x.rows, x.columns]).collect())
    }

    fn forward(&self, context: &mut OpContext<'_>) -> Result<()> {
        let (x, y) = (context.input(0)?, context.output(0)?);
        let x = Slice { offset: x.offset.wrapping_add(self.0), ..x };
        context.record("cube", Cube { count: 4 * BATCH }, &[x, y])
    }
}

#[test]
fn a_range_that_no_buffer_of_the_graph_has_is_refused() {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, 4).unwrap();
    for by in [1, 64, 1 << 40, usize::MAX - 63] {
        let said = graph.op(Astray(by), &[x]).unwrap_err().to_string();
        assert!(said.starts_with("cube: ") && said.contains("a range of a buffer of this graph"), "{said}");
    }
    assert!(graph.op(Astray(0), &[x]).is_ok());
}

#[test]
fn ranks_have_no_share_of_an_operation_that_may_look_at_the_whole_batch() {
    let mut graph = Graph::new(BATCH).sharing(Share::of(1, 2, 8).unwrap());
    let x = graph.input("x", 4, 4).unwrap();
    let said = graph.op(Astray(0), &[x]).unwrap_err().to_string();
    assert!(said.contains("an operation that takes each row by itself"), "{said}");
}
