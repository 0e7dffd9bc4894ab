//! The report of a run: one HTML file in its folder with all that is known of it.

use std::path::{Path, PathBuf};

use super::html::{facts, image, page, plot, table, verbatim};
use super::{Axis, Colour, Mark, Panel, Plot, Series, shell_word};
use crate::data::Split;
use crate::graph::Device;
use crate::model::Model;
use crate::run::{CONFIG, Columns, METRICS, MetricsLine, PER_IMAGE, TermColumn, read_metrics, write_whole};
use crate::train::Checkpoint;
use crate::{Error, Result};
use maud::{Markup, html};

/// The file's name in a run's folder.
pub const REPORT: &str = "report.html";

// Of a plot: narrow, so that its text can be read on a phone.
const WIDTH: f64 = 420.0;

/// Writes the report of the run in `folder`, whose last checkpoint this is, and gives its place. `data` is what the run was trained on; its
/// validation images, or training images where there are none, are encoded for the plot of their codes.
///
/// # Errors
/// [`Error::File`] where the folder holds no run, [`Error::Io`], and what encoding can fail with.
pub async fn report_run(
    folder: &Path,
    device: &Device,
    checkpoint: &Checkpoint,
    data: &Split,
) -> Result<PathBuf> {
    let model = checkpoint.model()?;
    let epochs = metrics(folder)?;
    let config = read(&folder.join(CONFIG))?;
    let latent = super::latent::plot(device, checkpoint, data.held_out()).await?;
    let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let title = format!("{}: {name}", checkpoint.config.model.variant.name());
    let body = html! {
        (facts(&about(checkpoint, &model, &epochs, &config, data)?))
        @if !epochs.is_empty() {
            h2 { "Losses" }
            div.plots {
                @for (lines, caption) in curves(&epochs) { (plot(&lines.picture_at(WIDTH), &caption)) }
            }
            (losses(&epochs))
        }
        @for (png, caption) in pictures(folder, checkpoint.epoch())? { (image(&png, &caption)) }
        h2 { "Codes" }
        (plot(&latent.0, &latent.1))
        h2 { "Configuration" }
        (verbatim(&config))
        p { "Repeat this run: " code { "narrows train --config " (shell_word(&folder.join(CONFIG).display().to_string())) } }
    };
    let place = folder.join(REPORT);
    write_whole(&place, page(&title, &body).as_bytes())?;
    Ok(place)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(Error::io("read", path))
}

// A run that was stopped in its first epoch has none.
fn metrics(folder: &Path) -> Result<Vec<MetricsLine>> {
    let path = folder.join(METRICS);
    if path.exists() { read_metrics(&path) } else { Ok(Vec::new()) }
}

fn about(
    checkpoint: &Checkpoint,
    model: &Model,
    epochs: &[MetricsLine],
    config: &str,
    data: &Split,
) -> Result<Vec<(&'static str, String)>> {
    let kind = &checkpoint.config.model.variant;
    let train = &checkpoint.config.train;
    // The comment that a run's configuration begins with.
    let device = config.lines().next().and_then(|line| line.strip_prefix("# Trained on "));
    let [height, width, channels] = checkpoint.shape;
    let seconds: f64 = epochs.iter().map(|epoch| epoch.seconds).sum();
    let parameters = model.decoding(1)?.parameter_count();
    let mut rows = vec![
        ("variant", format!("{}: {}", kind.name(), kind.summary())),
        ("device", device.unwrap_or("unknown").trim_end_matches('.').to_owned()),
        (
            "images",
            format!(
                "{}: {} to train on, {} to validate, {height} x {width} x {channels}",
                data.train.name,
                data.train.len(),
                data.validation.len()
            ),
        ),
        ("parameters", parameters.to_string()),
        (
            "epochs",
            format!(
                "{} of {}, {} steps of {} images",
                checkpoint.epoch(),
                train.epochs,
                checkpoint.step(),
                train.batch
            ),
        ),
        ("time", duration(seconds)),
        ("minimized", model.minimized()),
        ("reported", PER_IMAGE.to_owned()),
    ];
    if let Some(last) = epochs.last() {
        rows.push(("speed", format!("{:.0} images per second in the last epoch", last.images_per_second)));
    }
    Ok(rows)
}

pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        short if short < 100.0 => format!("{short:.1} s"),
        long => format!("{:.0} min {:.0} s", (long / 60.0).floor(), long % 60.0),
    }
}

// Each term, and the objective where it is made of several: a plot, and what it shows.
fn curves(epochs: &[MetricsLine]) -> Vec<(Plot, String)> {
    let Some(last) = epochs.last() else { return Vec::new() };
    let lines = |title: &str, unit: &str, value: &dyn Fn(&Columns) -> Option<f64>| {
        let train = curve("train", epochs, 0, |epoch| value(&epoch.train));
        let validation = curve("validation", epochs, 1, |epoch| value(epoch.validation.as_ref()?));
        let series = [train, validation].into_iter().filter(|curve| !curve.points.is_empty()).collect();
        let axes = [Axis { whole: true, ..Axis::new("epoch") }, Axis::new(unit)];
        Plot { title: title.to_owned(), axes, series, aspect: 0.5, ..Plot::default() }
    };
    let when = "Train: mean over the epoch's steps, while parameters changed. Validation: after the epoch.";
    let mut all = Vec::new();
    for TermColumn { name, unit, over, weight, .. } in &last.columns {
        let plot = lines(name, &format!("{unit} per image"), &|columns| columns.terms.get(name).copied());
        let weighed =
            if *weight == 1.0 { String::new() } else { format!(" Its weight, {weight}, is left out.") };
        all.push((plot, format!("{name}, summed over {over}.{weighed} {when}")));
    }
    if last.columns.len() > 1 {
        let objective = lines("Objective", "per image", &|columns| Some(columns.objective));
        all.push((objective, "What epochs are ranked by: the terms with their weights.".to_owned()));
    }
    all
}

fn curve(
    name: &str,
    epochs: &[MetricsLine],
    class: usize,
    value: impl Fn(&MetricsLine) -> Option<f64>,
) -> Series {
    let points = epochs.iter().filter_map(|epoch| Some([f64::from(epoch.epoch), value(epoch)?])).collect();
    Series { name: name.to_owned(), points, colour: Colour::of_class(class), mark: Mark::Line }
}

// The first epoch, the best and the last.
fn losses(epochs: &[MetricsLine]) -> Markup {
    let best = epochs.iter().rposition(|epoch| epoch.best);
    let last = epochs.len().checked_sub(1);
    // One epoch may be all of them.
    let mut chosen = [Some(0), best, last].into_iter().flatten().collect::<Vec<usize>>();
    chosen.dedup();
    let named = chosen.into_iter().filter_map(|at| {
        let epoch = epochs.get(at)?;
        let names: Vec<&str> = [("first", Some(0)), ("best", best), ("last", last)]
            .into_iter()
            .filter_map(|(name, is)| (is == Some(at)).then_some(name))
            .collect();
        Some((format!("{} epoch, {}", names.join(" and "), epoch.epoch), epoch))
    });
    let columns = epochs.last().map_or(&[][..], |epoch| &epoch.columns);
    let mut head = vec!["", "on"];
    head.extend(columns.iter().map(|column| column.name.as_str()));
    head.extend(["objective", "reconstruction per pixel"]);
    let number = |value: Option<f64>, digits: usize| value.map_or(String::new(), |v| format!("{v:.digits$}"));
    let mut rows = Vec::new();
    for (name, epoch) in named {
        for (part, means) in [("train", Some(&epoch.train)), ("validation", epoch.validation.as_ref())] {
            let Some(means) = means else { continue };
            let mut values = vec![part.to_owned()];
            values.extend(columns.iter().map(|column| number(means.terms.get(&column.name).copied(), 4)));
            values.extend([number(Some(means.objective), 4), number(means.reconstruction_per_pixel, 5)]);
            rows.push((name.clone(), values));
        }
    }
    table(&head, &rows)
}

// The pictures of an epoch, each with what it shows.
fn pictures(folder: &Path, epoch: u32) -> Result<Vec<(Vec<u8>, String)>> {
    let begins = format!("epoch-{epoch:03}-");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let name = entry.map_err(Error::io("read", folder))?.file_name().to_string_lossy().into_owned();
        names
            .extend(name.strip_prefix(&begins).and_then(|kind| kind.strip_suffix(".png")).map(str::to_owned));
    }
    names.sort();
    let picture = |kind: String| {
        let path = folder.join(format!("{begins}{kind}.png"));
        let png = std::fs::read(&path).map_err(Error::io("read", &path))?;
        let what = match kind.as_str() {
            "reconstructions" => "images above their reconstructions",
            "samples" => "images decoded from draws of the prior",
            other => other,
        };
        Ok((png, format!("After epoch {epoch}: {what}.")))
    };
    names.into_iter().map(picture).collect()
}
