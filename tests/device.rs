//! Which adapter is chosen and what it gets: pure logic, on made-up listings.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

use narrows::Error;
use narrows::gpu::{AdapterSummary, MatMulVariant, Selector, Variants, choose, shortfall};
use wgpu::{Backend, DeviceType};

// A listing in this order, numbered as the real one is.
fn listing(adapters: &[(&str, Backend, DeviceType)]) -> Vec<AdapterSummary> {
    let numbered = adapters.iter().enumerate().map(|(index, (name, backend, kind))| {
        let info = wgpu::AdapterInfo { name: (*name).to_owned(), ..wgpu::AdapterInfo::new(*kind, *backend) };
        AdapterSummary {
            index,
            backend_index: adapters[..index].iter().filter(|other| other.1 == *backend).count(),
            variants: Variants::choose(&info, wgpu::Features::empty()),
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
        ("", Selector::Auto),
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

#[test]
fn variants_follow_the_device_type_and_the_subgroup_size() {
    let subgroups = wgpu::Features::SUBGROUP;
    let none = wgpu::Features::empty();
    for (kind, features, smallest, largest, expected) in [
        (DeviceType::DiscreteGpu, subgroups, 32, 32, MatMulVariant::Tile),
        (DeviceType::IntegratedGpu, subgroups, 8, 8, MatMulVariant::Tile),
        (DeviceType::Other, none, 4, 128, MatMulVariant::Tile),
        (DeviceType::Cpu, subgroups, 8, 8, MatMulVariant::Shuffle),
        (DeviceType::Cpu, subgroups, 4, 4, MatMulVariant::Register),
        (DeviceType::Cpu, subgroups, 8, 16, MatMulVariant::Register),
        (DeviceType::Cpu, none, 8, 8, MatMulVariant::Register),
    ] {
        let info = wgpu::AdapterInfo {
            subgroup_min_size: smallest,
            subgroup_max_size: largest,
            ..wgpu::AdapterInfo::new(kind, Backend::Vulkan)
        };
        let got = Variants::choose(&info, features).matmul;
        assert_eq!(got, expected, "{kind:?}, {features:?}, subgroups of {smallest} to {largest}");
        assert!(Variants::supports(got, &info, features));
    }
}
