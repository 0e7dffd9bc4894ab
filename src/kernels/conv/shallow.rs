//! Convolutions of few channels: which shader makes them. Those of an image, four pixels of a line at a time
//! (`shaders/conv_shallow.wgsl`), and the gradient of their weight (`shaders/conv_weight_line.wgsl`).

use narrows_shaders::conv as shaders;

use super::lines::Lines;
use super::{Conv, Direction, Geometry, WeightGradient, count, few};
use crate::gpu::Variants;
use crate::kernels::{Call, matmul};

// Sixteens of channels that a lane makes at most, where each weight must be at a fixed place.
const MOST_SIXTEENS: u32 = 2;
// Weights then, each of which is an instruction: with more, compiling takes seconds, and the tiles are as fast.
const MOST_WEIGHTS: usize = 900;
// Elements of a filter with which a GPU's registers hold what a lane works on.
const MOST_ON_A_GPU: u32 = 40;
// Sums to a lane of a weight's gradient: with more, compiling takes seconds.
const MOST_SUMS: u32 = 260;
// Rows and columns of the kernel, and numbers of a line that four pixels meet, that the shader has room for.
const MOST_TAPS: u32 = 5;
const MOST_NUMBERS: u32 = 64;

impl Geometry {
    // Whether four neighbouring pixels of the features meet few enough numbers of an image.
    fn has_short_lines(&self) -> bool {
        let ([_, _, channels], [_, across]) = (self.image, self.stride);
        let pixels = across.saturating_mul(3).saturating_add(self.kernel[1]);
        self.kernel.iter().all(|taps| *taps <= MOST_TAPS)
            && few(channels)
            && pixels.saturating_mul(channels) <= MOST_NUMBERS
    }

    // The constants of `lib/conv_line.wgsl`. Where lines of the image are whole vec4s, and all lanes begin at a multiple of
    // four pixels, they begin equally far into a vec4.
    fn with_lines(&self, call: Call, by_fours: bool) -> Call {
        let [_, width, channels] = self.image;
        let before = self.padding[1].wrapping_mul(channels) % 4;
        let whole = by_fours && width.wrapping_mul(channels).is_multiple_of(4);
        call.constant("KERNEL_HEIGHT", self.kernel[0])
            .constant("KERNEL_WIDTH", self.kernel[1])
            .constant("CHANNELS", channels)
            .constant("STRIDE", self.stride[1])
            .constant("SHIFT", if whole { (4 - before) % 4 } else { 4 })
    }
}

/// How a shader for images of few channels makes what it makes.
#[derive(Clone, Copy)]
pub(super) enum Few {
    /// Features, that many sixteens of their channels to a lane.
    Sixteens(u32),
    /// An image.
    Lines(Lines),
}

impl Conv {
    // The same with the sides in each other's place.
    pub(super) fn mirrored(&self) -> Option<Self> {
        let geometry = self.geometry.mirrored()?;
        Some(Self { direction: self.direction.reversed(), geometry, ..*self })
    }

    /// How a shader for images of few channels makes this, and what it sees. Where it is the features that have few, CPU
    /// drivers see the sides in each other's place.
    pub(super) fn with_few(&self, variants: &Variants) -> Option<(Self, Few)> {
        let how = |conv: &Self| match (conv.sixteens(variants), conv.lines_on(variants)) {
            (Some(sixteens), _) => Some(Few::Sixteens(sixteens)),
            (None, lines) => lines.map(Few::Lines),
        };
        let mirrored = || self.mirrored().filter(|_| !variants.suit_a_gpu());
        let plain = how(self).map(|how| (*self, how));
        plain.or_else(|| mirrored().and_then(|conv| how(&conv).map(|how| (conv, how))))
    }

    // Whether the shader makes these features; how many sixteens of channels to a lane then. A GPU holds one in its
    // registers and finds weights anywhere, a CPU driver only at fixed places, which those of all channels have.
    fn sixteens(&self, variants: &Variants) -> Option<u32> {
        let channels = self.geometry.features[2];
        let sixteens = if variants.suit_a_gpu() { 1 } else { channels.div_ceil(16) };
        let fits = match variants.suit_a_gpu() {
            true => self.geometry.filter() <= MOST_ON_A_GPU,
            false => sixteens <= MOST_SIXTEENS && self.geometry.weight() <= MOST_WEIGHTS,
        };
        let suits = self.direction == Direction::Down
            && self.geometry.has_short_lines()
            && channels.is_multiple_of(4)
            && fits;
        suits.then_some(sixteens)
    }

    pub(super) fn shallow(&self, sixteens: u32) -> Call {
        let Self { geometry, epilogue, accumulate, .. } = *self;
        geometry
            .with_lines(Call::new(&shaders::DOWN_SHALLOW, matmul::entry(epilogue)), true)
            .constant("OUT_CHANNELS", geometry.features[2])
            .constant("SIXTEENS", sixteens)
            .constant("ACCUMULATE", accumulate)
            .constant("ACTIVATION", epilogue.activation().code())
    }

    pub(super) fn shallow_workgroups(&self, sixteens: u32) -> u32 {
        let ([height, width, channels], images) = (self.geometry.features, self.geometry.images);
        shaders::shallow_workgroups(count([images, height]), width, channels, sixteens)
    }
}

impl WeightGradient {
    // Rows to a lane, where the shader makes this gradient. All sums of a lane are more than a GPU's registers hold.
    pub(super) fn rows_by_lines(&self, variants: &Variants) -> Option<u32> {
        let (rows, filter) = (self.geometry.features[2], self.geometry.filter());
        let suits = !variants.suit_a_gpu() && self.geometry.has_short_lines() && rows.is_multiple_of(4);
        let short = |each: &u32| filter.saturating_mul(*each) <= MOST_SUMS && rows > each / 2;
        [16, 8, 4].into_iter().find(short).filter(|_| suits)
    }

    // A call of the shader, by that many rows to a lane.
    pub(super) fn by_lines(&self, call: Call, rows: u32) -> Call {
        let by_fours = [self.chunk, self.geometry.features[1]].iter().all(|pixels| pixels.is_multiple_of(4));
        self.geometry.with_lines(call, by_fours).constant("ROWS", rows)
    }
}
