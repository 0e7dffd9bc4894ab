//! Matrix products in every variant the adapter runs: the square that others quote, the three products of
//! a dense layer at the sizes of the VAE, and one odd shape. `cargo bench --bench matmul`
#![allow(missing_docs)]

mod common;

use common::{Table, criterion, fractions, launch, measure_launches, open};
use narrows::gpu::Kernels;
use narrows::kernels::Kernel;
use narrows::kernels::activation::Activation;
use narrows::kernels::matmul::{Epilogue, Layout, MatMul};

fn product(rows: u32, depth: u32, columns: u32, layout: Layout) -> MatMul {
    MatMul { rows, columns, depth, layout, epilogue: Epilogue::None, accumulate: false }
}

fn main() {
    let mut criterion = criterion();
    let mut table = Table::new(&open(Kernels::Rule));
    let kernels = [
        product(512, 512, 512, Layout::Nn),
        product(512, 512, 512, Layout::Nt),
        product(512, 512, 512, Layout::Tn),
        // Forward, input gradient, weight gradient.
        MatMul { epilogue: Epilogue::Dense(Activation::Relu), ..product(128, 784, 400, Layout::Nt) },
        MatMul { epilogue: Epilogue::Slope(Activation::Relu), ..product(128, 784, 400, Layout::Nn) },
        product(784, 128, 400, Layout::Tn),
        product(127, 301, 203, Layout::Nn),
    ];
    for variant in open(Kernels::Rule).matmul_variants() {
        let gpu = open(Kernels::One(variant));
        for kernel in &kernels {
            let contents: Vec<_> = kernel.operands().iter().map(|o| fractions(o.words)).collect();
            let launch = launch(&gpu, kernel, &contents);
            let name = format!("{variant} {}", kernel.name());
            let id = format!("{name} {}", kernel.shape());
            if let Some(seconds) = measure_launches(&mut criterion, &gpu, "matmul", &id, &[launch]) {
                table.kernel(&name, kernel, seconds);
            }
        }
    }
    criterion.final_summary();
    table.print();
}
