//! The gradient of a convolution's weight, in parts that are summed afterwards.

use narrows_shaders::conv as shaders;

use super::{Geometry, few};
use crate::gpu::{Product, ProductKind, Variants};
use crate::kernels::matmul::{self, Epilogue, Layout, MatMul, Tiled};
use crate::kernels::{Call, Kernel, floats, vec4s};

/// The gradient of the weight from features and image, one of which is a gradient:
/// `[parts, out_channels, kernel_height, kernel_width, channels]`, each part over `chunk` pixels of the
/// features.
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
        let chunk = geometry.pixels().div_ceil(parts.clamp(1, most)).clamp(1, MatMul::MAX_DEPTH);
        Self { chunk, ..Self::whole(geometry) }
    }

    /// How many parts there are.
    pub fn parts(&self) -> u32 {
        self.geometry.pixels().div_ceil(self.chunk.max(1))
    }

    // Of one part.
    fn extents(&self) -> [u32; 2] {
        [self.geometry.features[2], self.geometry.filter()]
    }
}

impl Kernel for WeightGradient {
    fn call(&self, variants: &Variants) -> Call {
        let Self { geometry, chunk, accumulate } = *self;
        let [rows, columns] = self.extents();
        let aligned = [rows.is_multiple_of(4), geometry.image[2].is_multiple_of(4), true];
        let of = |tiled: &Tiled| matmul::call(tiled, Layout::Tn, aligned, Epilogue::None, accumulate);
        let direct = few(geometry.image[2]) || few(rows);
        // On a GPU eight rows and their columns would be more than the registers hold.
        let rows_to_a_lane = rows.min(if variants.suit_a_gpu() { 4 } else { 8 });
        let each = [&shaders::WEIGHT_TILE, &shaders::WEIGHT_REGISTER, &shaders::WEIGHT_SHUFFLE];
        let parts = self.parts();
        let product = Product { kind: ProductKind::Weight, rows, columns, depth: chunk, parts };
        let tiled = match direct {
            true => Tiled::of(&shaders::WEIGHT_DIRECT, [rows_to_a_lane, 12]),
            false => Tiled::choose(variants, &product, each),
        };
        let call = match direct {
            true => of(&tiled).constant("ROWS", rows_to_a_lane).constant("FILTER", columns.min(12)),
            false => of(&tiled),
        };
        let from_to = geometry.shape(geometry.image, geometry.features);
        geometry
            .limit(call)
            .family("conv weight")
            .operands([geometry.features, geometry.image].map(|side| vec4s(geometry.elements(side))))
            .operands([(self.parts() as usize).saturating_mul(geometry.weight())])
            .uniform(geometry.uniform(rows, columns, chunk))
            .limit("pixels to a part of a weight's gradient", chunk, 1..=MatMul::MAX_DEPTH)
            .flops(2, geometry.products())
            .shape(format!("{from_to} in {}", self.parts()))
            .workgroups(|| match direct {
                true => shaders::weight_direct_workgroups(rows, columns, parts, rows_to_a_lane),
                false => tiled.workgroups(rows, columns).saturating_mul(parts),
            })
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let geometry = &self.geometry;
        let features = &floats(reads[0])[..geometry.elements(geometry.features)];
        let image = &floats(reads[1])[..geometry.elements(geometry.image)];
        let values = geometry.weight_gradient(features, image, self.chunk as usize);
        let columns = self.extents()[1] as usize;
        Epilogue::None.reference(values, [columns; 2], self.accumulate, reads, writes);
    }
}
