//! The built-in sample: the first 8,000 training and 1,000 test images of Fashion-MNIST (`sample/README.md`).

use super::origin::Origin;
use super::{Dataset, idx};
use crate::Result;

/// A file of the sample, with its name for errors.
macro_rules! embedded {
    ($name:literal) => {
        (include_bytes!(concat!("sample/", $name)).as_slice(), Origin::Bytes(concat!("built-in ", $name)))
    };
}

/// The training part `[8000, 28, 28, 1]` and the test part `[1000, 28, 28, 1]`, with labels.
pub(super) fn read(name: &str) -> Result<(Dataset, Dataset)> {
    let train_labels = embedded!("train-labels-idx1-ubyte.gz");
    let test_labels = embedded!("t10k-labels-idx1-ubyte.gz");
    Ok((
        idx::decode(name, embedded!("train-images-idx3-ubyte.gz"), Some(train_labels))?,
        idx::decode(name, embedded!("t10k-images-idx3-ubyte.gz"), Some(test_labels))?,
    ))
}
