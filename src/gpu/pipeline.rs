//! A compute pipeline from a shader's table, and a prepared launch of it.

#[cfg(not(target_arch = "wasm32"))]
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use narrows_shaders::{Access, Entry, Shader, fold};

#[cfg(not(target_arch = "wasm32"))]
use rayon::prelude::*;

use super::Gpu;

/// What tells two pipelines apart: the shader's text, since anyone may give theirs any name, the entry point with what
/// it binds, and constants, bit for bit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct PipelineKey {
    source: &'static str,
    entry: &'static Entry,
    constants: Vec<(&'static str, u64)>,
}

impl PipelineKey {
    fn new(shader: &Shader, entry: &'static Entry, constants: &[(&'static str, f64)]) -> Self {
        let constants = constants.iter().map(|(name, value)| (*name, value.to_bits())).collect();
        Self { source: shader.source, entry, constants }
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn of((shader, entry, constants): &Wanted) -> Self {
        Self::new(shader, entry, constants)
    }
}

/// A compiled entry point and the layout of its bindings.
#[derive(Debug)]
pub struct Pipeline {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
    entry: &'static Entry,
}

impl Pipeline {
    fn create(
        device: &wgpu::Device,
        shader: &Shader,
        module: &wgpu::ShaderModule,
        entry: &'static Entry,
        constants: &[(&'static str, f64)],
    ) -> Self {
        let label = format!("{}::{}", shader.name, entry.name);
        let slots: Vec<_> =
            entry.bindings.iter().map(|binding| layout_entry(binding.slot, binding.access)).collect();
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(&label),
            entries: &slots,
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(&label),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: Some(&pipeline_layout),
            module,
            entry_point: Some(entry.name),
            // Every shader writes its workgroup memory before it reads it.
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        Self { pipeline, layout, entry }
    }
}

/// An entry point with its constants.
pub(crate) type Wanted = (&'static Shader, &'static Entry, Vec<(&'static str, f64)>);

/// The pipelines of a device, and the modules that they are made of: each is made once.
#[derive(Debug, Default)]
pub(super) struct Pipelines {
    pipelines: Mutex<HashMap<PipelineKey, Arc<Pipeline>>>,
    modules: Mutex<HashMap<&'static str, wgpu::ShaderModule>>,
}

// What is made is as good after a panic as before.
fn open<T>(known: &Mutex<T>) -> MutexGuard<'_, T> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pipelines {
    /// The pipeline, made on first use. Not under the lock, so that several can be made at a time.
    pub(super) fn get(
        &self,
        device: &wgpu::Device,
        shader: &'static Shader,
        entry: &'static Entry,
        constants: &[(&'static str, f64)],
    ) -> Arc<Pipeline> {
        let key = PipelineKey::new(shader, entry, constants);
        if let Some(pipeline) = open(&self.pipelines).get(&key) {
            return Arc::clone(pipeline);
        }
        let module = self.module(device, shader);
        let pipeline = Arc::new(Pipeline::create(device, shader, &module, entry, constants));
        Arc::clone(open(&self.pipelines).entry(key).or_insert(pipeline))
    }

    // Parsed and checked once for all its entry points and constants.
    fn module(&self, device: &wgpu::Device, shader: &'static Shader) -> wgpu::ShaderModule {
        if let Some(module) = open(&self.modules).get(shader.source) {
            return module.clone();
        }
        // Natively naga reads it, in a browser what the standard describes.
        #[cfg(not(target_arch = "wasm32"))]
        let source = shader.source.into();
        #[cfg(target_arch = "wasm32")]
        let source = shader.standard_source();
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(shader.name),
            source: wgpu::ShaderSource::Wgsl(source),
        });
        open(&self.modules).entry(shader.source).or_insert(module).clone()
    }

    /// Makes those that are not there yet, on all processors: first the modules, as many share one.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn create(&self, device: &wgpu::Device, wanted: &[Wanted]) {
        let by_source = |(shader, ..): &Wanted| (shader.source, *shader);
        let shaders: BTreeMap<&str, &'static Shader> = wanted.iter().map(by_source).collect();
        shaders.into_par_iter().for_each(|(_, shader)| drop(self.module(device, shader)));
        let by_key = |wanted| (PipelineKey::of(wanted), wanted);
        let different: HashMap<PipelineKey, &Wanted> = wanted.iter().map(by_key).collect();
        different.into_par_iter().for_each(|(_, (shader, entry, constants))| {
            self.get(device, shader, entry, constants);
        });
    }

    /// Forgets all of them.
    pub(super) fn clear(&self) {
        open(&self.pipelines).clear();
        open(&self.modules).clear();
    }
}

fn layout_entry(slot: u32, access: Access) -> wgpu::BindGroupLayoutEntry {
    let ty = match access {
        Access::Uniform => wgpu::BufferBindingType::Uniform,
        Access::Read => wgpu::BufferBindingType::Storage { read_only: true },
        Access::ReadWrite => wgpu::BufferBindingType::Storage { read_only: false },
    };
    wgpu::BindGroupLayoutEntry {
        binding: slot,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    }
}

/// A dispatch with its bindings, or several in a row: recorded any number of times at no further cost.
#[derive(Debug)]
pub struct Launch {
    dispatches: Vec<Bound>,
}

// A pipeline with its bindings and grid.
#[derive(Debug)]
struct Bound {
    pipeline: Arc<Pipeline>,
    bind_group: wgpu::BindGroup,
    grid: [u32; 3],
}

impl Launch {
    /// Binds `buffers`, in the order of the entry's table, and folds `workgroups` into a grid.
    pub fn new(
        gpu: &Gpu,
        pipeline: Arc<Pipeline>,
        buffers: &[wgpu::BufferBinding<'_>],
        workgroups: u32,
    ) -> Self {
        let entries: Vec<_> = pipeline
            .entry
            .bindings
            .iter()
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding: binding.slot,
                resource: wgpu::BindingResource::Buffer(buffer.clone()),
            })
            .collect();
        let bind_group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(pipeline.entry.name),
            layout: &pipeline.layout,
            entries: &entries,
        });
        Self { dispatches: vec![Bound { pipeline, bind_group, grid: fold(workgroups) }] }
    }

    /// This one, and another behind it.
    pub(crate) fn then(mut self, next: Self) -> Self {
        self.dispatches.extend(next.dispatches);
        self
    }

    /// Records it into the caller's pass.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        for Bound { pipeline, bind_group, grid: [x, y, z] } in &self.dispatches {
            pass.set_pipeline(&pipeline.pipeline);
            pass.set_bind_group(0, bind_group, &[]);
            pass.dispatch_workgroups(*x, *y, *z);
        }
    }
}
