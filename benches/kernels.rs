//! Every kernel but the matrix product, at the sizes of the VAE 784-400-20 at batch 128.
//! `cargo bench --bench kernels`
#![allow(missing_docs)]

mod common;

use common::{Table, criterion, fractions, launch, measure_launches, open};
use narrows::kernels::Kernel;
use narrows::kernels::activation::{Activation, Backward, Forward};
use narrows::kernels::batch::{Gather, Permute};
use narrows::kernels::corruption::{Corrupt, Corruption};
use narrows::kernels::latent::{GaussianKl, Mean, Reparameterize, ReparameterizeBackward};
use narrows::kernels::loss::{Kind, Loss};
use narrows::kernels::optimizer::{Adam, Sgd};
use narrows::kernels::random::{Normal, Stream, Uniform};
use narrows::kernels::record::{Collect, MeanToRing};
use narrows::kernels::reduce::ColumnSum;
use narrows::kernels::state::State;
use narrows::kernels::step::Advance;

const BATCH: u32 = 128;
const PIXELS: u32 = 784;
const HIDDEN: u32 = 400;
const LATENT: u32 = 20;
const PARAMETERS: u32 = 652_992;
const IMAGES: u32 = 7_200;

fn kernels() -> Vec<Box<dyn Kernel>> {
    let loss = |kind| Box::new(Loss { rows: BATCH, columns: PIXELS, kind, scale: 1.0, accumulate: false });
    let adam = Adam {
        count: PARAMETERS,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.0,
        decoupled: false,
    };
    let count = BATCH * HIDDEN;
    let corrupt = |corruption| {
        let gather = Gather { batch: BATCH, count: IMAGES, pixels: PIXELS, center: false };
        Box::new(Corrupt { gather, corruption })
    };
    vec![
        Box::new(Permute { batch: BATCH, count: IMAGES, shuffle: true }),
        Box::new(Gather { batch: BATCH, count: IMAGES, pixels: PIXELS, center: false }),
        Box::new(Gather { batch: BATCH, count: IMAGES, pixels: PIXELS, center: true }),
        corrupt(Corruption::Gaussian { deviation: 0.2 }),
        corrupt(Corruption::Dropout { probability: 0.5, rescale: true }),
        corrupt(Corruption::SaltAndPepper { probability: 0.2 }),
        Box::new(Forward { count, activation: Activation::Relu }),
        Box::new(Forward { count, activation: Activation::Gelu }),
        Box::new(Backward { count, activation: Activation::Relu, accumulate: false }),
        Box::new(Reparameterize { rows: BATCH, latent: LATENT }),
        Box::new(ReparameterizeBackward { rows: BATCH, latent: LATENT, accumulate: true }),
        Box::new(GaussianKl { rows: BATCH, latent: LATENT, scale: 1.0, accumulate: false }),
        Box::new(Mean { rows: BATCH, latent: LATENT }),
        loss(Kind::Bernoulli),
        loss(Kind::SquaredError),
        loss(Kind::GaussianLearned),
        Box::new(Uniform { count, stream: Stream::Latent }),
        Box::new(Normal { count, stream: Stream::Latent }),
        Box::new(MeanToRing { count: BATCH, capacity: 64, width: 2, slot: 0, scale: 1.0 }),
        Box::new(Collect { batch: BATCH, total: IMAGES }),
        Box::new(ColumnSum::whole(BATCH, PIXELS)),
        Box::new(ColumnSum::whole(BATCH, 2 * LATENT)),
        Box::new(Sgd { count: PARAMETERS, momentum: 0.9, weight_decay: 0.0 }),
        Box::new(adam),
        Box::new(Advance { batch: BATCH, count: IMAGES, betas: [0.9, 0.999] }),
    ]
}

fn main() {
    let gpu = open(None);
    let mut criterion = criterion();
    let mut table = Table::new(&gpu);
    for kernel in kernels() {
        let kernel = kernel.as_ref();
        let contents: Vec<_> = kernel
            .operands()
            .iter()
            .map(|operand| match operand.name {
                "state" => State::new(1, 1e-3, [0.9, 0.999]).words().to_vec(),
                "chosen" => (0..BATCH).map(|i| i * 37 % IMAGES).collect(),
                _ => fractions(operand.words),
            })
            .collect();
        let launch = launch(&gpu, kernel, &contents);
        let program = kernel.program(&gpu.variants);
        let name = format!("{}::{}", program.shader.name, program.entry);
        let id = format!("{name} {}", kernel.shape());
        if let Some(seconds) = measure_launches(&mut criterion, &gpu, "kernels", &id, &[launch]) {
            table.kernel(&name, kernel, seconds);
        }
    }
    criterion.final_summary();
    table.print();
}
