//! Data in memory: pictures, arrays, tables.

use std::rc::Rc;

use narrows::data::{Dataset, LoadReport, Parts, Split, TableForm, idx, npy, table};
use serde_json::json;
use wasm_bindgen::prelude::*;

use crate::wire::{Answer, object, thrown};

/// Items to train on, with a validation and a test part. A clone is cheap.
#[wasm_bindgen]
#[derive(Clone)]
pub struct Images {
    split: Rc<Split>,
}

impl Images {
    pub(crate) fn split(&self) -> &Split {
        &self.split
    }

    // Parts that it does not come with are drawn, as the command line draws them.
    fn of(train: Dataset, test: Option<Dataset>, shuffled: bool, report: LoadReport) -> Answer<Self> {
        let mut parts = Parts::new(train);
        (parts.test, parts.shuffled, parts.report) = (test, shuffled, report);
        Ok(Self { split: Rc::new(Split::of_parts(parts, None).map_err(thrown)?) })
    }

    fn part(&self, part: &str) -> Answer<&Dataset> {
        match part {
            "train" => Ok(&self.split.train),
            "validation" => Ok(&self.split.validation),
            "test" => Ok(&self.split.test),
            _ => Err(thrown(narrows::Error::setting("part", "train, validation or test", part))),
        }
    }
}

#[wasm_bindgen]
impl Images {
    /// Pictures of bytes `[count, height, width, channels]`, each byte meaning byte / 255.
    pub fn pictures(pixels: Vec<u8>, height: usize, width: usize, channels: usize) -> Answer<Images> {
        Self::of(
            Dataset::new("pictures", [height, width, channels], pixels, None).map_err(thrown)?,
            None,
            false,
            LoadReport::default(),
        )
    }

    /// Images with labels in IDX files, as Fashion-MNIST comes, with a test part or without. Files may not be compressed.
    pub fn idx(
        images: &[u8],
        labels: Option<Vec<u8>>,
        test_images: Option<Vec<u8>>,
        test_labels: Option<Vec<u8>>,
    ) -> Answer<Images> {
        let read = |images: &[u8], labels: Option<Vec<u8>>| idx::from_bytes("idx", images, labels.as_deref());
        let train = read(images, labels).map_err(thrown)?;
        let test = test_images.map(|images| read(&images, test_labels)).transpose().map_err(thrown)?;
        Self::of(train, test, true, LoadReport::default())
    }

    /// An array of a `.npy` file, of bytes or floats.
    pub fn npy(bytes: &[u8]) -> Answer<Images> {
        Self::of(npy::from_bytes("npy", bytes, None).map_err(thrown)?, None, false, LoadReport::default())
    }

    /// The rows of a table: text of `.csv` or `.tsv`, with the column of labels, if one is wanted.
    pub fn table(bytes: &[u8], label: Option<String>) -> Answer<Images> {
        let form = TableForm { label, ..TableForm::default() };
        let (rows, report) = table::from_bytes("table.csv", bytes, &form, &[]).map_err(thrown)?;
        Self::of(rows, None, false, report)
    }

    /// How many items each part has, and what each item is.
    #[wasm_bindgen(getter, unchecked_return_type = "ImagesInfo")]
    pub fn info(&self) -> Answer {
        let Split { train, validation, test, report, .. } = &*self.split;
        let [height, width, channels] = train.shape();
        let columns: Vec<String> = train.columns.iter().map(ToString::to_string).collect();
        object(&json!({
            "train": train.len(), "validation": validation.len(), "test": test.len(),
            "height": height, "width": width, "channels": channels, "bytes": train.values.are_bytes(),
            "columns": columns, "remarks": report.remarks,
        }))
    }

    /// The numbers of `count` items of a part from `first` on, in the data's units: of bytes in [0, 1].
    pub fn values(&self, part: &str, first: usize, count: usize) -> Answer<Vec<f32>> {
        Ok(self.range(part, first, count)?.floats())
    }

    /// The label of each item of a part; none where there are no labels.
    pub fn labels(&self, part: &str) -> Answer<Option<Vec<u8>>> {
        Ok(self.part(part)?.labels.clone())
    }
}

impl Images {
    /// `count` items of a part from `first` on, as far as there are such.
    pub(crate) fn range(&self, part: &str, first: usize, count: usize) -> Answer<Dataset> {
        let set = self.part(part)?;
        let first = first.min(set.len());
        set.slice(first..first.saturating_add(count).min(set.len())).map_err(thrown)
    }
}
