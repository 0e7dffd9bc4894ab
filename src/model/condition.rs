//! What a conditional network is told of the class of each image, and where it reads it.

use crate::Result;
use crate::graph::{Graph, Parameter, Shape, Tensor};
use crate::reference::activation::Activation;

use super::LayerConfig;

/// The class of an image as a further input of encoder and decoder.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Classes that there are.
    pub classes: u32,
    /// `[width, classes]`: the numbers that are learned for each; None where it is told as 0s and a 1.
    pub embedding: Option<Parameter>,
    /// Numbers for a class.
    pub width: u32,
    /// The images that it stands beside as further channels of every pixel; None where it stands behind their numbers.
    pub channels_of: Option<Shape>,
}

impl Condition {
    /// The shape of images with the class beside them, and the images themselves where it is channels of theirs: where the
    /// first layer sees where a pixel is. A dense layer reads it once.
    pub(super) fn shapes(image: Shape, width: u32, encoder: &[LayerConfig]) -> (Shape, Option<Shape>) {
        let sees_numbers = |layer: &&LayerConfig| {
            !matches!(layer, LayerConfig::Dropout { .. } | LayerConfig::Activation { .. })
        };
        let first = encoder.iter().find(sees_numbers);
        if first.is_some_and(|layer| !matches!(layer, LayerConfig::Dense { .. } | LayerConfig::Flatten)) {
            let channels = image.channels.saturating_add(width);
            return (Shape { channels, ..image }, Some(image));
        }
        (Shape::flat(image.columns().unwrap_or(u32::MAX).saturating_add(width)), None)
    }

    /// Images x `[batch, pixels]` with the class beside them.
    pub(super) fn beside_images(&self, graph: &mut Graph, x: Tensor, classes: Tensor) -> Result<Tensor> {
        let told = self.told(graph, classes)?;
        let Some(image) = self.channels_of else { return graph.concat(&[x, told]) };
        let each = image.height * image.width;
        let pixels = graph.reshape(x, x.rows * each, image.channels)?;
        let row = graph.repeat_rows(told, image.height)?;
        let told = graph.repeat_rows(row, image.width)?;
        let joined = graph.concat(&[pixels, told])?;
        graph.reshape(joined, x.rows, each * (image.channels + self.width))
    }

    /// Codes `[batch, latent]` with the class behind them.
    pub(super) fn beside_codes(&self, graph: &mut Graph, code: Tensor, classes: Tensor) -> Result<Tensor> {
        let told = self.told(graph, classes)?;
        graph.concat(&[code, told])
    }

    // `[batch, width]`
    fn told(&self, graph: &mut Graph, classes: Tensor) -> Result<Tensor> {
        match &self.embedding {
            Some(weight) => graph.dense("embedding", classes, weight, None, Activation::Identity),
            None => Ok(classes),
        }
    }
}
