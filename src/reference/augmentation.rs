//! Pictures seen through random views while a model is trained: the twin of `shaders/augmentation.wgsl`.

use crate::rng::{Stream, philox, uniform};

/// What is done at random to every picture of a training step, anew in each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augmentation {
    /// Whether half of them are mirrored, left to right.
    pub flip: bool,
    /// The most pixels that they are shifted by, up or down and left or right; the pixels at the edge are repeated.
    pub shift: u32,
    /// The smallest share of height and width that a view shows, above 0; 1 for all of the picture. What it shows is
    /// enlarged to the picture's size.
    pub crop: f32,
}

impl Default for Augmentation {
    /// Nothing.
    fn default() -> Self {
        Self { flip: false, shift: 0, crop: 1.0 }
    }
}

/// How one picture is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Whether left and right change places.
    pub mirrored: bool,
    /// Pixels that it is shifted by, down and to the right.
    pub shift: [i64; 2],
    /// The share of height and width that is shown.
    pub share: f64,
    /// Where that begins: the share of what is not shown that lies above, and to the left.
    pub corner: [f64; 2],
}

impl Augmentation {
    /// Whether pictures stay as they are.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// How picture `number` of a step's batch is seen.
    pub fn view(self, number: u32, seed: [u32; 2], step: u32, instance: u32) -> View {
        let bits = |block| philox([block, step, Stream::Augmentation as u32, instance], seed);
        let [mirrored, down, right, _] = bits(2 * number);
        let [share, above, left, _] = bits(2 * number + 1);
        let most = u64::from(self.shift);
        let shift = |bits: u32| ((u64::from(bits) * (2 * most + 1)) >> 32) as i64 - most as i64;
        let crop = f64::from(self.crop);
        View {
            mirrored: self.flip && mirrored >> 31 == 1,
            shift: [shift(down), shift(right)],
            share: crop + (1.0 - crop) * uniform(share),
            corner: [uniform(above), uniform(left)],
        }
    }
}

impl View {
    /// A picture `[height, width, channels]` as it is seen.
    pub fn of(&self, picture: &[f32], [height, width, channels]: [u32; 3]) -> Vec<f64> {
        let mut seen = Vec::with_capacity(picture.len());
        for row in 0..height {
            let [top, bottom, down] = self.between(row, height, 0);
            for column in 0..width {
                let column = if self.mirrored { width - 1 - column } else { column };
                let [left, right, across] = self.between(column, width, 1);
                for channel in 0..channels as usize {
                    let at = |row: f64, column: f64| {
                        let pixel = row as usize * width as usize + column as usize;
                        f64::from(picture[pixel * channels as usize + channel])
                    };
                    let upper = at(top, left) * (1.0 - across) + at(top, right) * across;
                    let lower = at(bottom, left) * (1.0 - across) + at(bottom, right) * across;
                    seen.push(upper * (1.0 - down) + lower * down);
                }
            }
        }
        seen
    }

    // The two pixels of the picture that pixel `at` of the view lies between, and how far it is from the first.
    fn between(&self, at: u32, extent: u32, axis: usize) -> [f64; 3] {
        let last = f64::from(extent - 1);
        let begin = self.corner[axis] * (1.0 - self.share) * f64::from(extent);
        let place = begin + (f64::from(at) + 0.5) * self.share - 0.5 - self.shift[axis] as f64;
        let place = place.clamp(0.0, last);
        [place.floor(), (place.floor() + 1.0).min(last), place.fract()]
    }
}
