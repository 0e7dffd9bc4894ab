//! The codes of the MLP and the CNN in the plane, by t-SNE (Murphy, figure 20.18).

use bhtsne::Neighbor;

use super::reconstructions::plain;
use super::{Event, FigureContext, FigureOutput, Number, Trained};
use crate::Result;
use crate::report::{Plot, Series, Tsne, neighbours};

// More points would hide each other, and take longer.
const SHOWN: usize = 5_000;
// Neighbours whose class is asked for.
const NEIGHBOURS: usize = 10;

pub(super) async fn make(context: &mut FigureContext<'_>) -> Result<FigureOutput> {
    let mut output = FigureOutput::new("Codes of validation images by t-SNE");
    output.models = plain(context).await?;
    for model in &output.models {
        let plot = embedding(context, model, true).await?;
        output.numbers.extend(agreement(&plot, model));
        output.page.row(vec![Box::new(plot)]);
    }
    output.caption = format!(
        "Codes of up to {SHOWN} validation images in two dimensions, coloured by class, with images where there is room. The \
         models saw no labels. Points that are close have similar codes; distances between groups, and the axes, mean little."
    );
    Ok(output)
}

/// The codes of validation images in the plane, coloured by class.
pub(super) async fn embedding(
    context: &mut FigureContext<'_>,
    model: &Trained,
    thumbnails: bool,
) -> Result<Plot> {
    let images = context.held_out().first(SHOWN)?;
    let codes = context.reconstruct(model, &images).await?.codes;
    context.tell(Event::Busy(&format!("t-SNE of {} codes by {}", images.len(), model.name)))?;
    let places = Tsne::for_points(images.len(), context.settings.seed).places(&codes, model.latent)?;
    let title = format!("{}: t-SNE of the codes of {} validation images", model.name, images.len());
    Ok(Plot { equal: true, ..Plot::of_images(title, &places, &images, thumbnails.then(|| images.floats())) })
}

// How often the neighbours of a point in the plane are of its class.
fn agreement(plot: &Plot, model: &Trained) -> Option<Number> {
    let of_class = |(class, series): (usize, &Series)| vec![class; series.points.len()];
    let classes: Vec<usize> = plot.series.iter().enumerate().flat_map(of_class).collect();
    if plot.series.len() < 2 {
        return None;
    }
    let points = plot.series.iter().flat_map(|series| series.points.as_flattened());
    let points: Vec<f32> = points.map(|number| *number as f32).collect();
    let near = neighbours(&points, 2, NEIGHBOURS);
    let same = |(near, class): (&Vec<Neighbor<f32>>, &usize)| {
        near.iter().filter(|other| classes[other.index] == *class).count()
    };
    let count: usize = near.iter().zip(&classes).map(same).sum();
    let share = 100.0 * count as f64 / near.iter().map(Vec::len).sum::<usize>().max(1) as f64;
    let what = format!("{NEIGHBOURS} nearest neighbours in the plane that are of the point's class, percent");
    Some(model.number("neighbours_of_class", &what, share))
}
