//! What was measured, as a file: every sample, and the device that took it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::date::date;
use super::statistics::Spread;
use super::suite::Group;
use crate::gpu::{Clock, Gpu};
use crate::{Error, Result};

/// The version of the format.
pub(super) const VERSION: u32 = 1;

const EXPECTED: &str = "a record that `narrows bench --out` wrote";

/// Results of one run of `narrows bench`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the format, by which a record is known.
    #[serde(rename = "narrows_bench")]
    pub format: u32,
    /// The version of narrows.
    pub narrows: String,
    /// When it was written, in seconds since 1970 began.
    pub unix_seconds: u64,
    /// Whether all was measured, or it was stopped before.
    pub complete: bool,
    /// Whether it has a few shapes of each group only.
    pub quick: bool,
    /// What it was measured on.
    pub device: DeviceFacts,
    /// Timestamps where any result has them. Each result has its own.
    pub clock: Clock,
    /// What each sample has one of beside it.
    pub yardstick: Yardstick,
    /// What was left out, and why.
    pub remarks: Vec<String>,
    /// One for each benchmark.
    pub results: Vec<Measurement>,
}

/// A device, as far as it decides results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFacts {
    /// Index, backend and name, as `narrows devices` has them.
    pub label: String,
    /// Its name.
    pub name: String,
    /// What it is reached by, as vulkan.
    pub backend: String,
    /// What kind it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The driver and its version.
    pub driver: String,
    /// The kernels that make matrix products and convolutions.
    pub kernels: String,
}

impl DeviceFacts {
    pub(super) fn of(gpu: &Gpu) -> Self {
        let info = &gpu.adapter.info;
        Self {
            label: gpu.adapter.label(),
            name: info.name.clone(),
            backend: info.backend.to_string(),
            kind: format!("{:?}", info.device_type),
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            kernels: gpu.variants.to_string(),
        }
    }
}

/// What shows how fast the device was at each moment: independent multiply-adds in registers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Yardstick {
    /// The benchmark's name.
    pub name: String,
    /// Floating-point operations of a round.
    pub flops: u64,
}

/// Samples of a benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The benchmark's name.
    pub name: String,
    /// What it is about.
    pub group: Group,
    /// The dimensions.
    pub shape: String,
    /// What the samples were taken with.
    pub clock: Clock,
    /// Floating-point operations of a round; 0 where they are not what it is about.
    pub flops: u64,
    /// Bytes that a round reads and writes; 0 where they are not what it is about.
    pub bytes: u64,
    /// Images of a round, if it is a training step.
    pub images: Option<u32>,
    /// Rounds of a sample.
    pub rounds: u64,
    /// Seconds of a round, by each sample.
    pub seconds: Vec<f64>,
    /// Seconds of a round of the yardstick beside each sample.
    pub yardstick_seconds: Vec<f64>,
}

impl Measurement {
    /// The seconds of a round: median and quartiles of the samples.
    pub fn spread(&self) -> Spread {
        Spread::of(&self.seconds)
    }

    /// Floating-point operations per second, by the median.
    pub fn flops_per_second(&self) -> Option<f64> {
        (self.flops > 0).then(|| self.flops as f64 / self.spread().median)
    }

    /// Bytes read and written per second, by the median.
    pub fn bytes_per_second(&self) -> Option<f64> {
        (self.bytes > 0).then(|| self.bytes as f64 / self.spread().median)
    }

    /// Images per second, by the median.
    pub fn images_per_second(&self) -> Option<f64> {
        self.images.map(|images| f64::from(images) / self.spread().median)
    }

    /// Each sample as a multiple of the yardstick's beside it.
    pub fn relative_seconds(&self) -> Vec<f64> {
        self.seconds.iter().zip(&self.yardstick_seconds).map(|(own, beside)| own / beside).collect()
    }

    /// The share of the arithmetic ceiling that it reaches, from each sample and the yardstick's beside it: median and
    /// quartiles.
    pub fn share_of_ceiling(&self, yardstick: &Yardstick) -> Option<Spread> {
        let operations = self.flops as f64 / yardstick.flops as f64;
        let shares: Vec<f64> = self.relative_seconds().iter().map(|times| operations / times).collect();
        (self.flops > 0).then(|| Spread::of(&shares))
    }

    fn check(&self) -> Result<(), String> {
        let samples = self.seconds.iter().chain(&self.yardstick_seconds);
        if self.seconds.is_empty() || self.seconds.len() != self.yardstick_seconds.len() {
            let (own, beside) = (self.seconds.len(), self.yardstick_seconds.len());
            return Err(format!("{own} samples of {} and {beside} of the yardstick", self.name));
        }
        match samples.copied().find(|seconds| !(*seconds > 0.0 && seconds.is_finite())) {
            Some(seconds) => Err(format!("a sample of {} that took {seconds} seconds", self.name)),
            None => Ok(()),
        }
    }
}

impl Record {
    /// The result called `name`.
    pub fn result(&self, name: &str) -> Option<&Measurement> {
        self.results.iter().find(|result| result.name == name)
    }

    /// The results of a group.
    pub fn group(&self, group: Group) -> impl Iterator<Item = &Measurement> {
        self.results.iter().filter(move |result| result.group == group)
    }

    /// Floating-point operations per second of the yardstick: the median beside all samples. None without any.
    pub fn ceiling(&self) -> Option<f64> {
        let beside: Vec<f64> =
            self.results.iter().flat_map(|result| &result.yardstick_seconds).copied().collect();
        (!beside.is_empty()).then(|| self.yardstick.flops as f64 / Spread::of(&beside).median)
    }

    /// What the results were timed with, in words. Submits and steps are timed by the wall clock on any device.
    pub fn clocks(&self) -> String {
        let all = self.results.len();
        let wall = self.results.iter().filter(|result| result.clock == Clock::Wall).count();
        let lacks = |result: &&Measurement| {
            result.clock == Clock::Wall && !matches!(result.group, Group::Dispatch | Group::Step)
        };
        let clock = match wall {
            0 => "the device's timestamps".to_owned(),
            wall if wall == all => "the wall clock".to_owned(),
            wall => format!("the device's timestamps, and the wall clock for {wall} of {all}"),
        };
        match self.results.iter().find(lacks) {
            Some(result) => {
                format!("{clock}: the device gave no timestamps that can be right of {}", result.name)
            }
            None => clock,
        }
    }

    /// As JSON: what [`Record::from_json`] reads, with the medians and rates that follow from it.
    ///
    /// # Errors
    /// [`Error::Bytes`] where it cannot be written as JSON.
    pub fn to_json(&self) -> Result<Value> {
        let failed = |error: serde_json::Error| Error::Bytes {
            what: "record of benchmarks",
            expected: "values that JSON can hold".to_owned(),
            found: error.to_string(),
        };
        let mut whole = serde_json::to_value(self).map_err(failed)?;
        for (result, value) in self.results.iter().zip(whole["results"].as_array_mut().into_iter().flatten())
        {
            let Spread { median, quartiles } = result.spread();
            value["median_seconds"] = json!(median);
            value["quartile_seconds"] = json!(quartiles);
            value["flops_per_second"] = json!(result.flops_per_second());
            value["bytes_per_second"] = json!(result.bytes_per_second());
            value["images_per_second"] = json!(result.images_per_second());
            let share = result.share_of_ceiling(&self.yardstick);
            value["share_of_ceiling"] = json!(share.map(|share| share.median));
        }
        whole["date"] = json!(date(self.unix_seconds));
        whole["ceiling_flops_per_second"] = json!(self.ceiling());
        Ok(whole)
    }

    /// Reads what [`Record::to_json`] gave, its samples but for their last bit.
    ///
    /// # Errors
    /// [`Error::Bytes`] for anything else, and for a record of another version of the format.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let found = |found: String| Error::Bytes {
            what: "record of benchmarks",
            expected: EXPECTED.to_owned(),
            found,
        };
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| found(format!("no JSON: {error}")))?;
        match value.get("narrows_bench").and_then(Value::as_u64) {
            None => return Err(found("JSON without `narrows_bench`".to_owned())),
            Some(version) if version != u64::from(VERSION) => {
                return Err(found(format!("version {version} of the format; this narrows reads {VERSION}")));
            }
            Some(_) => {}
        }
        let record: Self = serde_json::from_value(value).map_err(|error| found(error.to_string()))?;
        if record.yardstick.flops == 0 {
            return Err(found("a yardstick without operations".to_owned()));
        }
        if record.texts().any(|text| text.contains(char::is_control)) {
            return Err(found("a name with control characters".to_owned()));
        }
        for (at, result) in record.results.iter().enumerate() {
            result.check().map_err(found)?;
            if record.results[..at].iter().any(|before| before.name == result.name) {
                return Err(found(format!("{} twice", result.name)));
            }
        }
        Ok(record)
    }

    // What a comparison may show on a terminal, which control characters would change.
    fn texts(&self) -> impl Iterator<Item = &String> {
        let DeviceFacts { label, name, backend, kind, driver, kernels } = &self.device;
        let device = [label, name, backend, kind, driver, kernels, &self.narrows, &self.yardstick.name];
        let results = self.results.iter().flat_map(|result| [&result.name, &result.shape]);
        device.into_iter().chain(&self.remarks).chain(results)
    }

    /// Reads the record in a file.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] where it is none.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        Self::from_json(&bytes).map_err(|error| match error {
            Error::Bytes { expected, found, .. } => Error::File { path: path.to_owned(), expected, found },
            other => other,
        })
    }
}
