//! A model in training.

use std::time::{Duration, Instant};

use narrows::Error;
use narrows::run::MetricsLine;
use narrows::train::{Config, Progress, Reached, Trainer as Training};
use pollster::block_on;
use pyo3::prelude::*;

use crate::data::Data;
use crate::device::Device;
use crate::errors::raised;
use crate::settings;
use crate::trained::Trained;

// How often Python is asked whether somebody wants to stop.
const ASK: Duration = Duration::from_millis(100);

/// A model in training.
#[pyclass(module = "narrows._narrows")]
pub(crate) struct Trainer {
    training: Training,
    notes: Vec<String>,
}

#[pymethods]
impl Trainer {
    /// Begins to train a preset with these settings, JSON of sections. What is not given is suited to the data, as by the
    /// command line; `notes` says what was.
    #[staticmethod]
    fn begin(py: Python<'_>, device: &Device, preset: &str, settings: &str, data: &Data) -> PyResult<Self> {
        let settings: toml::Table = serde_json::from_str(settings)
            .map_err(|error| raised(Error::setting("settings", "sections with settings", error)))?;
        let begin = || {
            let (config, notes) = Config::preset_suited_to(preset, settings, &data.split().train)?;
            let training = block_on(Training::new(device.inner(), &config, data.split()))?;
            Ok(Self { training, notes })
        };
        py.detach(begin).map_err(raised)
    }

    /// Goes on with what was learned, on other data of the same form, for so many epochs: steps and rates begin anew.
    #[staticmethod]
    fn on_other_data(
        py: Python<'_>,
        trained: &Trained,
        data: &Data,
        epochs: u32,
        seed: u64,
    ) -> PyResult<Self> {
        let go_on = || {
            let mut config = trained.checkpoint().config.clone();
            let rows = u32::try_from(data.split().train.len()).unwrap_or(u32::MAX);
            let train = &mut config.train;
            (train.epochs, train.seed, train.batch) = (epochs, seed, train.batch.min(rows));
            let begun =
                Training::on_other_data(trained.device(), &config, trained.checkpoint(), data.split());
            Ok(Self { training: block_on(begun)?, notes: Vec::new() })
        };
        py.detach(go_on).map_err(raised)
    }

    /// Trains to the end of the epoch and validates: its line of metrics, as JSON. None where all epochs are trained.
    fn epoch(&mut self, py: Python<'_>) -> PyResult<Option<String>> {
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

    /// The model as it is now.
    fn trained(&self, py: Python<'_>) -> PyResult<Trained> {
        let checkpoint = py.detach(|| block_on(self.training.checkpoint())).map_err(raised)?;
        Ok(Trained::new(self.training.device().clone(), checkpoint))
    }
}
