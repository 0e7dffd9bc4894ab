//! Matrix products on every variant, compared with the reference at odd shapes.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::{check, every_gpu, gpu, gpus, integers, noise, words};
use narrows::gpu::{Gpu, Product, ProductKind};
use narrows::kernels::Kernel;
use narrows::kernels::activation::Activation;
use narrows::kernels::matmul::{Epilogue, Layout, MatMul, MatMulChunks, MatMulPart};
use narrows::reference::compare::Tolerance;

const SHAPES: [(u32, u32, u32); 14] = [
    (1, 1, 1),
    (1, 64, 3),
    (64, 1, 27),
    (3, 3, 51),
    (27, 51, 1),
    (51, 27, 129),
    (64, 64, 64),
    (129, 51, 64),
    (16, 32, 4),
    (17, 33, 5),
    (128, 40, 52),
    (1, 1, 1000),
    (200, 8, 20),
    (12, 784, 20),
];

fn kernel(shape: (u32, u32, u32), layout: Layout, epilogue: Epilogue, accumulate: bool) -> MatMul {
    let (rows, columns, depth) = shape;
    MatMul { rows, columns, depth, layout, epilogue, accumulate }
}

fn inputs(kernel: &MatMul, make: fn(u64, usize) -> Vec<f32>) -> Vec<Vec<u32>> {
    let read = kernel.operands().len() - written(kernel);
    kernel.operands().iter().take(read).zip(1..).map(|(o, seed)| words(&make(seed, o.words))).collect()
}

fn written(kernel: &MatMul) -> usize {
    kernel.operands().iter().filter(|o| o.access == narrows_shaders::Access::ReadWrite).count()
}

#[test]
fn products_of_whole_numbers_are_exact_in_every_layout_and_variant() {
    for gpu in every_gpu() {
        for shape in SHAPES {
            for layout in Layout::ALL {
                let kernel = kernel(shape, layout, Epilogue::None, false);
                check(gpu, &kernel, &inputs(&kernel, integers), &[None], Tolerance::EXACT);
            }
        }
    }
}

#[test]
fn accumulating_adds_to_what_is_there() {
    for gpu in every_gpu() {
        for shape in [(3, 5, 7), (64, 64, 64), (129, 51, 64)] {
            for layout in Layout::ALL {
                let kernel = kernel(shape, layout, Epilogue::None, true);
                let before = words(&integers(9, (shape.0 * shape.1) as usize));
                check(gpu, &kernel, &inputs(&kernel, integers), &[Some(before)], Tolerance::EXACT);
            }
        }
    }
}

#[test]
fn a_product_over_rows_brings_the_sums_of_its_first_matrix_along() {
    for gpu in every_gpu() {
        for shape in SHAPES.into_iter().chain([(130, 7, 300), (5, 200, 17)]) {
            for (accumulate, accumulate_sums) in [(false, false), (true, false), (false, true), (true, true)]
            {
                let epilogue = Epilogue::Sums { accumulate: accumulate_sums };
                let kernel = kernel(shape, Layout::Tn, epilogue, accumulate);
                let before = |on: bool, count: u32| on.then(|| words(&integers(9, count as usize)));
                let before = [before(accumulate, shape.0 * shape.1), before(accumulate_sums, shape.0)];
                check(gpu, &kernel, &inputs(&kernel, integers), &before, Tolerance::EXACT);
            }
        }
        let kernel = kernel((3, 5, 7), Layout::Nn, Epilogue::Sums { accumulate: false }, false);
        assert!(kernel.check().unwrap_err().to_string().starts_with("row sums: expected"));
    }
}

// A logvar of four is within the bounds, one of forty beyond either. Of whole numbers within them nothing is rounded.
#[test]
fn a_product_leads_through_a_sample_to_the_gradient_of_its_code() {
    for gpu in every_gpu() {
        for shape in SHAPES {
            for (layout, accumulate) in [(Layout::Nn, false), (Layout::Nn, true), (Layout::Nt, false)] {
                let kernel = kernel(shape, layout, Epilogue::Sample, accumulate);
                let before = accumulate.then(|| words(&integers(9, 2 * (shape.0 * shape.1) as usize)));
                let mut inputs = inputs(&kernel, integers);
                for factor in [1.0, 10.0] {
                    let stats = integers(3, 2 * (shape.0 * shape.1) as usize);
                    inputs[2] = words(&stats.iter().map(|x| factor * x).collect::<Vec<f32>>());
                    check(gpu, &kernel, &inputs, std::slice::from_ref(&before), Tolerance::EXACT);
                }
            }
        }
    }
    let kernel = kernel((3, 5, 7), Layout::Nn, Epilogue::Sample, false);
    let lines = kernel.matrices().map(|[_, line]| line + 4);
    let message = MatMulPart { of: kernel, lines }.check().unwrap_err().to_string();
    assert!(message.starts_with("lines of a product through a sample: expected"), "{message}");
}

#[test]
fn every_activation_is_fused_into_the_product_and_into_its_gradient() {
    for gpu in every_gpu() {
        for activation in Activation::ALL {
            let shape = if activation.code() % 2 == 0 { (5, 7, 9) } else { (33, 64, 20) };
            {
                let dense = kernel(shape, Layout::Nt, Epilogue::Dense(activation), false);
                let before = vec![None; written(&dense)];
                check(gpu, &dense, &inputs(&dense, noise), &before, Tolerance::new(2e-5, 2e-5));
                let slope = kernel(shape, Layout::Nn, Epilogue::Slope(activation), false);
                check(gpu, &slope, &inputs(&slope, noise), &[None], Tolerance::new(2e-5, 2e-5));
            }
        }
    }
}

// As a decoder with the encoder's own weights has it.
#[test]
fn bias_and_activation_are_fused_where_the_weight_is_not_transposed() {
    for gpu in every_gpu() {
        for (shape, activation) in [((5, 7, 9), Activation::Tanh), ((33, 64, 20), Activation::Gelu)] {
            let dense = kernel(shape, Layout::Nn, Epilogue::Dense(activation), false);
            let before = vec![None; written(&dense)];
            check(gpu, &dense, &inputs(&dense, noise), &before, Tolerance::new(2e-5, 2e-5));
        }
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    for gpu in gpus() {
        let any = Product { kind: ProductKind::Nn, rows: 1, columns: 1, depth: 1, parts: 1 };
        let rows = gpu.variants.matmul(&any).tile()[0] * 66_000;
        let kernel = kernel((rows, 1, 1), Layout::Nn, Epilogue::None, false);
        check(gpu, &kernel, &inputs(&kernel, integers), &[None], Tolerance::EXACT);
    }
}

#[test]
fn the_largest_depth_is_summed_whole() {
    for gpu in every_gpu() {
        let plain = kernel((2, 2, MatMul::MAX_DEPTH), Layout::Nt, Epilogue::None, false);
        check(gpu, &plain, &inputs(&plain, integers), &[None], Tolerance::EXACT);
        let sums = |depth| kernel((3, 2, depth), Layout::Tn, Epilogue::Sums { accumulate: false }, false);
        let deepest = sums(MatMul::MAX_DEPTH_WITH_SUMS);
        check(gpu, &deepest, &inputs(&deepest, integers), &[None, None], Tolerance::EXACT);
        assert!(sums(MatMul::MAX_DEPTH_WITH_SUMS + 1).check().is_err());
    }
}

// Whole numbers, which only a curved activation rounds, over others that the result adds to or replaces.
fn check_part(gpu: &Gpu, part: &MatMulPart) {
    let operands = part.operands();
    let read = operands.len() - written(&part.of);
    let inputs = operands.iter().take(read).zip(1..);
    let inputs: Vec<_> = inputs.map(|(o, seed)| words(&integers(seed, o.words))).collect();
    let before = operands.iter().skip(read).map(|o| Some(words(&integers(9, o.words))));
    let close = if part.of.epilogue == Epilogue::Dense(Activation::Gelu) { 2e-5 } else { 0.0 };
    check(gpu, part, &inputs, &before.collect::<Vec<_>>(), Tolerance::new(close, close));
}

// Lines of odd and of whole vec4s, so that parts are aligned and are not.
#[test]
fn parts_of_larger_matrices_are_multiplied_and_nothing_beside_them_is_written() {
    for gpu in every_gpu() {
        for shape in [(3, 5, 7), (33, 36, 20), (64, 51, 129)] {
            for (layout, epilogue) in [
                (Layout::Nn, Epilogue::None),
                (Layout::Nt, Epilogue::None),
                (Layout::Tn, Epilogue::None),
                (Layout::Tn, Epilogue::Sums { accumulate: true }),
                (Layout::Nt, Epilogue::Dense(Activation::Relu)),
                (Layout::Nn, Epilogue::Dense(Activation::Gelu)),
                (Layout::Nn, Epilogue::Slope(Activation::Relu)),
            ] {
                for (accumulate, more) in [(false, [5, 9, 3]), (true, [4, 8, 12])] {
                    let of = kernel(shape, layout, epilogue, accumulate);
                    let lines = of.matrices().map(|[_, length]| length);
                    let lines = std::array::from_fn(|at| lines[at] + more[at]);
                    let part = MatMulPart { of, lines };
                    check_part(gpu, &part);
                }
            }
        }
    }
}

// On a GPU such a product would leave most of the device idle.
#[test]
fn a_deep_product_of_few_rows_is_split_for_a_gpu_and_is_the_same_sum() {
    for gpu in gpus() {
        for shape in [(3, 5, 1101), (33, 36, 2100), (1, 1, 1024), (130, 7, 1100)] {
            for (layout, epilogue) in [
                (Layout::Nn, Epilogue::None),
                (Layout::Nt, Epilogue::None),
                (Layout::Tn, Epilogue::None),
                (Layout::Tn, Epilogue::Sums { accumulate: false }),
                (Layout::Tn, Epilogue::Sums { accumulate: true }),
                (Layout::Nt, Epilogue::Dense(Activation::Relu)),
                (Layout::Nn, Epilogue::Dense(Activation::Gelu)),
                (Layout::Nn, Epilogue::Slope(Activation::Relu)),
                (Layout::Nn, Epilogue::Sample),
            ] {
                for (accumulate, more) in [(false, [0, 0, 0]), (true, [4, 9, 3]), (true, [4, 8, 12])] {
                    let of = kernel(shape, layout, epilogue, accumulate);
                    let more = if epilogue == Epilogue::Sample { [0; 3] } else { more };
                    let lines = of.matrices().map(|[_, length]| length);
                    let part = MatMulPart { of, lines: std::array::from_fn(|at| lines[at] + more[at]) };
                    assert_eq!(part.split(&gpu.variants).is_some(), gpu.variants.suit_a_gpu(), "{part:?}");
                    check_part(gpu, &part);
                }
            }
        }
    }
}

#[test]
fn parts_of_a_depth_are_whole_stages_and_as_deep_as_a_product_may_be() {
    let chunk = MatMul::MAX_DEPTH / 64 * 64;
    let of = kernel((2, 3, chunk + 65), Layout::Nt, Epilogue::None, false);
    let lines = of.matrices().map(|[_, length]| length);
    let chunks = MatMulChunks { of: MatMulPart { of, lines }, chunk };
    for gpu in every_gpu() {
        check(gpu, &chunks, &inputs(&of, integers), &[None], Tolerance::EXACT);
    }
    for chunk in [0, 63, 65, chunk + 64] {
        assert!(MatMulChunks { chunk, ..chunks }.check().is_err(), "{chunk}");
    }
    for (epilogue, accumulate) in [(Epilogue::None, true), (Epilogue::Dense(Activation::Relu), false)] {
        let of = MatMul { epilogue, accumulate, ..of };
        assert!(MatMulChunks { of: MatMulPart { of, lines }, chunk }.check().is_err(), "{epilogue:?}");
    }
}

#[test]
fn a_line_that_is_shorter_than_the_part_is_refused() {
    let of = kernel((3, 5, 7), Layout::Nn, Epilogue::None, false);
    for lines in [[6, 5, 5], [7, 4, 5], [7, 5, 4]] {
        assert!(MatMulPart { of, lines }.check().is_err(), "{lines:?}");
    }
}

#[test]
fn nan_in_an_operand_reaches_the_result() {
    let kernel = kernel((4, 4, 4), Layout::Nn, Epilogue::None, false);
    let mut data = inputs(&kernel, noise);
    data[0][5] = f32::NAN.to_bits();
    let result = common::run(gpu(), &kernel, &data, &[None]);
    let c = narrows::kernels::floats(&result[2]);
    assert!(c[4..8].iter().all(|x| x.is_nan()), "row 1 of {c:?}");
    assert!(c[..4].iter().chain(&c[8..]).all(|x| x.is_finite()), "the other rows of {c:?}");
}

#[test]
fn the_gradient_passes_the_activation_in_every_layout_at_widths_that_are_no_vec4() {
    for gpu in every_gpu() {
        // The extents that A and B run along are whole vec4s; C's width, along which `kept` runs, is not.
        for (shape, layout, accumulate) in
            [((5, 7, 8), Layout::Nt, true), ((8, 7, 5), Layout::Tn, false), ((5, 7, 8), Layout::Nn, true)]
        {
            let slope = kernel(shape, layout, Epilogue::Slope(Activation::Relu), accumulate);
            let before = accumulate.then(|| words(&integers(9, 5 * 7)));
            check(gpu, &slope, &inputs(&slope, integers), &[before], Tolerance::EXACT);
        }
    }
}
