//! What stands between a data set and a model: scaling, the mean image, and the way back.

use serde::{Deserialize, Serialize};

use super::packed_rows::PackedRows;
use crate::data::{Dataset, ScaleKind, Scaling, place_of};
use crate::graph::{Device, Placement, Plan, Replay, Rows};
use crate::model::Model;
use crate::{Error, Result};

/// How wide floats are in the device's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 16 bits: half the memory, and a relative error of up to 1/2048.
    F16,
}

/// The scaling of a model's numbers and the mean training image that it subtracts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transform {
    /// Fitted on the training part.
    pub scaling: Scaling,
    /// The mean training image `[pixels]`, scaled, where the model subtracts it.
    pub center: Option<Vec<f32>>,
    /// How wide floats are on the device; 32 bits where it is not given.
    pub precision: Option<Precision>,
    /// The names of the classes that the model is told of, by label: of the training part. Empty where it is not conditional.
    pub classes: Vec<String>,
}

impl Transform {
    /// Of a model that is trained on `train`.
    pub(super) fn fit(train: &Dataset, scaling: Scaling, center: bool, precision: Option<Precision>) -> Self {
        let center = center.then(|| mean_image(train, &scaling));
        Self { scaling, center, precision, classes: Vec::new() }
    }

    /// The class of each image of `data` for a conditional model: one of its own by the name, or by the number where the
    /// data's classes have no names.
    ///
    /// # Errors
    /// [`Error::Setting`] for data without labels, and for a class that the model does not know.
    pub fn labels(&self, data: &Dataset) -> Result<Vec<u32>> {
        let Some(labels) = &data.labels else { return Err(without_labels(data)) };
        let place = |label: u8| match data.classes.get(usize::from(label)) {
            Some(name) => self.classes.iter().position(|class| class.eq_ignore_ascii_case(name)),
            None => Some(usize::from(label)).filter(|label| *label < self.classes.len()),
        };
        let places: Vec<Option<usize>> = (0..=u8::MAX).map(place).collect();
        let known = |label: &u8| {
            places[usize::from(*label)].and_then(|place| u32::try_from(place).ok()).ok_or_else(|| {
                let expected = format!("the classes that the model knows, {}", self.classes.join(", "));
                Error::setting(format!("classes of {}", data.name), expected, data.class(*label))
            })
        };
        labels.iter().map(known).collect()
    }

    /// The label of a class of a conditional model, by its name or a word that only its name has.
    ///
    /// # Errors
    /// [`Error::Setting`] for `setting`, with the classes that there are.
    pub fn label_of(&self, setting: &str, class: &str) -> Result<u32> {
        let place = place_of(&self.classes, class).and_then(|place| u32::try_from(place).ok());
        place.ok_or_else(|| {
            let expected = match &self.classes[..] {
                [] => "nothing, for a model that is not told of classes".to_owned(),
                classes => format!("one of the classes {}", classes.join(", ")),
            };
            Error::setting(setting, expected, class)
        })
    }

    /// How the images of `data` lie in the device's memory: bytes as such where nothing is scaled, else floats.
    pub fn rows(&self, data: &Dataset) -> Rows {
        match self.precision {
            _ if data.values.are_bytes() && self.scaling.is_identity() => Rows::Bytes,
            Some(Precision::F16) => Rows::Halves,
            None | Some(Precision::F32) => Rows::Floats,
        }
    }

    /// `model` with plans that read the images of `data` as they lie on `device`.
    pub fn reading(&self, model: Model, device: &Device, data: &Dataset) -> Model {
        let rows = self.rows(data);
        model.with_rows(rows, Placement::on(device, data.len(), data.pixels(), rows))
    }

    /// A replay of what `plan` makes of `model` with the images of `data`: resident, or streaming where the device has no
    /// memory for them. And that model.
    ///
    /// # Errors
    /// Those of `plan`; as [`Replay::new`] and [`Self::feed`].
    pub async fn replay(
        &self,
        device: &Device,
        model: Model,
        data: &Dataset,
        plan: impl Fn(&Model) -> Result<Plan>,
    ) -> Result<(Model, Replay)> {
        let mut model = self.reading(model, device, data);
        let mut made = Replay::new(device, plan(&model)?).await;
        if let Err(Error::DeviceMemory { .. }) = &made {
            model = model.with_rows(self.rows(data), Placement::streaming(device));
            made = Replay::new(device, plan(&model)?).await;
        }
        let mut replay = made?;
        self.feed(&mut replay, data)?;
        Ok((model, replay))
    }

    /// Gives the plan of such a model its images, all at once or as they are needed, the mean image where it subtracts that,
    /// and labels where it is told of classes.
    pub fn feed(&self, replay: &mut Replay, data: &Dataset) -> Result<()> {
        let packed = PackedRows {
            values: data.values.clone(),
            pixels: data.pixels(),
            rows: self.rows(data),
            scaling: self.scaling.clone(),
        };
        let placement = replay.plan().images.map(|(images, _)| images.placement);
        match placement.unwrap_or_default() {
            Placement::Whole => packed.write(replay, "images", 0..data.len())?,
            Placement::Buffers { each } => {
                for (number, first) in (0..data.len()).step_by(each as usize).enumerate() {
                    let end = data.len().min(first + each as usize);
                    packed.write(replay, &format!("images.{number}"), first..end)?;
                }
            }
            Placement::Ring { .. } => replay.stream(Box::new(packed))?,
        }
        if !self.classes.is_empty() {
            replay.write("labels", &self.labels(data)?)?;
        }
        self.center.as_ref().map_or(Ok(()), |center| replay.write_floats("center", center))
    }

    /// Brings whole images that a model gave back to the data's own units.
    pub(crate) fn undo(&self, images: &mut [f32], pixels: usize) {
        for image in images.chunks_exact_mut(pixels.max(1)) {
            for (pixel, mean) in image.iter_mut().zip(self.center.iter().flatten()) {
                *pixel += mean;
            }
            self.scaling.unscale(image);
        }
    }

    /// Images in the data's units as pictures show them: the smallest number of the training part black, the largest white.
    /// Columns that have scales of their own are each grey at 0 of their scale, black and white 3 below and above it.
    pub fn shown(&self, mut images: Vec<f32>) -> Vec<f32> {
        let columns = self.scaling.shift.len();
        if columns > 1 {
            images.chunks_exact_mut(columns).for_each(|row| self.scaling.scale(row));
        }
        let [low, high] = match (columns, self.scaling.kind) {
            (1, _) => self.scaling.range,
            (_, ScaleKind::Unit) => [0.0, 1.0],
            _ => [-3.0, 3.0],
        };
        if [low, high] != [0.0, 1.0] && high > low {
            images.iter_mut().for_each(|x| *x = (*x - low) / (high - low));
        }
        images
    }
}

/// The refusal of data that say nothing of classes.
pub(super) fn without_labels(data: &Dataset) -> Error {
    let expected = "labels for a conditional model: a folder for each class, --label COLUMN of a table, or --labels of an \
                    array";
    Error::setting("condition", expected, format!("{}, which has none", data.name))
}

/// Calls `see` with each image as the model sees it, the mean image not subtracted.
pub(super) fn for_each_scaled(data: &Dataset, scaling: &Scaling, mut see: impl FnMut(&[f32])) {
    let mut row = Vec::with_capacity(data.pixels());
    data.values.for_each_row(data.pixels(), |numbers| {
        row.clear();
        row.extend_from_slice(numbers);
        scaling.scale(&mut row);
        see(&row);
    });
}

// The mean image, `[pixels]`. The sum of bytes is exact.
fn mean_image(data: &Dataset, scaling: &Scaling) -> Vec<f32> {
    let (mut sums, count) = (vec![0.0_f64; data.pixels()], data.len().max(1) as f64);
    if let Some(bytes) = data.values.bytes().filter(|_| scaling.is_identity()) {
        for row in 0..data.len() {
            sums.iter_mut()
                .zip(bytes.row(row, data.pixels()))
                .for_each(|(sum, byte)| *sum += f64::from(*byte));
        }
        let scale = 1.0 / (255.0 * count);
        return sums.into_iter().map(|sum| (sum * scale) as f32).collect();
    }
    for_each_scaled(data, scaling, |row| {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
    });
    sums.into_iter().map(|sum| (sum / count) as f32).collect()
}
