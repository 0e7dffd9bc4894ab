//! The codes of the MLP and the CNN in the plane, by t-SNE (Murphy, figure 20.18).

use super::reconstructions::{first, plain};
use super::{Event, FigureContext, FigureOutput, Number, Trained};
use crate::Result;
use crate::report::{Plot, Tsne};

// More would only hide each other, and cost.
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
        "Codes of up to {SHOWN} validation images in the plane, coloured by class, with the images where there is room. The \
         models saw no classes. Near points have near codes; distances between groups, and the axes, mean little."
    );
    Ok(output)
}

/// The codes of validation images in the plane, coloured by class.
pub(super) async fn embedding(
    context: &mut FigureContext<'_>,
    model: &Trained,
    thumbnails: bool,
) -> Result<Plot> {
    let images = first(context.held_out(), SHOWN)?;
    let codes = context.reconstruct(model, &images).await?.codes;
    context.tell(Event::Busy(&format!("t-SNE of {} codes by {}", images.len(), model.name)))?;
    let places = Tsne::for_points(images.len(), context.settings.seed).places(&codes, model.latent)?;
    let title = format!("{}: t-SNE of the codes of {} validation images", model.name, images.len());
    Ok(Plot { equal: true, ..Plot::of_images(title, &places, &images, thumbnails) })
}

// How often the neighbours of a point in the plane are of its class.
fn agreement(plot: &Plot, model: &Trained) -> Option<Number> {
    let named: Vec<(usize, [f32; 2])> = (plot.series.iter().enumerate())
        .flat_map(|(class, series)| series.points.iter().map(move |point| (class, point.map(|x| x as f32))))
        .collect();
    if plot.series.len() < 2 {
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
    let what = format!("{NEIGHBOURS} nearest neighbours in the plane that are of the point's class, percent");
    Some(model.number("neighbours_of_class", &what, share))
}
