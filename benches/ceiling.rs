//! The device's ceilings, which the other benchmarks are compared with: multiply-adds in registers, and a
//! copy. `cargo bench --bench ceiling`
#![allow(missing_docs)]

mod common;

use common::{Table, criterion, launch, measure_launches, open};
use narrows::gpu::Kernels;
use narrows::kernels::Kernel;
use narrows::kernels::ceiling::{Ceilings, MemoryCopy};

fn main() {
    let gpu = open(Kernels::Rule);
    let mut criterion = criterion();
    let mut table = Table::new(&gpu);
    let arithmetic = Ceilings::ARITHMETIC;
    let copies = [1 << 18, 1 << 21, 1 << 24].map(|count| MemoryCopy { count });
    let mut kernels: Vec<&dyn Kernel> = vec![&arithmetic];
    kernels.extend(copies.iter().map(|copy| copy as &dyn Kernel));
    for kernel in kernels {
        let name = format!("{} {}", kernel.name(), kernel.shape());
        let launch = launch(&gpu, kernel, &[]);
        if let Some(seconds) = measure_launches(&mut criterion, &gpu, "ceiling", &name, &[launch]) {
            table.kernel(&kernel.name(), kernel, seconds);
        }
    }
    criterion.final_summary();
    table.print();
}
