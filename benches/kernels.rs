//! Every kernel except matrix products and convolutions, at the sizes of the VAE 784-400-20 with batches of 128. Kernels
//! of feature maps have the sizes behind the convolutional autoencoder's first layer, with batches of 32; kernels of
//! Jacobians those of 1,000 tied units with batches of 128, and of 784-100-30 with batches of 32.
//! `cargo bench --bench kernels`
#![allow(missing_docs)]

mod common;

use common::{Table, criterion, launch, measure_launches, open};
use narrows::bench::fractions;
use narrows::gpu::Kernels;
use narrows::kernels::activation::{Activate, Activation, Pass};
use narrows::kernels::augmentation::{Augment, Augmentation};
use narrows::kernels::batch::{Gather, NextBatch, Permute, Place, Rows};
use narrows::kernels::clip::{ClampEach, NormFactor, ScaleBy, SquaredNorm};
use narrows::kernels::columns::{Block, CopyColumns};
use narrows::kernels::contraction::{Quadratic, UnitSlopes, UnitWeights};
use narrows::kernels::corruption::{Corrupt, Corruption};
use narrows::kernels::crop_or_pad::CropOrPad;
use narrows::kernels::divergence::{GaussianKl, KlByDimension};
use narrows::kernels::dropout::Dropout;
use narrows::kernels::elementwise::{Elementwise, Function};
use narrows::kernels::group::{LogSumExp, LogSumExpBackward};
use narrows::kernels::hadamard::{Multiply, MultiplyBackward, RowProducts};
use narrows::kernels::latent::{LogRatio, Reparameterize, ReparameterizeBackward};
use narrows::kernels::loss::{Kind, Loss};
use narrows::kernels::moments::{ChunkMoments, MergeMoments, Strips};
use narrows::kernels::norm::{self, ChunkSums, MergeSums, Normalize};
use narrows::kernels::optimizer::{Descend, Optimizer};
use narrows::kernels::pool::{MaxPool, MaxPoolBackward};
use narrows::kernels::random::{Distribution, Numbers, Stream};
use narrows::kernels::record::{Collect, Mean, MeansToRing};
use narrows::kernels::reduce::ColumnSum;
use narrows::kernels::rows::{Repeat, RowSum};
use narrows::kernels::sample::Sample;
use narrows::kernels::sparsity::{Penalty, Sparsity};
use narrows::kernels::spread::{Spread, SpreadResult};
use narrows::kernels::state::State;
use narrows::kernels::step::{Advance, Fall, RateSchedule, Scheduled, Warmup};
use narrows::kernels::sums::{Matrix, Sums};
use narrows::kernels::upsample::{Upsample, UpsampleBackward};
use narrows::kernels::{Gradient, Kernel};
use narrows::reference::pool::argmax;

const BATCH: u32 = 128;
const PIXELS: u32 = 784;
const HIDDEN: u32 = 400;
const LATENT: u32 = 20;
const PARAMETERS: u32 = 652_992;
const IMAGES: u32 = 7_200;

const POOL: MaxPool =
    MaxPool { batch: 32, height: 28, width: 28, channels: 16, window: [2, 2], stride: [2, 2] };

fn of_feature_maps() -> Vec<Box<dyn Kernel>> {
    let upsample = Upsample { batch: 32, height: 14, width: 14, channels: 16, factor: [2, 2] };
    let (rows, channels) = (32 * 28 * 28, 16);
    let (sum, map) = (Strips::to_sum(rows, channels), Strips::to_map(rows, channels));
    vec![
        Box::new(POOL),
        Box::new(MaxPoolBackward { pool: POOL, slope: None, accumulate: false }),
        Box::new(MaxPoolBackward { pool: POOL, slope: Some(Activation::Selu), accumulate: false }),
        Box::new(upsample),
        Box::new(UpsampleBackward { upsample, accumulate: false }),
        Box::new(CropOrPad { batch: 32, from: [32, 32], to: [28, 28], channels: 16, accumulate: false }),
        Box::new(ChunkMoments(sum)),
        Box::new(MergeMoments { strips: sum, mean_at: 0, variance_at: 64, momentum: 0.1, epsilon: 1e-5 }),
        Box::new(Normalize { strips: map, activation: Activation::Relu }),
        Box::new(ChunkSums(sum)),
        Box::new(MergeSums {
            strips: sum,
            scale_at: 0,
            shift_at: 64,
            accumulate_scale: false,
            accumulate_shift: false,
        }),
        Box::new(norm::Backward { strips: map, own_moments: true, accumulate: false }),
        Box::new(Dropout {
            rows: 32,
            columns: 28 * 28 * 16,
            rate: 0.5,
            instance: 0,
            first_block: 0,
            accumulate: false,
        }),
    ]
}

const GRADIENT: Option<Gradient> = Some(Gradient { scale: 1.0, accumulate: false });

fn of_jacobians() -> Vec<Box<dyn Kernel>> {
    let (units, columns, scale, accumulate) = (1000, PIXELS, 1.0, true);
    let (rows, latent, hidden) = (32, 30, 100);
    let product = Multiply { rows, columns: hidden, repeat: latent, accumulate: false };
    let spread =
        |result, accumulate| Box::new(Spread { rows, units: latent, columns: hidden, result, accumulate });
    let slope = |pass| {
        let activation = Activation::Sigmoid;
        Box::new(Activate { count: BATCH * units, pass, activation, accumulate: false })
    };
    vec![
        slope(Pass::Slope),
        slope(Pass::SlopeBackward),
        Box::new(Quadratic { rows: units, columns, gradient: None }),
        Box::new(UnitSlopes { rows: BATCH, units, gradient: GRADIENT }),
        Box::new(UnitWeights { rows: BATCH, units, columns, scale, accumulate: false }),
        spread(SpreadResult::Weights, false),
        Box::new(product),
        Box::new(Quadratic { rows, columns: latent * hidden, gradient: GRADIENT }),
        Box::new(MultiplyBackward { of: product, accumulate_s: false }),
        spread(SpreadResult::ScalesGradient, false),
        spread(SpreadResult::WeightGradient, accumulate),
        Box::new(Numbers {
            count: rows * PIXELS,
            distribution: Distribution::Signs,
            first_block: 0,
            stream: Stream::Projection as u32,
            instance: 0,
        }),
    ]
}

// What terms are composed of: weights of importance, weighed gradients, inputs beside each other, and clipping.
fn of_terms() -> Vec<Box<dyn Kernel>> {
    let (samples, count) = (50, BATCH * HIDDEN);
    let rows = BATCH * samples;
    let block = |width, first| Block { width, first };
    let of = LogSumExp { groups: BATCH, size: samples, columns: 1, mean: true };
    let each = |function| Box::new(Elementwise { count, function, accumulate: false });
    let sums = SquaredNorm::chunks(PARAMETERS);
    vec![
        Box::new(of),
        Box::new(LogSumExpBackward { of, accumulate: false }),
        Box::new(Repeat { rows: BATCH, columns: 2 * LATENT, times: samples, scale: 1.0, accumulate: false }),
        Box::new(RowSum { rows: BATCH, columns: PIXELS, scale: 1.0, accumulate: false }),
        Box::new(Multiply::rows(rows, LATENT, false)),
        Box::new(RowProducts { rows, columns: LATENT, accumulate: false }),
        Box::new(CopyColumns {
            rows: BATCH,
            columns: PIXELS,
            source: block(PIXELS, 0),
            destination: block(PIXELS + 10, 10),
            accumulate: false,
        }),
        each(Function::Affine { a: 0.5, b: 1.0 }),
        each(Function::WeightedSum { a: 1.0, b: -1.0 }),
        each(Function::Exponential),
        each(Function::Logarithm),
        each(Function::LogarithmBackward),
        each(Function::ContinuousMean),
        Box::new(Loss { rows: BATCH, columns: PIXELS, kind: Kind::Bernoulli, gradient: None }),
        Box::new(SquaredNorm { count: PARAMETERS, max_norm: 1.0, first: 0, sums }),
        Box::new(NormFactor { sums }),
        Box::new(ScaleBy { count: PARAMETERS }),
        Box::new(ClampEach { count: PARAMETERS, limit: 1.0 }),
    ]
}

// A falling learning rate, and the share of a weight that comes in.
// Weights and biases of two layers of a convolutional network.
fn sums() -> Sums {
    let (mut parts, mut sums, mut matrices) = (0, 0, Vec::new());
    for (rows, columns) in [(3, 18_432), (3, 64), (784, 144), (784, 16)] {
        matrices.push(Matrix { first: parts, rows, columns, line: columns, to: sums, accumulate: false });
        (parts, sums) = (parts + rows * columns, sums + columns);
    }
    Sums { parts, sums, matrices }
}

fn means() -> MeansToRing {
    MeansToRing { means: vec![Mean { count: BATCH, scale: 1.0 }; 2], capacity: 64, slot: 0 }
}

fn advance() -> Advance {
    let schedule = RateSchedule { warmup: 0, fall: Fall::Cosine(1_000) };
    let warmup = Warmup { steps: 500, cycles: 4, rise: 0.5 };
    let scheduled = vec![
        Scheduled::Rate { at: 0, every: 1, betas: [0.9, 0.999], rate: 1e-3, schedule },
        Scheduled::Share { at: 64, warmup },
    ];
    Advance { batch: BATCH, count: IMAGES, counts: true, rates: 128, scheduled, keeps: Some(means()) }
}

fn kernels() -> Vec<Box<dyn Kernel>> {
    let loss = |kind| Box::new(Loss { rows: BATCH, columns: PIXELS, kind, gradient: GRADIENT });
    let descend = |optimizer| Box::new(Descend { count: PARAMETERS, optimizer });
    let count = BATCH * HIDDEN;
    let of = Reparameterize { rows: BATCH, latent: LATENT, instance: 0, period: 0, first_block: 0 };
    let activate = |pass, activation| Box::new(Activate { count, pass, activation, accumulate: false });
    let sparsity = |penalty| Box::new(Sparsity { rows: BATCH, columns: HIDDEN, penalty, gradient: GRADIENT });
    let draw = |distribution| {
        let stream = Stream::Latent as u32;
        Box::new(Numbers { count, distribution, first_block: 0, stream, instance: 0 })
    };
    let augment = |augmentation| {
        let (shape, rows) = ([28, 28, 1], Rows::Bytes);
        Box::new(Augment {
            batch: BATCH,
            count: IMAGES,
            shape,
            rows,
            augmentation,
            instance: 0,
            first_place: 0,
        })
    };
    let gather = |center| {
        let rows = Rows::Bytes;
        Gather { batch: BATCH, first: 0, count: IMAGES, pixels: PIXELS, center, rows }
    };
    let corrupt =
        |corruption| Box::new(Corrupt { gather: gather(false), corruption, instance: 0, first_place: 0 });
    vec![
        Box::new(Permute { batch: BATCH, count: IMAGES, shuffle: true, first_place: 0 }),
        Box::new(NextBatch { gather: gather(false), shuffle: true, first_place: 0 }),
        Box::new(Place { batch: BATCH, steps: 64, rows: BATCH }),
        Box::new(gather(false)),
        Box::new(gather(true)),
        augment(Augmentation { flip: true, ..Augmentation::default() }),
        augment(Augmentation { flip: true, shift: 2, crop: 0.8 }),
        corrupt(Corruption::Gaussian { deviation: 0.2 }),
        corrupt(Corruption::Dropout { probability: 0.5, rescale: true }),
        corrupt(Corruption::SaltAndPepper { probability: 0.2 }),
        activate(Pass::Forward, Activation::Relu),
        activate(Pass::Forward, Activation::Gelu),
        activate(Pass::Backward, Activation::Relu),
        Box::new(of),
        Box::new(ReparameterizeBackward { of, accumulate: true }),
        Box::new(GaussianKl { rows: BATCH, latent: LATENT, free_bits: 0.0, gradient: GRADIENT }),
        Box::new(GaussianKl { rows: BATCH, latent: LATENT, free_bits: 0.1, gradient: GRADIENT }),
        Box::new(KlByDimension { rows: BATCH, latent: LATENT }),
        Box::new(LogRatio { of, gradient: GRADIENT }),
        Box::new(Sample { of, kl: None }),
        Box::new(Sample { of, kl: Some(0.1) }),
        sparsity(Penalty::L1),
        sparsity(Penalty::Kl { target: 0.1 }),
        loss(Kind::Bernoulli),
        loss(Kind::ContinuousBernoulli),
        loss(Kind::SquaredError),
        loss(Kind::GaussianLearned),
        draw(Distribution::Uniform),
        draw(Distribution::Normal),
        Box::new(means()),
        Box::new(Collect { batch: BATCH, total: IMAGES }),
        Box::new(ColumnSum::whole(BATCH, PIXELS)),
        Box::new(ColumnSum::whole(BATCH, 2 * LATENT)),
        Box::new(sums()),
        descend(Optimizer::Sgd { momentum: 0.9, weight_decay: 0.0 }),
        descend(Optimizer::ADAM),
        Box::new(advance()),
    ]
}

fn main() {
    let gpu = open(Kernels::Rule);
    let mut criterion = criterion();
    let mut table = Table::new(&gpu);
    for kernel in kernels().into_iter().chain(of_feature_maps()).chain(of_jacobians()).chain(of_terms()) {
        let kernel = kernel.as_ref();
        let contents: Vec<_> = kernel
            .operands()
            .iter()
            .map(|operand| match operand.name {
                "state" => State::new(1).words().to_vec(),
                "chosen" => (0..BATCH).map(|i| i * 37 % IMAGES).collect(),
                "largest" => {
                    let shape = [POOL.batch, POOL.height, POOL.width, POOL.channels];
                    argmax(
                        &vec![0.0; shape.iter().product::<u32>() as usize],
                        shape,
                        POOL.window,
                        POOL.stride,
                    )
                }
                _ => fractions(operand.words),
            })
            .collect();
        let launch = launch(&gpu, kernel, &contents);
        let call = kernel.call(&gpu.variants);
        let name = format!("{}::{}", call.shader.name, call.entry);
        let id = format!("{name} {}", call.shape);
        if let Some(seconds) = measure_launches(&mut criterion, &gpu, "kernels", &id, &[launch]) {
            table.kernel(&name, kernel, seconds);
        }
    }
    criterion.final_summary();
    table.print();
}
