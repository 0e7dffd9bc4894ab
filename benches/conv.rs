//! Every convolution of a training step of the CNN at batch 32, forward and backward, in every variant that
//! the adapter runs; a weight's gradient with its sum. `cargo bench --bench conv`
#![allow(missing_docs)]
#![allow(clippy::panic, reason = "a benchmark speaks to a terminal")]

mod common;

use std::sync::Arc;

use common::{Table, criterion, launch, measure_launches, open};
use narrows::bench::{fractions, weight_gradient};
use narrows::gpu::Kernels;
use narrows::graph::{Padding, Shape, Window};
use narrows::kernels::Kernel;
use narrows::kernels::activation::Activation;
use narrows::kernels::conv::{Conv, Direction, Geometry};
use narrows::kernels::matmul::Epilogue;

const BATCH: u32 = 32;

struct Pass {
    name: String,
    kernels: Vec<Arc<dyn Kernel>>,
}

fn down(geometry: Geometry, epilogue: Epilogue) -> Arc<dyn Kernel> {
    Arc::new(Conv { direction: Direction::Down, geometry, epilogue, accumulate: false })
}

fn up(geometry: Geometry, epilogue: Epilogue) -> Arc<dyn Kernel> {
    Arc::new(Conv { direction: Direction::Up, geometry, epilogue, accumulate: false })
}

fn passes() -> Vec<Pass> {
    let dense = Epilogue::Dense(Activation::Selu);
    let through = Epilogue::Slope(Activation::Selu);
    let same = Window::new([3, 3], [1, 1], Padding::Same);
    let mut passes = Vec::new();
    let mut push = |name: String, kernels| passes.push(Pass { name, kernels });
    // Max pooling lies between, so that the gradient passes no activation here.
    for (number, (extent, channels, out)) in [(28, 1, 16), (14, 16, 32), (7, 32, 64)].into_iter().enumerate()
    {
        let image = Shape::new(extent, extent, channels);
        let geometry = same.geometry(BATCH, image, Shape { channels: out, ..image });
        push(format!("conv {number} forward"), vec![down(geometry, dense)]);
        if number > 0 {
            push(format!("conv {number} input"), vec![up(geometry, Epilogue::None)]);
        }
        push(format!("conv {number} weight"), weight_gradient(geometry));
    }
    let up_by = |padding| Window::new([3, 3], [2, 2], padding);
    let layers = [
        (3, 64, 32, up_by(Padding::Valid)),
        (7, 32, 16, up_by(Padding::Same)),
        (14, 16, 1, up_by(Padding::Same)),
    ];
    for (number, (extent, channels, out, window)) in layers.into_iter().enumerate() {
        let features = Shape::new(extent, extent, channels);
        let image = window.transposed_output(features, out).unwrap_or_else(|error| panic!("{error}"));
        let geometry = window.geometry(BATCH, image, features);
        let last = if number == 2 { Epilogue::Dense(Activation::Identity) } else { dense };
        push(format!("transposed {number} forward"), vec![up(geometry, last)]);
        let epilogue = if number == 0 { Epilogue::None } else { through };
        push(format!("transposed {number} input"), vec![down(geometry, epilogue)]);
        push(format!("transposed {number} weight"), weight_gradient(geometry));
    }
    passes
}

fn main() {
    let mut criterion = criterion();
    let mut table = Table::new(&open(Kernels::Rule));
    for variant in open(Kernels::Rule).matmul_variants() {
        let gpu = open(Kernels::One(variant));
        let (mut seconds, mut flops) = (0.0, 0);
        for Pass { name, kernels } in &passes() {
            let launches: Vec<_> = kernels
                .iter()
                .map(|kernel| {
                    let contents: Vec<_> = kernel.operands().iter().map(|o| fractions(o.words)).collect();
                    launch(&gpu, kernel.as_ref(), &contents)
                })
                .collect();
            let name = format!("{variant} {name}");
            if let Some(took) = measure_launches(&mut criterion, &gpu, "conv", &name, &launches) {
                table.kernel(&name, kernels[0].as_ref(), took);
                seconds += took;
                flops += kernels[0].flops();
            }
        }
        let rate = format!("{:.0} images/s", f64::from(BATCH) / seconds);
        table.row(&format!("{variant}, all of them"), &rate, seconds, flops, 0);
    }
    criterion.final_summary();
    table.print();
}
