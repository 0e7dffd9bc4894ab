//! `narrows devices`: what there is to run on.

use crate::Result;
use crate::gpu::{AdapterSummary, Gpu, GpuOptions, MatMulVariant, Selector, adapters};
use crate::kernels::Kernel;
use crate::kernels::ceiling::{Ceilings, fastest};
use crate::kernels::matmul::{Epilogue, Layout, MatMul};
use serde_json::{Value, json};

use super::output::line;

/// List the devices
#[derive(clap::Args)]
#[command(after_help = "Example:\n  narrows devices --json\n\n\
    WGPU_BACKEND (vulkan, metal, dx12, gl) limits what is looked at; WGPU_ADAPTER_NAME and\n\
    WGPU_POWER_PREF (low, high) choose where --device is not given.")]
pub(super) struct Devices {
    /// As JSON, with every limit
    #[arg(long)]
    json: bool,
    /// Measure each device: arithmetic, copying, and matrix products by every variant (some seconds)
    #[arg(long)]
    measure: bool,
}

impl Devices {
    pub(super) async fn run(&self) -> Result<()> {
        let found: Vec<AdapterSummary> = adapters().await.into_iter().map(|(summary, _)| summary).collect();
        if self.json {
            let mut all: Vec<Value> = found.iter().map(as_json).collect();
            for (adapter, object) in found.iter().zip(&mut all).filter(|_| self.measure) {
                object["measured"] = measure(adapter).await?.map_or(Value::Null, |rates| rates.as_json());
            }
            return line(&format!("{:#}", Value::Array(all)));
        }
        if found.is_empty() {
            line(
                "No adapter. Install a GPU driver or a software one (Mesa's lavapipe); --device cpu works too.",
            )?;
        }
        for adapter in &found {
            line(&description(adapter))?;
            if self.measure
                && let Some(rates) = measure(adapter).await?
            {
                line(&rates.description())?;
            }
        }
        line("cpu  the reference in plain Rust, on all processors (--device cpu)")
    }
}

/// What a device was seen to do.
struct Rates {
    ceilings: Ceilings,
    products: Vec<(MatMulVariant, f64)>,
}

// The square that others quote.
const PRODUCT: MatMul = MatMul {
    rows: 512,
    columns: 512,
    depth: 512,
    layout: Layout::Nn,
    epilogue: Epilogue::None,
    accumulate: false,
};

// None for a device that cannot be used.
async fn measure(adapter: &AdapterSummary) -> Result<Option<Rates>> {
    if adapter.unusable.is_some() {
        return Ok(None);
    }
    let open = async |matmul| {
        let selector = Selector::Index(adapter.index);
        Gpu::open(&GpuOptions { selector, matmul, only_defaults: false }).await
    };
    let gpu = open(None).await?;
    let ceilings = Ceilings::measure(&gpu).await?;
    let mut products = Vec::new();
    for variant in gpu.matmul_variants() {
        let seconds = fastest(&open(Some(variant)).await?, &PRODUCT).await?;
        products.push((variant, PRODUCT.flops() as f64 / seconds));
    }
    Ok(Some(Rates { ceilings, products }))
}

impl Rates {
    fn description(&self) -> String {
        let Ceilings { flops, bytes } = self.ceilings;
        let ceilings =
            format!("    measured    {:.1} GFLOP/s, copies {:.1} GB/s", flops * 1e-9, bytes * 1e-9);
        self.products.iter().fold(ceilings, |text, (variant, rate)| {
            let (rate, share) = (rate * 1e-9, 100.0 * rate / flops);
            format!(
                "{text}\n    {variant:10}  {rate:.1} GFLOP/s in products of 512 x 512 x 512, {share:.0} %"
            )
        })
    }

    fn as_json(&self) -> Value {
        let product = |(variant, rate): &(MatMulVariant, f64)| (variant.to_string(), json!(rate));
        json!({
            "flops_per_second": self.ceilings.flops,
            "copied_bytes_per_second": self.ceilings.bytes,
            "product_512_flops_per_second": self.products.iter().map(product).collect::<serde_json::Map<_, _>>(),
        })
    }
}

fn description(adapter: &AdapterSummary) -> String {
    let AdapterSummary { info, limits, features, .. } = adapter;
    let (what, kernels) = match &adapter.unusable {
        Some(reason) => ("unusable", reason.clone()),
        None => ("kernels", format!("matrix products: {}", adapter.variants.matmul)),
    };
    let invocations = limits.max_compute_invocations_per_workgroup;
    let memory = limits.max_compute_workgroup_storage_size >> 10;
    let rows = [
        ("type", format!("{:?}", info.device_type)),
        ("driver", format!("{} {}", info.driver, info.driver_info)),
        ("subgroups", subgroups(adapter)),
        ("buffers", format!("up to {} MiB", limits.max_storage_buffer_binding_size >> 20)),
        ("workgroups", format!("up to {invocations} invocations, {memory} KiB memory")),
        ("features", names(*features).join(", ")),
        (what, kernels),
    ];
    let title = format!("{}  {}:{}  {}", adapter.index, info.backend, adapter.backend_index, info.name);
    rows.iter().fold(title, |text, (name, value)| format!("{text}\n    {name:10}  {value}"))
}

fn subgroups(adapter: &AdapterSummary) -> String {
    let info = &adapter.info;
    if !adapter.features.contains(wgpu::Features::SUBGROUP) {
        return "none".to_owned();
    }
    format!("{} to {} lanes", info.subgroup_min_size, info.subgroup_max_size)
}

// Only those that concern computing: what an adapter can draw is of no use here.
fn names(features: wgpu::Features) -> Vec<String> {
    let compute = wgpu::Features::SUBGROUP
        | wgpu::Features::SHADER_F16
        | wgpu::Features::TIMESTAMP_QUERY
        | wgpu::Features::IMMEDIATES
        | wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX;
    (features & compute).iter_names().map(|(name, _)| name.to_lowercase()).collect()
}

fn as_json(adapter: &AdapterSummary) -> Value {
    let AdapterSummary { info, limits, .. } = adapter;
    json!({
        "index": adapter.index,
        "select": format!("{}:{}", info.backend, adapter.backend_index),
        "name": info.name,
        "backend": info.backend.to_string(),
        "type": format!("{:?}", info.device_type),
        "driver": info.driver,
        "driver_info": info.driver_info,
        "usable": adapter.unusable.is_none(),
        "unusable": adapter.unusable,
        "subgroup_min_size": info.subgroup_min_size,
        "subgroup_max_size": info.subgroup_max_size,
        "features": names(adapter.features),
        "limits": {
            "max_buffer_size": limits.max_buffer_size,
            "max_storage_buffer_binding_size": limits.max_storage_buffer_binding_size,
            "max_storage_buffers_per_shader_stage": limits.max_storage_buffers_per_shader_stage,
            "max_compute_invocations_per_workgroup": limits.max_compute_invocations_per_workgroup,
            "max_compute_workgroup_storage_size": limits.max_compute_workgroup_storage_size,
            "max_compute_workgroups_per_dimension": limits.max_compute_workgroups_per_dimension,
        },
        "variants": { "matmul": adapter.variants.matmul.to_string() },
    })
}
