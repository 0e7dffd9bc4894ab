//! Ctrl-C, and the other signals that ask a program to end: the first stops work at a point where it can resume, the
//! second stops it at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::*;
use signal_hook::flag;

use crate::{Error, Result};

// The number of the signal that came, or 0.
static CAME: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// Whether a signal asked the program to end.
#[derive(Clone)]
pub(super) struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// Starts to listen; once per process. A signal that the program was started to ignore, as `nohup` has it, stays
    /// ignored.
    pub(super) fn listen() -> Result<Self> {
        let came = Arc::clone(CAME.get_or_init(Arc::default));
        let again = Arc::new(AtomicBool::new(false));
        let ignored = ignored();
        for signal in ASKING.into_iter().filter(|signal| !ignored(*signal)) {
            // In this order, so that only a second one ends the program. Files are replaced as a whole, so none is
            // left half written.
            let ends =
                flag::register_conditional_shutdown(signal, exit_code(signal as usize), Arc::clone(&again));
            ends.and_then(|_| flag::register(signal, Arc::clone(&again)))
                .and_then(|_| flag::register_usize(signal, Arc::clone(&came), signal as usize))
                .map_err(|error| Error::setting("listening for Ctrl-C", "a handler of signals", error))?;
        }
        Ok(Self(came))
    }

    pub(super) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }
}

/// The exit code of a program that stopped on request: as that of one that the signal ended.
pub(super) fn stopped() -> u8 {
    exit_code(CAME.get().map_or(0, |came| came.load(Ordering::Relaxed))) as u8
}

fn exit_code(signal: usize) -> i32 {
    128 + if signal == 0 { SIGINT } else { signal as i32 }
}

#[cfg(unix)]
const ASKING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];
#[cfg(not(unix))]
const ASKING: [i32; 2] = [SIGINT, SIGTERM];

// Which signals this process ignores. Where the system does not say, SIGHUP is left as it is found: what `nohup` started
// goes on, and a run whose terminal is closed ends as one that is killed.
fn ignored() -> impl Fn(i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    move |signal| match mask {
        Some(mask) => mask >> (signal - 1) & 1 == 1,
        None => cfg!(unix) && signal == ASKING[ASKING.len() - 1],
    }
}
