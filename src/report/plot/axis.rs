//! Axes: ranges, ticks at round numbers, and the frame of a plot.

use super::page::{SMALL, shortened};
use crate::report::picture::{Anchor, Area, Colour, Picture, text_width};

const TICK: f64 = 10.0;

/// One axis of a plot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it measures, with its unit.
    pub label: String,
    /// Whether it is logarithmic: what is not positive is then not drawn.
    pub log: bool,
    /// From where to where; what the data need where it is not given.
    pub range: Option<[f64; 2]>,
    /// Whether its numbers mean nothing and are left out.
    pub bare: bool,
    /// Whether only whole numbers make sense on it.
    pub whole: bool,
    /// Whether it begins at zero, or ends there.
    pub zero: bool,
}

impl Axis {
    /// A linear axis.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// An axis whose numbers mean nothing.
    pub fn bare(label: impl Into<String>) -> Self {
        Self { label: label.into(), bare: true, ..Self::default() }
    }

    /// A logarithmic axis.
    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), log: true, ..Self::default() }
    }

    /// The same where only whole numbers make sense, such as epochs.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// The same with zero on it.
    #[must_use]
    pub fn from_zero(mut self) -> Self {
        self.zero = true;
        self
    }

    /// The same from `low` to `high`.
    #[must_use]
    pub fn from_to(mut self, low: f64, high: f64) -> Self {
        self.range = Some([low, high]);
        self
    }

    /// From the least to the largest of values; from 0 to 1 where there are none.
    pub(crate) fn span(&self, values: &[f32]) -> [f64; 2] {
        let scale = self.scale(values.iter().map(|value| f64::from(*value)), 0.0);
        [scale.low, scale.high]
    }

    /// A scale that has room for `values`, with `room` of their extent beyond them.
    pub(super) fn scale(&self, values: impl Iterator<Item = f64>, room: f64) -> Scale {
        let zero = (self.zero && !self.log).then_some(0.0);
        let usable = values.chain(zero).filter(|value| value.is_finite() && (!self.log || *value > 0.0));
        let found = usable.fold(None, |range: Option<[f64; 2]>, value| {
            let [low, high] = range.unwrap_or([value; 2]);
            Some([low.min(value), high.max(value)])
        });
        let log = self.log;
        let bend = |value: f64| if log { value.log10() } else { value };
        let [low, high] = self.range.or(found).unwrap_or([if log { 1.0 } else { 0.0 }, 1.0]).map(bend);
        let room = if self.range.is_some() { 0.0 } else { room * (high - low) };
        // One value has no extent: give it some to stand in.
        let room = if high - low > 0.0 { room } else { (0.5 * low.abs()).max(0.5) };
        Scale { low: low - room, high: high + room, log, whole: self.whole }
    }
}

/// Where numbers lie between two ends. The ends are logarithms where it is logarithmic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    log: bool,
    whole: bool,
}

impl Scale {
    /// 0 at the lower end, 1 at the upper.
    pub(super) fn share(self, value: f64) -> f64 {
        let value = if self.log { value.log10() } else { value };
        (value - self.low) / (self.high - self.low)
    }

    /// Round numbers within it, about `count`, each with its text.
    pub(super) fn ticks(self, count: f64) -> Vec<(f64, String)> {
        let decades = self.high - self.low;
        if self.log && decades >= 0.8 {
            return self.decades((decades / count).ceil().max(1.0) as i32, decades);
        }
        let [low, high] =
            if self.log { [self.low, self.high].map(|end| 10_f64.powf(end)) } else { [self.low, self.high] };
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

    fn decades(self, every: i32, decades: f64) -> Vec<(f64, String)> {
        let (first, last) = (self.low.floor() as i32, self.high.ceil() as i32);
        let between: &[f64] = if decades < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let numbers = (first..=last).filter(|power| power.rem_euclid(every) == 0).flat_map(|power| {
            between.iter().map(move |digit| (digit * 10_f64.powi(power), 10_f64.powi(power)))
        });
        let inside = |at: f64| (-1e-9..=1.0 + 1e-9).contains(&self.share(at));
        numbers.filter(|(at, _)| inside(*at)).map(|(at, step)| (at, text(at, step))).collect()
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
    /// Draws axes into `area` and leaves what is inside of them. `equal` widens one of the scales until a
    /// unit is as long on both.
    pub(super) fn draw(
        picture: &mut Picture,
        area: Area,
        [across, up]: [&Axis; 2],
        [mut x, mut y]: [Scale; 2],
        equal: bool,
    ) -> Self {
        let labels: Vec<(f64, String)> = if up.bare { Vec::new() } else { y.ticks(area.height / 34.0) };
        let widest = labels.iter().map(|(_, text)| text_width(text, TICK, false)).fold(0.0, f64::max);
        let left =
            if up.label.is_empty() { 2.0 } else { SMALL + 7.0 } + if up.bare { 0.0 } else { widest + 6.0 };
        let below = if across.bare { 2.0 } else { TICK + 7.0 }
            + if across.label.is_empty() { 0.0 } else { SMALL + 7.0 };
        // Half of a tick's text stands out on the right, and above.
        let inner = area.inside(left, 5.0, if across.bare { 1.0 } else { 12.0 }, below);
        if equal {
            (x, y) = equalized(inner, x, y);
        }
        let frame = Self { area: inner, x, y };
        frame.grid(picture, [across, up]);
        let middle = inner.x + inner.width / 2.0;
        let label = shortened(&across.label, SMALL, false, area.width);
        picture.text(&label, [middle, area.bottom() - 4.0], SMALL, Anchor::Middle, Colour::Ink);
        let label = shortened(&up.label, SMALL, false, area.height);
        let middle = inner.y + inner.height / 2.0;
        picture.upwards(&label, [area.x + SMALL, middle], SMALL, Anchor::Middle, Colour::Ink);
        frame
    }

    fn grid(&self, picture: &mut Picture, [across, up]: [&Axis; 2]) {
        let Area { x, y, .. } = self.area;
        let (right, bottom) = (self.area.right(), self.area.bottom());
        if !across.bare {
            for (at, text) in self.x.ticks(self.area.width / 60.0) {
                let at = x + self.x.share(at) * self.area.width;
                picture.line(&[[at, y], [at, bottom]], Colour::Rule, 1.0);
                picture.text(&text, [at, bottom + TICK + 4.0], TICK, Anchor::Middle, Colour::Muted);
            }
        }
        if !up.bare {
            for (at, text) in self.y.ticks(self.area.height / 34.0) {
                let at = bottom - self.y.share(at) * self.area.height;
                picture.line(&[[x, at], [right, at]], Colour::Rule, 1.0);
                picture.text(&text, [x - 5.0, at + TICK * 0.36], TICK, Anchor::End, Colour::Muted);
            }
        }
        let corners = [[x, y], [right, y], [right, bottom], [x, bottom], [x, y]];
        picture.line(&corners, Colour::Muted, 0.8);
    }

    /// Where a point lies on the picture; None outside of the frame.
    pub(super) fn place(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let (x, y) = (self.x.share(x), self.y.share(y));
        let inside = |share: f64| (-1e-9..=1.0 + 1e-9).contains(&share);
        let at = [self.area.x + x * self.area.width, self.area.bottom() - y * self.area.height];
        (inside(x) && inside(y)).then_some(at)
    }
}

fn equalized(area: Area, mut x: Scale, mut y: Scale) -> (Scale, Scale) {
    let unit = |scale: Scale, extent: f64| (scale.high - scale.low) / extent.max(1.0);
    let (wide, high) = (unit(x, area.width), unit(y, area.height));
    let (scale, factor) = if wide < high { (&mut x, high / wide) } else { (&mut y, wide / high) };
    let more = 0.5 * (scale.high - scale.low) * (factor - 1.0);
    (scale.low, scale.high) = (scale.low - more, scale.high + more);
    (x, y)
}
