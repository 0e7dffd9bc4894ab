//! Points of the plane as images of two pixels, from simple known distributions.
//!
//! An image is `[1, 2, 1]`, its pixels the coordinates x and y of a point in the unit square, y upward, rounded to
//! bytes: steps of 1/255. Points drawn in other coordinates (u, v) are mapped by `x = 1/2 + (u - u0) / width`,
//! `y = 1/2 + (v - v0) / width`. The points are the same on every machine.

use libm::{cos, log, sin, sqrt};

use super::{Dataset, GaussianMixture, Source};
use crate::Result;
use crate::rng::{Stream, key, philox, uniform};

const TRAIN: usize = 10_000;
const TEST: usize = 1_000;
const SEED: u64 = 2014;

/// A distribution over the unit square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape2d {
    /// The curve `(t cos 3.5 pi t, t sin 3.5 pi t)` with `t^2` uniform and t from 0.2 to 1, plus noise of deviation
    /// 0.02; u0 = v0 = 0, width 2.5.
    Spiral,
    /// The half circles `(cos a, sin a)` and `(1 - cos a, 1/2 - sin a)` for a from 0 to pi, labels 0 and 1, plus
    /// noise of deviation 0.08; u0 = 1/2, v0 = 1/4, width 4.
    Moons,
    /// [`GaussianMixture::three`], labels 0 to 2, in the unit square's own coordinates.
    Mixture,
}

impl Shape2d {
    /// 10,000 training and 1,000 test points.
    ///
    /// # Errors
    /// None with these counts.
    pub(super) fn read(self) -> Result<(Dataset, Dataset)> {
        Ok((self.dataset(TRAIN, 0)?, self.dataset(TEST, 1)?))
    }

    /// `count` points, with labels except for the spiral. Another `draw` gives other points.
    ///
    /// # Errors
    /// As [`Dataset::new`]; none occur in practice.
    pub fn dataset(self, count: usize, draw: u32) -> Result<Dataset> {
        let points: Vec<([f64; 2], u8)> = (0..count).map(|number| self.point(number as u32, draw)).collect();
        let labels = (self != Self::Spiral).then(|| points.iter().map(|(_, label)| *label).collect());
        let places: Vec<[f64; 2]> = points.into_iter().map(|(point, _)| point).collect();
        Dataset::new(Source::of_shape(self).to_string(), SHAPE, bytes(&places), labels)
    }

    // A point in the unit square, before it is rounded, and its label. Each has a block of random words.
    fn point(self, number: u32, draw: u32) -> ([f64; 2], u8) {
        let bits = philox([number, draw, Stream::Points as u32, 0], key(SEED));
        let [which, along] = [uniform(bits[0]), uniform(bits[1])];
        let noise = normal_pair(bits[2], bits[3]);
        let pi = std::f64::consts::PI;
        let ([u, v], label, deviation, [u0, v0, width]) = match self {
            Self::Mixture => return GaussianMixture::three().draw(which, noise),
            Self::Spiral => {
                let t = sqrt(0.04 + 0.96 * along);
                ([t * cos(3.5 * pi * t), t * sin(3.5 * pi * t)], 0, 0.02, [0.0, 0.0, 2.5])
            }
            Self::Moons if which < 0.5 => ([cos(pi * along), sin(pi * along)], 0, 0.08, [0.5, 0.25, 4.0]),
            Self::Moons => ([1.0 - cos(pi * along), 0.5 - sin(pi * along)], 1, 0.08, [0.5, 0.25, 4.0]),
        };
        let place = |w: f64, noise: f64, w0: f64| 0.5 + (w + deviation * noise - w0) / width;
        ([place(u, noise[0], u0), place(v, noise[1], v0)], label)
    }
}

/// Height, width and channels of a point.
pub const SHAPE: [usize; 3] = [1, 2, 1];

// Two standard normals, as in `philox::normals`, by functions that round alike on every machine.
fn normal_pair(a: u32, b: u32) -> [f64; 2] {
    let radius = sqrt(-2.0 * log(uniform(a)));
    let angle = std::f64::consts::TAU * uniform(b);
    [radius * cos(angle), radius * sin(angle)]
}

/// Points of the unit square as bytes; points outside are moved to its edge.
fn bytes(points: &[[f64; 2]]) -> Vec<u8> {
    points.iter().flatten().map(|w| (255.0 * w.clamp(0.0, 1.0)).round() as u8).collect()
}

/// `side * side` points at even steps over the unit square, rounded to bytes, row by row from below.
///
/// # Errors
/// As [`Dataset::new`], for a side of 0.
pub fn grid(side: usize) -> Result<Dataset> {
    let step = |at: usize| (at as f64 + 0.5) / side as f64;
    let points: Vec<[f64; 2]> = (0..side * side).map(|at| [step(at % side), step(at / side)]).collect();
    Dataset::new("grid", SHAPE, bytes(&points), None)
}

/// The coordinates of a data set's points, in the unit square.
pub fn coordinates(data: &Dataset) -> Vec<[f64; 2]> {
    let points = data.values.iter().map(f64::from).collect::<Vec<_>>();
    points.as_chunks::<2>().0.to_vec()
}
