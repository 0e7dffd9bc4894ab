//! Taking words to the device behind the work that is under way there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Gpu;
use crate::{Error, Result};

/// Memory from which words are copied to the device. Fill it, record the copy in the submit that needs it, and recall it
/// behind that submit; until it is ready again, take another.
#[derive(Debug)]
pub struct Upload {
    staging: wgpu::Buffer,
    words: Vec<u32>,
    is_ready: Arc<AtomicBool>,
}

impl Upload {
    /// Room for `words` words, to be used again and again.
    pub fn new(gpu: &Gpu, words: usize) -> Self {
        let staging = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("upload"),
            size: 4 * words as u64,
            usage: wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::MAP_WRITE,
            mapped_at_creation: true,
        });
        Self { staging, words: vec![0; words], is_ready: Arc::new(AtomicBool::new(true)) }
    }

    /// Whether the device has taken what was filled in last.
    pub fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    /// How many words it has room for.
    pub fn words_held(&self) -> usize {
        self.words.len()
    }

    /// Has `fill` write the first `count` words. It must be ready.
    ///
    /// # Errors
    /// Those of `fill`; [`Error::Device`] where the memory cannot be written.
    pub fn fill(&mut self, count: usize, fill: impl FnOnce(&mut [u32]) -> Result<()>) -> Result<()> {
        let words = &mut self.words[..count];
        fill(words)?;
        let refused = |error: wgpu::MapRangeError| Error::Device {
            operation: "write to the device".to_owned(),
            message: error.to_string(),
        };
        let mut view = self.staging.get_mapped_range_mut(0..4 * count as u64).map_err(refused)?;
        view.slice(..).copy_from_slice(bytemuck::cast_slice(words));
        Ok(())
    }

    /// Records the copy of `count` words from word `first` to word `offset` of `target`.
    pub fn record(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        first: usize,
        target: &wgpu::Buffer,
        offset: usize,
        count: usize,
    ) {
        let bytes = |words: usize| 4 * words as u64;
        encoder.copy_buffer_to_buffer(&self.staging, bytes(first), target, bytes(offset), bytes(count));
    }

    /// Ends the writing: the copies can be submitted.
    pub fn release(&self) {
        self.is_ready.store(false, Ordering::Release);
        self.staging.unmap();
    }

    /// Asks for the memory again, when the copies were submitted.
    pub fn recall(&self) {
        let is_ready = Arc::clone(&self.is_ready);
        let notify = move |mapped: Result<(), wgpu::BufferAsyncError>| {
            is_ready.store(mapped.is_ok(), Ordering::Release);
        };
        self.staging.map_async(wgpu::MapMode::Write, .., notify);
    }
}
