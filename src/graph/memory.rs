//! What a plan takes of a device's memory, buffer by buffer.

use super::Plan;
use crate::gpu::Variants;
use crate::kernels;

// Beside the buffers: the uniform of each dispatch.
const PARAMS: u64 = 256;

impl Plan {
    /// Bytes that a device with these variants needs to replay it: its buffers, the settings of its dispatches, and
    /// [`scratch_memory`](Self::scratch_memory).
    pub fn device_memory(&self, variants: &Variants) -> u64 {
        self.memory() + PARAMS * self.dispatches.len().max(1) as u64 + self.scratch_memory(variants)
    }

    /// Bytes of what lies between the two dispatches of a product that these variants split. One buffer of the device,
    /// which all plans share, has it.
    pub fn scratch_memory(&self, variants: &Variants) -> u64 {
        4 * self.scratch_words(variants) as u64
    }

    pub(super) fn scratch_words(&self, variants: &Variants) -> usize {
        let of_each = self.dispatches.iter();
        of_each.map(|dispatch| kernels::scratch(dispatch.kernel.as_ref(), variants)).max().unwrap_or(0)
    }

    /// A table of its buffers, the largest first: megabytes, share, and whether one outlives a step. What does not is shared
    /// by results that are not needed at the same time.
    pub fn memory_table(&self, variants: &Variants) -> String {
        let mut buffers: Vec<_> = self.buffers.iter().collect();
        buffers.sort_by(|a, b| b.words.cmp(&a.words).then_with(|| a.label.cmp(&b.label)));
        let all = self.device_memory(variants) as f64;
        let head = format!("{:>10} {:>6}  {:6}  {}\n", "MB", "%", "", "buffer");
        let table = buffers.into_iter().fold(head, |text, buffer| {
            let bytes = 4.0 * buffer.words as f64;
            let kept = if buffer.persistent { "kept" } else { "shared" };
            text + &format!(
                "{:>10.3} {:>6.1}  {kept:6}  {}\n",
                bytes * 1e-6,
                100.0 * bytes / all,
                buffer.label
            )
        });
        let scratch = match self.scratch_memory(variants) {
            0 => String::new(),
            bytes => {
                format!(", {:.3} MB of it between the dispatches of split products", bytes as f64 * 1e-6)
            }
        };
        table
            + &format!(
                "{:.3} MB in {} buffers and the settings of {} dispatches{scratch}\n",
                all * 1e-6,
                self.buffers.len(),
                self.dispatches.len(),
            )
    }
}
