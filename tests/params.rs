//! What each kernel writes for its shader: parameters, operands, entry points and constants that exist.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;

use naga::{ArraySize, Module, Scalar, StructMember, TypeInner};
use narrows::gpu::{MatMulVariant, Variants};
use narrows::kernels::activation::{Activate, Activation, Pass};
use narrows::kernels::augmentation::{Augment, Augmentation};
use narrows::kernels::batch::{Gather, NextBatch, Permute, Place, Rows};
use narrows::kernels::ceiling::{MemoryCopy, MultiplyAdd};
use narrows::kernels::clip::{ClampEach, NormFactor, ScaleBy, SquaredNorm};
use narrows::kernels::columns::{Block, CopyColumns};
use narrows::kernels::contraction::{Quadratic, UnitSlopes, UnitWeights};
use narrows::kernels::conv::{ChannelSums, Conv, Direction, Geometry, WeightGradient};
use narrows::kernels::corruption::{Corrupt, Corruption};
use narrows::kernels::crop_or_pad::CropOrPad;
use narrows::kernels::divergence::{GaussianKl, KlByDimension};
use narrows::kernels::dropout::Dropout;
use narrows::kernels::elementwise::{Elementwise, Function};
use narrows::kernels::group::{LogSumExp, LogSumExpBackward};
use narrows::kernels::hadamard::{Multiply, MultiplyBackward, RowProducts};
use narrows::kernels::latent::{LogRatio, Reparameterize, ReparameterizeBackward};
use narrows::kernels::loss::{Kind, Loss};
use narrows::kernels::matmul::{Epilogue, Layout, MatMul, MatMulChunks, MatMulPart, MatMulSum};
use narrows::kernels::moments::{ChunkMoments, MergeMoments, RunningMoments, Strips};
use narrows::kernels::norm::{self, ChunkSums, MergeSums, Normalize};
use narrows::kernels::one_hot::OneHot;
use narrows::kernels::optimizer::{Descend, Optimizer};
use narrows::kernels::pool::{MaxPool, MaxPoolBackward, MaxPoolTangent};
use narrows::kernels::random::{Distribution, Numbers, Stream};
use narrows::kernels::record::{Collect, Mean, MeansToRing};
use narrows::kernels::reduce::ColumnSum;
use narrows::kernels::rows::{Repeat, RowSum};
use narrows::kernels::sample::Sample;
use narrows::kernels::sparsity::{Penalty, Sparsity};
use narrows::kernels::spread::{Spread, SpreadResult};
use narrows::kernels::step::{Advance, Fall, RateSchedule, Scheduled, Warmup};
use narrows::kernels::sums::{Matrix, Sums};
use narrows::kernels::upsample::{Upsample, UpsampleBackward};
use narrows::kernels::{Call, Gradient, Kernel, Word};
use narrows_shaders::{ALL, Access};

const REGISTER: Variants = Variants::one(MatMulVariant::Register);

const CORRUPTIONS: [Corruption; 3] = [
    Corruption::Gaussian { deviation: 0.25 },
    Corruption::Dropout { probability: 0.5, rescale: true },
    Corruption::SaltAndPepper { probability: 0.25 },
];
const GEOMETRY: Geometry = Geometry {
    images: 2,
    image: [3, 5, 7],
    features: [4, 6, 8],
    kernel: [9, 10],
    stride: [11, 12],
    padding: [13, 14],
};
const VIEWS: Augment = Augment {
    batch: 3,
    count: 7,
    shape: [4, 5, 2],
    rows: Rows::Bytes,
    augmentation: Augmentation { flip: true, shift: 1, crop: 0.5 },
    instance: 9,
    first_place: 6,
};
const STRIPS: Strips = Strips { rows: 3, channels: 5, chunk: 2 };
const MERGE: MergeMoments =
    MergeMoments { strips: STRIPS, mean_at: 64, variance_at: 128, momentum: 0.5, epsilon: 2.0 };
const POOL: MaxPool = MaxPool { batch: 3, height: 9, width: 7, channels: 5, window: [4, 3], stride: [2, 1] };
const SIDE_BY_SIDE: MaxPool = MaxPool { window: [4, 3], stride: [4, 3], ..POOL };
const PRODUCT: Multiply = Multiply { rows: 3, columns: 5, repeat: 2, accumulate: true };
const MATRICES: [Matrix; 2] = [
    Matrix { first: 4, rows: 3, columns: 5, line: 8, to: 2, accumulate: false },
    Matrix { first: 28, rows: 50, columns: 8, line: 12, to: 7, accumulate: true },
];
const GROUPS: LogSumExp = LogSumExp { groups: 3, size: 2, columns: 5, mean: true };
const SAMPLE: Reparameterize = Reparameterize { rows: 3, latent: 5, instance: 4, period: 5, first_block: 6 };
const CROP: CropOrPad = CropOrPad { batch: 3, from: [9, 2], to: [4, 8], channels: 5, accumulate: true };
const UPSAMPLE: Upsample = Upsample { batch: 3, height: 9, width: 7, channels: 5, factor: [4, 3] };

const SQUARES: SquaredNorm = SquaredNorm { count: 7, max_norm: 0.5, first: 2, sums: 9 };
const COPY: CopyColumns = CopyColumns {
    rows: 3,
    columns: 2,
    source: Block { width: 5, first: 1 },
    destination: Block { width: 9, first: 4 },
    accumulate: true,
};

const KL: Penalty = Penalty::Kl { target: 0.25 };
const HALF: Option<Gradient> = Some(Gradient { scale: 0.5, accumulate: false });

const RATE: Scheduled = Scheduled::Rate {
    at: 4,
    every: 2,
    betas: [0.5, 0.75],
    rate: 0.25,
    schedule: RateSchedule { warmup: 3, fall: Fall::Cosine(11) },
};
const SHARE: Scheduled = Scheduled::Share { at: 8, warmup: Warmup { steps: 13, cycles: 2, rise: 0.5 } };

const MEAN: Mean = Mean { count: 7, scale: 0.5 };

fn means() -> MeansToRing {
    MeansToRing { means: vec![MEAN, MEAN], capacity: 4, slot: 1 }
}

fn advance(scheduled: &[Scheduled]) -> Advance {
    let rates = if scheduled.is_empty() { 0 } else { 9 };
    Advance { batch: 3, count: 7, counts: true, rates, scheduled: scheduled.to_vec(), keeps: None }
}

const GREY: Geometry = Geometry { image: [3, 5, 1], ..GEOMETRY };
const GREY_TO_FOURS: Geometry =
    Geometry { image: [3, 5, 1], features: [4, 6, 8], kernel: [3, 2], stride: [11, 2], ..GEOMETRY };
const TO_GREY: Geometry = Geometry { features: [4, 6, 1], ..GEOMETRY };
const SQUARE_STRIDE: Geometry = Geometry { stride: [2, 2], padding: [1, 0], ..GREY_TO_FOURS };

// Of every kernel one, and one for each entry point it has.
fn kernels() -> Vec<Box<dyn Kernel>> {
    let (rows, latent, count, accumulate) = (3, 5, 7, true);
    let (activation, gradient) = (Activation::Tanh, Some(Gradient { scale: 0.5, accumulate }));
    let mut all: Vec<Box<dyn Kernel>> = vec![
        Box::new(Activate { count, pass: Pass::Forward, activation, accumulate: false }),
        Box::new(Activate { count, pass: Pass::Backward, activation, accumulate }),
        Box::new(Activate { count, pass: Pass::Slope, activation, accumulate: false }),
        Box::new(Activate { count, pass: Pass::SlopeBackward, activation, accumulate }),
        Box::new(UnitSlopes { rows, units: 5, gradient }),
        Box::new(UnitSlopes { rows, units: 5, gradient: None }),
        Box::new(UnitWeights { rows, units: 5, columns: 9, scale: 0.5, accumulate }),
        Box::new(Quadratic { rows, columns: 9, gradient }),
        Box::new(Quadratic { rows, columns: 9, gradient: None }),
        Box::new(SQUARES),
        Box::new(NormFactor { sums: 9 }),
        Box::new(ScaleBy { count }),
        Box::new(ClampEach { count, limit: 0.5 }),
        Box::new(COPY),
        Box::new(Elementwise { count, function: Function::Affine { a: 0.5, b: 2.0 }, accumulate }),
        Box::new(Elementwise { count, function: Function::WeightedSum { a: 0.5, b: 2.0 }, accumulate }),
        Box::new(Elementwise { count, function: Function::Exponential, accumulate: false }),
        Box::new(Elementwise { count, function: Function::Logarithm, accumulate: false }),
        Box::new(Elementwise { count, function: Function::LogarithmBackward, accumulate }),
        Box::new(GROUPS),
        Box::new(LogSumExpBackward { of: GROUPS, accumulate }),
        Box::new(Repeat { rows, columns: 5, times: 2, scale: 0.5, accumulate }),
        Box::new(RowSum { rows, columns: 5, scale: 0.5, accumulate }),
        Box::new(PRODUCT),
        Box::new(RowProducts { rows, columns: 5, accumulate }),
        Box::new(MultiplyBackward { of: PRODUCT, accumulate_s: true }),
        Box::new(Spread { rows, units: 5, columns: 9, result: SpreadResult::Weights, accumulate }),
        Box::new(Spread { rows, units: 5, columns: 9, result: SpreadResult::ScalesGradient, accumulate }),
        Box::new(Spread { rows, units: 5, columns: 9, result: SpreadResult::WeightGradient, accumulate }),
        Box::new(Permute { batch: 3, count, shuffle: true, first_place: 0 }),
        Box::new(OneHot { batch: 3, count, classes: 4 }),
        Box::new(Place { batch: 3, steps: 4, rows: 5 }),
        Box::new(Gather { batch: 3, first: 0, count, pixels: 9, center: false, rows: Rows::Bytes }),
        Box::new(Gather { batch: 3, first: 0, count, pixels: 9, center: true, rows: Rows::Bytes }),
        Box::new(VIEWS),
        Box::new(MultiplyAdd { invocations: 64, rounds: 3 }),
        Box::new(MemoryCopy { count }),
        Box::new(SAMPLE),
        Box::new(ReparameterizeBackward { of: SAMPLE, accumulate }),
        Box::new(GaussianKl { rows, latent, free_bits: 0.0, gradient }),
        Box::new(GaussianKl { rows, latent, free_bits: 0.25, gradient }),
        Box::new(GaussianKl { rows, latent, free_bits: 0.25, gradient: None }),
        Box::new(KlByDimension { rows, latent }),
        Box::new(LogRatio { of: SAMPLE, gradient: None }),
        Box::new(LogRatio { of: SAMPLE, gradient: HALF }),
        Box::new(Descend { count, optimizer: Optimizer::Sgd { momentum: 0.5, weight_decay: 0.1 } }),
        Box::new(Descend { count, optimizer: Optimizer::ADAM }),
        Box::new(means()),
        Box::new(Collect { batch: 3, total: 9 }),
        Box::new(ColumnSum { rows, columns: 5, chunk: 2, accumulate }),
        Box::new(ColumnSum { rows: 50, columns: 5, chunk: 40, accumulate }),
        Box::new(ColumnSum { rows, columns: 8, chunk: 2, accumulate }),
        Box::new(ColumnSum { rows: 50, columns: 8, chunk: 40, accumulate }),
        Box::new(Sums { parts: 640, sums: 80, matrices: MATRICES.to_vec() }),
        Box::new(Sparsity { rows, columns: 5, penalty: Penalty::L1, gradient }),
        Box::new(Sparsity { rows, columns: 5, penalty: Penalty::L1, gradient: None }),
        Box::new(Sparsity { rows, columns: 5, penalty: KL, gradient }),
        Box::new(Sparsity { rows, columns: 5, penalty: KL, gradient: None }),
        Box::new(advance(&[])),
        Box::new(advance(&[RATE, SHARE])),
        Box::new(Advance { keeps: Some(means()), ..advance(&[]) }),
        Box::new(Advance { keeps: Some(means()), ..advance(&[RATE, SHARE]) }),
        Box::new(Elementwise { count, function: Function::ContinuousMean, accumulate: false }),
        Box::new(Dropout { rows, columns: 5, rate: 0.5, instance: 1, first_block: 0, accumulate }),
        Box::new(POOL),
        Box::new(MaxPoolTangent(POOL)),
        Box::new(MaxPoolBackward { pool: POOL, slope: None, accumulate }),
        Box::new(MaxPoolBackward { pool: SIDE_BY_SIDE, slope: Some(Activation::Gelu), accumulate }),
        Box::new(CROP),
        Box::new(UPSAMPLE),
        Box::new(UpsampleBackward { upsample: UPSAMPLE, accumulate }),
        Box::new(ChunkMoments(STRIPS)),
        Box::new(MERGE),
        Box::new(RunningMoments { channels: 5, mean_at: 64, variance_at: 128, epsilon: 2.0 }),
        Box::new(Normalize { strips: STRIPS, activation }),
        Box::new(Normalize { strips: STRIPS, activation: Activation::Gelu }),
        Box::new(ChunkSums(STRIPS)),
        Box::new(merge_sums()),
        Box::new(norm::Backward { strips: STRIPS, own_moments: true, accumulate }),
    ];
    for distribution in [Distribution::Bits, Distribution::Uniform, Distribution::Normal, Distribution::Signs]
    {
        all.push(Box::new(numbers(distribution)));
    }
    for kind in [
        Kind::SquaredError,
        Kind::Gaussian { deviation: 0.1 },
        Kind::GaussianLearned,
        Kind::Bernoulli,
        Kind::ContinuousBernoulli,
    ] {
        all.push(Box::new(Loss { rows, columns: 5, kind, gradient }));
        all.push(Box::new(Loss { rows, columns: 5, kind, gradient: None }));
    }
    for center in [false, true] {
        let gather = Gather { batch: 3, first: 0, count, pixels: 9, center, rows: Rows::Bytes };
        all.push(Box::new(NextBatch { gather, shuffle: true, first_place: 0 }));
        for corruption in CORRUPTIONS {
            all.push(Box::new(Corrupt { gather, corruption, instance: 4, first_place: 0 }));
        }
    }
    for layout in Layout::ALL {
        for epilogue in [
            Epilogue::None,
            Epilogue::Dense(Activation::Relu),
            Epilogue::Dense(Activation::Gelu),
            Epilogue::Slope(Activation::Relu),
        ] {
            all.push(Box::new(MatMul { rows, columns: 5, depth: 7, layout, epilogue, accumulate: false }));
            for geometry in [GEOMETRY, GREY, GREY_TO_FOURS, TO_GREY, SQUARE_STRIDE] {
                all.push(Box::new(Conv { direction: Direction::Down, geometry, epilogue, accumulate }));
                all.push(Box::new(Conv { direction: Direction::Up, geometry, epilogue, accumulate }));
            }
        }
    }
    let (layout, epilogue) = (Layout::Nn, Epilogue::Sample);
    all.push(Box::new(MatMul { rows, columns: 5, depth: 7, layout, epilogue, accumulate: false }));
    all.push(Box::new(Sample { of: SAMPLE, kl: None }));
    all.push(Box::new(Sample { of: SAMPLE, kl: Some(0.5) }));
    let (layout, epilogue) = (Layout::Tn, Epilogue::Sums { accumulate });
    all.push(Box::new(MatMul { rows, columns: 5, depth: 7, layout, epilogue, accumulate: false }));
    for epilogue in [
        Epilogue::None,
        Epilogue::Dense(Activation::Relu),
        Epilogue::Dense(Activation::Gelu),
        Epilogue::Slope(Activation::Relu),
        Epilogue::Sample,
        Epilogue::Sums { accumulate },
    ] {
        let c_line = if epilogue == Epilogue::Sample { 10 } else { 5 };
        all.push(Box::new(MatMulSum { rows, columns: 5, parts: 2, c_line, epilogue, accumulate }));
    }
    for epilogue in [Epilogue::None, Epilogue::Sums { accumulate: false }] {
        let of = MatMul { epilogue, ..DEEP.of };
        all.push(Box::new(MatMulChunks { of: MatMulPart { of, ..DEEP }, chunk: 128 }));
    }
    for geometry in [GEOMETRY, GREY, GREY_TO_FOURS, TO_GREY, SQUARE_STRIDE] {
        let sums = [None, Some(Direction::Down), Some(Direction::Up)];
        for sums in sums.map(|of| of.map(|of| ChannelSums { of, accumulate })) {
            let kernel = WeightGradient { geometry, chunk: 5, accumulate, sums };
            // An image with more channels than features is summed elsewhere.
            if geometry.image[2] <= geometry.features[2] || kernel.check().is_ok() {
                all.push(Box::new(kernel));
            }
        }
    }
    all
}

const DEEP: MatMulPart = MatMulPart {
    of: MatMul {
        rows: 3,
        columns: 5,
        depth: 200,
        layout: Layout::Tn,
        epilogue: Epilogue::None,
        accumulate: false,
    },
    lines: [4, 6, 8],
};

// The variants of the matrix product bring all their entry points along; a weight's gradient takes the plain one and that
// with sums, which the other convolutions do not. None of them leads through a sample.
fn unused(shader: &str, entry: &str) -> bool {
    let sums = entry == "product_sums";
    if shader.starts_with("conv_weight_") {
        return entry != "product" && !sums;
    }
    (sums || entry == "product_sample") && !shader.starts_with("matmul_")
}

const fn numbers(distribution: Distribution) -> Numbers {
    Numbers { count: 7, distribution, first_block: 1, stream: Stream::Noise as u32, instance: 4 }
}

const fn merge_sums() -> MergeSums {
    MergeSums { strips: STRIPS, scale_at: 64, shift_at: 128, accumulate_scale: true, accumulate_shift: false }
}

fn each(mut visit: impl FnMut(&dyn Kernel, Call)) {
    for kernel in kernels() {
        assert!(kernel.check().is_ok(), "{kernel:?}");
        for matmul in MatMulVariant::ALL {
            visit(kernel.as_ref(), kernel.call(&Variants::one(matmul)));
        }
    }
}

#[test]
fn every_entry_point_of_every_shader_has_a_kernel() {
    let mut driven = BTreeSet::new();
    each(|_, program| {
        driven.insert((program.shader.name, program.entry));
    });
    for shader in ALL {
        for entry in shader.entries {
            let used = driven.contains(&(shader.name, entry.name));
            assert_ne!(used, unused(shader.name, entry.name), "{}::{}", shader.name, entry.name);
        }
    }
}

#[test]
fn operands_are_the_entry_points_storage_bindings() {
    each(|kernel, program| {
        let table = program.table().unwrap();
        let listed = table.bindings.iter().filter(|binding| binding.access != Access::Uniform);
        let listed: Vec<_> = listed.map(|binding| (binding.name, binding.access)).collect();
        let operands = kernel.operands();
        let given: Vec<_> = operands.iter().map(|operand| (operand.name, operand.access)).collect();
        assert_eq!(given, listed, "{kernel:?}");
        assert!(operands.iter().all(|operand| operand.words > 0), "{kernel:?}");
    });
}

#[test]
fn the_variants_choose_the_shader_and_nothing_that_a_plan_is_made_of() {
    each(|kernel, program| {
        let call = kernel.call(&Variants::one(MatMulVariant::Tile64x4));
        assert_eq!((call.bytes(), call.flops), (kernel.bytes(), kernel.flops()), "{kernel:?}");
        assert_eq!(call.operands, kernel.operands(), "{kernel:?}");
        assert_eq!(program.entry, call.entry, "{kernel:?}");
        assert_eq!(
            (call.uniform, call.shape),
            (kernel.call(&REGISTER).uniform, kernel.shape()),
            "{kernel:?}"
        );
        assert!(program.workgroups > 0, "{kernel:?}");
    });
}

#[test]
fn constants_are_overrides_of_the_shader() {
    each(|kernel, program| {
        for (name, _) in &program.constants {
            assert!(program.shader.overrides.contains(name), "{kernel:?} sets {name}");
        }
    });
}

// Place, name and type of each word of a struct, those of structs in arrays one after the other.
fn words_of(module: &Module, members: &[StructMember], start: u32) -> Vec<(u32, String, &'static str)> {
    let of = |member: &StructMember| {
        let (at, name) = (start + member.offset, member.name.clone().unwrap());
        match module.types[member.ty].inner {
            TypeInner::Scalar(Scalar::U32) => vec![(at, name, "u32")],
            TypeInner::Scalar(Scalar::F32) => vec![(at, name, "f32")],
            TypeInner::Array { base, size: ArraySize::Constant(count), stride } => {
                let TypeInner::Struct { members, .. } = &module.types[base].inner else {
                    panic!("{name} is an array of no structs")
                };
                (0..count.get()).flat_map(|item| words_of(module, members, at + item * stride)).collect()
            }
            ref other => panic!("{name} is {other:?}"),
        }
    };
    members.iter().flat_map(of).collect()
}

#[test]
fn the_uniform_is_the_shaders_struct_by_name_type_and_size() {
    each(|kernel, program| {
        let module = naga::front::wgsl::parse_str(program.shader.source).unwrap();
        let (_, ty) = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some("Params")).unwrap();
        let TypeInner::Struct { members, span } = &ty.inner else { panic!("Params is no struct") };
        let wanted = words_of(&module, members, 0);
        let given = kernel.call(&REGISTER).uniform.into_iter().map(|(name, word)| match word {
            Word::U32(_) => (name.to_owned(), "u32"),
            Word::F32(_) => (name.to_owned(), "f32"),
        });
        let places = (0..).step_by(4).zip(given).map(|(at, (name, of))| (at, name, of));
        assert_eq!(places.collect::<Vec<_>>(), wanted, "{kernel:?}");
        assert_eq!(kernel.params().len(), *span as usize, "{kernel:?}");
    });
}

// Each extent is told from the others by its value: a swapped pair of fields would show.
#[test]
fn parameters_stand_in_the_order_of_the_shaders_fields() {
    let words = |kernel: &dyn Kernel| -> Vec<u32> { bytemuck::pod_collect_to_vec(&kernel.params()) };
    let one = |x: f32| x.to_bits();
    let matmul = MatMul {
        rows: 3,
        columns: 5,
        depth: 7,
        layout: Layout::Nn,
        epilogue: Epilogue::None,
        accumulate: false,
    };
    assert_eq!(words(&matmul), [3, 5, 7, 7, 5, 5, 7]);
    assert_eq!(words(&MatMulPart { of: matmul, lines: [8, 6, 9] }), [3, 5, 7, 8, 6, 9, 7]);
    assert_eq!(words(&MatMulChunks { of: DEEP, chunk: 64 }), [3, 5, 200, 4, 6, 8, 64]);
    let (epilogue, accumulate) = (Epilogue::None, false);
    let sum = MatMulSum { rows: 3, columns: 5, parts: 2, c_line: 9, epilogue, accumulate };
    assert_eq!(words(&sum), [3, 5, 2, 9]);
    let sums = words(&Sums { parts: 640, sums: 80, matrices: MATRICES.to_vec() });
    assert_eq!(sums[..20], [2, 0, 0, 0, 1, 2, 3, 5, 2, 0, 1, 0, 7, 3, 50, 8, 7, 1, 8, 1]);
    assert_eq!(sums[20..], [0; 112]);
    assert_eq!(words(&ColumnSum { rows: 3, columns: 5, chunk: 2, accumulate: false }), [3, 5, 2]);
    assert_eq!(
        words(&Gather { batch: 3, first: 2, count: 7, pixels: 9, center: true, rows: Rows::Bytes }),
        [3, 7, 9, 2, 0, 0, 0]
    );
    assert_eq!(words(&Place { batch: 3, steps: 4, rows: 5 }), [3, 0, 0, 0, 4, 5, 0]);
    assert_eq!(words(&Permute { batch: 3, count: 7, shuffle: true, first_place: 2 }), [3, 7, 0, 0, 0, 0, 2]);
    let corrupt = |corruption| {
        words(&Corrupt {
            gather: Gather { batch: 3, first: 0, count: 7, pixels: 9, center: true, rows: Rows::Bytes },
            corruption,
            instance: 4,
            first_place: 6,
        })
    };
    assert_eq!(corrupt(CORRUPTIONS[0]), [3, 9, one(0.25), one(1.0), 4, 6]);
    assert_eq!(corrupt(CORRUPTIONS[1]), [3, 9, one(0.5), one(2.0), 4, 6]);
    assert_eq!(words(&VIEWS), [3, 40, 4, 5, 2, 1, one(0.5), 9, 6]);
    let weights = UnitWeights { rows: 3, units: 5, columns: 9, scale: 0.5, accumulate: false };
    assert_eq!(words(&weights), [3, 5, 9, one(0.5)]);
    let (result, accumulate) = (SpreadResult::Weights, false);
    let spread = Spread { rows: 3, units: 5, columns: 9, result, accumulate };
    assert_eq!(words(&PRODUCT), [3, 5, 2]);
    assert_eq!(words(&spread), [3, 5, 9]);
    assert_eq!(words(&SQUARES), [7, 4096, 2, one(2.0)]);
    assert_eq!(words(&COPY), [3, 2, 5, 1, 9, 4]);
    assert_eq!(
        words(&Elementwise { count: 7, function: Function::Affine { a: 0.5, b: 2.0 }, accumulate: false }),
        [7, one(0.5), one(2.0)]
    );
    assert_eq!(words(&GROUPS), [3, 2, 5, one(-std::f32::consts::LN_2)]);
    let repeat = Repeat { rows: 3, columns: 5, times: 2, scale: 0.5, accumulate: false };
    assert_eq!(words(&repeat), [3, 5, 2, one(0.5)]);
    assert_eq!(words(&numbers(Distribution::Signs)), [7, 1, 9, 4]);
    assert_eq!(words(&Multiply::rows(3, 5, false)), [3, 1, 5]);
    assert_eq!(words(&RowProducts { rows: 3, columns: 5, accumulate: false }), [3, 1, 5]);
    let ring = MeansToRing { means: vec![MEAN, Mean { count: 9, scale: 0.25 }], capacity: 4, slot: 1 };
    assert_eq!(words(&ring)[..12], [0, 4, 1, 0, 7, one(0.5), 0, 0, 9, one(0.25), 0, 0]);
    let kl = GaussianKl { rows: 3, latent: 5, free_bits: 0.25, gradient: HALF };
    assert_eq!(words(&kl), [3, 5, one(0.5), one(0.25)]);
    let ratio = LogRatio { of: SAMPLE, gradient: HALF };
    assert_eq!(words(&ratio), [3, 5, 4, one(0.5), 5, 6]);
    assert_eq!(words(&Sample { of: SAMPLE, kl: Some(0.25) }), [3, 5, 4, one(0.25), 5, 6]);
    let through = MatMul { epilogue: Epilogue::Sample, ..matmul };
    assert_eq!(words(&through), [3, 5, 7, 7, 5, 10, 7]);
    let sparsity = Sparsity { rows: 3, columns: 5, penalty: KL, gradient: HALF };
    assert_eq!(words(&sparsity), [3, 5, one(0.5), one(0.25)]);
    let loss = Loss { rows: 3, columns: 5, kind: Kind::Gaussian { deviation: 2.0 }, gradient: HALF };
    assert_eq!(words(&loss), [3, 5, one(0.5), one(2.0), one(std::f32::consts::LN_2)]);
    let optimizer =
        Optimizer::Adam { beta1: 0.5, beta2: 0.75, epsilon: 2.0, weight_decay: 0.125, decoupled: true };
    let expected = [7, one(0.125), one(0.5), one(0.5), one(0.75), one(0.25), one(2.0)];
    assert_eq!(words(&Descend { count: 7, optimizer }), expected);
    let words_of_both = words(&advance(&[RATE, SHARE]));
    assert_eq!(words_of_both[..4], [3, 7, 2, 0]);
    assert_eq!(words_of_both[4..8], [0; 4]);
    assert_eq!(words_of_both[8..16], [2, 4, 2, 11, one(0.25), one(0.5), one(0.25), 3]);
    assert_eq!(words_of_both[16..24], [3, 8, 1, 13, one(0.5), 0, 0, 2]);
    assert_eq!(words_of_both[24..], [0; 60]);
    let keeps = Some(MeansToRing { means: vec![MEAN], capacity: 4, slot: 1 });
    let words_of_means = words(&Advance { keeps, ..advance(&[RATE]) });
    assert_eq!(words_of_means[2..8], [1, 1, 4, 1, 0, 0]);
    assert_eq!(words_of_means[64..72], [7, one(0.5), 0, 0, 0, 0, 0, 0]);
    let weight = WeightGradient { geometry: GEOMETRY, chunk: 15, accumulate: false, sums: None };
    assert_eq!(words(&weight), [8, 630, 3, 5, 7, 4, 6, 8, 9, 10, 11, 12, 13, 14, 48, 15]);
    let epilogue = Epilogue::None;
    assert_eq!(
        words(&Conv { direction: Direction::Down, geometry: GEOMETRY, epilogue, accumulate })[..2],
        [48, 8]
    );
    assert_eq!(
        words(&Conv { direction: Direction::Up, geometry: GEOMETRY, epilogue, accumulate })[..2],
        [2, 7]
    );
    let lines = Conv { direction: Direction::Up, geometry: SQUARE_STRIDE, epilogue, accumulate };
    assert_eq!(words(&lines)[14..], [48, 2]);
    let dropout = Dropout { rows: 3, columns: 5, rate: 0.25, instance: 2, first_block: 6, accumulate: false };
    assert_eq!(words(&dropout), [15, 2, 1 << 30, one(4.0 / 3.0), 6]);
    assert_eq!(words(&CROP), [3, 9, 2, 5, 4, 8, 2, 0, 0, 3]);
    assert_eq!((words(&POOL), words(&UPSAMPLE)), (vec![3, 9, 7, 5], vec![3, 9, 7, 5]));
    assert_eq!(words(&ChunkMoments(STRIPS))[..3], [3, 5, 2]);
    assert_eq!(words(&MERGE), [3, 5, 2, 64, 128, one(0.5), one(2.0)]);
    let running = RunningMoments { channels: 5, mean_at: 64, variance_at: 128, epsilon: 2.0 };
    assert_eq!(words(&running), [0, 5, 0, 64, 128, 0, one(2.0)]);
    assert_eq!(words(&merge_sums()), [3, 5, 2, 64, 128, 0]);
    let backward = |own_moments| norm::Backward { strips: STRIPS, own_moments, accumulate: false };
    assert_eq!(words(&backward(true)), [3, 5, 2, 0, 0, one(1.0 / 3.0)]);
    assert_eq!(words(&backward(false)), [3, 5, 2, 0, 0, 0]);
}

// Of what divides or multiplies extents before they are checked.
fn extreme(e: u32) -> Vec<Box<dyn Kernel>> {
    let (accumulate, layout, epilogue) = (false, Layout::Nn, Epilogue::Slope(Activation::Relu));
    let strips = Strips { rows: e, channels: e, chunk: e };
    let pool = MaxPool { batch: e, height: e, width: e, channels: e, window: [e, e], stride: [e, e] };
    let upsample = Upsample { batch: e, height: e, width: e, channels: e, factor: [e, e] };
    let geometry = Geometry {
        images: e,
        image: [e, e, e],
        features: [e, e, e],
        kernel: [e, e],
        stride: [e, e],
        padding: [e, e],
    };
    let gather = Gather { batch: e, first: 0, count: e, pixels: e, center: true, rows: Rows::Bytes };
    let block = Block { width: e, first: e };
    let sums = ChannelSums { of: Direction::Up, accumulate };
    let matrix = Matrix { first: e, rows: e, columns: e, line: e, to: e, accumulate };
    let spread = |result| Spread { rows: e, units: e, columns: e, result, accumulate };
    let of = LogSumExp { groups: e, size: e, columns: e, mean: true };
    vec![
        Box::new(Activate { count: e, pass: Pass::Backward, activation: Activation::Relu, accumulate }),
        Box::new(gather),
        Box::new(Corrupt { gather, corruption: CORRUPTIONS[0], instance: e, first_place: 0 }),
        Box::new(Augment { batch: e, count: e, shape: [e, e, e], ..VIEWS }),
        Box::new(UnitWeights { rows: e, units: e, columns: e, scale: 1.0, accumulate }),
        Box::new(Conv { direction: Direction::Down, geometry, epilogue, accumulate }),
        Box::new(Conv { direction: Direction::Up, geometry, epilogue, accumulate }),
        Box::new(WeightGradient { geometry, chunk: e, accumulate, sums: Some(sums) }),
        Box::new(GaussianKl { rows: e, latent: e, free_bits: 1.0, gradient: HALF }),
        Box::new(Dropout { rows: e, columns: e, rate: 0.5, instance: e, first_block: 0, accumulate }),
        Box::new(Multiply { rows: e, columns: e, repeat: e, accumulate }),
        Box::new(SquaredNorm { count: e, max_norm: 1.0, first: e, sums: e }),
        Box::new(CopyColumns { rows: e, columns: e, source: block, destination: block, accumulate }),
        Box::new(of),
        Box::new(LogSumExpBackward { of, accumulate }),
        Box::new(Repeat { rows: e, columns: e, times: e, scale: 1.0, accumulate }),
        Box::new(RowSum { rows: e, columns: e, scale: 1.0, accumulate }),
        Box::new(RowProducts { rows: e, columns: e, accumulate }),
        Box::new(Reparameterize { rows: e, latent: e, instance: e, period: e, first_block: e }),
        Box::new(Sample {
            of: Reparameterize { rows: e, latent: e, instance: e, period: e, first_block: e },
            kl: Some(1.0),
        }),
        Box::new(MatMul { rows: e, columns: e, depth: e, layout, epilogue: Epilogue::Sample, accumulate }),
        Box::new(MatMulChunks {
            of: MatMulPart {
                of: MatMul { rows: e, columns: e, depth: e, layout, epilogue: Epilogue::None, accumulate },
                lines: [e; 3],
            },
            chunk: e,
        }),
        Box::new(MatMulSum { rows: e, columns: e, parts: e, c_line: e, epilogue, accumulate }),
        Box::new(Loss { rows: e, columns: e, kind: Kind::GaussianLearned, gradient: HALF }),
        Box::new(MatMul { rows: e, columns: e, depth: e, layout, epilogue, accumulate }),
        Box::new(ChunkMoments(strips)),
        Box::new(MergeMoments { strips, mean_at: e, variance_at: e, ..MERGE }),
        Box::new(Normalize { strips, activation: Activation::Gelu }),
        Box::new(Descend { count: e, optimizer: Optimizer::ADAM }),
        Box::new(pool),
        Box::new(MaxPoolBackward { pool, slope: Some(Activation::Relu), accumulate }),
        Box::new(MeansToRing { means: vec![Mean { count: e, scale: 1.0 }], capacity: e, slot: e }),
        Box::new(ColumnSum { rows: e, columns: e, chunk: e, accumulate }),
        Box::new(Sums { parts: e, sums: e, matrices: vec![matrix; 2] }),
        Box::new(spread(SpreadResult::ScalesGradient)),
        Box::new(CropOrPad { batch: e, from: [e, e], to: [e, e], channels: e, accumulate }),
        Box::new(upsample),
        Box::new(UpsampleBackward { upsample, accumulate }),
    ]
}

#[test]
fn extents_of_any_size_are_described_and_refused_without_a_panic() {
    for extent in [0, u32::MAX] {
        for kernel in extreme(extent) {
            let call = kernel.call(&REGISTER);
            let sound = call.workgroups;
            let counted = kernel.check().is_ok();
            assert!(counted || sound == 0, "{kernel:?}: {sound} workgroups of what is refused");
            assert!(!counted || extent == 0 || kernel.operands().len() == 3, "{kernel:?} is accepted");
        }
    }
}

#[derive(Debug)]
struct Short;

impl Kernel for Short {
    fn call(&self, _: &Variants) -> Call {
        Call::new(&narrows_shaders::activation::SHADER, "forward").operands([7]).uniform([("count", 7)])
    }

    fn reference(&self, _: &[&[u32]], _: &mut [&mut [u32]]) {}
}

#[test]
fn a_call_with_too_few_lengths_is_refused() {
    let message = Short.check().unwrap_err().to_string();
    assert!(message.contains("activation forward: expected 2"), "{message}");
}
