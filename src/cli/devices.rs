//! `narrows devices`: lists the devices.

use crate::Result;
use crate::gpu::{AdapterSummary, Gpu, GpuOptions, Kernels, MatMulVariant, Selector, adapters, choose};
use crate::kernels::Kernel;
use crate::kernels::ceiling::{Ceilings, fastest};
use crate::kernels::matmul::{Epilogue, Layout, MatMul};
use serde_json::{Map, Value, json};

use super::output::line;

/// List the devices
#[derive(clap::Args)]
#[command(after_help = "Example:\n  narrows devices --json\n\n\
    The variable WGPU_BACKEND (vulkan, metal, dx12, gl) limits the list. WGPU_ADAPTER_NAME and WGPU_POWER_PREF\n\
    (low, high) choose the device if --device is not given.")]
pub(super) struct Devices {
    /// Print JSON, with more limits
    #[arg(long)]
    json: bool,
    /// Measure the peak speed of each device, and how close the matrix-product kernels get (some seconds)
    #[arg(long)]
    measure: bool,
}

impl Devices {
    pub(super) async fn run(&self) -> Result<()> {
        let found: Vec<AdapterSummary> = adapters().await.into_iter().map(|(summary, _)| summary).collect();
        let mut all = Vec::new();
        for adapter in &found {
            let usable = self.measure && adapter.unusable.is_none();
            let rates = if usable { Some(Rates::measure(adapter.index).await?) } else { None };
            if !self.json {
                line(&description(adapter))?;
                rates.iter().try_for_each(|rates| line(&rates.description()))?;
                continue;
            }
            let mut object = as_json(adapter);
            if self.measure {
                object["measured"] = rates.map_or(Value::Null, |rates| rates.as_json());
            }
            all.push(object);
        }
        if self.json {
            return line(&format!("{:#}", Value::Array(all)));
        }
        if let Err(error) = choose(&Selector::Auto, &found, false) {
            line(&error.to_string())?;
        }
        line("cpu  the CPU reference in plain Rust, on all processors (--device cpu)")
    }
}

/// Measured speeds of a device.
struct Rates {
    ceilings: Ceilings,
    // FLOP/s of each variant.
    products: Vec<(MatMulVariant, f64)>,
}

// The size that other projects quote.
const PRODUCT: MatMul = MatMul {
    rows: 512,
    columns: 512,
    depth: 512,
    layout: Layout::Nn,
    epilogue: Epilogue::None,
    accumulate: false,
};

impl Rates {
    async fn measure(index: usize) -> Result<Self> {
        let open = async |kernels| {
            Gpu::open(&GpuOptions { selector: Selector::Index(index), kernels, ..GpuOptions::default() })
                .await
        };
        let gpu = open(Kernels::Rule).await?;
        let ceilings = Ceilings::measure(&gpu).await?;
        let mut products = Vec::new();
        for variant in gpu.matmul_variants() {
            let seconds = fastest(&open(Kernels::One(variant)).await?, &PRODUCT).await?;
            products.push((variant, PRODUCT.flops() as f64 / seconds));
        }
        Ok(Self { ceilings, products })
    }

    fn description(&self) -> String {
        let Ceilings { flops, bytes } = self.ceilings;
        let peak = format!("    measured    {:.1} GFLOP/s, copies {:.1} GB/s", flops * 1e-9, bytes * 1e-9);
        self.products.iter().fold(peak, |text, (variant, rate)| {
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
            "product_512_flops_per_second": self.products.iter().map(product).collect::<Map<_, _>>(),
        })
    }
}

fn description(adapter: &AdapterSummary) -> String {
    let AdapterSummary { info, limits, features, .. } = adapter;
    let (what, kernels) = match &adapter.unusable {
        Some(reason) => ("unusable", reason.clone()),
        None => ("kernels", format!("matrix products by {}", adapter.variants)),
    };
    let subgroups = match features.contains(wgpu::Features::SUBGROUP) {
        true => format!("{} to {} lanes", info.subgroup_min_size, info.subgroup_max_size),
        false => "none".to_owned(),
    };
    let invocations = limits.max_compute_invocations_per_workgroup;
    let memory = limits.max_compute_workgroup_storage_size >> 10;
    let rows = [
        ("type", format!("{:?}", info.device_type)),
        ("driver", format!("{} {}", info.driver, info.driver_info)),
        ("subgroups", subgroups),
        ("buffers", format!("up to {} MiB", limits.max_storage_buffer_binding_size >> 20)),
        ("workgroups", format!("up to {invocations} invocations, {memory} KiB memory")),
        ("features", names(*features).join(", ")),
        (what, kernels),
    ];
    let title = format!("{}  {}:{}  {}", adapter.index, info.backend, adapter.backend_index, info.name);
    rows.iter().fold(title, |text, (name, value)| format!("{text}\n    {name:10}  {value}"))
}

// Only the features for compute.
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
        "kernels": adapter.variants.to_string(),
    })
}
