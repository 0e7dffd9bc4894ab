//! The operation alone: each of its kernels against its twin at odd shapes, ties, what training changes, and misuse.
#![allow(clippy::unwrap_used, clippy::panic)]

use narrows::gpu::GpuOptions;
use narrows::graph::{Device, Graph, Init, Op, OpContext, Parameter, Plan, Replay, Tensor, first_difference};
use narrows::kernels::Kernel;
use narrows::reference::compare::Tolerance;
use narrows::rng::{Stream, normal_at};
use narrows::{Error, Result};
use own_op::kernels::{Count, Extents, LookUp, Nearest, Renew, Sum};
use own_op::{Codebook, Quantize};
use pollster::block_on;

// Where `NARROWS_TEST_DEFAULTS` is set, with nothing but WebGPU's default limits and no optional feature.
fn device() -> Device {
    let only_defaults = std::env::var_os("NARROWS_TEST_DEFAULTS").is_some();
    block_on(Device::open(&GpuOptions { only_defaults, ..GpuOptions::default() })).unwrap()
}

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|at| normal_at([7, 0], 0, Stream::Noise, 0, at) as f32).collect()
}

// Quantises codes `[rows, pieces * width]` that the host writes as `x`.
fn plan(mut graph: Graph, pieces: u32, [rows, width, entries]: [u32; 3], decay: f32) -> Plan {
    let codebook = Codebook::declare(&mut graph, "codebook", entries, width).unwrap();
    let x = graph.input("x", rows, pieces * width).unwrap();
    let made = graph.op(Quantize { codebook, decay }, &[x]).unwrap();
    graph.output("quantised", made[0]).unwrap();
    graph.output("chosen", made[1]).unwrap();
    graph.finish(true)
}

fn read(replay: &Replay, name: &str) -> Vec<f32> {
    block_on(replay.read_floats(name)).unwrap()
}

#[test]
fn each_kernel_agrees_with_its_reference_at_odd_shapes() {
    let device = device();
    let shapes = [[1, 1, 1], [1, 3, 2], [5, 7, 63], [9, 1, 64], [13, 65, 65], [129, 4, 130], [3, 130, 5]];
    for (shape, pieces) in shapes.into_iter().flat_map(|shape| [(shape, 1), (shape, 3)]) {
        for decay in [0.0, 0.99] {
            let plan = plan(Graph::new(shape[0]), pieces, shape, decay);
            assert_eq!(plan.dispatches.len(), 5);
            let x = numbers((shape[0] * pieces * shape[1]) as usize);
            let setup = |replay: &mut Replay| {
                replay.write_initial(3)?;
                replay.write_floats("x", &x)
            };
            let tolerance = Tolerance::new(1e-6, 1e-5);
            let found = block_on(first_difference(&plan, &device, &Device::Cpu, tolerance, setup)).unwrap();
            assert!(found.is_none(), "{shape:?} x {pieces}: {}", found.unwrap());
        }
    }
}

#[test]
fn the_nearest_vector_is_chosen_and_the_lowest_of_several() {
    // Vectors 70 and 3 are the same, and as far from (1, 0) as vector 100 on the other side.
    let mut vectors = vec![50.0_f32; 2 * 101];
    for (k, vector) in [(3, [0.0, 0.0]), (70, [0.0, 0.0]), (100, [2.0, 0.0])] {
        vectors[2 * k..2 * k + 2].copy_from_slice(&vector);
    }
    let x = [1.0, 0.0, 0.0, 0.0, 1.5, 0.0, 49.0, 49.0, f32::NAN, 0.0];
    for device in [device(), Device::Cpu] {
        let plan = plan(Graph::inference(5), 1, [5, 2, 101], 0.99);
        assert_eq!(plan.dispatches.len(), 2);
        let mut replay = block_on(Replay::new(&device, plan)).unwrap();
        replay.write_initial(0).unwrap();
        let mut padded = vectors.clone();
        padded.resize(read(&replay, "slot codebook.vectors").len(), 0.0);
        replay.write_floats("slot codebook.vectors", &padded).unwrap();
        replay.write_floats("x", &x).unwrap();
        block_on(replay.run(1)).unwrap();
        assert_eq!(block_on(replay.read("chosen")).unwrap(), [3, 3, 100, 0, 0], "{}", device.name());
        let quantised = [0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 50.0, 50.0, 50.0, 50.0];
        assert_eq!(read(&replay, "quantised"), quantised);
    }
}

#[test]
fn the_codebook_moves_in_training_alone_to_the_mean_of_what_chose_it() {
    let x = numbers(40);
    let slots = ["vectors", "sizes", "sums"].map(|name| format!("slot codebook.{name}"));
    for training in [true, false] {
        let graph = if training { Graph::new(20) } else { Graph::inference(20) };
        let mut replay = block_on(Replay::new(&device(), plan(graph, 1, [20, 2, 3], 0.0))).unwrap();
        replay.write_initial(1).unwrap();
        replay.write_floats("x", &x).unwrap();
        let before = slots.each_ref().map(|name| read(&replay, name));
        assert_eq!(before[0], before[2], "sums begin as the vectors of one row each");
        block_on(replay.run(1)).unwrap();
        let after = slots.each_ref().map(|name| read(&replay, name));
        if !training {
            assert_eq!(before, after);
            continue;
        }
        let chosen = block_on(replay.read("chosen")).unwrap();
        for k in 0..3 {
            let own: Vec<&[f32]> =
                x.chunks(2).zip(&chosen).filter(|(_, chosen)| **chosen == k).map(|(row, _)| row).collect();
            assert_eq!(after[1][k as usize], own.len() as f32);
            for (c, vector) in after[0][2 * k as usize..][..2].iter().enumerate().filter(|_| !own.is_empty())
            {
                let mean = own.iter().map(|row| row[c]).sum::<f32>() / own.len() as f32;
                assert!((mean - vector).abs() < 1e-4, "{k}, {c}: {vector}, the mean is {mean}");
            }
        }
    }
}

#[test]
fn what_the_kernels_cannot_compute_is_refused() {
    let extents = |rows, width, entries| Extents { rows, width, entries };
    let kernels = |extents| -> [Box<dyn Kernel>; 5] {
        [
            Box::new(Nearest(extents)),
            Box::new(LookUp(extents)),
            Box::new(Count { extents, decay: 0.9 }),
            Box::new(Sum { extents, decay: 0.9 }),
            Box::new(Renew(extents)),
        ]
    };
    assert!(kernels(extents(65_000, 8, 64)).iter().all(|kernel| kernel.check().is_ok()));
    for wrong in [extents(3, 0, 4), extents(3, 4, 0), extents(3, u32::MAX, 4), extents(3, 4, u32::MAX)] {
        assert!(kernels(wrong).iter().all(|kernel| kernel.check().is_err()), "{wrong:?}");
    }
    assert!(Nearest(extents(1, 1000, 64 * 65)).check().is_err(), "more rounds than an invocation may run");
    assert!(Sum { extents: extents(65_001, 1, 1), decay: 0.9 }.check().is_err());
    for decay in [-0.1, 1.0, f32::NAN] {
        assert!(Count { extents: extents(1, 1, 1), decay }.check().is_err());
    }

    let mut graph = Graph::new(2);
    let codebook = Codebook::declare(&mut graph, "codebook", 4, 3).unwrap();
    let x = graph.input("x", 2, 5).unwrap();
    let quantize = || Quantize { codebook: codebook.clone(), decay: 0.9 };
    let error = graph.op(quantize(), &[x]).unwrap_err().to_string();
    assert!(error.contains("quantize") && error.contains("pieces of 3"), "{error}");
    assert!(graph.op(quantize(), &[x, x]).is_err());
    let mut other = Graph::new(2);
    let x = other.input("x", 2, 3).unwrap();
    assert!(other.op(quantize(), &[x]).is_err(), "a codebook of another graph");
}

// Does what an operation must not.
struct Misuse(fn(&mut OpContext<'_>, &Parameter) -> Result<()>, Parameter);

impl Op for Misuse {
    fn label(&self) -> String {
        "misuse".to_owned()
    }

    fn outputs(&self, _: &[Tensor]) -> Result<Vec<[u32; 2]>> {
        Ok(vec![[1, 1]])
    }

    fn forward(&self, context: &mut OpContext<'_>) -> Result<()> {
        (self.0)(context, &self.1)
    }
}

#[test]
fn an_operation_that_asks_for_what_is_not_there_gets_an_error() {
    let mut graph = Graph::new(1);
    let x = graph.input("x", 1, 1).unwrap();
    let mut other = Graph::new(1);
    other.slot("a", vec![1], Init::Constant(0.0)).unwrap();
    let foreign = other.slot("b", vec![1], Init::Constant(0.0)).unwrap();
    let wrong: [fn(&mut OpContext<'_>, &Parameter) -> Result<()>; 9] = [
        |context, _| context.input(1).map(drop),
        |context, _| context.output(1).map(drop),
        |context, _| context.integer_output(1).map(drop),
        |context, _| context.saved(0).map(drop),
        |context, _| context.gradient(1).map(drop),
        |context, _| context.target(1).map(drop),
        |context, foreign| context.parameter(foreign).map(drop),
        |context, foreign| context.parameter_target(foreign).map(drop),
        |context, _| context.buffer("too large", usize::MAX).map(drop),
    ];
    for (at, wrong) in wrong.into_iter().enumerate() {
        let error = graph.op(Misuse(wrong, foreign.clone()), &[x]).unwrap_err();
        assert!(matches!(error, Error::Shape { .. } | Error::TooLarge { .. }), "{at}: {error}");
        assert!(error.to_string().starts_with("misuse"), "{at}: {error}");
    }
    let first = Init::Like(Box::new(foreign));
    assert!(graph.slot("c", vec![2], first).is_err(), "first values of another number");
}
