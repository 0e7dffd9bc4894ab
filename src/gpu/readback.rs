//! Bringing words back from the device, waiting only where the platform can.

use futures_channel::oneshot;

use super::Gpu;
use crate::{Error, Result};

/// A copy on its way back to the host. Start it in the same submit as the work, await it later.
#[derive(Debug)]
pub struct Download {
    staging: wgpu::Buffer,
}

impl Download {
    /// A staging buffer for up to `words` words, to be used again and again.
    pub fn new(gpu: &Gpu, words: usize) -> Self {
        let staging = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("download"),
            size: 4 * words as u64,
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        Self { staging }
    }

    /// How many words it has room for.
    pub fn words_held(&self) -> usize {
        (self.staging.size() / 4) as usize
    }

    /// Records the copy of `words` words of `source` from word `offset`.
    pub fn record(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: &wgpu::Buffer,
        offset: usize,
        words: usize,
    ) {
        encoder.copy_buffer_to_buffer(source, 4 * offset as u64, &self.staging, 0, 4 * words as u64);
    }

    /// Waits for the copy that `submission` carries and returns its first `words` words.
    ///
    /// Natively this polls the device until that submission is done, later ones may still run; on the web
    /// it awaits the browser's callback.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], or [`Error::Device`] where the buffer cannot be mapped.
    pub async fn words(
        &self,
        gpu: &Gpu,
        submission: wgpu::SubmissionIndex,
        words: usize,
    ) -> Result<Vec<u32>> {
        let operation = "read back from the device";
        let refused = |message: String| Error::Device { operation: operation.to_owned(), message };
        let (sender, arrival) = oneshot::channel();
        // Who no longer waits for a copy needs no notice of it.
        let notify = move |outcome| drop(sender.send(outcome));
        self.staging.map_async(wgpu::MapMode::Read, 0..4 * words as u64, notify);
        gpu.wait(submission, operation)?;
        let outcome = arrival.await.map_err(|error| refused(error.to_string()))?;
        if let Err(error) = outcome {
            return Err(gpu.cause_of(refused(error.to_string()), operation).await);
        }
        let view = self.staging.get_mapped_range(0..4 * words as u64);
        let copied = bytemuck::pod_collect_to_vec(&view.map_err(|error| refused(error.to_string()))?);
        self.staging.unmap();
        Ok(copied)
    }
}

/// Reads `words` words of `buffer` from word `offset`, waiting for all work submitted so far.
///
/// # Errors
/// As [`Download::words`].
pub async fn read_words(gpu: &Gpu, buffer: &wgpu::Buffer, offset: usize, words: usize) -> Result<Vec<u32>> {
    let download = Download::new(gpu, words);
    let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    download.record(&mut encoder, buffer, offset, words);
    let submission = gpu.queue.submit([encoder.finish()]);
    download.words(gpu, submission, words).await
}
