//! Which adapter to use: listing them all, and choosing one by index, name or backend.

use std::fmt;
use std::str::FromStr;

use super::Variants;
use crate::{Error, Result};

/// What a user asks for with `--device`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Selector {
    /// The best adapter: discrete before integrated before software, native backends before GL.
    #[default]
    Auto,
    /// The adapter with this number in the listing.
    Index(usize),
    /// Adapters whose name contains this, ignoring case.
    Name(String),
    /// The n-th adapter of one backend, as `vulkan:0`.
    Backend(wgpu::Backend, usize),
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("any adapter"),
            Self::Index(index) => write!(f, "index {index}"),
            Self::Name(name) => write!(f, "the name {name:?}"),
            Self::Backend(backend, index) => write!(f, "{backend}:{index}"),
        }
    }
}

impl FromStr for Selector {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() || text == "auto" {
            return Ok(Self::Auto);
        }
        if let Ok(index) = text.parse() {
            return Ok(Self::Index(index));
        }
        if let Some((backend, index)) = text.split_once(':')
            && let (Some(backend), Ok(index)) = (parse_backend(backend), index.parse())
        {
            return Ok(Self::Backend(backend, index));
        }
        Ok(Self::Name(text.to_owned()))
    }
}

fn parse_backend(text: &str) -> Option<wgpu::Backend> {
    match text.to_ascii_lowercase().as_str() {
        "vulkan" | "vk" => Some(wgpu::Backend::Vulkan),
        "metal" | "mtl" => Some(wgpu::Backend::Metal),
        "dx12" | "d3d12" => Some(wgpu::Backend::Dx12),
        "gl" | "gles" | "opengl" => Some(wgpu::Backend::Gl),
        "webgpu" => Some(wgpu::Backend::BrowserWebGpu),
        _ => None,
    }
}

/// One line of the listing of devices.
#[derive(Clone, Debug)]
pub struct AdapterSummary {
    /// Its number in the listing, for [`Selector::Index`].
    pub index: usize,
    /// Its number within its backend, for [`Selector::Backend`].
    pub backend_index: usize,
    /// Name, driver, backend, type and subgroup range.
    pub info: wgpu::AdapterInfo,
    /// What it can do beyond WebGPU's floor.
    pub features: wgpu::Features,
    /// How much of everything it offers.
    pub limits: wgpu::Limits,
    /// Whether it meets what narrows requires: compute, and WebGPU's default limits.
    pub unusable: Option<String>,
    /// The kernel variants it would get.
    pub variants: Variants,
}

impl AdapterSummary {
    fn new(index: usize, backend_index: usize, adapter: &wgpu::Adapter) -> Self {
        let info = adapter.get_info();
        let features = adapter.features();
        let limits = adapter.limits();
        let unusable = unusable(adapter, &limits);
        let variants = Variants::choose(&info, features);
        Self { index, backend_index, info, features, limits, unusable, variants }
    }

    /// `1 (vulkan:0) NAME`, which tells two equal names apart.
    pub fn label(&self) -> String {
        format!("{} ({}:{}) {}", self.index, self.info.backend, self.backend_index, self.info.name)
    }

    // Lower is better: how a device is chosen where the user names none.
    fn rank(&self, prefer_low_power: bool) -> (bool, u8, u8, usize) {
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

fn unusable(adapter: &wgpu::Adapter, limits: &wgpu::Limits) -> Option<String> {
    let downlevel = adapter.get_downlevel_capabilities();
    if !downlevel.flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS) {
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

const NO_ADAPTER: &str = "Install a GPU driver, or Mesa's software Vulkan driver (Debian and Ubuntu: \
     mesa-vulkan-drivers, Fedora: mesa-vulkan-drivers, Arch: vulkan-swrast), or use --device cpu";
const LIST_THEM: &str = "See `narrows devices`, or use --device cpu";

/// The position in `found` that `selector` means; `WGPU_ADAPTER_NAME` stands in for [`Selector::Auto`].
///
/// # Errors
/// [`Error::NoDevice`] where nothing matches, or where a name fits several adapters of one backend.
pub(super) fn choose(selector: &Selector, found: &[AdapterSummary]) -> Result<usize> {
    let from_env = std::env::var("WGPU_ADAPTER_NAME").ok().filter(|name| !name.is_empty());
    let selector = match (selector, from_env) {
        (Selector::Auto, Some(name)) => &Selector::Name(name),
        (selector, _) => selector,
    };
    let low_power = wgpu::PowerPreference::from_env() == Some(wgpu::PowerPreference::LowPower);
    let matching: Vec<&AdapterSummary> = found
        .iter()
        .filter(|adapter| match selector {
            Selector::Auto => adapter.unusable.is_none(),
            Selector::Index(index) => adapter.index == *index,
            Selector::Name(name) => adapter.info.name.to_lowercase().contains(&name.to_lowercase()),
            Selector::Backend(backend, index) => {
                adapter.info.backend == *backend && adapter.backend_index == *index
            }
        })
        .collect();
    let listed = |adapters: &mut dyn Iterator<Item = &AdapterSummary>| {
        let labels: Vec<String> = adapters.map(AdapterSummary::label).collect();
        if labels.is_empty() { "none".to_owned() } else { labels.join("; ") }
    };
    let refuse =
        |wanted: String, advice| Error::NoDevice { wanted, available: listed(&mut found.iter()), advice };
    let Some(best) = matching.iter().min_by_key(|adapter| adapter.rank(low_power)) else {
        return Err(refuse(selector.to_string(), if found.is_empty() { NO_ADAPTER } else { LIST_THEM }));
    };
    if let Selector::Name(_) = selector {
        let twins: Vec<_> = matching.iter().filter(|a| a.info.backend == best.info.backend).collect();
        if twins.len() > 1 {
            return Err(Error::NoDevice {
                wanted: format!("{selector} alone"),
                available: listed(&mut matching.iter().copied()),
                advice: "Choose one by its index or as BACKEND:INDEX",
            });
        }
    }
    match &best.unusable {
        Some(reason) => Err(refuse(format!("{selector} ({reason})"), LIST_THEM)),
        None => Ok(best.index),
    }
}
