//! Reconstructions by the MLP and the CNN (Murphy, figure 20.17).

use super::{FigureContext, FigureOutput, Trained};
use crate::Result;
use crate::report::Images;

const SHOWN: usize = 10;
// The CNN halves images three times and doubles them again, which leads back to this shape.
const CNN_SHAPE: [usize; 3] = [28, 28, 1];

pub(super) async fn make(context: &mut FigureContext<'_>) -> Result<FigureOutput> {
    let mut output = FigureOutput::new("Reconstructions of validation images");
    output.caption = "Images that no model was trained on, and their reconstructions by each.".to_owned();
    output.models = plain(context).await?;
    output.numbers = output.models.iter().map(Trained::per_pixel).collect();
    let models: Vec<&Trained> = output.models.iter().collect();
    output.page.row(vec![Box::new(images(context, "", &models).await?)]);
    Ok(output)
}

/// The first validation images above their reconstructions by some models.
pub(super) async fn images(context: &FigureContext<'_>, title: &str, models: &[&Trained]) -> Result<Images> {
    let shown = context.held_out().first(SHOWN)?;
    let mut rows = vec![("original".to_owned(), shown.floats())];
    for model in models {
        rows.push((model.name.clone(), context.reconstruct(model, &shown).await?.images));
    }
    Ok(Images::new(title, shown.shape(), shown.len(), rows))
}

/// The MLP and, for images of the size that it is made for, the CNN.
pub(super) async fn plain(context: &mut FigureContext<'_>) -> Result<Vec<Trained>> {
    let mut models = vec![context.preset("MLP", "mlp", 5).await?];
    if context.split.train.shape() == CNN_SHAPE {
        models.push(context.preset("CNN", "cnn", 1).await?);
    }
    Ok(models)
}
