//! Replaying a plan on a device: buffers, pipelines and bindings are made once, and a submit records many steps.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::{Plan, Slice};
use crate::Result;
use crate::gpu::{Download, Gpu, Launch, Upload, read_words};
use crate::kernels;

// WebGPU's default alignment of a uniform binding's offset.
const PARAMS_ALIGNMENT: usize = 256;

/// A plan's buffers and prepared launches on a device.
#[derive(Debug)]
pub(super) struct GpuReplay {
    pub(super) gpu: Arc<Gpu>,
    buffers: Vec<wgpu::Buffer>,
    launches: Vec<Launch>,
    spare: Vec<Download>,
    uploads: Vec<Upload>,
    // The upload that the next submit begins with, and its copies: from a word of it to a slice.
    coming: Option<(usize, Vec<(usize, Slice)>)>,
}

/// Words on their way back from a submit.
#[derive(Debug)]
pub(super) struct GpuPending {
    download: Download,
    submission: wgpu::SubmissionIndex,
    words: usize,
}

impl GpuReplay {
    pub(super) async fn new(gpu: Arc<Gpu>, plan: &Plan) -> Result<Self> {
        let limits = gpu.device.limits();
        plan.check_room(limits.max_buffer_size, limits.max_storage_buffer_binding_size)?;
        let prepared = gpu.guarded("prepare the plan", || prepare(&gpu, plan)).await?;
        let (buffers, launches) = prepared?;
        gpu.check_alive("prepare the plan")?;
        Ok(Self { gpu, buffers, launches, spare: Vec::new(), uploads: Vec::new(), coming: None })
    }

    pub(super) fn write(&self, slice: Slice, words: &[u32]) {
        let bytes = bytemuck::cast_slice(words);
        self.gpu.queue.write_buffer(&self.buffers[slice.buffer.0], 4 * slice.offset as u64, bytes);
    }

    /// Has the device take what was written.
    pub(super) fn flush(&self) -> Result<()> {
        self.gpu.wait(self.gpu.queue.submit([]), "write to the device")
    }

    pub(super) async fn read(&self, slice: Slice) -> Result<Vec<u32>> {
        read_words(&self.gpu, &self.buffers[slice.buffer.0], slice.offset, slice.words).await
    }

    pub(super) fn copy_from(&self, to: Slice, other: &Self, from: Slice) {
        let mut encoder = self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(
            &other.buffers[from.buffer.0],
            4 * from.offset as u64,
            &self.buffers[to.buffer.0],
            4 * to.offset as u64,
            4 * from.words as u64,
        );
        self.gpu.queue.submit([encoder.finish()]);
    }

    /// Has `fill` write what the next submit begins with: words for these slices, one after another.
    pub(super) fn bring(
        &mut self,
        slices: &[Slice],
        fill: impl FnOnce(&mut [u32]) -> Result<()>,
    ) -> Result<()> {
        let words = slices.iter().map(|slice| slice.words).sum();
        let fits = |upload: &Upload| upload.is_ready() && upload.words_held() >= words;
        let at = self.uploads.iter().position(fits).unwrap_or_else(|| {
            self.uploads.retain(|upload| upload.words_held() >= words || !upload.is_ready());
            self.uploads.push(Upload::new(&self.gpu, words));
            self.uploads.len() - 1
        });
        self.uploads[at].fill(words, fill)?;
        let firsts = slices.iter().scan(0, |next, slice| {
            let first = *next;
            *next += slice.words;
            Some(first)
        });
        self.coming = Some((at, firsts.zip(slices.iter().copied()).collect()));
        Ok(())
    }

    /// Submits these dispatches at once and a copy of `report` behind them.
    pub(super) fn submit(&mut self, dispatches: impl Iterator<Item = usize>, report: Slice) -> GpuPending {
        // Reports of one replay may differ in length.
        let fitting = self.spare.iter().position(|download| download.words_held() >= report.words);
        let download = fitting.map(|at| self.spare.swap_remove(at));
        let download = download.unwrap_or_else(|| Download::new(&self.gpu, report.words));
        let mut encoder = self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let coming = self.coming.take();
        if let Some((at, copies)) = &coming {
            self.uploads[*at].release();
            for (first, slice) in copies {
                let target = &self.buffers[slice.buffer.0];
                self.uploads[*at].record(&mut encoder, *first, target, slice.offset, slice.words);
            }
        }
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            dispatches.for_each(|at| self.launches[at].record(&mut pass));
        }
        download.record(&mut encoder, &self.buffers[report.buffer.0], report.offset, report.words);
        let submission = self.gpu.queue.submit([encoder.finish()]);
        if let Some((at, _)) = coming {
            self.uploads[at].recall();
        }
        GpuPending { download, submission, words: report.words }
    }

    pub(super) async fn wait(&mut self, pending: GpuPending) -> Result<Vec<u32>> {
        let GpuPending { download, submission, words } = pending;
        let arrived = download.words(&self.gpu, submission, words).await?;
        self.spare.push(download);
        Ok(arrived)
    }
}

// The pipelines of the plan. In a browser they are made one by one, as dispatches are prepared.
#[cfg(not(target_arch = "wasm32"))]
fn create_pipelines(gpu: &Gpu, plan: &Plan) -> Result<()> {
    let mut wanted = Vec::new();
    for dispatch in &plan.dispatches {
        for call in kernels::calls(dispatch.kernel.as_ref(), &gpu.variants)? {
            wanted.push((call.shader, call.table()?, call.constants));
        }
    }
    gpu.create_pipelines(&wanted);
    Ok(())
}

fn prepare(gpu: &Gpu, plan: &Plan) -> Result<(Vec<wgpu::Buffer>, Vec<Launch>)> {
    let buffers: Vec<wgpu::Buffer> =
        plan.buffers.iter().map(|buffer| gpu.storage(&buffer.label, buffer.words)).collect();
    let (mut params, mut ranges) = (Vec::new(), Vec::new());
    for dispatch in &plan.dispatches {
        let first = params.len();
        params.extend(dispatch.kernel.params());
        params.resize(params.len().next_multiple_of(PARAMS_ALIGNMENT), 0);
        ranges.push(first..params.len());
    }
    params.resize(params.len().max(PARAMS_ALIGNMENT), 0);
    let uniform = gpu.uniform(params);
    #[cfg(not(target_arch = "wasm32"))]
    create_pipelines(gpu, plan)?;
    // As large as the largest at once, so that all launches share one.
    let scratch = plan.scratch_words(&gpu.variants);
    if scratch > 0 {
        gpu.scratch(scratch);
    }
    let binding = |slice: &Slice, words: usize| wgpu::BufferBinding {
        buffer: &buffers[slice.buffer.0],
        offset: 4 * slice.offset as u64,
        size: NonZeroU64::new(4 * words as u64),
    };
    let launches = plan.dispatches.iter().zip(ranges).map(|(dispatch, range)| {
        let params = wgpu::BufferBinding {
            buffer: &uniform,
            offset: range.start as u64,
            size: NonZeroU64::new(range.len() as u64),
        };
        let operands = dispatch.kernel.operands();
        let operands: Vec<_> =
            dispatch.operands.iter().zip(&operands).map(|(slice, o)| binding(slice, o.words)).collect();
        kernels::prepare(gpu, dispatch.kernel.as_ref(), params, &operands)
    });
    let launches = launches.collect::<Result<_>>()?;
    Ok((buffers, launches))
}
