//! The nodes of what a conditional model is told: the class of each item, beside its numbers or its code.

use super::build::{Attribute, Builder};
use crate::export::Told;

impl Builder<'_> {
    /// The input `label` `[batch]` and the nodes from it to `[batch, width]`; None for a model that is not conditional.
    pub(super) fn told(&mut self) -> Option<String> {
        let told = self.outline().told.as_ref()?;
        let label = self.input(&self.outline().label()?);
        let classes = i64::try_from(told.classes.len()).unwrap_or(i64::MAX);
        // A label that is none must fail. Gather takes one below 0 from the end: it becomes the first that is too large.
        let (zero, beyond) = (self.whole("label/first", &[0]), self.whole("label/beyond", &[classes]));
        let is_below = self.node("label", "Less", &[&label, &zero], &[]);
        let place = self.node("label", "Where", &[&is_below, &beyond, &label], &[]);
        let rows = self.identity("label/rows", told.classes.len());
        let row = self.node("label", "Gather", &[&rows, &place], &[("axis", Attribute::Int(0))]);
        let Some(embedding) = &told.embedding else { return Some(row) };
        let weight = self.tensor(embedding);
        Some(self.node("embedding", "Gemm", &[&row, &weight], &[("transB", Attribute::Int(1))]))
    }

    /// Rows of items with the class behind their numbers, or behind the channels of each pixel.
    pub(super) fn beside_items(&mut self, place: &str, x: String, class: &str, told: &Told) -> String {
        let Some(image) = told.channels_of else { return self.beside(place, &x, class, 1) };
        let pixels = image.height * image.width;
        let x = self.reshape(place, x, &[pixels, image.channels]);
        let class = self.reshape(place, class.to_owned(), &[1, told.width]);
        let extents = self.whole(&format!("{place}/pixels"), &[1, i64::from(pixels), 1]);
        let class = self.node(place, "Expand", &[&class, &extents], &[]);
        let joined = self.beside(place, &x, &class, 2);
        self.reshape(place, joined, &[pixels * (image.channels + told.width)])
    }

    /// Two values side by side.
    pub(super) fn beside(&mut self, place: &str, x: &str, class: &str, axis: i64) -> String {
        self.node(place, "Concat", &[x, class], &[("axis", Attribute::Int(axis))])
    }
}
