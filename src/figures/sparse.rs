//! Sparse codes (Ng 2011; Murphy, 20.3.4): which units are active on which images, without and with penalties.

use super::{FigureContext, FigureOutput, Number, Trained, mean};
use crate::Result;
use crate::report::{Axis, HeatMap, Histogram};

// Rows of the heat map.
const SHOWN: usize = 100;
// A unit counts as active above this.
const ACTIVE: f32 = 0.1;

pub(super) async fn make(context: &mut FigureContext<'_>) -> Result<FigureOutput> {
    let mut output = FigureOutput::new("Sparse autoencoders");
    for (preset, name) in [("sparse-none", "no penalty"), ("sparse", "L1"), ("sparse-kl", "KL")] {
        let model = context.preset(name, preset, 10).await?;
        let latent = model.latent;
        let codes = context.reconstruct(&model, context.held_out()).await?.codes;
        let of_units = means(&codes, latent);
        output.numbers.extend(measured(&model, &codes, &of_units));
        let penalty = model.means.iter().find(|(term, _)| term.pixels.is_none());
        let weight = penalty.map(|(penalty, _)| format!("{name}, weight {}", penalty.weight));
        let title = weight.unwrap_or_else(|| "No penalty".to_owned());
        output.page.row(vec![Box::new(HeatMap {
            title,
            labels: ["unit", "image"].map(str::to_owned),
            values: codes[..codes.len().min(SHOWN * latent)].to_vec(),
            columns: latent,
            largest: 1.0,
        })]);
        let axis = |label: &str| Axis::new(label).from_to(0.0, 1.0);
        let activations = Histogram::new("Activations", codes, axis("activation"), 40);
        let of_units = Histogram::new("Means of units", of_units, axis("mean activation"), 40);
        output.page.row(vec![Box::new(activations), Box::new(of_units)]);
        output.models.push(model);
    }
    output.caption = format!(
        "Codes of validation images by three autoencoders that differ only in their penalty. Above: the activations of \
         {SHOWN} images, one column per unit, white for 0 and deep blue for 1. Below: histograms of all activations on all \
         validation images, and of the units' means. A number above {ACTIVE} counts as active."
    );
    Ok(output)
}

fn means(codes: &[f32], latent: usize) -> Vec<f32> {
    let unit = |unit: usize| codes.chunks_exact(latent).map(move |code| f64::from(code[unit]));
    (0..latent).map(|at| mean(unit(at)) as f32).collect()
}

fn measured(model: &Trained, codes: &[f32], of_units: &[f32]) -> [Number; 4] {
    let active = codes.iter().filter(|activation| **activation > ACTIVE).count() as f64;
    let active = 100.0 * active / codes.len().max(1) as f64;
    let silent = of_units.iter().filter(|mean| **mean < 0.01).count() as f64;
    let mean = mean(codes.iter().map(|activation| f64::from(*activation)));
    [
        model.per_pixel(),
        model.number("mean_activation", "mean activation", mean),
        model.number("active_percent", "active numbers of a code, percent", active),
        model.number("silent_units", "units whose mean is below 0.01", silent),
    ]
}
