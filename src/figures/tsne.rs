//! The codes of the MLP and the CNN in the plane, by t-SNE (Murphy, figure 20.18).

use super::reconstructions::{key, plain};
use super::{News, Number, Plate, Studio, Trained};
use crate::Result;
use crate::report::{Axis, Page, Scatter, Thumbnails, Tsne};

// More would only hide each other, and cost.
const SHOWN: usize = 5_000;
// Neighbours whose class is asked for.
const NEIGHBOURS: usize = 10;

pub(super) async fn plate(studio: &mut Studio<'_>) -> Result<Plate> {
    let models = plain(studio).await?;
    let mut page = Page::new("Codes of validation images by t-SNE");
    let mut numbers = Vec::new();
    for model in &models {
        let scatter = embedding(studio, model, true).await?;
        numbers.extend(agreement(&scatter, model));
        page = page.row(vec![Box::new(scatter)]);
    }
    let caption = format!(
        "Codes of up to {SHOWN} validation images in the plane, coloured by class, with the images where there is room. The \
         models saw no classes. Near points have near codes; distances between groups, and the axes, mean little."
    );
    Ok(Plate { page, caption, models, numbers })
}

/// The codes of validation images in the plane, coloured by class.
pub(super) async fn embedding(studio: &mut Studio<'_>, model: &Trained, thumbnails: bool) -> Result<Scatter> {
    let images = super::reconstructions::first(studio.held_out(), SHOWN)?;
    let codes = studio.reconstruct(model, &images).await?.codes;
    studio.tell(News::Busy(&format!("t-SNE of {} codes by {}", images.len(), model.name)))?;
    let usual = Tsne::default();
    let perplexity = usual.perplexity.min(Tsne::largest_perplexity(images.len()));
    let places = Tsne { perplexity, seed: studio.settings.seed, ..usual }.places(&codes, model.latent)?;
    let points = places.as_chunks::<2>().0;
    let title = format!("{}: t-SNE of the codes of {} validation images", model.name, images.len());
    let scatter = Scatter::of_classes(title, points, images.labels.as_deref(), &images.classes);
    let thumbnails = thumbnails.then(|| Thumbnails {
        points: points.to_vec(),
        shape: model.checkpoint.shape,
        classes: images.labels.clone().unwrap_or_default(),
        images: images.images.clone(),
    });
    Ok(Scatter { axes: ["", ""].map(Axis::bare), thumbnails, equal: true, ..scatter })
}

// How often the neighbours of a point in the plane are of its class.
fn agreement(scatter: &Scatter, model: &Trained) -> Option<Number> {
    let named: Vec<(usize, [f32; 2])> = (scatter.series.iter().enumerate())
        .flat_map(|(class, series)| series.points.iter().map(move |point| (class, *point)))
        .collect();
    if scatter.series.len() < 2 {
        return None;
    }
    let same = |(class, point): &(usize, [f32; 2])| {
        let square = |other: &[f32; 2]| (other[0] - point[0]).powi(2) + (other[1] - point[1]).powi(2);
        let mut others: Vec<(f32, usize)> =
            named.iter().map(|(class, other)| (square(other), *class)).collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0));
        // The first is the point itself.
        let near = others.iter().skip(1).take(NEIGHBOURS);
        near.filter(|(_, other)| other == class).count()
    };
    let count: usize = named.iter().map(same).sum();
    let share = 100.0 * count as f64 / (named.len() * NEIGHBOURS.min(named.len() - 1)).max(1) as f64;
    let what = format!(
        "{}: {NEIGHBOURS} nearest neighbours in the plane that are of the point's class, percent",
        model.name
    );
    Some(Number::new(format!("{}.neighbours_of_class", key(&model.name)), what, share))
}
