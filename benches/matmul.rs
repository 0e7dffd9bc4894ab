//! The matrix products of `narrows bench` in every variant the adapter runs. `cargo bench --bench matmul`
#![allow(missing_docs)]

mod common;

use common::{Table, criterion, launch, measure_launches, open};
use narrows::bench::{fractions, products};
use narrows::gpu::Kernels;
use narrows::kernels::Kernel;

fn main() {
    let mut criterion = criterion();
    let mut table = Table::new(&open(Kernels::Rule));
    for variant in open(Kernels::Rule).matmul_variants() {
        let gpu = open(Kernels::One(variant));
        for kernel in &products() {
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
