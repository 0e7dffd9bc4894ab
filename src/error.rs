//! The one error type of the library: the operation, what it expected, what it got, what to do.

use std::path::PathBuf;

/// Everything that can go wrong in narrows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No adapter exists, or none matches what was asked for.
    #[error("no device matches {wanted}; available: {available}. {advice}")]
    NoDevice {
        /// The request, in the user's words.
        wanted: String,
        /// The adapters there are, one phrase.
        available: String,
        /// What to do.
        advice: &'static str,
    },
    /// The driver refused to create or run something.
    #[error("{operation}: the device refused: {message}")]
    Device {
        /// What was being done.
        operation: String,
        /// The driver's words.
        message: String,
    },
    /// The device was lost while work was under way.
    #[error("{operation}: the device was lost: {message}")]
    DeviceLost {
        /// What was being done.
        operation: String,
        /// The driver's words.
        message: String,
    },
    /// The device cannot hold what was asked for.
    #[error("{operation}: needs {needed} bytes in one buffer, the device allows {allowed}. {advice}")]
    TooLarge {
        /// What was being done.
        operation: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes allowed.
        allowed: u64,
        /// What to do.
        advice: &'static str,
    },
    /// The device has no memory left.
    #[error(
        "{operation}: the device has no memory left: {message}. What helps: less of it for the data (--memory 64MiB), a \
         smaller batch, a smaller model"
    )]
    DeviceMemory {
        /// What was being done.
        operation: String,
        /// The driver's words.
        message: String,
    },
    /// The system does not give the memory that was asked for.
    #[error("{operation}: needs {needed} bytes of memory, which the system does not give. {advice}")]
    Memory {
        /// What was being done.
        operation: String,
        /// Bytes needed.
        needed: u64,
        /// What to do.
        advice: &'static str,
    },
    /// Shapes that do not fit each other.
    #[error("{operation}: expected {expected}, got {got}")]
    Shape {
        /// The operation, with the name of the operand.
        operation: String,
        /// The shape or length expected.
        expected: String,
        /// The shape or length found.
        got: String,
    },
    /// A setting outside what it may be.
    #[error("{setting}: expected {expected}, got {got}")]
    Setting {
        /// The setting's name, as the user writes it.
        setting: String,
        /// What it may be.
        expected: String,
        /// What it was.
        got: String,
    },
    /// Training left the finite numbers.
    #[error("{what} is {value} at step {step}. {advice}{kept}")]
    NotFinite {
        /// The loss, or a slot by its name.
        what: String,
        /// The step that gave it, counted from 1.
        step: u64,
        /// An infinity or NaN.
        value: f32,
        /// What to do.
        advice: String,
        /// What is kept and where, as `. The state after epoch 3 is kept in DIR`, or nothing.
        kept: String,
    },
    /// A device whose results differ from the CPU reference.
    #[error("{operation}: expected {device} to agree with the CPU reference, but {difference}")]
    Differs {
        /// What was being compared.
        operation: String,
        /// The device.
        device: String,
        /// The first dispatch that differs, and by how much.
        difference: String,
    },
    /// A file with invalid content.
    #[error("{}: expected {expected}, found {found}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it must hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// Bytes with invalid content.
    #[error("{what}: expected {expected}, found {found}")]
    Bytes {
        /// What they are read as.
        what: &'static str,
        /// What they must hold.
        expected: String,
        /// What they hold.
        found: String,
    },
    /// A file that cannot be read or written.
    #[error("{}: cannot {operation}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// `read`, `write`, `create`, ...
        operation: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Ctrl-C, or the caller's stop flag.
    #[error("stopped on request")]
    Stopped,
}

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A [`Error::Shape`] from anything printable.
    pub fn shape(
        operation: impl Into<String>,
        expected: impl std::fmt::Display,
        got: impl std::fmt::Display,
    ) -> Self {
        Self::Shape { operation: operation.into(), expected: expected.to_string(), got: got.to_string() }
    }

    /// A [`Error::Setting`] from anything printable.
    pub fn setting(
        setting: impl Into<String>,
        expected: impl std::fmt::Display,
        got: impl std::fmt::Display,
    ) -> Self {
        Self::Setting { setting: setting.into(), expected: expected.to_string(), got: got.to_string() }
    }

    /// The same error with `origin` before the setting: the file or command line where it was found.
    pub fn at(self, origin: &str) -> Self {
        match self {
            Self::Setting { setting, expected, got } => {
                Self::Setting { setting: format!("{origin}: {setting}"), expected, got }
            }
            other => other,
        }
    }

    /// Wraps an I/O error with the path it concerns.
    pub fn io(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, operation, source }
    }
}
