//! narrows for Python: devices, data, training and trained models on NumPy arrays, thin over the library.
//!
//! What goes over the border is arrays, bytes and JSON; `narrows/*.py` makes of it what people use.

mod arrays;
mod data;
mod device;
mod errors;
mod interruptible;
mod settings;
mod trained;
mod trainer;

use pyo3::prelude::*;

#[pymodule]
mod _narrows {
    #[pymodule_export]
    use super::data::Data;
    #[pymodule_export]
    use super::device::{Device, devices};
    #[pymodule_export]
    use super::errors::{DeviceError, NarrowsError, NotFiniteError};
    #[pymodule_export]
    use super::interruptible::wait_for_all;
    #[pymodule_export]
    use super::settings::{described, preset_settings, presets};
    #[pymodule_export]
    use super::trained::Trained;
    #[pymodule_export]
    use super::trainer::Trainer;
}
