//! What a denoising autoencoder learned of a density in the plane: `r(x) - x` points up it (Alain and Bengio 2014;
//! Murphy, figure 20.19).

use super::{Number, Plate, Studio, Trained};
use crate::Result;
use crate::data::points::{Shape2d, coordinates, grid};
use crate::data::{GaussianMixture, Source};
use crate::infer::ScoreField;
use crate::report::{Axis, Colour, Field, Page, Panel, Quiver, Series};
use crate::train::{Config, DataConfig};

// Arrows in a row, where each of two fields is to be seen, and data under them.
const SIDE: usize = 22;
const POINTS: usize = 1_000;
// Of curves the noise must be narrower than what lies between their arms.
const CURVE_DEVIATION: f32 = 0.05;

pub(super) async fn plate(studio: &mut Studio<'_>) -> Result<Plate> {
    let (mut models, mut numbers, mut panels) = (Vec::new(), Vec::new(), Vec::new());
    for (shape, name) in
        [(Shape2d::Spiral, "spiral"), (Shape2d::Moons, "two moons"), (Shape2d::Mixture, "mixture")]
    {
        let mut config = studio.settings.preset("score", 40)?;
        config.data = DataConfig { source: Source::of_shape(shape), ..DataConfig::default() };
        if shape != Shape2d::Mixture {
            config.model.corruption_amount = Some(CURVE_DEVIATION);
        }
        let split = config.data.load()?;
        let model = studio.model_on(name, &config, &split).await?;
        let at_data = field(studio, &model, &split.test, shape).await?;
        let on_grid = field(studio, &model, &grid(SIDE)?, shape).await?;
        for (place, field) in [("at_data", &at_data), ("on_grid", &on_grid)] {
            numbers.extend(field.mean_cosine().map(|cosine| number(place, cosine)));
        }
        let points = coordinates(&split.train.slice(0..POINTS.min(split.train.len()))?);
        panels.extend(fields(name, &config, &on_grid, &points));
        models.push(model);
    }
    let mut panels = panels.into_iter();
    let mut page = Page::new("Residuals of denoising autoencoders point up the density");
    while let Some(left) = panels.next() {
        page = page.row([Some(left), panels.next()].into_iter().flatten().collect());
    }
    let caption = "Arrows of r(x) - x on a grid, over points of the training data, from models that were trained to undo Gaussian \
                   noise of deviation s; longer arrows than there is room for are cut. Of the mixture the density is known: beside \
                   the residual stands s² times the score of the density smoothed by that noise, which is the residual of the best \
                   denoiser. Where there are no data the model has learned nothing, and its arrows are what it makes of that.";
    Ok(Plate { page, caption: caption.to_owned(), models, numbers })
}

fn number(place: &str, cosine: f64) -> Number {
    let over = if place == "at_data" { "test points" } else { "grid, most of which has no data" };
    let what = format!("mixture: cosine of the residual with the smoothed score, mean over the {over}");
    Number::new(format!("mixture.mean_cosine_{place}"), what, cosine)
}

// The residuals and, beside them, the truth where it is known.
fn fields(name: &str, config: &Config, field: &ScoreField, points: &[[f64; 2]]) -> Vec<Box<dyn Panel>> {
    let deviation = config.model.corruption_amount();
    let title = format!("{name}: r(x) - x, s = {deviation}");
    let mut panels = vec![panel(title, &field.points, &field.residuals, points, 0)];
    if let Some(truth) = &field.truth {
        panels.push(panel(
            format!("{name}: s² times the score, in closed form"),
            &field.points,
            truth,
            points,
            2,
        ));
    }
    panels
}

async fn field(
    studio: &Studio<'_>,
    model: &Trained,
    points: &crate::data::Dataset,
    shape: Shape2d,
) -> Result<ScoreField> {
    let field = ScoreField::new(studio.device, &model.checkpoint, points).await?;
    let deviation = f64::from(model.checkpoint.config.model.corruption_amount());
    let known = shape == Shape2d::Mixture;
    Ok(if known { field.with_truth(&GaussianMixture::three(), deviation) } else { field })
}

fn panel(
    title: String,
    from: &[[f64; 2]],
    along: &[[f64; 2]],
    data: &[[f64; 2]],
    class: usize,
) -> Box<dyn Panel> {
    let small = |points: &[[f64; 2]]| -> Vec<[f32; 2]> {
        points.iter().map(|point| point.map(|number| number as f32)).collect()
    };
    let colour = Colour::of_class(class);
    let arrows = Field { name: String::new(), from: small(from), along: small(along), colour };
    let data = Series { name: String::new(), points: small(data), colour: Colour::of_class(1) };
    Box::new(Quiver {
        title,
        axes: ["x", "y"].map(|name| Axis::new(name).from_to(0.0, 1.0)),
        points: vec![data],
        fields: vec![arrows],
        scale: 0.0,
    })
}
