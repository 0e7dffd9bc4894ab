//! Results as text: a row for each, and each comparison.

use std::fmt;

use super::compare::{Comparison, Verdict};
use super::record::{Measurement, Record};
use super::suite::COPY;
use crate::kernels::ceiling::Ceilings;

/// One row: what ran, how long it took and what that is in a second.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// The dimensions, where the name does not have them.
    pub shape: String,
    /// Seconds of a round.
    pub seconds: f64,
    /// How far they spread, as a share of them.
    pub spread: Option<f64>,
    /// Floating-point operations of a round; 0 where they are not what it is about.
    pub flops: u64,
    /// Bytes that a round reads and writes; 0 where they are not what it is about.
    pub bytes: u64,
    /// The share of the arithmetic ceiling.
    pub share: Option<f64>,
    /// Bytes per second, as a share of those of a copy.
    pub copy: Option<f64>,
    /// Images per second.
    pub images: Option<f64>,
}

impl Row {
    /// The row of a result of `record`.
    pub fn of(result: &Measurement, record: &Record) -> Self {
        let spread = result.spread();
        let copied = record.result(COPY).and_then(Measurement::bytes_per_second);
        Self {
            name: result.name.clone(),
            shape: String::new(),
            seconds: spread.median,
            spread: Some(spread.relative()),
            flops: result.flops,
            bytes: result.bytes,
            share: result.share_of_ceiling(&record.yardstick).map(|share| share.median),
            copy: result.bytes_per_second().zip(copied).map(|(own, copied)| own / copied),
            images: result.images_per_second(),
        }
    }

    /// A row of `seconds` for so many operations and bytes, beside the ceilings of the device.
    pub fn beside(
        ceilings: &Ceilings,
        name: &str,
        shape: &str,
        seconds: f64,
        [flops, bytes]: [u64; 2],
    ) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.to_owned(),
            seconds,
            spread: None,
            flops,
            bytes,
            share: (flops > 0).then(|| flops as f64 / seconds / ceilings.flops),
            copy: (bytes > 0).then(|| bytes as f64 / seconds / ceilings.bytes),
            images: None,
        }
    }

    /// Its columns but the name and the shape: time, spread, GFLOP/s, share of the ceiling, GB/s,
    /// share of a copy's, images per second.
    pub fn numbers(&self) -> [String; 7] {
        let shown = |value: Option<f64>, digits: usize, unit: &str| {
            value.map_or_else(String::new, |value| format!("{value:.digits$}{unit}"))
        };
        let rate = |count: u64| (count > 0).then(|| count as f64 / self.seconds * 1e-9);
        [
            duration(self.seconds),
            shown(self.spread.map(|share| 100.0 * share), 1, " %"),
            shown(rate(self.flops), 2, ""),
            shown(self.share.map(|share| 100.0 * share), 1, " %"),
            shown(rate(self.bytes), 2, ""),
            shown(self.copy.map(|share| 100.0 * share), 1, " %"),
            shown(self.images, 0, ""),
        ]
    }
}

/// The titles of [`Row::numbers`].
pub(super) const NUMBERS: [&str; 7] = ["time", "spread", "GFLOP/s", "of peak", "GB/s", "of copy", "images/s"];

/// Rows under titles, and lines between them.
#[derive(Clone, Debug, Default)]
pub struct Table(Vec<Line>);

#[derive(Clone, Debug)]
enum Line {
    Row(Row),
    Text(String),
}

impl Table {
    /// The results of a record.
    pub fn of(record: &Record) -> Self {
        let mut table = Self::default();
        record.results.iter().for_each(|result| table.row(Row::of(result, record)));
        table
    }

    /// Adds a row.
    pub fn row(&mut self, row: Row) {
        self.0.push(Line::Row(row));
    }

    /// Adds a line of its own.
    pub fn line(&mut self, text: String) {
        self.0.push(Line::Text(text));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = |[what, shape]: [&str; 2], numbers: [String; 7]| {
            [what, shape].into_iter().map(str::to_owned).chain(numbers).collect()
        };
        let mut lines = vec![Ok(columns(["what", "shape"], NUMBERS.map(str::to_owned)))];
        lines.extend(self.0.iter().map(|line| match line {
            Line::Row(row) => Ok(columns([&row.name, &row.shape], row.numbers())),
            Line::Text(text) => Err(text),
        }));
        f.write_str(&aligned(&lines, 2))
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["what", "ratio", "to peak", "99 %", "verdict"].map(str::to_owned).to_vec();
        let rows: Vec<_> =
            self.rows().map(|(name, numbers)| [vec![name], numbers.to_vec()].concat()).collect();
        let mut lines: Vec<Result<Vec<String>, &String>> = vec![Ok(head)];
        lines.extend(rows.into_iter().map(Ok));
        f.write_str(&aligned(&lines, 1))?;
        write!(f, "\n{}", self.summary())
    }
}

impl Comparison {
    /// Each benchmark's name, ratio, ratio of multiples of the yardstick's time, interval and verdict.
    pub(super) fn rows(&self) -> impl Iterator<Item = (String, [String; 4])> {
        self.benchmarks.iter().map(|one| {
            let [low, high] = one.interval;
            let to_ceiling = one.ratio_to_ceiling.map_or_else(String::new, |ratio| format!("{ratio:.3}"));
            let interval = format!("{low:.3} to {high:.3}");
            (one.name.clone(), [format!("{:.3}", one.ratio), to_ceiling, interval, one.verdict.to_string()])
        })
    }

    /// How many there are of each verdict.
    pub fn summary(&self) -> String {
        let of = |verdict| self.benchmarks.iter().filter(|one| one.verdict == verdict).count();
        format!(
            "{} compared: {} faster, {} slower, {} without a difference beyond the noise, {} with too few samples",
            self.benchmarks.len(),
            of(Verdict::Faster),
            of(Verdict::Slower),
            of(Verdict::NoDifference),
            of(Verdict::TooFewSamples),
        )
    }
}

// A head and rows in columns as wide as they need, and lines of text between them. The first `names` columns begin at the
// left. Those that have nothing in any row are left out.
fn aligned(lines: &[Result<Vec<String>, &String>], names: usize) -> String {
    let rows = || lines.iter().filter_map(|line| line.as_ref().ok());
    let wide = |row: &Vec<String>, at: usize| row.get(at).map_or(0, |cell| cell.chars().count());
    let widths: Vec<usize> = (0..rows().map(Vec::len).max().unwrap_or(0))
        .map(|at| match rows().skip(1).map(|row| wide(row, at)).max() {
            None | Some(0) => 0,
            Some(_) => rows().map(|row| wide(row, at)).max().unwrap_or(0),
        })
        .collect();
    let lines = lines.iter().map(|line| match line {
        Err(text) => (*text).clone(),
        Ok(row) => {
            let cells = row.iter().zip(&widths).enumerate().filter(|(_, (_, width))| **width > 0);
            let cells = cells.map(|(at, (cell, width))| match at < names {
                true => format!("{cell:width$}"),
                false => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Seconds in the unit that leaves three or four digits.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.1} us", s * 1e6),
    }
}
