//! What adapters there are, and what each of them can do.

use super::Variants;

/// One line of the listing of devices.
#[derive(Clone, Debug)]
pub struct AdapterSummary {
    /// Its number in the listing, for [`Selector::Index`](super::Selector::Index).
    pub index: usize,
    /// Its number within its backend, for [`Selector::Backend`](super::Selector::Backend).
    pub backend_index: usize,
    /// Name, driver, backend, type and subgroup range.
    pub info: wgpu::AdapterInfo,
    /// What it can do beyond WebGPU's floor.
    pub features: wgpu::Features,
    /// How much of everything it offers.
    pub limits: wgpu::Limits,
    /// Why it falls short of what narrows requires, compute and WebGPU's default limits; None where it does
    /// not.
    pub unusable: Option<String>,
    /// The kernels that it gets by rule.
    pub variants: Variants,
}

impl AdapterSummary {
    fn new(index: usize, backend_index: usize, adapter: &wgpu::Adapter) -> Self {
        let info = adapter.get_info();
        let features = adapter.features();
        let limits = adapter.limits();
        let unusable = shortfall(adapter.get_downlevel_capabilities().flags, &limits);
        let variants = Variants::rule(&info, features);
        Self { index, backend_index, info, features, limits, unusable, variants }
    }

    /// `1 (vulkan:0) NAME`, which tells two equal names apart.
    pub fn label(&self) -> String {
        format!("{} ({}:{}) {}", self.index, self.info.backend, self.backend_index, self.info.name)
    }

    // Lower is better: how a device is chosen where the user names none.
    pub(super) fn rank(&self, prefer_low_power: bool) -> (bool, u8, u8, usize) {
        let device = match self.info.device_type {
            wgpu::DeviceType::DiscreteGpu => u8::from(prefer_low_power),
            wgpu::DeviceType::IntegratedGpu => u8::from(!prefer_low_power),
            wgpu::DeviceType::VirtualGpu => 2,
            wgpu::DeviceType::Other => 3,
            wgpu::DeviceType::Cpu => 4,
        };
        let backend = match self.info.backend {
            wgpu::Backend::Vulkan | wgpu::Backend::Metal | wgpu::Backend::BrowserWebGpu => 0,
            wgpu::Backend::Dx12 => 1,
            _ => 2,
        };
        (self.unusable.is_some(), device, backend, self.index)
    }
}

/// Why an adapter with these capabilities cannot be used, or None where it can.
pub fn shortfall(capabilities: wgpu::DownlevelFlags, limits: &wgpu::Limits) -> Option<String> {
    if !capabilities.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS) {
        return Some("it has no compute shaders".to_owned());
    }
    let mut lacking = Vec::new();
    compute_floor().check_limits_with_fail_fn(limits, false, |name, required, offered| {
        lacking.push(format!("{name} {offered} of {required}"));
    });
    (!lacking.is_empty()).then(|| format!("below WebGPU's default limits: {}", lacking.join(", ")))
}

/// WebGPU's default limits as far as compute needs them: what is required of every device.
///
/// Nothing is ever drawn, so limits on textures and vertices are left at their lowest.
pub(super) fn compute_floor() -> wgpu::Limits {
    let defaults = wgpu::Limits::default();
    wgpu::Limits {
        max_bind_groups: defaults.max_bind_groups,
        max_storage_buffers_per_shader_stage: defaults.max_storage_buffers_per_shader_stage,
        max_uniform_buffers_per_shader_stage: defaults.max_uniform_buffers_per_shader_stage,
        max_uniform_buffer_binding_size: defaults.max_uniform_buffer_binding_size,
        max_storage_buffer_binding_size: defaults.max_storage_buffer_binding_size,
        max_buffer_size: defaults.max_buffer_size,
        max_compute_workgroup_storage_size: defaults.max_compute_workgroup_storage_size,
        max_compute_invocations_per_workgroup: defaults.max_compute_invocations_per_workgroup,
        max_compute_workgroup_size_x: defaults.max_compute_workgroup_size_x,
        max_compute_workgroup_size_y: defaults.max_compute_workgroup_size_y,
        max_compute_workgroup_size_z: defaults.max_compute_workgroup_size_z,
        max_compute_workgroups_per_dimension: defaults.max_compute_workgroups_per_dimension,
        ..wgpu::Limits::downlevel_webgl2_defaults()
    }
}

fn instance(backends: wgpu::Backends) -> wgpu::Instance {
    let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    wgpu::Instance::new(wgpu::InstanceDescriptor { backends, ..descriptor })
}

/// Every adapter there is, in wgpu's order, beside its summary.
///
/// OpenGL is looked at only where there is nothing better or `WGPU_BACKEND` names it: its loaders write
/// to the terminal, and each of its adapters is one of the others again.
pub async fn adapters() -> Vec<(AdapterSummary, wgpu::Adapter)> {
    let asked = wgpu::Backends::from_env();
    let first = asked.unwrap_or(wgpu::Backends::PRIMARY);
    let mut found = instance(first).enumerate_adapters(first).await;
    if found.is_empty() && asked.is_none() {
        let second = wgpu::Backends::SECONDARY;
        found = instance(second).enumerate_adapters(second).await;
    }
    let mut seen: Vec<wgpu::Backend> = Vec::new();
    found
        .into_iter()
        .enumerate()
        .map(|(index, adapter)| {
            let backend = adapter.get_info().backend;
            let backend_index = seen.iter().filter(|seen| **seen == backend).count();
            seen.push(backend);
            (AdapterSummary::new(index, backend_index, &adapter), adapter)
        })
        .collect()
}
