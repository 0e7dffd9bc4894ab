//! The gradient of a convolution's weight, in parts that are summed afterwards, and that of its bias beside it.

use narrows_shaders::{MAX_ROUNDS, conv as shaders};

use super::{Direction, Geometry, count, few};
use crate::gpu::{Product, ProductKind, Variants};
use crate::kernels::matmul::{self, Epilogue, Layout, MatMul, Tiled};
use crate::kernels::{Call, Kernel, elements, floats, floats_mut, put_all, vec4s};
use crate::reference::reduce::column_sums;

/// The gradient of the weight from features and image, one of which is a gradient:
/// `[parts, out_channels, kernel_height, kernel_width, channels]`, each part over `chunk` pixels of the
/// features. And, where they are wanted, the sums of that gradient's channels, `[parts, channels]`: the gradient of the
/// bias, each part over as many pixels. Where there are several parts, the lines of the sums are filled up to whole vec4s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WeightGradient {
    /// The shapes.
    pub geometry: Geometry,
    /// Pixels to a part, at least one; the last part may have fewer.
    pub chunk: u32,
    /// Add to the parts instead of writing them.
    pub accumulate: bool,
    /// The sums beside them.
    pub sums: Option<ChannelSums>,
}

/// Sums of each channel of a result's gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelSums {
    /// What the result is: features, or an image, which must not have more channels than the features.
    pub of: Direction,
    /// Add to the sums instead of writing them.
    pub accumulate: bool,
}

impl WeightGradient {
    /// One part over all pixels.
    pub fn whole(geometry: Geometry) -> Self {
        Self { geometry, chunk: geometry.pixels(), accumulate: false, sums: None }
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
        // Lanes then begin at a line, or equally far into a vec4 of the image.
        let width = geometry.features[1].max(1);
        let chunk = match chunk {
            ..=4 => chunk,
            _ if few(geometry.image[2]) && width <= chunk => (chunk + width / 2) / width * width,
            _ => chunk.next_multiple_of(4),
        };
        let chunk = chunk.min(MatMul::MAX_DEPTH);
        Self { chunk, ..Self::whole(geometry) }
    }

    /// How many parts there are.
    pub fn parts(&self) -> u32 {
        self.geometry.pixels().div_ceil(self.chunk.max(1))
    }

    /// Words from one part's sums to the next: their channels, filled up where there are several parts.
    pub fn line_of_sums(&self) -> u32 {
        let channels = self.summed()[2];
        if self.parts() > 1 { channels.checked_next_multiple_of(4).unwrap_or(u32::MAX) } else { channels }
    }

    // Height, width and channels of what is summed.
    fn summed(&self) -> [u32; 3] {
        match self.sums {
            Some(ChannelSums { of: Direction::Up, .. }) => self.geometry.image,
            _ => self.geometry.features,
        }
    }

    // Pixels of what is summed to a part.
    fn summed_chunk(&self) -> u32 {
        let [height, width, _] = self.summed();
        count([self.geometry.images, height, width]).div_ceil(self.parts().max(1))
    }

    // What limits the sums.
    fn limit_sums(&self, call: Call) -> Call {
        let Some(ChannelSums { of, .. }) = self.sums else { return call };
        let rows = self.geometry.features[2];
        let call = match of {
            Direction::Down => call,
            Direction::Up => call.limit("channels of an image to sum", self.geometry.image[2], 1..=rows),
        };
        // At most five rounds for four pixels of the product, and two for each that is summed.
        let rounds = u64::from(self.chunk) * 5 / 4 + 2 * u64::from(self.summed_chunk());
        call.limit("rounds over pixels to a part, with sums", rounds, 1..=MAX_ROUNDS.into())
    }

    // Of one part.
    fn extents(&self) -> [u32; 2] {
        [self.geometry.features[2], self.geometry.filter()]
    }
}

impl Kernel for WeightGradient {
    fn call(&self, variants: &Variants) -> Call {
        let Self { geometry, chunk, accumulate, sums } = *self;
        let [rows, columns] = self.extents();
        let aligned = [rows.is_multiple_of(4), geometry.image[2].is_multiple_of(4), true];
        let adds = sums.is_some_and(|sums| sums.accumulate);
        let epilogue = sums.map_or(Epilogue::None, |_| Epilogue::Sums { accumulate: adds });
        let of_image = sums.is_some_and(|sums| sums.of == Direction::Up);
        let with_sums =
            |call: Call| call.constant("ACCUMULATE_SUMS", adds).constant("SUMS_OF_IMAGE", of_image);
        let of = |tiled: &Tiled| with_sums(matmul::call(tiled, Layout::Tn, aligned, epilogue, accumulate));
        let words_of_sums = sums.map(|_| elements([self.parts(), self.line_of_sums()]));
        let summed = sums.map_or(0, |_| geometry.elements(self.summed()));
        let direct = few(geometry.image[2]) || few(rows);
        // On a GPU eight rows and their columns would be more than the registers hold.
        let rows_to_a_lane = rows.min(if variants.suit_a_gpu() { 4 } else { 8 });
        let each = [&shaders::WEIGHT_TILE, &shaders::WEIGHT_REGISTER, &shaders::WEIGHT_SHUFFLE];
        let parts = self.parts();
        let product = Product { kind: ProductKind::Weight, rows, columns, depth: chunk, parts };
        let by_lines = self.by_lines(variants);
        let tiled = match (by_lines, direct) {
            (Some(_), _) => Tiled::of(&shaders::WEIGHT_LINE, [rows, columns]),
            (None, true) => Tiled::of(&shaders::WEIGHT_DIRECT, [rows_to_a_lane, 12]),
            (None, false) => Tiled::choose(variants, &product, each),
        };
        let call = match (by_lines, direct) {
            (Some(piece), _) => {
                let call = Call::new(&shaders::WEIGHT_LINE, matmul::entry(epilogue));
                let call = call.constant("ALIGNED_B", aligned[1]).constant("ACCUMULATE", accumulate);
                self.call_by_lines(with_sums(call), &piece)
            }
            (None, true) => of(&tiled).constant("ROWS", rows_to_a_lane).constant("FILTER", columns.min(12)),
            (None, false) => of(&tiled),
        };
        let from_to = geometry.shape(geometry.image, geometry.features);
        self.limit_sums(geometry.limit(call))
            .family("conv weight")
            .operands([geometry.features, geometry.image].map(|side| vec4s(geometry.elements(side))))
            .operands([(self.parts() as usize).saturating_mul(geometry.weight())])
            .operands(words_of_sums)
            .uniform(geometry.uniform(rows, columns, chunk))
            .limit("pixels to a part of a weight's gradient", chunk, 1..=MatMul::MAX_DEPTH)
            .flops(2, geometry.products())
            .flops(1, summed)
            .shape(format!("{from_to} in {}", self.parts()))
            .workgroups(|| match (by_lines, direct) {
                (Some(piece), _) => self.workgroups_by_lines(&piece),
                (None, true) => shaders::weight_direct_workgroups(rows, columns, parts, rows_to_a_lane),
                (None, false) => tiled.workgroups(rows, columns).saturating_mul(parts),
            })
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let geometry = &self.geometry;
        let features = &floats(reads[0])[..geometry.elements(geometry.features)];
        let image = &floats(reads[1])[..geometry.elements(geometry.image)];
        let values = geometry.weight_gradient(features, image, self.chunk as usize);
        let columns = self.extents()[1] as usize;
        Epilogue::None.reference(values, [columns; 2], self.accumulate, reads, writes);
        let Some(ChannelSums { of, accumulate }) = self.sums else { return };
        let summed = if of == Direction::Up { image } else { features };
        let (channels, line) = (self.summed()[2] as usize, self.line_of_sums() as usize);
        let mut sums = vec![0.0; self.parts() as usize * line];
        let pixels = if of == Direction::Up { self.summed_chunk() } else { self.chunk } as usize;
        for (part, pixels) in sums.chunks_mut(line).zip(summed.chunks(pixels * channels)) {
            part[..channels].copy_from_slice(&column_sums(pixels, channels));
        }
        put_all(floats_mut(writes[1]), sums, accumulate);
    }
}
