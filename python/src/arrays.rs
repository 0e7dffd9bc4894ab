//! NumPy's arrays: read where they lie, and given back without a copy.

use std::sync::Arc;

use narrows::data::{Dataset, Values};
use numpy::{Element, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::errors::raised;

// An array whose owner lives as long as this.
struct Lent<T> {
    _owner: Py<PyAny>,
    first: *const T,
    count: usize,
}

// SAFETY: the numbers are only read, and the owner is a reference that any thread may hold. Who writes to an array while it
// is trained on changes the numbers, as who changes a mapped file.
#[expect(unsafe_code, reason = "memory of another language")]
unsafe impl<T: Sync> Send for Lent<T> {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "memory of another language")]
unsafe impl<T: Sync> Sync for Lent<T> {}

impl<T> AsRef<[T]> for Lent<T> {
    #[expect(unsafe_code, reason = "memory of another language")]
    fn as_ref(&self) -> &[T] {
        // SAFETY: `first` and `count` are of a contiguous array, whose memory the owner keeps.
        unsafe { std::slice::from_raw_parts(self.first, self.count) }
    }
}

fn lent<T: Element + Sync + 'static>(
    array: &Bound<'_, PyArrayDyn<T>>,
) -> PyResult<Arc<dyn AsRef<[T]> + Send + Sync>> {
    let readable = array.readonly();
    let numbers = readable.as_slice().map_err(|_| PyValueError::new_err("expected an array in C order"))?;
    Ok(Arc::new(Lent {
        _owner: array.clone().into_any().unbind(),
        first: numbers.as_ptr(),
        count: numbers.len(),
    }))
}

/// A data set called `name` of an array of float32 or uint8 in C order: rows `[n, columns]`, images `[n, height, width]` or
/// `[n, height, width, channels]`, with labels `[n]`.
pub(crate) fn dataset(name: &str, array: &Bound<'_, PyAny>, labels: Option<Vec<u8>>) -> PyResult<Dataset> {
    let (shape, values): (Vec<usize>, Values) = if let Ok(floats) = array.cast::<PyArrayDyn<f32>>() {
        (floats.shape().to_vec(), Values::Floats(lent(floats)?.into()))
    } else if let Ok(bytes) = array.cast::<PyArrayDyn<u8>>() {
        (bytes.shape().to_vec(), Values::Bytes(lent(bytes)?.into()))
    } else {
        return Err(PyTypeError::new_err("expected an array of float32 or uint8"));
    };
    let form = match *shape.as_slice() {
        [_, width] => [1, width, 1],
        [_, height, width] => [height, width, 1],
        [_, height, width, channels @ 1..=4] => [height, width, channels],
        _ => {
            return Err(PyValueError::new_err(format!(
                "expected rows [n, columns] or images [n, height, width] or [n, height, width, 1 to 4 channels], got an \
                 array of shape {shape:?}"
            )));
        }
    };
    Dataset::new(name, form, values, labels).map_err(raised)
}
