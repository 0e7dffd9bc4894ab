//! A record as one page.

use maud::{Markup, html};

use super::compare::Comparison;
use super::date::date;
use super::record::{Measurement, Record};
use super::statistics::Spread;
use super::suite::Group;
use super::table::{NUMBERS, Row};
use crate::report::html::{facts, page as whole_page, plot, table};
use crate::report::{Axis, Bar, Bars, Panel};

// Of a plot: as wide as the page's text.
const WIDTH: f64 = 800.0;

/// The record, and what it is compared with, as one HTML file that loads nothing.
pub fn page(record: &Record, comparison: Option<&Comparison>) -> String {
    let about = about(record);
    let body = html! {
        (facts(&about))
        @for (bars, caption) in charts(record) { (plot(&bars.picture_at(WIDTH), &caption)) }
        @if let Some(comparison) = comparison {
            h2 { "Compared with " (date(comparison.earlier_unix_seconds)) }
            (compared(comparison))
        }
        h2 { "All results" }
        (results(record))
        p {
            "Time: the median of the samples, for one round. Spread: the distance of their quartiles as a share of it. Of "
            "peak: the share of the arithmetic ceiling, " (record.yardstick.name) ", which was measured again in each turn."
        }
    };
    whole_page(&format!("Benchmarks: {}", record.device.name), &body)
}

fn about(record: &Record) -> Vec<(&'static str, String)> {
    let device = &record.device;
    let mut rows = vec![
        ("device", device.label.clone()),
        ("type", device.kind.clone()),
        ("driver", device.driver.clone()),
        ("matrix products", device.kernels.clone()),
        ("narrows", record.narrows.clone()),
        ("measured", date(record.unix_seconds)),
        ("clock", record.clocks()),
    ];
    rows.extend(record.ceiling().map(|flops| ("ceiling", format!("{:.1} GFLOP/s", flops * 1e-9))));
    if !record.complete {
        rows.push(("incomplete", "it was stopped before its end".to_owned()));
    }
    rows.extend(record.remarks.iter().map(|remark| ("remark", remark.clone())));
    rows
}

fn charts(record: &Record) -> Vec<(Bars, String)> {
    let share = |result: &Measurement| {
        let Spread { median, quartiles } = result.share_of_ceiling(&record.yardstick)?;
        Some(Spread { median: 100.0 * median, quartiles: quartiles.map(|share| 100.0 * share) })
    };
    let images = |result: &Measurement| {
        let images = f64::from(result.images?);
        let Spread { median, quartiles: [low, high] } = result.spread();
        Some(Spread { median: images / median, quartiles: [images / high, images / low] })
    };
    let chart = |group: Group, title: &str, axis: &str, of: &dyn Fn(&Measurement) -> Option<Spread>| {
        let bar = |result: &Measurement| {
            let Spread { median, quartiles } = of(result)?;
            let name = result.name.strip_prefix(group.name()).map_or(result.name.as_str(), str::trim_start);
            Some(Bar { name: name.to_owned(), value: median, range: Some(quartiles) })
        };
        let bars: Vec<Bar> = record.group(group).filter_map(bar).collect();
        Bars { title: title.to_owned(), axis: Axis::new(axis), bars }
    };
    let peak = "share of the arithmetic ceiling [%]";
    let all = [
        (chart(Group::Matmul, "Matrix products", peak, &share), "Matrix products: rows x depth x columns."),
        (chart(Group::Conv, "Convolutions", peak, &share), "Convolutions: kernel, stride, channels, image."),
        (
            chart(Group::Step, "Training steps", "images per second", &images),
            "Training steps of each preset.",
        ),
        (chart(Group::Step, "Training steps", peak, &share), "The same as a share of the ceiling."),
    ];
    let drawn = all.into_iter().filter(|(bars, _)| !bars.bars.is_empty());
    drawn.map(|(bars, what)| (bars, format!("{what} The line has the quartiles of the samples."))).collect()
}

fn compared(comparison: &Comparison) -> Markup {
    let rows: Vec<_> = comparison.rows().map(|(name, numbers)| (name, numbers.to_vec())).collect();
    let head = ["", "ratio", "ratio to peak", "99 %", "verdict"];
    html! {
        p { (comparison.summary()) "." }
        @for warning in &comparison.warnings { p { "Warning: " (warning) "." } }
        (table(&head, &rows))
        p {
            "Ratio: the median time now as a multiple of the earlier one. Ratio to peak: the same of times as multiples of "
            "the ceiling's. 99 %: where both lie with that certainty, by the bootstrap."
        }
    }
}

fn results(record: &Record) -> Markup {
    let head: Vec<&str> = ["", "shape"].into_iter().chain(NUMBERS).chain(["clock"]).collect();
    let row = |result: &Measurement| {
        let row = Row::of(result, record);
        let mut values = vec![result.shape.clone()];
        values.extend(row.numbers());
        values.push(result.clock.to_string());
        (result.name.clone(), values)
    };
    let rows: Vec<_> = record.results.iter().map(row).collect();
    table(&head, &rows)
}
