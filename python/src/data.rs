//! Data in memory, in parts.

use narrows::data::{Column, Dataset, Parts, Split};
use pyo3::prelude::*;

use crate::arrays::dataset;
use crate::errors::raised;

/// Items to train on and to validate with.
#[pyclass(module = "narrows._narrows", frozen)]
pub(crate) struct Data {
    split: Split,
}

impl Data {
    pub(crate) const fn split(&self) -> &Split {
        &self.split
    }
}

#[pymethods]
impl Data {
    /// `train` and `validation` are arrays as `dataset` takes them. Without a validation part, `held_out` items are drawn for
    /// it as the command line draws them, by default a tenth. `labels` are numbers from 0, `classes` their names, `columns`
    /// the names of the numbers of a row.
    #[new]
    #[pyo3(signature = (train, validation = None, *, labels = None, validation_labels = None, classes = None, columns = None, held_out = None))]
    fn new(
        train: &Bound<'_, PyAny>,
        validation: Option<&Bound<'_, PyAny>>,
        labels: Option<Vec<u8>>,
        validation_labels: Option<Vec<u8>>,
        classes: Option<Vec<String>>,
        columns: Option<Vec<String>>,
        held_out: Option<usize>,
    ) -> PyResult<Self> {
        let names = columns.unwrap_or_default();
        let columns: Vec<Column> =
            names.into_iter().map(|name| Column { name, category: None, fill: None }).collect();
        let named = |mut set: Dataset| -> PyResult<Dataset> {
            set.columns.clone_from(&columns);
            match &classes {
                Some(classes) => set.with_classes(classes.iter().cloned()).map_err(raised),
                None => Ok(set),
            }
        };
        let train = named(dataset("X", train, labels)?)?;
        let mut parts = Parts::new(train);
        parts.test = Some(parts.train.first(0).map_err(raised)?);
        parts.validation = match validation {
            Some(array) => Some(named(dataset("the validation part", array, validation_labels)?)?),
            None => None,
        };
        Ok(Self { split: Split::of_parts(parts, held_out).map_err(raised)? })
    }
}
