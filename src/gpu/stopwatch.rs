//! How long launches take.

use web_time::{Duration, Instant};

use super::{Download, Gpu, Launch};
use crate::Result;

// Dispatches per submit: enough to hide what a submit costs, few enough for any driver's watchdog.
const PER_SUBMIT: usize = 64;

/// The time from submitting `launches`, `rounds` times in a row, to the end of the last.
///
/// The first use of a pipeline includes its compilation: run it once before.
///
/// # Errors
/// [`Error::DeviceLost`](crate::Error::DeviceLost), or [`Error::Device`](crate::Error::Device).
pub async fn time(gpu: &Gpu, launches: &[Launch], rounds: usize) -> Result<Duration> {
    let mark = gpu.storage("mark", 1);
    let download = Download::new(gpu, 1);
    let all: Vec<&Launch> = (0..rounds).flat_map(|_| launches).collect();
    let began = Instant::now();
    for some in all.chunks(PER_SUBMIT.max(launches.len())) {
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for launch in some {
                launch.record(&mut pass);
            }
        }
        gpu.queue.submit([encoder.finish()]);
    }
    let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    download.record(&mut encoder, &mark, 0, 1);
    let submission = gpu.queue.submit([encoder.finish()]);
    download.words(gpu, submission, 1).await?;
    Ok(began.elapsed())
}
