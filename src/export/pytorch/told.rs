//! The lines of what a conditional model is told: the class of each item, beside its numbers or its code.

use super::Text;
use crate::export::Outline;

/// The line that declares the embedding of classes, where there is one.
pub(super) fn declared(text: &mut Text, outline: &Outline) {
    if let Some(told) = outline.told.as_ref().filter(|told| told.embedding.is_some()) {
        let line = format!("self.embedding = nn.Linear({}, {}, bias=False)", told.classes.len(), told.width);
        text.lines(8, &[&line]);
    }
}

/// The lines that put the class behind the numbers of h, or behind the channels of each pixel.
pub(super) fn beside_items(text: &mut Text, outline: &Outline) {
    let Some(image) = outline.told.as_ref().and_then(|told| told.channels_of) else {
        return beside_codes(text, outline);
    };
    class(text, outline);
    let pixels = image.height * image.width;
    let lines = [
        &format!("h = h.reshape(-1, {pixels}, {})", image.channels),
        &format!("h = torch.cat([h, told[:, None].expand(-1, {pixels}, -1)], dim=2)"),
        "h = h.flatten(1)",
    ];
    text.lines(8, &lines);
}

/// The lines that put the class behind h.
pub(super) fn beside_codes(text: &mut Text, outline: &Outline) {
    if outline.told.is_some() {
        class(text, outline);
        text.lines(8, &["h = torch.cat([h, told], dim=1)"]);
    }
}

fn class(text: &mut Text, outline: &Outline) {
    text.lines(8, &["told = F.one_hot(label, len(CLASSES)).to(h)"]);
    if outline.told.as_ref().is_some_and(|told| told.embedding.is_some()) {
        text.lines(8, &["told = self.embedding(told)"]);
    }
}
