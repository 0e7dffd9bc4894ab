//! A model in training.

use std::path::Path;
use std::time::Instant;

use narrows::Error;
use narrows::model::Registry;
use narrows::run::{Beginning, MetricsLine, Parent};
use narrows::train::{Config, Progress, Reached, Trainer as Training};
use pollster::block_on;
use pyo3::prelude::*;

use crate::data::Data;
use crate::device::Device;
use crate::errors::raised;
use crate::interruptible::{ASK, check_process, interruptible};
use crate::settings;
use crate::trained::Trained;

/// A model in training.
#[pyclass(module = "narrows._narrows")]
pub(crate) struct Trainer {
    training: Training,
    notes: Vec<String>,
}

#[pymethods]
impl Trainer {
    /// Begins to train a preset with these settings, JSON of sections. What is not given is suited to the data, as by the
    /// command line; `notes` says what was. The parameters are first those of `parent`, or of the run or file that `init`
    /// names, where there is one: `origin` says how much of them.
    #[staticmethod]
    #[pyo3(signature = (device, preset, settings, data, parent = None))]
    fn begin(
        py: Python<'_>,
        device: &Device,
        preset: &str,
        settings: &str,
        data: &Data,
        parent: Option<&Trained>,
    ) -> PyResult<Self> {
        let mut settings: toml::Table = serde_json::from_str(settings)
            .map_err(|error| raised(Error::setting("settings", "sections with settings", error)))?;
        let (device, preset) = (device.inner().clone(), preset.to_owned());
        let (split, parent) = (data.split().clone(), parent.map(Trained::shared));
        interruptible(py, move || {
            let model = settings.get_mut("model").and_then(toml::Value::as_table_mut);
            let place = model.map(Parent::named_in).transpose()?.flatten();
            let find = |place: &String| Parent::find(&Registry::built_in(), Path::new(place), None);
            let found = place.as_ref().map(find).transpose()?;
            let (config, mut notes) = Config::preset_suited_to(&preset, settings, &split.train)?;
            let mut training = block_on(Training::new(&device, &config, &split))?;
            let beginning = match (&found, &parent) {
                (Some((parent, remark)), _) => {
                    notes.extend(remark.clone());
                    parent.beginning(place.as_deref().unwrap_or_default())
                }
                (None, Some(parent)) => Beginning::Parameters(parent, "the given model"),
                (None, None) => Beginning::Seed,
            };
            block_on(beginning.begin(&mut training))?;
            Ok(Self { training, notes })
        })
    }

    /// Goes on with what was learned, on other data of the same form, for so many epochs: steps and rates begin anew, at
    /// `learning_rate` where it is given.
    #[staticmethod]
    #[pyo3(signature = (trained, data, epochs, seed, learning_rate = None))]
    fn on_other_data(
        py: Python<'_>,
        trained: &Trained,
        data: &Data,
        epochs: u32,
        seed: u64,
        learning_rate: Option<f32>,
    ) -> PyResult<Self> {
        let (device, checkpoint) = (trained.device().clone(), trained.shared());
        let split = data.split().clone();
        interruptible(py, move || {
            let mut config = checkpoint.config.clone();
            let rows = u32::try_from(split.train.len()).unwrap_or(u32::MAX);
            let train = &mut config.train;
            (train.epochs, train.seed, train.batch) = (epochs, seed, train.batch.min(rows));
            train.learning_rate = learning_rate.unwrap_or(train.learning_rate);
            let begun = Training::on_other_data(&device, &config, &checkpoint, &split);
            Ok(Self { training: block_on(begun)?, notes: Vec::new() })
        })
    }

    /// Trains to the end of the epoch and validates: its line of metrics, as JSON. None where all epochs are trained.
    fn epoch(&mut self, py: Python<'_>) -> PyResult<Option<String>> {
        check_process()?;
        if self.training.is_done() {
            return Ok(None);
        }
        let training = &mut self.training;
        let (reached, stopped) = py.detach(|| {
            let (mut asked, mut stopped) = (Instant::now(), None);
            let mut watch = |_: &Progress| {
                if asked.elapsed() > ASK {
                    asked = Instant::now();
                    stopped = Python::attach(|py| py.check_signals()).err();
                }
                stopped.is_none()
            };
            let reached = loop {
                match block_on(training.train_on(&mut watch)) {
                    Ok(Reached::Epoch(report)) => break MetricsLine::from(&report).to_json(),
                    Ok(_) => {}
                    Err(error) => break Err(error),
                }
            };
            (reached, stopped)
        });
        match (reached, stopped) {
            (Err(Error::Stopped), Some(stopped)) => Err(stopped),
            (reached, _) => reached.map(Some).map_err(raised),
        }
    }

    /// All settings, as JSON.
    #[getter]
    fn settings(&self) -> String {
        settings::of(self.training.config())
    }

    /// A sentence for each setting that was suited to the data.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// What it began with that was another's, a sentence each: the first how much, others what differs.
    #[getter]
    fn origin(&self) -> Vec<String> {
        self.training.origin().to_vec()
    }

    /// The model as it is now.
    fn trained(&self, py: Python<'_>) -> PyResult<Trained> {
        let checkpoint = py.detach(|| block_on(self.training.checkpoint())).map_err(raised)?;
        Ok(Trained::new(self.training.device().clone(), checkpoint))
    }
}
