//! Sparse codes (Ng 2011; Murphy, 20.3.4): which units are active on which images, without and with penalties.

use super::reconstructions::{key, per_pixel};
use super::{Number, Plate, Studio, Trained};
use crate::Result;
use crate::report::{HeatMap, Histogram, Page, Panel};

// Rows of the heat map.
const SHOWN: usize = 100;
// A unit counts as active above this.
const ACTIVE: f32 = 0.1;

pub(super) async fn plate(studio: &mut Studio<'_>) -> Result<Plate> {
    let (mut models, mut numbers) = (Vec::new(), Vec::new());
    let mut page = Page::new("Sparse autoencoders");
    for (preset, name) in [("sparse-none", "no penalty"), ("sparse", "L1"), ("sparse-kl", "KL")] {
        let config = studio.settings.preset(preset, 10)?;
        let model = studio.model(name, &config).await?;
        let codes = studio.reconstruct(&model, studio.held_out()).await?.codes;
        numbers.extend(measured(&model, &codes));
        for row in panels(&heading(&model)?, codes, model.latent) {
            page = page.row(row);
        }
        models.push(model);
    }
    let caption = format!(
        "Codes of validation images by three autoencoders that differ in their penalty alone. Above, the activations of \
         {SHOWN} images, a column for each unit, white for 0 and deep blue for 1; below, how often each activation occurs over all \
         validation images, and how often each unit's mean. A number is counted as active above {ACTIVE}."
    );
    Ok(Plate { page, caption, models, numbers })
}

// With the penalty's weight, and what it multiplies.
fn heading(model: &Trained) -> Result<String> {
    let penalty = model.means.iter().find(|(term, _)| term.pixels.is_none());
    Ok(penalty.map_or_else(
        || "No penalty".to_owned(),
        |(penalty, _)| format!("{}, weight {}", model.name, penalty.weight),
    ))
}

fn panels(name: &str, codes: Vec<f32>, latent: usize) -> Vec<Vec<Box<dyn Panel>>> {
    let map = HeatMap {
        title: name.to_owned(),
        labels: ["unit", "image"].map(str::to_owned),
        values: codes[..codes.len().min(SHOWN * latent)].to_vec(),
        columns: latent,
        largest: 1.0,
    };
    let means = means(&codes, latent);
    let activations = Histogram::new("Activations", codes, "activation", [0.0, 1.0], 40);
    let means = Histogram::new("Means of units", means, "mean activation", [0.0, 1.0], 40);
    vec![vec![Box::new(map)], vec![Box::new(activations), Box::new(means)]]
}

fn means(codes: &[f32], latent: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; latent];
    for code in codes.chunks_exact(latent) {
        for (sum, activation) in sums.iter_mut().zip(code) {
            *sum += f64::from(*activation);
        }
    }
    let count = (codes.len() / latent).max(1) as f64;
    sums.into_iter().map(|sum| (sum / count) as f32).collect()
}

fn measured(model: &Trained, codes: &[f32]) -> Vec<Number> {
    let of = |what: &str| format!("{}: {what}", model.name);
    let named = |name: &str| format!("{}.{name}", key(&model.name));
    let all = codes.len().max(1) as f64;
    let mean = codes.iter().map(|activation| f64::from(*activation)).sum::<f64>() / all;
    let active = codes.iter().filter(|activation| **activation > ACTIVE).count() as f64;
    let silent = means(codes, model.latent).into_iter().filter(|mean| *mean < 0.01).count() as f64;
    vec![
        per_pixel(model),
        Number::new(named("mean_activation"), of("mean activation"), mean),
        Number::new(named("active_percent"), of("active numbers of a code, percent"), 100.0 * active / all),
        Number::new(named("silent_units"), of("units whose mean is below 0.01"), silent),
    ]
}
