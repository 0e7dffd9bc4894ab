//! The report of a run: one HTML file in its folder with everything about it.

use std::path::{Path, PathBuf};

use super::html::{facts, image, page, plot, table, verbatim};
use super::{
    Axis, Colour, Mark, Panel, Picture, Plot, Series, column_names, distributed_columns,
    reconstructed_columns, shell_word,
};
use crate::data::written::write_whole;
use crate::data::{Items, Split};
use crate::graph::Device;
use crate::infer::{Decoder, Reconstructor, Verdict, prior_codes};
use crate::model::Model;
use crate::run::{
    CONFIG, Columns, METRICS, MetricsLine, TermColumn, read_metrics, reconstructions_of_epoch,
    samples_of_epoch,
};
use crate::train::{Checkpoint, figure};
use crate::{Error, Result};
use maud::{Markup, html};

/// The file's name in a run's folder.
pub const REPORT: &str = "report.html";

// Rows whose columns are plotted.
const ROWS: usize = 1_000;
// Of a plot: narrow, so that its text can be read on a phone.
const WIDTH: f64 = 420.0;

/// Writes the report of the run in `folder`, whose last checkpoint this is, and returns its path and what its losses are worth.
/// `data` is what the run was trained on. Its validation images, or training images where there are none, are encoded for
/// the plot of their codes.
///
/// # Errors
/// [`Error::File`] where the folder holds no run, [`Error::Io`], and what encoding can fail with.
pub async fn report_run(
    folder: &Path,
    device: &Device,
    checkpoint: &Checkpoint,
    data: &Split,
) -> Result<(PathBuf, Verdict)> {
    let (model, items) = (checkpoint.model()?, data.train.items());
    let (config_path, metrics_path) = (folder.join(CONFIG), folder.join(METRICS));
    let config = std::fs::read_to_string(&config_path).map_err(Error::io("read", &config_path))?;
    // A run that was stopped in its first epoch has no metrics.
    let epochs = if metrics_path.exists() { read_metrics(&metrics_path)? } else { Vec::new() };
    let verdict = Verdict::measure(device, checkpoint, data.held_out()).await?;
    let latent = super::latent::plot(device, checkpoint, data.held_out()).await?;
    let columns = columns(device, checkpoint, data).await?;
    let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let title = format!("{}: {name}", checkpoint.config.model.variant.name());
    let repeated = match checkpoint.origin() {
        [] => "Repeat this run: ",
        _ => "A run of these settings from the seed, without what this one began with: ",
    };
    let body = html! {
        (facts(&about(checkpoint, &model, &epochs, &config, data, &verdict)?))
        @if !epochs.is_empty() {
            h2 { "Losses" }
            div.plots {
                @for (lines, caption) in curves(&epochs, items) { (plot(&lines.picture_at(WIDTH), &caption)) }
            }
            (losses(&epochs, items))
        }
        @for (png, caption) in pictures(folder, checkpoint.epoch(), items)? { (image(&png, &caption)) }
        @for (picture, caption) in columns { (plot(&picture, &caption)) }
        h2 { "Codes" }
        (plot(&latent.0, &latent.1))
        h2 { "Configuration" }
        (verbatim(&config))
        p { (repeated) code { "narrows train --config " (shell_word(&config_path.display().to_string())) } }
    };
    let place = folder.join(REPORT);
    write_whole(&place, page(&title, &body).as_bytes())?;
    Ok((place, verdict))
}

fn about(
    checkpoint: &Checkpoint,
    model: &Model,
    epochs: &[MetricsLine],
    config: &str,
    data: &Split,
    verdict: &Verdict,
) -> Result<Vec<(&'static str, String)>> {
    let (Split { train, validation, .. }, items) = (data, data.train.items());
    let variant = &checkpoint.config.model.variant;
    let (settings, scaling) = (&checkpoint.config.train, &checkpoint.transform.scaling);
    // The comment that a run's configuration begins with.
    let device = config.lines().next().and_then(|line| line.strip_prefix("# Trained on "));
    let (name, images, held_out) = (&train.name, train.len(), validation.len());
    let shaped = Items::shaped(checkpoint.shape);
    let images = format!("{name}: {images} to train on, {held_out} to validate, {shaped}");
    let (epoch, steps) = (checkpoint.epoch(), checkpoint.step());
    let mut rows = vec![
        ("variant", format!("{}: {}", variant.name(), variant.summary())),
        ("device", device.unwrap_or("unknown").trim_end_matches('.').to_owned()),
        ("data", images),
        ("parameters", model.decoding(1)?.parameter_count().to_string()),
        (
            "epochs",
            format!("{epoch} of {}, {steps} steps of {} {}", settings.epochs, settings.batch, items.many()),
        ),
        ("time", duration(epochs.iter().map(|epoch| epoch.seconds).sum())),
        ("scale", format!("{}; losses are in {}", scaling.described(train), scaling.units())),
        ("minimized", model.minimized()),
        ("reported", items.reported()),
    ];
    rows.extend(checkpoint.origin().iter().map(|line| ("origin", line.clone())));
    if let Some(last) = epochs.last() {
        rows.push((
            "speed",
            format!("{:.0} {} per second in the last epoch", last.images_per_second, items.many()),
        ));
    }
    let rewinds = epochs.iter().flat_map(|epoch| epoch.rewinds.iter().map(|rewind| (epoch.epoch, rewind)));
    rows.extend(rewinds.map(|(epoch, rewind)| ("rewound", format!("in epoch {epoch}: {rewind}"))));
    rows.extend(verdict.compared(data.held_out_name()).map(|compared| ("compare", compared)));
    rows.extend(verdict.warnings.iter().map(|warning| ("warning", warning.clone())));
    Ok(rows)
}

pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        short if short < 100.0 => format!("{short:.1} s"),
        long => format!("{:.0} min {:.0} s", (long / 60.0).floor(), long % 60.0),
    }
}

type Part = fn(&MetricsLine) -> Option<&Columns>;

// The parts of the data that an epoch has losses of.
const PARTS: [(&str, Part); 2] =
    [("train", |epoch| Some(&epoch.train)), ("validation", |epoch| epoch.validation.as_ref())];

// Each term, and the objective where it is made of several: a plot, and what it shows.
fn curves(epochs: &[MetricsLine], items: Items) -> Vec<(Plot, String)> {
    let Some(last) = epochs.last() else { return Vec::new() };
    let lines = |title: &str, unit: &str, value: &dyn Fn(&Columns) -> Option<f64>| {
        let curve = |(class, (name, part)): (usize, (&str, Part))| {
            let point = |epoch: &MetricsLine| Some([f64::from(epoch.epoch), value(part(epoch)?)?]);
            let points = epochs.iter().filter_map(point).collect();
            Series { name: name.to_owned(), points, colour: Colour::of_class(class), mark: Mark::Line }
        };
        let series = PARTS.into_iter().enumerate().map(curve).filter(|curve| !curve.points.is_empty());
        let axes = [Axis { whole: true, ..Axis::new("epoch") }, Axis::new(unit)];
        Plot { title: title.to_owned(), axes, series: series.collect(), aspect: Some(0.5), ..Plot::default() }
    };
    let when = "Train: mean over the epoch's steps, while parameters changed. Validation: after the epoch.";
    let mut all = Vec::new();
    for TermColumn { name, unit, over, weight, .. } in &last.columns {
        let plot =
            lines(name, &format!("{unit} per {}", items.one()), &|columns| columns.terms.get(name).copied());
        let weighed =
            if *weight == 1.0 { String::new() } else { format!(" Its weight, {weight}, is left out.") };
        all.push((plot, format!("{name}, summed over {}.{weighed} {when}", items.over(over))));
    }
    if last.columns.len() > 1 {
        let objective =
            lines("Objective", &format!("per {}", items.one()), &|columns| Some(columns.objective));
        all.push((
            objective,
            "What ranks epochs: the terms that measure quality, with their weights.".to_owned(),
        ));
    }
    all
}

// The first epoch, the best and the last.
fn losses(epochs: &[MetricsLine], items: Items) -> Markup {
    let best = epochs.iter().rposition(|epoch| epoch.best);
    let last = epochs.len().checked_sub(1);
    let columns = epochs.last().map_or(&[][..], |epoch| &epoch.columns);
    let mut head = vec!["", "on"];
    head.extend(columns.iter().map(|column| column.name.as_str()));
    let per_number = format!("reconstruction per {}", items.number());
    head.extend(["objective", &per_number]);
    let number = |value: Option<f64>, digits: usize| value.map_or(String::new(), |v| figure(v, digits));
    let mut rows = Vec::new();
    for (at, epoch) in epochs.iter().enumerate() {
        // One epoch may be all of them.
        let names = [("first", Some(0)), ("best", best), ("last", last)].into_iter();
        let names: Vec<&str> = names.filter(|(_, is)| *is == Some(at)).map(|(name, _)| name).collect();
        if names.is_empty() {
            continue;
        }
        let name = format!("{} epoch, {}", names.join(" and "), epoch.epoch);
        for (part, means) in PARTS {
            let Some(means) = means(epoch) else { continue };
            let mut values = vec![part.to_owned()];
            values.extend(columns.iter().map(|column| number(means.terms.get(&column.name).copied(), 4)));
            values.extend([number(Some(means.objective), 4), number(means.reconstruction_per_pixel, 5)]);
            rows.push((name.clone(), values));
        }
    }
    table(&head, &rows)
}

// The pictures of an epoch, each with what it shows.
// Of rows, what pictures are of images: columns given and reconstructed, and those of samples beside the data's.
async fn columns(device: &Device, checkpoint: &Checkpoint, data: &Split) -> Result<Vec<(Picture, String)>> {
    if data.train.items() == Items::Images {
        return Ok(Vec::new());
    }
    let rows = data.held_out().first(ROWS)?;
    let (given, names) = (rows.floats(), column_names(&rows.columns, rows.pixels()));
    let made = Reconstructor::new(device, checkpoint, &rows).await?.run().await?.images;
    let caption = format!("{} rows and their reconstructions; at most 12 columns.", rows.len());
    let mut plots = vec![(reconstructed_columns("", &names, &given, &made).picture(), caption)];
    let model = checkpoint.model()?;
    if model.prior().is_some() {
        let codes = prior_codes(checkpoint.config.train.seed, rows.len(), model.latent() as usize);
        // Of the classes that the rows are of.
        let classes = match model.classes() {
            0 => Vec::new(),
            _ => checkpoint.transform.labels(&rows)?,
        };
        let mut decoder = Decoder::new(device, checkpoint, rows.len()).await?;
        let samples = decoder.decode_as(&codes, &classes).await?;
        let sets = [("data", &given[..]), ("samples", &samples)];
        let caption = format!("{0} rows beside {0} decoded from draws of the prior.", rows.len());
        plots.push((distributed_columns("", &names, &sets, &[]).picture(), caption));
    }
    Ok(plots)
}

fn pictures(folder: &Path, epoch: u32, items: Items) -> Result<Vec<(Vec<u8>, String)>> {
    let (mut pictures, many) = (Vec::new(), items.many());
    for (name, what) in [
        (reconstructions_of_epoch(epoch), format!("{many} above their reconstructions")),
        (samples_of_epoch(epoch), format!("{many} decoded from draws of the prior")),
    ] {
        let path = folder.join(name);
        if path.exists() {
            let png = std::fs::read(&path).map_err(Error::io("read", &path))?;
            pictures.push((png, format!("After epoch {epoch}: {what}.")));
        }
    }
    Ok(pictures)
}
