//! The library's errors as exceptions, with their messages.

use std::io::ErrorKind;

use narrows::Error;
use pyo3::create_exception;
use pyo3::exceptions::{
    PyFileNotFoundError, PyKeyboardInterrupt, PyMemoryError, PyOSError, PyPermissionError, PyRuntimeError,
    PyValueError,
};
use pyo3::prelude::*;

create_exception!(narrows, NarrowsError, PyRuntimeError, "What narrows could not do.");
create_exception!(
    narrows,
    DeviceError,
    NarrowsError,
    "There is no such device, or it refused, was lost, or has no memory left."
);
create_exception!(
    narrows,
    NotFiniteError,
    NarrowsError,
    "A loss or a parameter is infinite or not a number."
);

// What messages call by the command line's words, by those that it has here: `--learning-rate` is `learning_rate`.
fn in_python(message: &str) -> String {
    let mut message = message.to_owned();
    for (there, here) in [
        ("--device cpu", "device=\"cpu\""),
        ("(--batch)", "(batch_size)"),
        ("`narrows devices`", "narrows.devices()"),
        ("settings: model.", ""),
        ("settings: train.", ""),
        ("settings: data.", ""),
    ] {
        message = message.replace(there, here);
    }
    for (there, here) in [("batch:", "batch_size:"), ("preset:", "variant:"), ("seed:", "random_state:")] {
        if let Some(rest) = message.strip_prefix(there) {
            message = format!("{here}{rest}");
        }
    }
    let mut parts = message.split("--");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // Within a word, as a path, it is no flag.
        let begins =
            text.chars().last().is_none_or(|before| before.is_whitespace() || "(`\"".contains(before));
        let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(part.len());
        let (flag, rest) = part.split_at(end);
        text += &if begins && end > 0 { flag.replace('-', "_") } else { format!("--{flag}") };
        text += rest;
    }
    text
}

/// The exception that says what `error` says.
pub(crate) fn raised(error: Error) -> PyErr {
    let message = in_python(&error.to_string());
    match error {
        Error::Shape { .. } | Error::Setting { .. } | Error::File { .. } | Error::Bytes { .. } => {
            PyValueError::new_err(message)
        }
        Error::Io { source, .. } => match source.kind() {
            ErrorKind::NotFound => PyFileNotFoundError::new_err(message),
            ErrorKind::PermissionDenied => PyPermissionError::new_err(message),
            _ => PyOSError::new_err(message),
        },
        Error::NoDevice { .. }
        | Error::Device { .. }
        | Error::DeviceLost { .. }
        | Error::DeviceMemory { .. }
        | Error::TooLarge { .. } => DeviceError::new_err(message),
        Error::Memory { .. } => PyMemoryError::new_err(message),
        Error::NotFinite { .. } => NotFiniteError::new_err(message),
        Error::Stopped => PyKeyboardInterrupt::new_err(()),
        _ => NarrowsError::new_err(message),
    }
}
