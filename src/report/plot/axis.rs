//! Axes: ranges, ticks at round numbers, and the frame of a plot.

use super::page::{LABEL, shortened};
use crate::report::picture::{Anchor, Area, Colour, Picture, Style};

pub(super) const TICK: Style = Style { colour: Colour::Muted, ..Style::new(10.0) };

// Room for a label, in units, and for a tick's text.
const LABEL_ROOM: f64 = LABEL.size + 7.0;
const TICK_ROOM: f64 = TICK.size + 7.0;
// Ticks are about this far apart.
const ACROSS: f64 = 60.0;
const UP: f64 = 34.0;

/// One axis of a plot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it measures, with its unit. An axis without a label has no numbers either.
    pub label: String,
    /// Its ends. Without them the data decide.
    pub range: Option<[f64; 2]>,
    /// Whether only whole numbers make sense on it, such as epochs.
    pub whole: bool,
}

impl Axis {
    /// An axis as long as the data need.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// The same from `low` to `high`.
    #[must_use]
    pub fn from_to(mut self, low: f64, high: f64) -> Self {
        self.range = Some([low, high]);
        self
    }

    fn bare(&self) -> bool {
        self.label.is_empty()
    }

    /// A scale for `values` that extends beyond them by the share `room` of their extent; from 0 to 1 without values.
    pub(super) fn scale(&self, values: impl Iterator<Item = f64>, room: f64) -> Scale {
        let found = values.filter(|value| value.is_finite()).fold(None, |range: Option<[f64; 2]>, value| {
            let [low, high] = range.unwrap_or([value; 2]);
            Some([low.min(value), high.max(value)])
        });
        let [low, high] = self.range.or(found).unwrap_or([0.0, 1.0]);
        let room = if self.range.is_some() { 0.0 } else { room * (high - low) };
        // One value has no extent: give it some to stand in.
        let room = if high == low { (0.5 * low.abs()).max(0.5) } else { room };
        Scale { low: low - room, high: high + room, whole: self.whole }
    }
}

/// Where numbers lie between two ends, the first of which may be the larger.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    whole: bool,
}

impl Scale {
    /// 0 at the first end, 1 at the other.
    pub(super) fn share(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// Round numbers within it, about `count`, each with its text.
    fn ticks(self, count: f64) -> Vec<(f64, String)> {
        let (low, high) = (self.low.min(self.high), self.low.max(self.high));
        let rough = (high - low) / count.max(1.0);
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|round| round * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * power).max(if self.whole { 1.0 } else { 0.0 });
        if !(step.is_finite() && step > 0.0) {
            return Vec::new();
        }
        let (first, last) = ((low / step - 1e-6).ceil() as i64, (high / step + 1e-6).floor() as i64);
        (first..=last).take(100).map(|number| number as f64 * step).map(|at| (at, text(at, step))).collect()
    }
}

// As many digits as the step needs.
fn text(value: f64, step: f64) -> String {
    let largest = value.abs().max(step);
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e5).contains(&largest) {
        return format!("{value:.1e}").replace(".0e", "e");
    }
    let digits = (-(step.log10() + 1e-9).floor()).clamp(0.0, 8.0) as usize;
    format!("{value:.digits$}")
}

/// The frame of a plot: where it lies, and where numbers lie in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) area: Area,
    pub(super) x: Scale,
    pub(super) y: Scale,
}

impl Frame {
    /// Draws axes into `area`, with room for `points`. `equal` widens one of the scales until a unit is as long on
    /// both.
    pub(super) fn draw(
        picture: &mut Picture,
        area: Area,
        axes: &[Axis; 2],
        points: impl Iterator<Item = [f64; 2]> + Clone,
        equal: bool,
    ) -> Self {
        let [across, up] = axes;
        let mut x = across.scale(points.clone().map(|[x, _]| x), 0.04);
        let mut y = up.scale(points.map(|[_, y]| y), 0.04);
        let widest = y.ticks(area.height / UP).iter().map(|(_, text)| TICK.width(text)).fold(0.0, f64::max);
        // Half of a tick's text stands out on the right, and above.
        let [left, right] =
            [if up.bare() { 2.0 } else { LABEL_ROOM + widest + 6.0 }, if across.bare() { 1.0 } else { 12.0 }];
        let inner = area.inside(left, 5.0, right, if across.bare() { 2.0 } else { TICK_ROOM + LABEL_ROOM });
        if equal {
            (x, y) = equalized(inner, x, y);
        }
        let frame = Self { area: inner, x, y };
        frame.grid(picture, axes);
        let style = Style { anchor: Anchor::Middle, ..LABEL };
        let middle = [inner.x + inner.width / 2.0, area.bottom() - 4.0];
        picture.text(&shortened(&across.label, style, area.width), middle, style);
        let middle = [area.x + LABEL.size, inner.y + inner.height / 2.0];
        let style = Style { upwards: true, ..style };
        picture.text(&shortened(&up.label, style, area.height), middle, style);
        frame
    }

    fn grid(&self, picture: &mut Picture, [across, up]: &[Axis; 2]) {
        let Area { x, y, width, height } = self.area;
        let (right, bottom) = (self.area.right(), self.area.bottom());
        let ticks =
            |axis: &Axis, scale: Scale, count| if axis.bare() { Vec::new() } else { scale.ticks(count) };
        let mut rules = Vec::new();
        for (at, text) in ticks(across, self.x, width / ACROSS) {
            let at = x + self.x.share(at) * width;
            rules.push(vec![[at, y], [at, bottom]]);
            picture.text(&text, [at, bottom + TICK.size + 4.0], Style { anchor: Anchor::Middle, ..TICK });
        }
        for (at, text) in ticks(up, self.y, height / UP) {
            let at = bottom - self.y.share(at) * height;
            rules.push(vec![[x, at], [right, at]]);
            picture.text(&text, [x - 5.0, at + TICK.size * 0.36], Style { anchor: Anchor::End, ..TICK });
        }
        picture.lines(&rules, Colour::Rule, 1.0);
        edge(picture, self.area);
    }

    /// Where a point lies on the picture; None outside of the frame.
    pub(super) fn place(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let (x, y) = (self.x.share(x), self.y.share(y));
        let inside = |share: f64| (-1e-9..=1.0 + 1e-9).contains(&share);
        let at = [self.area.x + x * self.area.width, self.area.bottom() - y * self.area.height];
        (inside(x) && inside(y)).then_some(at)
    }
}

/// A line around an area.
pub(super) fn edge(picture: &mut Picture, area: Area) {
    let [first, others @ ..] = area.corners();
    picture.lines(&[[&[first][..], &others, &[first]].concat()], Colour::Muted, 0.8);
}

fn equalized(area: Area, mut x: Scale, mut y: Scale) -> (Scale, Scale) {
    let unit = |scale: Scale, extent: f64| (scale.high - scale.low) / extent.max(1.0);
    let (wide, high) = (unit(x, area.width), unit(y, area.height));
    let (scale, factor) = if wide < high { (&mut x, high / wide) } else { (&mut y, wide / high) };
    let more = 0.5 * (scale.high - scale.low) * (factor - 1.0);
    (scale.low, scale.high) = (scale.low - more, scale.high + more);
    (x, y)
}
