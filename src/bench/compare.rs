//! Two records side by side: which benchmarks became faster or slower, beyond what noise explains.

use std::fmt;

use serde::Serialize;

use super::record::{Measurement, Record};
use super::statistics::{Spread, ratio_interval};

// With fewer, the samples say too little of how far they spread.
const LEAST_SAMPLES: usize = 5;
// Two runs of one program were seen to differ by so much without noise: by where its memory lies, say.
const ALIKE: f64 = 0.05;
// By so much the ceiling itself may differ without a word.
const DRIFT: f64 = 0.05;

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// It takes less time now.
    #[serde(rename = "faster")]
    Faster,
    /// It takes more time now.
    #[serde(rename = "slower")]
    Slower,
    /// Whether it takes more or less, the noise does not let one say.
    #[serde(rename = "no difference beyond the noise")]
    NoDifference,
    /// There are too few samples to know the noise.
    #[serde(rename = "too few samples")]
    TooFewSamples,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::NoDifference => "no difference beyond the noise",
            Self::TooFewSamples => "too few samples: 5 or more are needed",
        })
    }
}

/// One benchmark in both records.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// The median time now as a multiple of the one then.
    pub ratio: f64,
    /// The same of times as multiples of the yardstick's beside them: what a slower or busier device explains is left out.
    /// None for the yardstick itself.
    pub ratio_to_ceiling: Option<f64>,
    /// Where both ratios lie with 99 % of certainty.
    pub interval: [f64; 2],
    /// What it comes to.
    pub verdict: Verdict,
}

/// Two records compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// When the earlier one was written, in seconds since 1970 began.
    pub earlier_unix_seconds: u64,
    /// What differs apart from times, and what could not be compared.
    pub warnings: Vec<String>,
    /// Benchmarks in both.
    pub benchmarks: Vec<Compared>,
}

impl Comparison {
    /// Compares `now` with `then`. A benchmark is called faster or slower only where its times say so with 99 % of
    /// certainty, both as they are and as multiples of the yardstick's, and by more than 5 % and the quartile distances of
    /// both: samples lie close together in time, so that they know less of the noise than their number says.
    pub fn new(now: &Record, then: &Record) -> Self {
        let mut warnings = differences(now, then);
        let (mut benchmarks, mut ceilings) = (Vec::new(), Vec::new());
        let mut missing = 0;
        for result in &now.results {
            let Some(before) = then.result(&result.name) else {
                missing += 1;
                continue;
            };
            match obstacle(result, before) {
                Some(why) => warnings.push(format!("{} is not compared: {why}", result.name)),
                None => {
                    let [now_beside, then_beside] =
                        [result, before].map(|result| Spread::of(&result.yardstick_seconds).median);
                    ceilings.push(now_beside / then_beside);
                    benchmarks.push(compared(result, before, result.name == now.yardstick.name));
                }
            }
        }
        warnings.extend(drift(&now.yardstick.name, &ceilings));
        if missing > 0 {
            warnings
                .push(format!("{missing} of {} benchmarks are not in the earlier record", now.results.len()));
        }
        Self { earlier_unix_seconds: then.unix_seconds, warnings, benchmarks }
    }
}

fn differences(now: &Record, then: &Record) -> Vec<String> {
    let (device, before) = (&now.device, &then.device);
    let differing = [
        ("another device", &before.name, &device.name),
        ("another backend", &before.backend, &device.backend),
        ("another driver", &before.driver, &device.driver),
        ("other matrix products", &before.kernels, &device.kernels),
        ("another version of narrows", &then.narrows, &now.narrows),
    ];
    let differing = differing.into_iter().filter(|(_, then, now)| then != now);
    let mut all: Vec<String> =
        differing.map(|(what, then, now)| format!("{what}: {then}, now {now}")).collect();
    if !then.complete {
        all.push("the earlier record was stopped before its end".to_owned());
    }
    all
}

// A ceiling that is not what it was says that the device is not in the same state. `ratios` has one for each benchmark.
fn drift(name: &str, ratios: &[f64]) -> Option<String> {
    let ratio = Spread::of(ratios).median;
    ((ratio - 1.0).abs() > DRIFT).then(|| {
        format!(
            "the ceiling {name} takes {ratio:.2} times what it took: the device was busier, or its clock slower, at one of \
             the two times"
        )
    })
}

// Why two results say nothing of each other.
fn obstacle(now: &Measurement, then: &Measurement) -> Option<String> {
    if now.clock != then.clock {
        return Some(format!("it was timed by the {}, now by the {}", then.clock, now.clock));
    }
    let work = |result: &Measurement| (result.flops, result.bytes, result.images);
    (work(now) != work(then)).then(|| "it does other work than it did".to_owned())
}

fn compared(now: &Measurement, then: &Measurement, is_yardstick: bool) -> Compared {
    let of = |now: &[f64], then: &[f64]| {
        (Spread::of(now).median / Spread::of(then).median, ratio_interval(now, then))
    };
    let (ratio, mut interval) = of(&now.seconds, &then.seconds);
    let relative = (!is_yardstick).then(|| of(&now.relative_seconds(), &then.relative_seconds()));
    if let Some((_, [low, high])) = relative {
        interval = [interval[0].min(low), interval[1].max(high)];
    }
    let unsure = ALIKE + [now, then].map(|result| result.spread().relative()).iter().sum::<f64>();
    let verdict = match interval {
        _ if now.seconds.len().min(then.seconds.len()) < LEAST_SAMPLES => Verdict::TooFewSamples,
        [_, high] if high < 1.0 / (1.0 + unsure) => Verdict::Faster,
        [low, _] if low > 1.0 + unsure => Verdict::Slower,
        _ => Verdict::NoDifference,
    };
    Compared {
        name: now.name.clone(),
        ratio,
        ratio_to_ceiling: relative.map(|(ratio, _)| ratio),
        interval,
        verdict,
    }
}
