//! Which adapter is chosen and what it gets: pure logic, on made-up listings. Which pipeline an open device runs.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::{gpu, words};
use narrows::Error;
use narrows::gpu::{
    AdapterSummary, Launch, MatMulVariant, Measured, Product, ProductKind, Selector, Variants, choose,
    read_words, shortfall,
};
use narrows::kernels::floats;
use narrows_shaders::{Shader, activation};
use wgpu::{Backend, DeviceType};

// A listing in this order, numbered as the real one is.
fn listing(adapters: &[(&str, Backend, DeviceType)]) -> Vec<AdapterSummary> {
    let numbered = adapters.iter().enumerate().map(|(index, (name, backend, kind))| {
        let info = wgpu::AdapterInfo { name: (*name).to_owned(), ..wgpu::AdapterInfo::new(*kind, *backend) };
        AdapterSummary {
            index,
            backend_index: adapters[..index].iter().filter(|other| other.1 == *backend).count(),
            variants: Variants::rule(&info, wgpu::Features::empty()),
            info,
            features: wgpu::Features::empty(),
            limits: wgpu::Limits::default(),
            unusable: None,
        }
    });
    numbered.collect()
}

fn desktop() -> Vec<AdapterSummary> {
    listing(&[
        ("llvmpipe (LLVM 15)", Backend::Vulkan, DeviceType::Cpu),
        ("Radeon 780M", Backend::Vulkan, DeviceType::IntegratedGpu),
        ("GeForce RTX", Backend::Dx12, DeviceType::DiscreteGpu),
        ("GeForce RTX", Backend::Vulkan, DeviceType::DiscreteGpu),
        ("GeForce RTX", Backend::Vulkan, DeviceType::DiscreteGpu),
    ])
}

fn select(text: &str, found: &[AdapterSummary]) -> Result<usize, String> {
    let selector: Selector = text.parse().map_err(|error: Error| error.to_string())?;
    choose(&selector, found, false).map_err(|error| error.to_string())
}

#[test]
fn what_a_user_writes_is_an_index_a_backends_index_or_part_of_a_name() {
    for (text, expected) in [
        ("", Selector::Name(String::new())),
        (" auto ", Selector::Auto),
        ("3", Selector::Index(3)),
        ("vulkan:1", Selector::Backend(Backend::Vulkan, 1)),
        ("DX12:0", Selector::Backend(Backend::Dx12, 0)),
        ("radeon", Selector::Name("radeon".to_owned())),
        ("cuda:0", Selector::Name("cuda:0".to_owned())),
        ("vulkan:first", Selector::Name("vulkan:first".to_owned())),
    ] {
        assert_eq!(text.parse::<Selector>().ok(), Some(expected), "{text:?}");
    }
}

#[test]
fn each_way_to_name_an_adapter_finds_it() {
    let found = desktop();
    assert_eq!(select("1", &found), Ok(1));
    assert_eq!(select("RADEON", &found), Ok(1));
    assert_eq!(select("vulkan:0", &found), Ok(0));
    assert_eq!(select("vulkan:3", &found), Ok(4));
    assert_eq!(select("dx12:0", &found), Ok(2));
}

#[test]
fn a_name_that_matches_nothing_is_an_error_that_lists_what_there_is() {
    let message = select("matrox", &desktop()).unwrap_err();
    for part in ["\"matrox\"", "0 (vulkan:0) llvmpipe", "2 (dx12:0) GeForce RTX", "4 (vulkan:3) GeForce RTX"]
    {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
    for wanted in ["5", "vulkan:4", "metal:0"] {
        let message = select(wanted, &desktop()).unwrap_err();
        assert!(message.contains("1 (vulkan:1) Radeon 780M"), "{message}");
    }
}

#[test]
fn without_any_adapter_the_error_says_what_to_install() {
    for wanted in ["auto", "radeon", "0"] {
        let message = select(wanted, &[]).unwrap_err();
        assert!(message.contains("available: none"), "{message}");
        assert!(message.contains("mesa-vulkan-drivers") && message.contains("--device cpu"), "{message}");
    }
}

#[test]
fn two_equal_names_on_one_backend_are_told_apart_by_index_and_backend() {
    let message = select("geforce", &desktop()).unwrap_err();
    for part in ["3 (vulkan:2) GeForce RTX", "4 (vulkan:3) GeForce RTX", "index", "BACKEND:INDEX"] {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
    assert!(!message.contains("llvmpipe"), "lists only what the name fits: {message}");
}

#[test]
fn one_name_on_two_backends_is_one_device_and_takes_the_better_backend() {
    let found = listing(&[
        ("GeForce RTX", Backend::Dx12, DeviceType::DiscreteGpu),
        ("GeForce RTX", Backend::Vulkan, DeviceType::DiscreteGpu),
    ]);
    assert_eq!(select("geforce", &found), Ok(1));
}

#[test]
fn the_best_device_is_discrete_before_integrated_before_software_and_native_before_gl() {
    assert_eq!(select("auto", &desktop()), Ok(3));
    assert_eq!(select("auto", &desktop()[..3]), Ok(2), "dx12's discrete before vulkan's integrated");
    assert_eq!(select("auto", &desktop()[..2]), Ok(1));
    assert_eq!(select("auto", &desktop()[..1]), Ok(0));
    let twice = listing(&[
        ("llvmpipe", Backend::Gl, DeviceType::Cpu),
        ("llvmpipe", Backend::Vulkan, DeviceType::Cpu),
    ]);
    assert_eq!(select("auto", &twice), Ok(1));
}

#[test]
fn who_prefers_low_power_gets_the_integrated_device() {
    assert_eq!(choose(&Selector::Auto, &desktop(), true).ok(), Some(1));
}

#[test]
fn an_unusable_adapter_is_passed_over_and_refused_by_name_with_the_reason() {
    let mut found = desktop();
    for adapter in &mut found[2..] {
        adapter.unusable = Some("it has no compute shaders".to_owned());
    }
    assert_eq!(select("auto", &found), Ok(1));
    for wanted in ["2", "vulkan:2"] {
        let message = select(wanted, &found).unwrap_err();
        assert!(message.contains("it has no compute shaders"), "{message}");
    }
    found.drain(..2);
    let message = select("auto", &found).unwrap_err();
    assert!(message.contains("unusable: it has no compute shaders"), "{message}");
}

#[test]
fn an_adapter_below_webgpus_default_limits_is_unusable_and_says_which() {
    let (all, floor) = (wgpu::DownlevelFlags::all(), wgpu::Limits::default());
    assert_eq!(shortfall(all, &floor), None);
    let small = wgpu::Limits {
        max_storage_buffers_per_shader_stage: 4,
        max_compute_invocations_per_workgroup: 128,
        ..floor.clone()
    };
    let reason = shortfall(all, &small).unwrap_or_default();
    assert!(reason.contains("max_storage_buffers_per_shader_stage 4 of 8"), "{reason}");
    assert!(reason.contains("max_compute_invocations_per_workgroup 128 of 256"), "{reason}");
    // Nothing is ever drawn.
    let flat = wgpu::Limits { max_texture_dimension_2d: 2048, ..floor.clone() };
    assert_eq!(shortfall(all, &flat), None);
    let reason = shortfall(wgpu::DownlevelFlags::empty(), &floor).unwrap_or_default();
    assert!(reason.contains("compute shaders"), "{reason}");
}

fn product(rows: u32, columns: u32, depth: u32) -> Product {
    Product { kind: ProductKind::Nt, rows, columns, depth, parts: 1 }
}

fn adapter(kind: DeviceType, [smallest, largest]: [u32; 2]) -> wgpu::AdapterInfo {
    wgpu::AdapterInfo {
        subgroup_min_size: smallest,
        subgroup_max_size: largest,
        ..wgpu::AdapterInfo::new(kind, Backend::Vulkan)
    }
}

#[test]
fn variants_follow_the_device_type_the_subgroup_size_and_the_shape() {
    let subgroups = wgpu::Features::SUBGROUP;
    let none = wgpu::Features::empty();
    let (small, middle, large) = (product(128, 400, 784), product(1024, 1024, 64), product(4096, 4096, 64));
    for (kind, features, sizes, expected) in [
        (DeviceType::DiscreteGpu, subgroups, [32, 32], ["tile32x4", "tile64x4", "tile128x8"]),
        (DeviceType::IntegratedGpu, subgroups, [8, 8], ["tile32x4", "tile128x8", "tile128x8"]),
        (DeviceType::Other, none, [4, 128], ["tile32x4", "tile128x8", "tile128x8"]),
        (DeviceType::Cpu, subgroups, [8, 8], ["shuffle64", "shuffle64", "shuffle64"]),
        (DeviceType::Cpu, subgroups, [4, 4], ["register"; 3]),
        (DeviceType::Cpu, subgroups, [8, 16], ["register"; 3]),
        (DeviceType::Cpu, none, [8, 8], ["register"; 3]),
    ] {
        let info = adapter(kind, sizes);
        let variants = Variants::rule(&info, features);
        let got = [small, middle, large].map(|product| variants.matmul(&product));
        assert_eq!(got.map(MatMulVariant::name), expected, "{kind:?}, {features:?}, subgroups of {sizes:?}");
        assert!(got.iter().all(|variant| variant.runs_on(&info, features)));
        assert!(variants.run_on(&info, features));
        assert_eq!(variants.to_string().parse::<Variants>().unwrap(), variants);
    }
    let eight_lanes = Variants::rule(&adapter(DeviceType::Cpu, [8, 8]), subgroups);
    assert_eq!(eight_lanes.matmul(&product(128, 40, 400)), MatMulVariant::Shuffle32);
    assert!(!eight_lanes.run_on(&adapter(DeviceType::Cpu, [4, 4]), subgroups));
}

#[test]
fn only_a_gpu_that_would_idle_splits_a_product_and_only_where_it_is_deep() {
    let none = wgpu::Features::empty();
    let rule = |kind| Variants::rule(&adapter(kind, [32, 32]), none);
    let discrete = rule(DeviceType::DiscreteGpu);
    // Twelve tiles of 64 invocations are busy of 65,536: all parts are as short as they may be.
    assert_eq!(discrete.chunk(&product(128, 96, 4096)), Some(512));
    assert_eq!(discrete.chunk(&product(128, 96, 4097)), Some(576));
    assert_eq!(discrete.chunk(&product(128, 96, 1023)), None);
    // Half of an integrated one is busy, so two parts are enough.
    let integrated = rule(DeviceType::IntegratedGpu);
    assert_eq!(integrated.chunk(&product(256, 128, 4096)), Some(2048));
    for busy in [product(512, 512, 4096), product(2048, 2048, 4096)] {
        assert_eq!(integrated.chunk(&busy), None);
    }
    assert_eq!(rule(DeviceType::Cpu).chunk(&product(128, 96, 4096)), None);
    assert_eq!(Variants::one(MatMulVariant::Register).chunk(&product(128, 96, 4096)), None);
}

#[test]
fn what_was_measured_is_chosen_for_shapes_alike_on_the_same_driver_alone() {
    let info = adapter(DeviceType::DiscreteGpu, [32, 32]);
    let other = wgpu::AdapterInfo { driver_info: "2.0".to_owned(), ..info.clone() };
    let mut measured = Measured::default();
    measured.note(&info, product(128, 400, 784).class(), MatMulVariant::Tile64x8);
    measured.note(&other, product(128, 400, 784).class(), MatMulVariant::Register);
    let read: Measured = measured.to_string().parse().unwrap();
    assert_eq!(read, measured);
    assert_eq!(
        read.of(&adapter(DeviceType::Cpu, [8, 8])).map(|fastest| fastest.len()),
        Some(1),
        "by name alone"
    );
    let none = wgpu::Features::empty();
    let variants = Variants::measured(&info, none, read.of(&info).unwrap().clone());
    // Rounded up to powers of two they are alike.
    assert_eq!(variants.matmul(&product(128, 400, 784)), MatMulVariant::Tile64x8);
    assert_eq!(variants.matmul(&product(100, 512, 1000)), MatMulVariant::Tile64x8);
    assert_eq!(variants.matmul(&product(129, 400, 784)), MatMulVariant::Tile32x4);
    assert_eq!(
        variants.matmul(&Product { kind: ProductKind::Nn, ..product(128, 400, 784) }),
        MatMulVariant::Tile32x4
    );
    assert_eq!(variants.to_string().parse::<Variants>().unwrap(), variants);
}

#[test]
fn measured_kernels_and_choices_that_say_nothing_are_refused() {
    for (text, expected) in [
        ("", "measured kernels: expected the first line \"narrows kernels 1\", got \"\""),
        (
            "narrows kernels 1\nnn:1x1x1x1 register",
            "measured kernels: expected an adapter, or CLASS VARIANT below one",
        ),
        (
            "narrows kernels 1\nadapter a\nnn:1x1x1 register",
            "shape class: expected KIND:ROWSxCOLUMNSxDEPTHxPARTS, got nn:1x1x1",
        ),
        ("narrows kernels 1\nadapter a\nnn:1x1x1x1 best", "kernels: expected rule, measured, tile128x8"),
    ] {
        let error = text.parse::<Measured>().unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    for text in [
        "",
        "rule",
        "rule big",
        "rule cpu nn:1x1x1x1=register",
        "measured",
        "measured cpu x",
        "measured cpu x=y",
    ] {
        assert!(text.parse::<Variants>().is_err(), "{text:?}");
    }
    // The names of earlier checkpoints.
    assert_eq!("tile".parse::<Variants>().unwrap(), Variants::one(MatMulVariant::Tile64x4));
    assert_eq!("shuffle".parse::<Variants>().unwrap(), Variants::one(MatMulVariant::Shuffle32));
}

// What another crate may have: one of narrows' names, down to entry, bindings and constant. It counts down.
const OURS: Shader = Shader {
    source: "
        override ACTIVATION: u32 = 0u;
        struct Params { count: u32 }
        @group(0) @binding(0) var<uniform> params: Params;
        @group(0) @binding(1) var<storage, read> x: array<f32>;
        @group(0) @binding(5) var<storage, read_write> y: array<f32>;

        @compute @workgroup_size(64)
        fn forward(@builtin(local_invocation_index) lane: u32) {
            if lane < params.count { y[lane] = x[lane] - 1.0 - 0.0 * f32(ACTIVATION); }
        }",
    overrides: &["ACTIVATION"],
    ..activation::SHADER
};

// What its entry `forward` makes of some numbers above zero.
fn forward(shader: &'static Shader, activation: f64) -> Vec<f32> {
    let values = [1.0, 2.0, 3.5];
    let entry = shader.entry("forward").unwrap();
    let pipeline = gpu().pipeline(shader, entry, &[("ACTIVATION", activation)]);
    let params = gpu().device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 16,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let [x, y] = ["x", "y"].map(|label| gpu().storage(label, values.len()));
    gpu().queue.write_buffer(&params, 0, bytemuck::cast_slice(&[values.len() as u32, 0, 0, 0]));
    gpu().queue.write_buffer(&x, 0, bytemuck::cast_slice(&words(&values)));
    let bound = [&params, &x, &y].map(wgpu::Buffer::as_entire_buffer_binding);
    let launch = Launch::new(gpu(), pipeline, &bound, 1);
    let mut encoder = gpu().device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    launch.record(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()));
    gpu().queue.submit([encoder.finish()]);
    floats(&pollster::block_on(read_words(gpu(), &y, 0, values.len())).unwrap()).to_vec()
}

#[test]
fn a_shader_from_outside_may_have_a_name_of_ours_whichever_runs_first() {
    let (same, less) = ([1.0, 2.0, 3.5], [0.0, 1.0, 2.5]);
    let [identity, relu] = [0.0, 1.0];
    assert_eq!((OURS.name, OURS.entries), (activation::SHADER.name, activation::SHADER.entries));
    assert_eq!(forward(&activation::SHADER, identity), same);
    assert_eq!(forward(&OURS, identity), less);
    assert_eq!(forward(&OURS, relu), less);
    assert_eq!(forward(&activation::SHADER, relu), same);
}

#[test]
fn a_device_that_is_lost_is_told_of_whatever_fails_after_it() {
    // One of its own: the others' stays whole.
    let own = pollster::block_on(narrows::gpu::Gpu::open(&narrows::gpu::GpuOptions::default())).unwrap();
    let buffer = own.storage("words", 4);
    assert_eq!(pollster::block_on(read_words(&own, &buffer, 0, 4)).unwrap(), [0; 4]);
    own.device.destroy();
    for _ in 0..2 {
        let error = pollster::block_on(read_words(&own, &buffer, 0, 4)).unwrap_err();
        assert!(matches!(error, Error::DeviceLost { .. }), "{error}");
    }
}
