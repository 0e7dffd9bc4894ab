//! What a denoising autoencoder learned of a density in the plane: `r(x) - x` points up it (Alain and Bengio 2014;
//! Murphy, figure 20.19).

use super::{Number, Plate, Studio, Trained};
use crate::Result;
use crate::data::points::{Shape2d, coordinates, grid};
use crate::data::{GaussianMixture, Source};
use crate::report::{Axis, Colour, Field, Page, Panel, Quiver, Series};
use crate::train::ScoreField;

// Arrows in a row, where each of two fields is to be seen, and data under them.
const SIDE: usize = 22;
const POINTS: usize = 1_000;

pub(super) async fn plate(studio: &mut Studio<'_>) -> Result<Plate> {
    let (mut models, mut numbers, mut panels) = (Vec::new(), Vec::new(), Vec::new());
    for (shape, name) in
        [(Shape2d::Spiral, "spiral"), (Shape2d::Moons, "two moons"), (Shape2d::Mixture, "mixture")]
    {
        let mut config = studio.settings.preset("score", 10)?;
        config.data.clone_from(&Default::default());
        config.data.source = Source::of_shape(shape);
        let split = config.data.load()?;
        let model = studio.model_on(name, &config, &split).await?;
        let field = field(studio, &model, &grid(SIDE)?, shape).await?;
        if let Some(cosine) = self::field(studio, &model, &split.test, shape).await?.mean_cosine() {
            let what = "mixture: cosine of the residual with the smoothed score, mean over the test points";
            numbers.push(Number::new("mixture.mean_cosine_at_data", what, cosine));
        }
        if let Some(cosine) = field.mean_cosine() {
            let what = "mixture: the same over the grid, most of which has no data";
            numbers.push(Number::new("mixture.mean_cosine_on_grid", what, cosine));
        }
        let points = coordinates(&split.train.slice(0..POINTS.min(split.train.len()))?);
        panels.push(panel(name, &field, &points));
        models.push(model);
    }
    let mut panels = panels.into_iter();
    let mut page = Page::new("Residuals of denoising autoencoders point up the density");
    while let Some(left) = panels.next() {
        page = page.row([Some(left), panels.next()].into_iter().flatten().collect());
    }
    let caption = "Arrows of r(x) - x, on a grid, over points of the training data; the arrows are in scale with each \
                   other, not with the axes. The model was trained to undo Gaussian noise of deviation s. Of the mixture the density \
                   is known: orange arrows are s² times the score of the density smoothed by that noise, which is what the \
                   best denoiser's residual is.";
    Ok(Plate { page, caption: caption.to_owned(), models, numbers })
}

async fn field(
    studio: &Studio<'_>,
    model: &Trained,
    points: &crate::data::Dataset,
    shape: Shape2d,
) -> Result<ScoreField> {
    let field = ScoreField::new(studio.device, &model.checkpoint, points).await?;
    let deviation = f64::from(model.checkpoint.config.model.corruption_amount);
    let known = shape == Shape2d::Mixture;
    Ok(if known { field.with_truth(&GaussianMixture::three(), deviation) } else { field })
}

fn panel(name: &str, field: &ScoreField, points: &[[f64; 2]]) -> Box<dyn Panel> {
    let small = |points: &[[f64; 2]]| {
        points.iter().map(|point| point.map(|number| number as f32)).collect::<Vec<_>>()
    };
    let arrows = |name: &str, along: &[[f64; 2]], class: usize| Field {
        name: name.to_owned(),
        from: small(&field.points),
        along: small(along),
        colour: Colour::of_class(class),
    };
    let mut fields: Vec<Field> =
        field.truth.iter().map(|truth| arrows("s² times the score", truth, 1)).collect();
    fields.push(arrows("r(x) - x", &field.residuals, 0));
    let data = Series { name: "data".to_owned(), points: small(points), colour: Colour::of_class(3) };
    Box::new(Quiver {
        title: name.to_owned(),
        axes: ["x", "y"].map(|name| Axis::new(name).from_to(-0.02, 1.02)),
        points: vec![data],
        fields,
        scale: 0.0,
    })
}
