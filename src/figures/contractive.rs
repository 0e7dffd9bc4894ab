//! The contractive autoencoder beside others of its size (Rifai et al. 2011; Murphy, 20.3.3): filters, saturation, and how
//! strongly codes answer to images.

use super::{Event, FigureContext, FigureOutput, Number, Trained, grey};
use crate::Result;
use crate::infer::JacobianNorms;
use crate::report::{Axis, Colour, Histogram, Images, Panel};

// Filters in a row, and activations that count as saturated.
const FILTERS: usize = 20;
const SATURATED: f32 = 0.05;
// Norms are means over at most this many images: each needs the Jacobian of a thousand units.
const MEASURED: usize = 1_000;
// Epochs that are enough to see what there is.
const QUICK: u32 = 4;

pub(super) async fn make(context: &mut FigureContext<'_>) -> Result<FigureOutput> {
    let mut output = FigureOutput::new("Contraction: 1,000 sigmoid units and their transpose");
    let images = context.held_out().first(MEASURED)?;
    let (mut filters, mut norms) = (Vec::new(), Vec::new());
    let mut histograms: [Vec<Box<dyn Panel>>; 2] = [Vec::new(), Vec::new()];
    let presets = ["tied", "tied-denoising", "tied-decay", "contractive"];
    let names = ["plain", "denoising", "weight decay", "contractive"];
    for (number, (preset, name)) in presets.into_iter().zip(names).enumerate() {
        let model = context.preset(name, preset, QUICK).await?;
        filters.push((name, first_filters(&model)?));
        let codes = context.reconstruct(&model, &images).await?.codes;
        context.tell(Event::Busy(&format!("{name}: Jacobians at {} images", images.len())))?;
        let measured = JacobianNorms::new(context.device, &model.checkpoint, &images).await?;
        let what = "Frobenius norm of the encoder's Jacobian, mean over validation images";
        output.numbers.extend([
            model.number("jacobian_norm", what, measured.mean()),
            saturation(&model, &codes),
            model.per_pixel(),
        ]);
        norms.push((name.to_owned(), measured.norms, Colour::of_class(number)));
        let histogram = Histogram::new(name, codes, Axis::new("activation").from_to(0.0, 1.0), 20);
        histograms[number / 2].push(Box::new(histogram));
        output.models.push(model);
    }
    let largest = norms.iter().flat_map(|(_, norms, _)| norms).copied().fold(0.0, f32::max);
    let title = format!("Filters of the first {FILTERS} units, black to white from minus to plus");
    output.page.row(vec![Box::new(Images::new(&title, images.shape(), FILTERS, filters))]);
    histograms.into_iter().for_each(|row| output.page.row(row));
    output.page.row(vec![Box::new(Histogram {
        title: "How strongly codes answer".to_owned(),
        axis: Axis::new("Frobenius norm of the Jacobian").from_to(0.0, f64::from(largest) * 1.02),
        bins: 40,
        rules: Vec::new(),
        series: norms,
    })]);
    output.caption = format!(
        "Four autoencoders with one layer of 1,000 sigmoid units and its transpose as the decoder. Their names say how their \
         training differs. Each filter has its own scale. The histograms show all activations on {} validation images; an \
         activation below {SATURATED} or above {} counts as saturated. The last plot shows the norm of the encoder's Jacobian \
         at each image.",
        images.len(),
        1.0 - SATURATED
    );
    Ok(output)
}

// The weights of the first units, each as an image.
fn first_filters(model: &Trained) -> Result<Vec<f32>> {
    let pixels: usize = model.checkpoint.shape.iter().product();
    let weight = model.weight("encoder.0.weight", [model.latent, pixels])?;
    let image = |filter| grey(<[f32]>::iter(filter).map(|weight| f64::from(*weight)));
    Ok(weight.chunks_exact(pixels).take(FILTERS).flat_map(image).collect())
}

fn saturation(model: &Trained, codes: &[f32]) -> Number {
    let saturated =
        codes.iter().filter(|activation| !(SATURATED..=1.0 - SATURATED).contains(*activation)).count();
    let share = 100.0 * saturated as f64 / codes.len().max(1) as f64;
    model.number("saturated_percent", "saturated activations, percent", share)
}
