//! The gradient of a convolution's weight, in parts that are summed afterwards.

use narrows_shaders::conv as shaders;

use super::{Geometry, few, read, whole};
use crate::Result;
use crate::gpu::{MatMulVariant, Variants};
use crate::kernels::matmul::{self, Aligned, Epilogue, Layout};
use crate::kernels::{Kernel, Operand, Program, floats, within};

/// The gradient of the weight from features and image, one of which is a gradient:
/// `[parts, out_channels, kernel_height, kernel_width, channels]`, each part over `chunk` pixels of the
/// features. Operands: features, image, the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WeightGradient {
    /// The shapes.
    pub geometry: Geometry,
    /// Pixels to a part, at least one; the last part may have fewer.
    pub chunk: u32,
    /// Add to the parts instead of writing them.
    pub accumulate: bool,
}

impl WeightGradient {
    /// One part over all pixels.
    pub fn whole(geometry: Geometry) -> Self {
        Self { geometry, chunk: geometry.pixels(), accumulate: false }
    }

    /// As many parts as keep a GPU busy and are worth their sum: some hundred pixels each and 64 parts at
    /// most, or where channels are few as many as there are lanes; and 16 MiB of them.
    pub fn split(geometry: Geometry) -> Self {
        let most = ((1 << 22) / geometry.weight().max(1)).max(1) as u32;
        let parts = match few(geometry.image[2]) || few(geometry.features[2]) {
            true => geometry.pixels() / Geometry::DIRECT_CHUNK,
            false => (geometry.pixels() / 512).min(64),
        };
        let chunk = geometry.pixels().div_ceil(parts.clamp(1, most)).max(1);
        Self { chunk, ..Self::whole(geometry) }
    }

    /// How many parts there are.
    pub fn parts(&self) -> u32 {
        self.geometry.pixels().div_ceil(self.chunk)
    }

    // Of one part.
    fn extents(&self) -> [u32; 2] {
        [self.geometry.features[2], self.geometry.taps() * self.geometry.image[2]]
    }
}

impl Kernel for WeightGradient {
    fn title(&self) -> &'static str {
        "conv weight"
    }

    fn program(&self, variants: &Variants) -> Program {
        let [rows, columns] = self.extents();
        let aligned = Aligned { a: whole(rows), b: whole(self.geometry.image[2]), kept: true };
        let mut constants = matmul::constants(Layout::Tn, aligned, Epilogue::None, self.accumulate);
        let entry = Epilogue::None.entry();
        // Directly, a round takes but one pixel.
        let few = few(self.geometry.image[2]) || few(rows);
        if few && u64::from(self.chunk) <= Geometry::MAX_ROUNDS {
            // On a GPU eight rows and their columns would be more than the registers hold.
            let rows_to_a_lane = rows.min(if variants.matmul == MatMulVariant::Tile { 4 } else { 8 });
            constants.push(("ROWS", f64::from(rows_to_a_lane)));
            constants.push(("FILTER", f64::from(columns.min(12))));
            let workgroups = shaders::weight_direct_workgroups(rows, columns, self.parts(), rows_to_a_lane);
            return Program { shader: &shaders::WEIGHT_DIRECT, entry, constants, workgroups };
        }
        let each = [&shaders::WEIGHT_TILE, &shaders::WEIGHT_REGISTER, &shaders::WEIGHT_SHUFFLE];
        let (shader, workgroups) = matmul::variant(variants, each, rows, columns);
        Program { shader, entry, constants, workgroups: workgroups * self.parts() }
    }

    fn params(&self) -> Vec<u8> {
        let [rows, columns] = self.extents();
        self.geometry.params(rows, columns, self.chunk)
    }

    fn operands(&self) -> Vec<Operand> {
        let geometry = &self.geometry;
        vec![
            read("a", geometry.elements(geometry.features)),
            read("b", geometry.elements(geometry.image)),
            Operand::write("c", self.parts() as usize * geometry.weight()),
        ]
    }

    fn check(&self) -> Result<()> {
        self.geometry.check()?;
        within("pixels to a part of a weight's gradient", self.chunk, 1..=4 * Geometry::MAX_ROUNDS as u32)
    }

    fn flops(&self) -> u64 {
        self.geometry.flops()
    }

    fn shape(&self) -> String {
        format!("{} in {}", self.geometry.shape(self.geometry.image, self.geometry.features), self.parts())
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let geometry = &self.geometry;
        let features = &floats(reads[0])[..geometry.elements(geometry.features)];
        let image = &floats(reads[1])[..geometry.elements(geometry.image)];
        let values = geometry.reference().weight(features, image, self.chunk as usize);
        Epilogue::None.reference(values, self.extents()[1], self.accumulate, reads, writes);
    }
}
