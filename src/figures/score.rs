//! What a denoising autoencoder learned of a density in the plane: `r(x) - x` points up it (Alain and Bengio 2014;
//! Murphy, figure 20.19).

use super::{FigureContext, FigureOutput, Number, Trained};
use crate::Result;
use crate::data::points::{Shape2d, coordinates, grid};
use crate::data::{Dataset, GaussianMixture, Source};
use crate::infer::ScoreField;
use crate::report::{Axis, Colour, Mark, Panel, Plot, Series};
use crate::train::DataConfig;

// Arrows in a row, where each of two fields must be seen, and data under them.
const SIDE: usize = 22;
const POINTS: usize = 1_000;
// The noise must be narrower than the space between the arms of a curve.
const CURVE_DEVIATION: f32 = 0.05;

pub(super) async fn make(context: &mut FigureContext<'_>) -> Result<FigureOutput> {
    let mut output = FigureOutput::new("Residuals of denoising autoencoders point up the density");
    let mut panels = Vec::new();
    for (shape, name) in
        [(Shape2d::Spiral, "spiral"), (Shape2d::Moons, "two moons"), (Shape2d::Mixture, "mixture")]
    {
        let mut config = context.settings.preset("score", 40)?;
        config.data = DataConfig { source: Source::of_shape(shape), ..DataConfig::default() };
        if shape != Shape2d::Mixture {
            config.model.corruption_amount = Some(CURVE_DEVIATION);
        }
        let split = config.data.load()?;
        let model = context.model_on(name, &config, &split).await?;
        let at_data = field(context, &model, &split.test, shape).await?;
        let on_grid = field(context, &model, &grid(SIDE)?, shape).await?;
        for (place, field) in [("at_data", &at_data), ("on_grid", &on_grid)] {
            output.numbers.extend(field.mean_cosine().map(|cosine| number(place, cosine)));
        }
        let points = coordinates(&split.train.first(POINTS)?);
        let panel = |title, along, class| panel(title, [&on_grid.points, &points], along, class);
        let title = format!("{name}: r(x) - x, s = {}", config.model.corruption_amount());
        panels.push(panel(title, on_grid.residuals, 0));
        // Beside it the truth, where it is known.
        let title = format!("{name}: s² times the score, in closed form");
        panels.extend(on_grid.truth.map(|truth| panel(title, truth, 2)));
        output.models.push(model);
    }
    let mut panels = panels.into_iter();
    while let Some(left) = panels.next() {
        output.page.row([Some(left), panels.next()].into_iter().flatten().collect());
    }
    output.caption = "Arrows show r(x) - x on a grid, over points of the training data. The models were trained to remove Gaussian \
                      noise of standard deviation s. Long arrows are cut. The density of the mixture is known: beside the residual \
                      is s² times the score of the density smoothed by that noise, the residual of the best denoiser. Where there \
                      are no data the model has learned nothing, and its arrows mean nothing."
        .to_owned();
    Ok(output)
}

fn number(place: &str, cosine: f64) -> Number {
    let over = if place == "at_data" { "test points" } else { "grid, most of which has no data" };
    let what = format!("mixture: cosine of the residual with the smoothed score, mean over the {over}");
    Number::new(format!("mixture.mean_cosine_{place}"), what, cosine)
}

async fn field(
    context: &FigureContext<'_>,
    model: &Trained,
    points: &Dataset,
    shape: Shape2d,
) -> Result<ScoreField> {
    let field = ScoreField::new(context.device, &model.checkpoint, points).await?;
    let deviation = f64::from(model.checkpoint.config.model.corruption_amount());
    let known = shape == Shape2d::Mixture;
    Ok(if known { field.with_truth(&GaussianMixture::three(), deviation) } else { field })
}

// Arrows that begin at points of a grid, above data.
fn panel(
    title: String,
    [grid, data]: [&Vec<[f64; 2]>; 2],
    along: Vec<[f64; 2]>,
    class: usize,
) -> Box<dyn Panel> {
    let series = |points: &Vec<[f64; 2]>, class, mark| {
        let (name, points) = (String::new(), points.clone());
        Series { name, points, colour: Colour::of_class(class), mark }
    };
    Box::new(Plot {
        title,
        axes: ["x", "y"].map(|name| Axis::new(name).from_to(0.0, 1.0)),
        series: vec![series(data, 1, Mark::Dots), series(grid, class, Mark::Arrows(along))],
        equal: true,
        aspect: Some(0.95),
        ..Plot::default()
    })
}
