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
const MOST_WEIGHTS: usize = 500;
// Elements of a filter with which a GPU's registers hold what a lane works on.
const MOST_ON_A_GPU: u32 = 40;
// Multiply-adds that a lane of a weight's gradient is written out for: with more, compiling takes seconds.
const MOST_STEPS: u32 = 900;
// What a load of a vec4 costs on such drivers, in multiply-adds.
const LOAD: u32 = 100;
// Rows and columns of the kernel, and numbers of a line that four pixels meet, that the shader has room for.
const MOST_TAPS: u32 = 5;
const MOST_NUMBERS: u32 = 64;
// Of these, and of channels times pixels, as many as drivers unroll their loops for: else they take ten times as long.
const MOST_UNROLLED: u32 = 48;
const MOST_PIXELS_UNROLLED: u32 = 20;

impl Geometry {
    // Numbers of a line of the image that so many neighbouring pixels of the features meet.
    fn numbers(&self, pixels: u32) -> u32 {
        let pixels = self.stride[1].saturating_mul(pixels - 1).saturating_add(self.kernel[1]);
        pixels.saturating_mul(self.image[2])
    }

    // Whether four pixels meet few enough.
    fn has_short_lines(&self) -> bool {
        self.kernel.iter().all(|taps| *taps <= MOST_TAPS)
            && few(self.image[2])
            && self.numbers(4) <= MOST_NUMBERS
    }

    // How far into a vec4 of the image each multiple of so many pixels of a line begins, where that is the same for all.
    fn shift(&self, pixels: u32) -> Option<u32> {
        let [_, width, channels] = self.image;
        let before = self.padding[1].wrapping_mul(channels) % 4;
        let step = self.stride[1].wrapping_mul(pixels).wrapping_mul(channels);
        let same = [step, width.wrapping_mul(channels)].iter().all(|count| count.is_multiple_of(4));
        same.then_some((4 - before) % 4)
    }

    // The constants of `lib/conv_line.wgsl`.
    fn with_lines(&self, call: Call, shift: Option<u32>) -> Call {
        call.constant("KERNEL_HEIGHT", self.kernel[0])
            .constant("KERNEL_WIDTH", self.kernel[1])
            .constant("CHANNELS", self.image[2])
            .constant("STRIDE", self.stride[1])
            .constant("SHIFT", shift.unwrap_or(4))
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
            .with_lines(Call::new(&shaders::DOWN_SHALLOW, matmul::entry(epilogue)), geometry.shift(4))
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

/// What a lane makes of a weight's gradient.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    rows: u32,
    // Rows of the kernel.
    taps_down: u32,
    // Pixels that it takes at once.
    pixels: u32,
    // Whether there are always as many.
    even: bool,
    // How far into a vec4 of the image they begin, where that is the same for all.
    shift: Option<u32>,
}

impl WeightGradient {
    /// What a lane makes, where the shader makes this gradient. All sums of a lane are more than a GPU's registers hold.
    pub(super) fn by_lines(&self, variants: &Variants) -> Option<Piece> {
        let Geometry { features: [.., channels], kernel: [down, across], image, .. } = self.geometry;
        if variants.suit_a_gpu() || !self.geometry.has_short_lines() || !channels.is_multiple_of(4) {
            return None;
        }
        // Pieces of the kernel are whole vec4s of C.
        let whole = (across * image[2]).is_multiple_of(4);
        let taps = (1..=down).filter(|taps| *taps == down || (down.is_multiple_of(*taps) && whole));
        let rows = [16, 8, 4].into_iter().filter(|rows| channels > rows / 2);
        let pieces = taps.flat_map(|taps| rows.clone().map(move |rows| (taps, rows)));
        let all = pieces.flat_map(|(taps, rows)| (4..=8).map(move |pixels| self.piece(rows, taps, pixels)));
        all.flatten().min_by_key(|piece| self.cost(piece))
    }

    fn piece(&self, rows: u32, taps_down: u32, pixels: u32) -> Option<Piece> {
        let Geometry { features: [_, width, _], kernel: [_, across], image: [.., channels], .. } =
            self.geometry;
        let even = [self.chunk, width].iter().all(|extent| extent.is_multiple_of(pixels));
        let shift = self.geometry.shift(pixels).filter(|_| even);
        let unrolled =
            self.geometry.numbers(pixels) <= MOST_UNROLLED && channels * pixels <= MOST_PIXELS_UNROLLED;
        let fits = unrolled && rows * taps_down * across * channels * pixels <= MOST_STEPS;
        fits.then_some(Piece { rows, taps_down, pixels, even, shift })
    }

    // What it takes to make a part, in multiply-adds of a lane.
    fn cost(&self, piece: &Piece) -> u64 {
        let Geometry { features: [_, width, channels], kernel: [down, across], image, .. } = self.geometry;
        let Piece { rows, taps_down, pixels, shift, .. } = *piece;
        let numbers = self.geometry.numbers(pixels);
        let vectors = numbers.div_ceil(4);
        let line =
            shift.map_or(LOAD * (vectors + 1) + 6 * vectors, |shift| LOAD * (numbers + shift).div_ceil(4));
        let steps = rows * taps_down * across * image[2] * pixels;
        let once = LOAD * pixels * rows / 4 + taps_down * line + 2 * steps;
        let pieces = u64::from(channels.div_ceil(rows)) * u64::from(down / taps_down);
        // A part that begins or ends within a line has one more.
        let (chunk, width) = (self.chunk, width.max(1));
        let more = !piece.even && !chunk.is_multiple_of(width);
        let times = u64::from(chunk) * u64::from(width.div_ceil(pixels)) / u64::from(width) + u64::from(more);
        times.saturating_mul(pieces).saturating_mul(once.into())
    }

    /// A call of the shader.
    pub(super) fn call_by_lines(&self, call: Call, piece: &Piece) -> Call {
        let Piece { rows, taps_down, pixels, even, shift } = *piece;
        self.geometry
            .with_lines(call, shift)
            .constant("PIXELS", pixels)
            .constant("ROWS", rows)
            .constant("TAPS_DOWN", taps_down)
            .constant("EVEN", even)
    }

    pub(super) fn workgroups_by_lines(&self, piece: &Piece) -> u32 {
        let pieces = self.geometry.kernel[0] / piece.taps_down.max(1);
        shaders::weight_line_workgroups(self.geometry.features[2], self.parts(), piece.rows, pieces)
    }
}
