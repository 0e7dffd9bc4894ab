//! The lines between raw numbers and the networks: bytes, scales, the mean image, the likelihood's mean.

use super::Text;
use crate::data::ScaleKind;
use crate::export::{Change, Mean, Outline};
use crate::train::{CENTER, FACTOR, SHIFT};

/// What is done to h.
pub(super) fn line(change: Change) -> String {
    let change = match change {
        Change::FromBytes => "h / 255",
        Change::ToBytes => "h * 255",
        Change::Center => "h - self.center",
        Change::Uncenter => "h + self.center",
        // In 64 bits, as narrows does.
        Change::Scale(ScaleKind::Log1p) => {
            "((torch.log1p(h.double()) - self.shift) * self.factor).to(self.factor)"
        }
        Change::Unscale(ScaleKind::Log1p) => {
            "torch.expm1(h.double() / self.factor + self.shift).to(self.factor)"
        }
        Change::Scale(ScaleKind::Robust) => "squeezed((h - self.shift) * self.factor)",
        Change::Unscale(ScaleKind::Robust) => "stretched(h) / self.factor + self.shift",
        Change::Scale(_) => "(h - self.shift) * self.factor",
        Change::Unscale(_) => "h / self.factor + self.shift",
        Change::Mean(Mean::Bernoulli) => "torch.sigmoid(h)",
        Change::Mean(Mean::ContinuousBernoulli) => "continuous_mean(h)",
    };
    format!("h = {change}")
}

/// The lines that declare the tensors that are no parameters.
pub(super) fn buffers(text: &mut Text, outline: &Outline) {
    for name in [SHIFT, FACTOR, CENTER] {
        if let Some((shape, _)) = outline.tensors.tensors.get(name) {
            let length = shape.iter().product::<usize>();
            text.lines(8, &[&format!("self.register_buffer(\"{name}\", torch.zeros({length}))")]);
        }
    }
}

/// The functions that these lines call.
pub(super) fn functions(text: &mut Text, outline: &Outline) {
    let all = || outline.before.iter().chain(&outline.after);
    if all().any(|change| *change == Change::Scale(ScaleKind::Robust)) {
        let straight = ScaleKind::STRAIGHT;
        text.lines(0, &["def squeezed(h):"]);
        text.documented(4, &format!("The robust scale: beyond {straight} it grows as a logarithm."));
        text.lines(4, &[&format!("beyond = (h.abs() - {straight}).clamp(min=0)")]);
        text.lines(4, &[&format!("return h.sign() * (h.abs().clamp(max={straight}) + torch.log1p(beyond))")]);
        text.lines(0, &["", "", "def stretched(h):"]);
        text.documented(4, "The way back from `squeezed`.");
        text.lines(4, &[&format!("beyond = (h.abs() - {straight}).clamp(min=0)")]);
        text.lines(4, &[&format!("return h.sign() * (h.abs().clamp(max={straight}) + torch.expm1(beyond))")]);
        text.lines(0, &["", ""]);
    }
    if all().any(|change| *change == Change::Mean(Mean::ContinuousBernoulli)) {
        text.lines(0, &["def continuous_mean(y):"]);
        text.documented(
            4,
            "The mean of a continuous Bernoulli with logit y, 1 / (1 - exp(-y)) - 1 / y (Loaiza-Ganem and Cunningham 2019, \
             equation 6). Near 0 it is a series.",
        );
        let lines = [
            "square = y * y",
            "series = 1 / 720 - square * (1 / 30240 - square / 1209600)",
            "near = 0.5 + y * (1 / 12 - square * series)",
            "far = y.abs().clamp(min=1)",
            "below = 1 / far - 1 / torch.expm1(far)",
            "side = torch.where(y > 0, 1 - below, below)",
            "return torch.where(y.abs() < 1, near, side)",
        ];
        text.lines(4, &lines);
        text.lines(0, &["", ""]);
    }
}
