//! Images of few channels made of features, line by line (`shaders/conv_up_line.wgsl`).

use narrows_shaders::{MAX_ROUNDS, conv as shaders};

use super::{Conv, Direction, Geometry, count, few};
use crate::gpu::Variants;
use crate::kernels::{Call, matmul};

// Rows and columns of the kernel, neighbouring features to a lane, and pixels of a line to it, that the shader has room for.
const MOST_TAPS: u32 = 5;
const MOST_SLOTS: u32 = 5;
const MOST_PIXELS: u32 = 8;
// Weights that a subgroup holds, and fours of channels that the code is written out for.
const MOST_HELD: usize = 1024;
const MOST_FOURS: u32 = 8;
// Workgroups that keep a CPU's processors busy, and rows of cells for which one is worth its first lines.
const WORKGROUPS: u32 = 32;
const FEWEST_ROWS: u32 = 8;

/// How an image is divided among lanes and workgroups.
#[derive(Clone, Copy)]
pub(super) struct Lines {
    // Neighbouring features to a lane.
    slots: u32,
    // Rows of cells to a workgroup. A cell is as many pixels as a stride.
    pub(super) rows: u32,
    // Fours of channels whose weights are held; none where there are too many.
    fours_held: u32,
    pub(super) workgroups: u32,
}

impl Geometry {
    // Cells of the image along an axis.
    fn cells(&self, axis: usize) -> u32 {
        let (pad, stride) = (self.padding[axis], self.stride[axis]);
        (self.image[axis].saturating_sub(1).saturating_add(pad)) / stride - pad / stride + 1
    }

    // The shader has the same stride along both axes, and the features beside a lane's from its neighbours.
    fn suits_lines(&self) -> bool {
        let ([_, _, channels], [_, _, features]) = (self.image, self.features);
        let stride = self.stride[0];
        let taps_fit = self.kernel.iter().all(|taps| (1..=MOST_TAPS).contains(taps));
        let suits = few(channels) && features.is_multiple_of(4) && taps_fit;
        suits
            && self.stride == [stride; 2]
            && (1..=MOST_PIXELS).contains(&stride)
            && self.padding[1] / stride < self.kernel[1].div_ceil(stride)
    }

    fn lines(&self) -> Option<Lines> {
        if !self.suits_lines() {
            return None;
        }
        let [stride, _] = self.stride;
        let [taps_down, taps_across] = self.kernel.map(|taps| taps.div_ceil(stride));
        let [down, across] = [self.cells(0), self.cells(1)];
        let tiles = |slots: u32| across.div_ceil(8 * slots - (taps_across - 1));
        // As few empty slots as can be, and then as many to a lane.
        let slots = (1..=MOST_SLOTS.min(MOST_PIXELS / stride))
            .rev()
            .min_by_key(|slots| tiles(*slots).saturating_mul(*slots))?;
        let whole = count([self.images, tiles(slots)]);
        let rows = down.div_ceil(WORKGROUPS.div_ceil(whole.max(1))).clamp(FEWEST_ROWS.min(down), down);
        let fours = self.features[2] / 4;
        let held = fours <= MOST_FOURS && self.weight() <= MOST_HELD;
        // Of the loops over lines, and over channels in each.
        let rounds = (rows.saturating_add(taps_down)).saturating_mul(if held { 1 } else { fours + 1 });
        let workgroups = whole.saturating_mul(down.div_ceil(rows));
        let fours_held = if held { fours } else { 0 };
        (rounds <= MAX_ROUNDS).then_some(Lines { slots, rows, fours_held, workgroups })
    }
}

impl Conv {
    /// How lines make this image, where they can, on any device.
    pub(super) fn lines(&self) -> Option<Lines> {
        (self.direction == Direction::Up).then(|| self.geometry.lines()).flatten()
    }

    /// The same where they do: where lanes load slowly and share what they load.
    pub(super) fn lines_on(&self, variants: &Variants) -> Option<Lines> {
        self.lines().filter(|_| variants.suit_eight_lanes())
    }
}

impl Lines {
    pub(super) fn call(&self, conv: &Conv) -> Call {
        let Conv { geometry, epilogue, accumulate, .. } = *conv;
        Call::new(&shaders::UP_LINE, matmul::entry(epilogue))
            .constant("KERNEL_HEIGHT", geometry.kernel[0])
            .constant("KERNEL_WIDTH", geometry.kernel[1])
            .constant("CHANNELS", geometry.image[2])
            .constant("STRIDE", geometry.stride[0])
            .constant("LEFT", geometry.padding[1])
            .constant("SLOTS", self.slots)
            .constant("FOURS_HELD", self.fours_held)
            .constant("ACCUMULATE", accumulate)
            .constant("ACTIVATION", epilogue.activation().code())
    }
}
