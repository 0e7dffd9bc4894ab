//! Which adapter to use: chosen by index, name or backend, or the best there is.

use std::fmt;
use std::str::FromStr;

use super::AdapterSummary;
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
            Self::Auto => f.write_str("`auto`"),
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
        if text == "auto" {
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

impl Selector {
    /// The same, except that wgpu's `WGPU_ADAPTER_NAME` narrows [`Selector::Auto`] to a name.
    pub(super) fn or_environment(&self) -> Self {
        let name = std::env::var("WGPU_ADAPTER_NAME").ok().filter(|name| !name.is_empty());
        match (self, name) {
            (Self::Auto, Some(name)) => Self::Name(name),
            _ => self.clone(),
        }
    }

    fn matches(&self, adapter: &AdapterSummary) -> bool {
        match self {
            Self::Auto => adapter.unusable.is_none(),
            Self::Index(index) => adapter.index == *index,
            // Every name contains nothing.
            Self::Name(name) => {
                !name.is_empty() && adapter.info.name.to_lowercase().contains(&name.to_lowercase())
            }
            Self::Backend(backend, index) => {
                adapter.info.backend == *backend && adapter.backend_index == *index
            }
        }
    }
}

#[cfg(target_arch = "wasm32")]
const NO_ADAPTER: &str = "This page needs WebGPU: a recent Chrome, Edge, Firefox or Safari, on a machine whose GPU the \
     browser may use, and a page from https or from localhost";
#[cfg(not(target_arch = "wasm32"))]
const NO_ADAPTER: &str = "Install a GPU driver, or Mesa's software Vulkan driver (Debian and Ubuntu: \
     mesa-vulkan-drivers, Fedora: mesa-vulkan-drivers, Arch: vulkan-swrast), or use --device cpu. A driver that is there \
     is not found where a limit of memory (ulimit -v) leaves no room to load it";
const LIST_THEM: &str = "See `narrows devices`, or use --device cpu";

/// The [`AdapterSummary::index`] among `found` that `selector` means. `low_power` puts integrated GPUs
/// before discrete ones.
///
/// # Errors
/// [`Error::NoDevice`] where nothing matches, where a name fits several adapters of one backend, or where
/// what matches is unusable; each lists what there is.
pub fn choose(selector: &Selector, found: &[AdapterSummary], low_power: bool) -> Result<usize> {
    let matching: Vec<&AdapterSummary> = found.iter().filter(|adapter| selector.matches(adapter)).collect();
    let refuse = |wanted: String, advice| {
        let available = listed(&found.iter().collect::<Vec<_>>());
        Err(Error::NoDevice { wanted, available, advice })
    };
    let Some(best) = matching.iter().min_by_key(|adapter| adapter.rank(low_power)) else {
        return refuse(selector.to_string(), if found.is_empty() { NO_ADAPTER } else { LIST_THEM });
    };
    let twins = matching.iter().filter(|adapter| adapter.info.backend == best.info.backend).count();
    if matches!(selector, Selector::Name(_)) && twins > 1 {
        return Err(Error::NoDevice {
            wanted: format!("{selector} alone"),
            available: listed(&matching),
            advice: "Choose one by its index or as BACKEND:INDEX",
        });
    }
    match &best.unusable {
        Some(reason) => refuse(format!("{selector} ({reason})"), LIST_THEM),
        None => Ok(best.index),
    }
}

fn listed(adapters: &[&AdapterSummary]) -> String {
    let line = |adapter: &&AdapterSummary| match &adapter.unusable {
        None => adapter.label(),
        Some(reason) => format!("{} (unusable: {reason})", adapter.label()),
    };
    let lines: Vec<String> = adapters.iter().map(line).collect();
    if lines.is_empty() { "none".to_owned() } else { lines.join("; ") }
}
