//! What a plan takes of a device's memory, buffer by buffer.

use super::Plan;

// Beside the buffers: the uniform of each dispatch.
const PARAMS: u64 = 256;

impl Plan {
    /// Bytes that a device needs to replay it: its buffers, and the settings of its dispatches.
    pub fn device_memory(&self) -> u64 {
        self.memory() + PARAMS * self.dispatches.len().max(1) as u64
    }

    /// A table of its buffers, the largest first: megabytes, share, and whether one outlives a step. What does not is shared
    /// by results that are not needed at the same time.
    pub fn memory_table(&self) -> String {
        let mut buffers: Vec<_> = self.buffers.iter().collect();
        buffers.sort_by(|a, b| b.words.cmp(&a.words).then_with(|| a.label.cmp(&b.label)));
        let all = self.device_memory() as f64;
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
        table
            + &format!(
                "{:.3} MB in {} buffers and the settings of {} dispatches\n",
                all * 1e-6,
                self.buffers.len(),
                self.dispatches.len(),
            )
    }
}
