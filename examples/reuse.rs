//! Takes one shader into a program of its own, which shares nothing with narrows but the shader's text.
//!
//! C = A·B with `narrows_shaders` and wgpu alone, at a size that no tile divides, compared with a plain loop.
//!
//!     cargo run --release --example reuse
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

use std::error::Error;

use narrows_shaders::{Shader, fold, matmul};
use wgpu::util::{BufferInitDescriptor, DeviceExt};

const ROWS: u32 = 70;
const COLUMNS: u32 = 51;
const DEPTH: u32 = 130;

fn main() -> Result<(), Box<dyn Error>> {
    let a = numbers(ROWS * DEPTH);
    let b = numbers(DEPTH * COLUMNS);
    let c = pollster::block_on(product(&a, &b))?;
    for (i, got) in c.iter().enumerate() {
        let (row, column) = (i / COLUMNS as usize, i % COLUMNS as usize);
        let term = |k: usize| a[row * DEPTH as usize + k] * b[k * COLUMNS as usize + column];
        let expected: f32 = (0..DEPTH as usize).map(term).sum();
        // Whole numbers this small are exact in f32, in whatever order they are added.
        if *got != expected {
            return Err(format!("C[{row}, {column}] is {got}, not {expected}").into());
        }
    }
    println!("C = A·B, {ROWS} x {DEPTH} x {COLUMNS}: all {} numbers are right", c.len());
    Ok(())
}

// Whole numbers in [-4, 4], then zeros up to a whole vec4, which is how the shader loads.
fn numbers(count: u32) -> Vec<f32> {
    let mut numbers: Vec<f32> = (0..count).map(|i| (i * i % 97 % 9) as f32 - 4.0).collect();
    numbers.resize(numbers.len().next_multiple_of(4), 0.0);
    numbers
}

/// A[ROWS, DEPTH] · B[DEPTH, COLUMNS], row-major.
async fn product(a: &[f32], b: &[f32]) -> Result<Vec<f32>, Box<dyn Error>> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await?;
    let (device, queue) = adapter.request_device(&wgpu::DeviceDescriptor::default()).await?;

    let filled = |contents: &[u8], usage| {
        device.create_buffer_init(&BufferInitDescriptor { label: None, contents, usage })
    };
    let empty = |usage| {
        let size = 4 * u64::from(ROWS * COLUMNS);
        device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
    };
    // Rows, columns, depth; how far apart the lines of A, B and C begin; and how much of the depth a part has, here all
    // of it. A uniform is a whole number of 16 bytes.
    let params = [ROWS, COLUMNS, DEPTH, DEPTH, COLUMNS, COLUMNS, DEPTH, 0];
    let params = filled(bytemuck::bytes_of(&params), wgpu::BufferUsages::UNIFORM);
    let a = filled(bytemuck::cast_slice(a), wgpu::BufferUsages::STORAGE);
    let b = filled(bytemuck::cast_slice(b), wgpu::BufferUsages::STORAGE);
    let c = empty(wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC);
    let result = empty(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);

    // ALIGNED_A and ALIGNED_B promise vec4 loads that never straddle a row; 51 columns cannot keep that promise.
    let constants = [("ALIGNED_A", 0.0), ("ALIGNED_B", 0.0)];
    let workgroups = matmul::tiles([64, 64], ROWS, COLUMNS);
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    dispatch(
        &device,
        &mut encoder,
        &matmul::TILE,
        "product",
        &constants,
        &[&params, &a, &b, &c],
        workgroups,
    )?;
    encoder.copy_buffer_to_buffer(&c, 0, &result, 0, c.size());
    queue.submit([encoder.finish()]);

    let (sender, receiver) = std::sync::mpsc::channel();
    result.map_async(wgpu::MapMode::Read, .., move |outcome| {
        sender.send(outcome).ok();
    });
    device.poll(wgpu::PollType::wait_indefinitely())?;
    receiver.recv()??;
    let mapped = result.get_mapped_range(..)?;
    Ok(bytemuck::cast_slice(&mapped).to_vec())
}

// Everything a shader of this crate asks for, whichever it is: `buffers` in the order of the entry's table.
fn dispatch(
    device: &wgpu::Device,
    encoder: &mut wgpu::CommandEncoder,
    shader: &Shader,
    entry: &str,
    constants: &[(&str, f64)],
    buffers: &[&wgpu::Buffer],
    workgroups: u32,
) -> Result<(), Box<dyn Error>> {
    let entry = shader.entry(entry).ok_or("the shader has no such entry point")?;
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(shader.name),
        source: wgpu::ShaderSource::Wgsl(shader.source.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(entry.name),
        layout: None,
        module: &module,
        entry_point: Some(entry.name),
        compilation_options: wgpu::PipelineCompilationOptions { constants, ..Default::default() },
        cache: None,
    });
    let bound = entry.bindings.iter().zip(buffers);
    let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(entry.name),
        layout: &pipeline.get_bind_group_layout(0),
        entries: &bound
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding: binding.slot,
                resource: buffer.as_entire_binding(),
            })
            .collect::<Vec<_>>(),
    });
    let [x, y, z] = fold(workgroups);
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
    pass.set_pipeline(&pipeline);
    pass.set_bind_group(0, &bind_group, &[]);
    pass.dispatch_workgroups(x, y, z);
    Ok(())
}
