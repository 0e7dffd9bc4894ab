//! Convolutions on every variant of the matrix product, compared with the reference, and the reference with
//! the definition.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeSet;

use common::gradients::check_gradients;
use common::{check, devices, gpus, integers, noise, run, words};
use narrows::gpu::Gpu;
use narrows::graph::{
    Device, Graph, Init, Padding, Plan, Replay, Shape, Window, first_difference, squared_error,
};
use narrows::kernels::activation::Activation;
use narrows::kernels::conv::{ChannelSums, Conv, Direction, Geometry, WeightGradient};
use narrows::kernels::matmul::{Epilogue, MatMul};
use narrows::kernels::{Call, Kernel, floats};
use narrows::reference::compare::Tolerance;
use narrows_shaders::Access;

use Padding::{Explicit, Same, Valid};

// Images, image, kernel, stride, padding, channels of the features.
type Case = (u32, [u32; 3], [u32; 2], [u32; 2], Padding, u32);

const CASES: [Case; 31] = [
    (1, [1, 1, 1], [1, 1], [1, 1], Valid, 1),
    (2, [5, 4, 3], [3, 3], [1, 1], Same, 5),
    (3, [7, 5, 4], [5, 3], [2, 1], Same, 4),
    (2, [9, 8, 1], [3, 3], [2, 2], Same, 16),
    (1, [6, 7, 16], [3, 5], [1, 2], Valid, 1),
    (2, [4, 4, 4], [1, 1], [3, 2], Valid, 8),
    (2, [8, 9, 5], [2, 3], [3, 3], Explicit([1, 2]), 3),
    (1, [3, 3, 8], [3, 3], [1, 1], Explicit([4, 3]), 12),
    (2, [7, 7, 16], [3, 3], [2, 2], Explicit([1, 1]), 36),
    (5, [7, 7, 36], [3, 3], [1, 1], Same, 20),
    (1, [2, 3, 6], [5, 5], [1, 1], Same, 7),
    (3, [1, 9, 4], [1, 4], [1, 3], Same, 68),
    (2, [13, 1, 7], [4, 1], [4, 1], Valid, 9),
    (1, [17, 19, 4], [3, 3], [1, 1], Same, 4),
    (2, [5, 7, 3], [3, 3], [1, 1], Same, 4),
    (3, [6, 9, 2], [2, 5], [2, 2], Same, 20),
    (2, [4, 6, 4], [5, 2], [3, 3], Explicit([2, 1]), 8),
    (1, [9, 10, 1], [3, 2], [1, 1], Same, 32),
    (2, [7, 8, 3], [4, 2], [2, 2], Explicit([1, 1]), 4),
    (2, [3, 5, 2], [2, 1], [1, 3], Valid, 33),
    (1, [19, 45, 1], [5, 5], [1, 1], Same, 8),
    (2, [10, 3, 2], [5, 4], [1, 1], Explicit([4, 3]), 36),
    (1, [21, 42, 3], [4, 4], [2, 2], Same, 4),
    (2, [6, 83, 1], [5, 5], [2, 2], Explicit([3, 4]), 4),
    (33, [9, 6, 4], [3, 3], [2, 2], Explicit([0, 1]), 12),
    (1, [7, 8, 3], [1, 1], [2, 2], Valid, 8),
    (2, [7, 6, 16], [3, 3], [1, 1], Same, 1),
    (3, [6, 9, 8], [5, 4], [1, 1], Explicit([3, 1]), 3),
    (1, [5, 38, 36], [2, 3], [1, 1], Valid, 4),
    (2, [4, 3, 20], [1, 5], [1, 1], Explicit([0, 4]), 2),
    (2, [9, 14, 4], [4, 4], [2, 2], Same, 20),
];

fn geometry((images, image, kernel, stride, padding, channels): Case) -> Geometry {
    let [height, width, depth] = image;
    let window = Window::new(kernel, stride, padding);
    let image = Shape::new(height, width, depth);
    window.geometry(images, image, window.output(image, channels).unwrap())
}

fn count(images: u32, extents: [u32; 3]) -> usize {
    extents.iter().fold(images as usize, |product, extent| product * *extent as usize)
}

fn weights(geometry: &Geometry) -> usize {
    let [height, width] = geometry.kernel;
    count(geometry.features[2], [height, width, geometry.image[2]])
}

// Image, features and weight.
fn operands(geometry: &Geometry, make: fn(u64, usize) -> Vec<f32>) -> [Vec<f32>; 3] {
    let images = geometry.images;
    [
        make(1, count(images, geometry.image)),
        make(2, count(images, geometry.features)),
        make(3, weights(geometry)),
    ]
}

// The definition, word for word: the image is laid into zeros, and each window is summed.
fn by_definition(geometry: &Geometry, image: &[f32], weight: &[f32]) -> Vec<f64> {
    let [[height, width, channels], [out_height, out_width, out_channels]] =
        [geometry.image, geometry.features].map(|side| side.map(|extent| extent as usize));
    let [[rows, columns], [top, left], stride] =
        [geometry.kernel, geometry.padding, geometry.stride].map(|axes| axes.map(|extent| extent as usize));
    let padded_height = (top + height).max((out_height - 1) * stride[0] + rows);
    let padded_width = (left + width).max((out_width - 1) * stride[1] + columns);
    let mut features = Vec::new();
    for image in image.chunks(height * width * channels) {
        let mut padded = vec![vec![vec![0.0_f64; channels]; padded_width]; padded_height];
        for (at, value) in image.iter().enumerate() {
            let (pixel, channel) = (at / channels, at % channels);
            padded[top + pixel / width][left + pixel % width][channel] = f64::from(*value);
        }
        for y in 0..out_height {
            for x in 0..out_width {
                for o in 0..out_channels {
                    let mut sum = 0.0;
                    for u in 0..rows {
                        for v in 0..columns {
                            for i in 0..channels {
                                let w = weight[((o * rows + u) * columns + v) * channels + i];
                                sum += f64::from(w) * padded[y * stride[0] + u][x * stride[1] + v][i];
                            }
                        }
                    }
                    features.push(sum);
                }
            }
        }
    }
    features
}

fn dot(a: &[f64], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * f64::from(*b)).sum()
}

#[test]
fn the_reference_is_the_definition() {
    for case in CASES {
        let geometry = geometry(case);
        let [image, _, weight] = operands(&geometry, integers);
        let expected = by_definition(&geometry, &image, &weight);
        assert_eq!(geometry.down(&image, &weight), expected, "{case:?}");
    }
}

// A convolution is linear in image and weight, so its derivatives along a direction are its values there.
#[test]
fn the_references_derivatives_are_the_central_differences_of_its_value() {
    for case in CASES {
        let geometry = geometry(case);
        let [image, gradient, weight] = operands(&geometry, integers);
        let moved = |values: &[f32], seed: u64, by: f32| -> (Vec<f32>, Vec<f32>) {
            let direction = integers(seed, values.len());
            (values.iter().zip(&direction).map(|(x, d)| x + by * d).collect(), direction)
        };
        let loss = |image: &[f32], weight: &[f32]| dot(&geometry.down(image, weight), &gradient);

        let ((up, direction), (down, _)) = (moved(&image, 5, 0.5), moved(&image, 5, -0.5));
        let slope = dot(&geometry.up(&gradient, &weight), &direction);
        assert_eq!(slope, loss(&up, &weight) - loss(&down, &weight), "{case:?}: image");

        let ((up, direction), (down, _)) = (moved(&weight, 6, 0.5), moved(&weight, 6, -0.5));
        let pixels = gradient.len() / geometry.features[2] as usize;
        let slope = dot(&geometry.weight_gradient(&gradient, &image, pixels), &direction);
        assert_eq!(slope, loss(&image, &up) - loss(&image, &down), "{case:?}: weight");
    }
}

#[test]
fn the_weights_gradient_in_parts_has_the_whole_as_its_sum() {
    let geometry = geometry(CASES[6]);
    let [image, gradient, _] = operands(&geometry, integers);
    let pixels = gradient.len() / geometry.features[2] as usize;
    let whole = geometry.weight_gradient(&gradient, &image, pixels);
    for chunk in [1, 5, pixels - 1] {
        let parts = geometry.weight_gradient(&gradient, &image, chunk);
        assert_eq!(parts.len(), pixels.div_ceil(chunk) * whole.len());
        let sum = |at: usize| parts.iter().skip(at).step_by(whole.len()).sum::<f64>();
        assert_eq!((0..whole.len()).map(sum).collect::<Vec<_>>(), whole);
    }
}

// One device for each program that `kernel` has: variants differ in shader or constants, where they differ at all.
fn gpus_of(kernel: &dyn Kernel) -> impl Iterator<Item = &'static Gpu> {
    let mut programs = BTreeSet::new();
    gpus().iter().map(AsRef::as_ref).filter(move |gpu| {
        let Call { shader, constants, .. } = kernel.call(&gpu.variants);
        programs.insert(format!("{} {constants:?}", shader.name))
    })
}

// Inputs of a kernel whose first two operands are given, the rest noise.
fn inputs(kernel: &dyn Kernel, first: [&[f32]; 2]) -> Vec<Vec<u32>> {
    let mut inputs: Vec<Vec<u32>> = Vec::new();
    let read = kernel.operands().into_iter().filter(|operand| operand.access == Access::Read);
    for (number, operand) in read.enumerate() {
        inputs.push(match first.get(number) {
            Some(values) => words(values),
            None => words(&noise(9, operand.words)),
        });
    }
    inputs
}

fn written(kernel: &dyn Kernel) -> usize {
    kernel.operands().iter().filter(|operand| operand.access == Access::ReadWrite).count()
}

#[test]
fn convolutions_of_whole_numbers_are_exact_at_every_shape_on_every_variant() {
    for case in CASES {
        let geometry = geometry(case);
        let [image, features, weight] = operands(&geometry, integers);
        let (epilogue, accumulate) = (Epilogue::None, false);
        let exact = |kernel: &dyn Kernel, first| {
            for gpu in gpus_of(kernel) {
                check(gpu, kernel, &inputs(kernel, first), &[None], Tolerance::EXACT);
            }
        };
        exact(&Conv { direction: Direction::Down, geometry, epilogue, accumulate }, [&image, &weight]);
        exact(&Conv { direction: Direction::Up, geometry, epilogue, accumulate }, [&features, &weight]);
        let whole = WeightGradient::whole(geometry);
        for chunk in [whole.chunk, 7, 1] {
            exact(&WeightGradient { chunk, ..whole }, [&features, &image]);
        }
    }
}

// The sums of features, and of an image where it has no more channels.
fn with_sums(of: WeightGradient, accumulate: bool) -> impl Iterator<Item = WeightGradient> {
    let Geometry { image, features, .. } = of.geometry;
    let sides = [Some(Direction::Down), (image[2] <= features[2]).then_some(Direction::Up)];
    let sums = sides.into_iter().flatten().map(move |of| Some(ChannelSums { of, accumulate }));
    sums.map(move |sums| WeightGradient { sums, ..of })
}

#[test]
fn sums_of_channels_beside_the_weights_gradient_are_exact_at_every_shape_on_every_variant() {
    for case in CASES {
        let geometry = geometry(case);
        let [image, features, _] = operands(&geometry, integers);
        let whole = WeightGradient::whole(geometry);
        for chunk in [whole.chunk, 7, 1] {
            for kernel in with_sums(WeightGradient { chunk, ..whole }, false) {
                for gpu in gpus_of(&kernel) {
                    let given = inputs(&kernel, [&features, &image]);
                    check(gpu, &kernel, &given, &[None, None], Tolerance::EXACT);
                }
            }
        }
    }
}

#[test]
fn sums_of_channels_are_those_of_the_side_that_they_are_said_to_be_of() {
    // The definition: a 1 in each pixel of channel 1 and nothing elsewhere.
    let geometry = geometry(CASES[1]);
    for kernel in with_sums(WeightGradient::whole(geometry), false) {
        let Some(ChannelSums { of, .. }) = kernel.sums else { panic!("{kernel:?} has no sums") };
        let side = if of == Direction::Down { geometry.features } else { geometry.image };
        let marked = |side: [u32; 3]| -> Vec<f32> {
            let channels = side[2] as usize;
            (0..count(geometry.images, side)).map(|i| f32::from(u8::from(i % channels == 1))).collect()
        };
        let none = |side| vec![0.0; count(geometry.images, side)];
        let [features, image] = match of {
            Direction::Down => [marked(side), none(geometry.image)],
            Direction::Up => [none(geometry.features), marked(side)],
        };
        let pixels = (geometry.images * side[0] * side[1]) as f32;
        let expected: Vec<f32> = (0..side[2]).map(|c| if c == 1 { pixels } else { 0.0 }).collect();
        for gpu in gpus_of(&kernel) {
            let after = run(gpu, &kernel, &inputs(&kernel, [&features, &image]), &[None, None]);
            assert_eq!(floats(&after[3])[..expected.len()], expected, "{kernel:?}");
        }
    }
}

#[test]
fn sums_of_channels_add_to_what_is_there_where_they_are_told_to() {
    for case in [CASES[6], CASES[8]] {
        let geometry = geometry(case);
        let [image, features, weight] = operands(&geometry, integers);
        for kernel in with_sums(WeightGradient::whole(geometry), true) {
            let before = Some(words(&integers(7, kernel.operands()[3].words)));
            for accumulate in [false, true] {
                let kernel = WeightGradient { accumulate, ..kernel };
                let weight = accumulate.then(|| words(&weight));
                for gpu in gpus_of(&kernel) {
                    let given = inputs(&kernel, [&features, &image]);
                    check(gpu, &kernel, &given, &[weight.clone(), before.clone()], Tolerance::EXACT);
                }
            }
        }
    }
}

#[test]
fn accumulating_adds_to_what_is_there() {
    for case in [CASES[6], CASES[8], CASES[14], CASES[27]] {
        let geometry = geometry(case);
        let [image, features, weight] = operands(&geometry, integers);
        let (epilogue, accumulate) = (Epilogue::None, true);
        let exact = |kernel: &dyn Kernel, first, count| {
            let before = words(&integers(7, count));
            for gpu in gpus_of(kernel) {
                check(gpu, kernel, &inputs(kernel, first), &[Some(before.clone())], Tolerance::EXACT);
            }
        };
        exact(
            &Conv { direction: Direction::Down, geometry, epilogue, accumulate },
            [&image, &weight],
            features.len(),
        );
        exact(
            &Conv { direction: Direction::Up, geometry, epilogue, accumulate },
            [&features, &weight],
            image.len(),
        );
        let whole = WeightGradient { accumulate, ..WeightGradient::whole(geometry) };
        exact(&whole, [&features, &image], weight.len());
    }
}

// Some drivers end a loop of so many rounds without a word.
#[test]
fn tall_images_of_few_channels_are_made_whole() {
    let geometry = geometry((33, [9001, 13, 1], [3, 3], [1, 1], Same, 4));
    let [_, features, weight] = operands(&geometry, integers);
    let (direction, epilogue, accumulate) = (Direction::Up, Epilogue::None, false);
    let kernel = Conv { direction, geometry, epilogue, accumulate };
    for gpu in gpus() {
        check(gpu, &kernel, &[words(&features), words(&weight)], &[None], Tolerance::EXACT);
    }
}

#[test]
fn bias_activation_and_slope_are_fused_into_the_way_out() {
    // A product, some of few channels of features, and some of few channels of the image, the last with many weights.
    for case in [CASES[8], CASES[6], CASES[26], CASES[27], CASES[3], CASES[14], CASES[15], CASES[21]] {
        let geometry = geometry(case);
        let [image, features, weight] = operands(&geometry, noise);
        let close = |kernel: &dyn Kernel, first| {
            let before = vec![None; written(kernel)];
            for gpu in gpus_of(kernel) {
                check(gpu, kernel, &inputs(kernel, first), &before, Tolerance::new(2e-5, 2e-5));
            }
        };
        for epilogue in [
            Epilogue::Dense(Activation::Selu),
            Epilogue::Dense(Activation::Gelu),
            Epilogue::Slope(Activation::Selu),
        ] {
            close(
                &Conv { direction: Direction::Down, geometry, epilogue, accumulate: false },
                [&image, &weight],
            );
            close(
                &Conv { direction: Direction::Up, geometry, epilogue, accumulate: false },
                [&features, &weight],
            );
        }
    }
}

// Enough pixels for the weight's gradient, and the bias's, to be made in parts.
const BATCH: u32 = 22;
const IMAGE: Shape = Shape::new(6, 8, 2);

// Down and up again, with a weight that two layers share, a tensor that two terms read, and layers without
// bias.
fn net() -> Plan {
    let mut graph = Graph::new(BATCH);
    let columns = IMAGE.columns().unwrap();
    let x = graph.input("x", BATCH, columns).unwrap();
    let init = Init::GlorotUniform { fan_in: 18, fan_out: 18 };
    let mut weight = |name: &str, out: usize, [height, width]: [usize; 2], channels: usize| {
        graph.parameter(name, vec![out, height, width, channels], init.clone()).unwrap()
    };
    let first = weight("first", 4, [3, 3], 2);
    let shared = weight("shared", 4, [3, 3], 4);
    let plain = weight("plain", 5, [2, 3], 4);
    let up = weight("up", 5, [3, 2], 2);
    let back = weight("back", 2, [1, 1], 2);
    let bias = graph.parameter("bias", vec![4], Init::Constant(0.1)).unwrap();
    let last = graph.parameter("last", vec![2], Init::Constant(-0.2)).unwrap();
    let same = |stride| Window::new([3, 3], [stride; 2], Same);
    let (y, shape) = graph.conv2d("a", x, IMAGE, &same(1), &first, Some(&bias), Activation::Tanh).unwrap();
    let (y, shape) = graph.conv2d("b", y, shape, &same(1), &shared, Some(&bias), Activation::Silu).unwrap();
    let (z, small) = graph.conv2d("c", y, shape, &same(2), &shared, None, Activation::Gelu).unwrap();
    let window = Window::new([2, 3], [1, 1], Explicit([0, 1]));
    let (z, small) = graph.conv2d("d", z, small, &window, &plain, None, Activation::Identity).unwrap();
    let window = Window { output_padding: [1, 0], ..Window::new([3, 2], [2, 2], Valid) };
    let (z, shape) =
        graph.conv_transpose2d("e", z, small, &window, &up, Some(&last), Activation::Tanh).unwrap();
    assert_eq!((small, shape), (Shape::new(2, 4, 5), IMAGE));
    let one = Window::new([1, 1], [1, 1], Valid);
    let (r, shape) = graph.conv_transpose2d("f", z, shape, &one, &back, None, Activation::Softplus).unwrap();
    assert_eq!(shape, IMAGE);
    graph.minimize(squared_error(r, x) + 0.5 * squared_error(z, x).named("z")).unwrap();
    graph.finish(true)
}

fn start(replay: &mut Replay) -> narrows::Result<()> {
    replay.write_floats("x", &noise(3, (BATCH * IMAGE.columns().unwrap()) as usize))?;
    let initial = replay.plan().layout("parameters").unwrap().initial(7);
    replay.write_floats("parameters", &initial)
}

#[test]
fn a_nets_gradients_are_the_central_differences_of_its_loss() {
    let plan = net();
    check_gradients("net", &plan, &start);
}

#[test]
fn every_intermediate_result_of_a_net_is_the_references() {
    let plan = net();
    for device in devices() {
        let found = first_difference(&plan, &device, &Device::Cpu, Tolerance::new(2e-5, 2e-5), start);
        assert_eq!(pollster::block_on(found).unwrap(), None);
    }
}

#[test]
fn an_input_that_needs_no_gradient_gets_none() {
    let labels: Vec<String> = net().dispatches.iter().map(|dispatch| dispatch.label.clone()).collect();
    assert!(labels.iter().any(|label| label.starts_with("d a through tanh")), "{labels:?}");
    assert!(!labels.iter().any(|label| label.starts_with("d x")), "{labels:?}");
}

#[test]
fn what_does_not_fit_is_refused_with_the_layers_name() {
    let window = Window::new([3, 3], [1, 1], Valid);
    let refusal = |shape: Shape, weight: Vec<usize>, bias: usize, up: bool| {
        let mut graph = Graph::new(BATCH);
        let x = graph.input("x", BATCH, 6 * 8 * 2).unwrap();
        let weight = graph.parameter("weight", weight, Init::Constant(0.0)).unwrap();
        let bias = graph.parameter("bias", vec![bias], Init::Constant(0.0)).unwrap();
        let outcome = match up {
            true => graph.conv_transpose2d("up", x, shape, &window, &weight, Some(&bias), Activation::Relu),
            false => graph.conv2d("down", x, shape, &window, &weight, Some(&bias), Activation::Relu),
        };
        outcome.map_or_else(|error| error.to_string(), |_| String::new())
    };
    assert_eq!(refusal(IMAGE, vec![4, 3, 3, 2], 4, false), "");
    assert_eq!(refusal(IMAGE, vec![2, 3, 3, 4], 4, true), "");
    let weight = "down: expected a weight [out, 3, 3, 2], got [4, 3, 3, 3]";
    assert_eq!(refusal(IMAGE, vec![4, 3, 3, 3], 4, false), weight);
    let weight = "up: expected a weight [2, 3, 3, out], got [4, 18]";
    assert_eq!(refusal(IMAGE, vec![4, 18], 4, true), weight);
    assert_eq!(refusal(IMAGE, vec![4, 3, 3, 2], 5, false), "down: expected a bias [4], got [5]");
    let input = "down: expected images of 6 x 9 x 2, got 96 numbers per image";
    assert_eq!(refusal(Shape::new(6, 9, 2), vec![4, 3, 3, 2], 4, false), input);
    let kernel = "down: height of the kernel: expected at most the padded input's, 2, got 3";
    assert_eq!(refusal(Shape::new(2, 24, 2), vec![4, 3, 3, 2], 4, false), kernel);
}

// Beyond these the shaders' divisions are no longer exact, or a driver ends their loops.
#[test]
fn what_the_kernels_cannot_count_is_refused() {
    let fine = geometry(CASES[6]);
    let refusal = |geometry: Geometry, chunk: u32| {
        let kernel = WeightGradient { chunk, ..WeightGradient::whole(geometry) };
        kernel.check().map_or_else(|error| error.to_string(), |()| String::new())
    };
    assert_eq!(refusal(fine, 5), "");
    for (wrong, expected) in [
        (Geometry { images: 0, ..fine }, "extent of a convolution: expected at least 1, got 0"),
        (Geometry { stride: [1, 0], ..fine }, "stride: expected between 1 and 4096, got 0"),
        (Geometry { kernel: [4097, 1], ..fine }, "kernel: expected between 1 and 4096, got 4097"),
        (Geometry { padding: [0, 4097], ..fine }, "padding: expected at most 4096, got 4097"),
        (
            Geometry { images: 1 << 20, ..fine },
            "lines of pixels in a batch: expected at most 1048576, got 8388608",
        ),
        (
            Geometry { images: 5000, image: [100, 100, 1], ..fine },
            "pixels in a batch: expected at most 16777216, got 50000000",
        ),
        (Geometry { kernel: [260, 251], ..fine }, "vec4s of a filter: expected at most 13000, got 130520"),
    ] {
        assert_eq!(refusal(wrong, 5), expected);
    }
    assert!(refusal(fine, 0).starts_with("pixels to a part"));
}

#[test]
fn sums_of_channels_are_refused_where_rows_or_rounds_do_not_suffice() {
    let refusal = |geometry, of| {
        let sums = Some(ChannelSums { of, accumulate: false });
        let kernel = WeightGradient { sums, ..WeightGradient::whole(geometry) };
        kernel.check().map_or_else(|error| error.to_string(), |()| String::new())
    };
    let wide = geometry(CASES[4]);
    assert_eq!(refusal(wide, Direction::Down), "");
    let expected = "channels of an image to sum: expected at most 1, got 16";
    assert_eq!(refusal(wide, Direction::Up).replace("between 1 and 1", "at most 1"), expected);
    let long = geometry((100, [1, 250, 1], [1, 1], [1, 1], Valid, 5));
    let expected = "rounds over pixels to a part, with sums: expected between 1 and 65000, got 81250";
    assert_eq!(refusal(long, Direction::Down), expected);
}

#[test]
fn the_longest_part_is_summed_whole() {
    // Directly made, and as a product.
    let chunk = MatMul::MAX_DEPTH;
    for channels in [1, 8] {
        let geometry = geometry((chunk / 250, [1, 250, channels], [1, 1], [1, 1], Valid, 5));
        let kernel = WeightGradient::whole(geometry);
        assert_eq!((kernel.chunk, kernel.parts()), (chunk, 1));
        let [image, features, _] = operands(&geometry, integers);
        for gpu in gpus_of(&kernel) {
            check(gpu, &kernel, &inputs(&kernel, [&features, &image]), &[None], Tolerance::EXACT);
        }
    }
}
