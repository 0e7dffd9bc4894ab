//! Which variant is fastest for each kind of product that a suite makes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::suite::{Suite, Work};
use super::work::{DataSets, is_unsuited, launch, step};
use crate::Result;
use crate::gpu::{Gpu, Launch, MatMulVariant, Product, ShapeClass, fitting_rounds, time};
use crate::graph::Device;
use crate::kernels::Kernel;

// A sample is long against what a submit costs.
const LEAST_SECONDS: f64 = 0.005;
const MOST_ROUNDS: usize = 1 << 10;
// What is this many times slower than the fastest at first sight is measured no further.
const HOPELESS: f64 = 2.0;
// The rule's choice stays where another is not faster by more than this, so that noise changes nothing.
const WORTH_IT: f64 = 0.97;

/// How fast each variant was for products of a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Fastest {
    /// The class.
    pub class: ShapeClass,
    /// The dimensions of the kernel that was measured, which is the largest of its class.
    pub shape: String,
    /// What the rule says.
    pub by_rule: MatMulVariant,
    /// The least seconds that each variant took.
    pub seconds: BTreeMap<MatMulVariant, f64>,
}

impl Fastest {
    /// The fastest; the rule's choice where it is as fast but for noise.
    pub fn variant(&self) -> MatMulVariant {
        let least = self.seconds.iter().min_by(|a, b| a.1.total_cmp(b.1));
        match (least, self.seconds.get(&self.by_rule)) {
            (Some((variant, seconds)), Some(by_rule)) if *seconds < WORTH_IT * by_rule => *variant,
            (Some((variant, _)), None) => *variant,
            _ => self.by_rule,
        }
    }
}

/// The products of `suite`, of the largest of each class the kernel.
///
/// # Errors
/// As [`step`]. A preset that does not suit its data is left out.
pub async fn products_of(suite: &Suite) -> Result<BTreeMap<ShapeClass, (Product, Arc<dyn Kernel>)>> {
    let mut found: BTreeMap<ShapeClass, (Product, Arc<dyn Kernel>)> = BTreeMap::new();
    let mut note = |kernel: Arc<dyn Kernel>| {
        let Some(product) = kernel.product() else { return };
        let known = found.get(&product.class()).map_or(0, |(_, kernel)| kernel.flops());
        if kernel.flops() > known {
            found.insert(product.class(), (product, kernel));
        }
    };
    let mut data = DataSets::default();
    for benchmark in &suite.benchmarks {
        match &benchmark.work {
            Work::Kernels(kernels) => kernels.iter().for_each(|kernel| note(Arc::clone(kernel))),
            Work::Submit(kernel) => note(Arc::clone(kernel)),
            Work::Step(config) => {
                let mut config = config.as_ref().clone();
                let images = data.of(&mut config)?;
                match step(&Device::Cpu, &config, images).await {
                    Ok(replay) => {
                        replay
                            .plan()
                            .dispatches
                            .iter()
                            .for_each(|dispatch| note(Arc::clone(&dispatch.kernel)));
                    }
                    Err(error) if is_unsuited(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(found)
}

/// Measures `kernel`, that makes `product`, on devices that use one variant each; `by_rule` is the rule's choice. Samples of
/// the variants take turns.
///
/// # Errors
/// [`Error::DeviceLost`](crate::Error::DeviceLost) and [`Error::Device`](crate::Error::Device) where the device fails.
pub async fn fastest(
    devices: &[(MatMulVariant, Arc<Gpu>)],
    kernel: &dyn Kernel,
    product: &Product,
    by_rule: MatMulVariant,
    samples: usize,
) -> Result<Fastest> {
    let mut all = Vec::new();
    for (variant, gpu) in devices {
        let launches = [launch(gpu, kernel).await?];
        let seconds = async |rounds| Ok(time(gpu, &launches, rounds).await?.seconds());
        let rounds = fitting_rounds(LEAST_SECONDS, MOST_ROUNDS, seconds).await?;
        all.push(Candidate { variant: *variant, gpu, launches, rounds, least: f64::INFINITY });
    }
    for number in 0..samples.max(1) {
        for candidate in &mut all {
            candidate.sample().await?;
        }
        if number == 0 {
            let best = all.iter().map(|candidate| candidate.least).fold(f64::INFINITY, f64::min);
            all.retain(|candidate| candidate.least <= HOPELESS * best || candidate.variant == by_rule);
        }
    }
    let seconds = all.into_iter().map(|candidate| (candidate.variant, candidate.least)).collect();
    Ok(Fastest { class: product.class(), shape: kernel.shape(), by_rule, seconds })
}

struct Candidate<'a> {
    variant: MatMulVariant,
    gpu: &'a Gpu,
    launches: [Launch; 1],
    rounds: usize,
    least: f64,
}

impl Candidate<'_> {
    async fn sample(&mut self) -> Result<()> {
        let lap = time(self.gpu, &self.launches, self.rounds).await?;
        self.least = self.least.min(lap.seconds() / self.rounds as f64);
        Ok(())
    }
}
