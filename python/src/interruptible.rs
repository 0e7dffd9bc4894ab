//! Long calls, which an interrupt ends at once.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use narrows::Result;
use pyo3::prelude::*;

use crate::errors::{DeviceError, NarrowsError, raised};

/// How often Python is asked whether somebody wants to stop.
pub(crate) const ASK: Duration = Duration::from_millis(100);

// Work that nobody waits for any more.
static LEFT: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

// The process that first used a device.
static USER: OnceLock<u32> = OnceLock::new();

/// Refuses to go on in a copy of a process that used a device: its threads were not copied, and it would wait for them for ever.
pub(crate) fn check_process() -> PyResult<()> {
    if *USER.get_or_init(std::process::id) == std::process::id() {
        return Ok(());
    }
    Err(DeviceError::new_err(
        "this process was forked after a device was used, and has none of its threads: start processes before that, or \
         by multiprocessing.get_context(\"spawn\")",
    ))
}

/// Does `work` on a thread of its own. An interrupt is raised at once: what the work gives is then dropped when it is done.
pub(crate) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> PyResult<T> {
    check_process()?;
    let (give, mut taken) = channel();
    let thread = thread::spawn(move || drop(give.send(work())));
    loop {
        let waited;
        (taken, waited) = py.detach(move || {
            let waited = taken.recv_timeout(ASK);
            (taken, waited)
        });
        match waited {
            Ok(outcome) => return outcome.map_err(raised),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(NarrowsError::new_err("a fault of narrows: see standard error"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Err(stopped) = py.check_signals() {
            let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
            left.retain(|thread| !thread.is_finished());
            left.push(thread);
            return Err(stopped);
        }
    }
}

/// Waits for what interrupts left behind, as a process should not end while a driver works; no longer than to the next
/// interrupt.
#[pyfunction]
pub(crate) fn wait_for_all(py: Python<'_>) -> PyResult<()> {
    if check_process().is_err() {
        return Ok(());
    }
    let left = std::mem::take(&mut *LEFT.lock().unwrap_or_else(PoisonError::into_inner));
    while left.iter().any(|thread| !thread.is_finished()) {
        py.detach(|| thread::sleep(ASK));
        py.check_signals()?;
    }
    Ok(())
}
