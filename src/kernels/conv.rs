//! Convolutions: features of an image, an image of features, and the gradient of the weight, as matrix
//! products on operands that are seen in images (`shaders/lib/conv*.wgsl`).

use narrows_shaders::conv as shaders;

use super::matmul::{self, Aligned, Epilogue, Layout};
use super::{Kernel, Operand, Program, floats, within};
use crate::gpu::Variants;
use crate::reference::conv::Convolution;
use crate::{Error, Result};

/// How pixels of an image and of its features lie to each other: pixel `(y, x)` of the features sees the
/// pixels `(y stride - padding + u, x stride - padding + v)` of the image, zeros where there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Images, and as many features.
    pub images: u32,
    /// Height, width and channels of an image.
    pub image: [u32; 3],
    /// Height, width and channels of its features.
    pub features: [u32; 3],
    /// Height and width of the kernel.
    pub kernel: [u32; 2],
    /// Pixels of the image to a pixel of the features, down and across.
    pub stride: [u32; 2],
    /// Zeros above and to the left of the image. What the windows reach below and to the right is zero too.
    pub padding: [u32; 2],
}

/// `features[images, out_height, out_width, out_channels]` of an image: a convolution, or the input gradient
/// of a transposed one. Operands: image, weight, and those of the epilogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Down {
    /// The shapes.
    pub geometry: Geometry,
    /// What happens on the way out.
    pub epilogue: Epilogue,
    /// Add to the features instead of writing them.
    pub accumulate: bool,
}

/// `image[images, height, width, channels]` of features: a transposed convolution, or the input gradient of a
/// convolution. Operands: features, weight, and those of the epilogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Up {
    /// The shapes.
    pub geometry: Geometry,
    /// What happens on the way out.
    pub epilogue: Epilogue,
    /// Add to the image instead of writing it.
    pub accumulate: bool,
}

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

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    columns: u32,
    image: [u32; 3],
    features: [u32; 3],
    kernel: [u32; 2],
    stride: [u32; 2],
    padding: [u32; 2],
    pixels: u32,
    chunk: u32,
}

impl Geometry {
    /// The largest kernel, stride and padding along an axis.
    pub const MAX_WINDOW: u32 = 4096;
    // The shaders divide by way of floats, which is exact within these.
    const MAX_PIXELS: u64 = 1 << 24;
    const MAX_LINES: u64 = 1 << 20;
    // Some CPU drivers end every loop of an invocation once they have run 65,535 rounds between them, without
    // a word. A round takes four channels of a tap, or four pixels.
    const MAX_ROUNDS: u64 = 65_000;
    // Up to these on one side the tiles of a matrix product would be mostly empty.
    const FEW_CHANNELS: u32 = 4;
    // The longest filter that is read by unrolled loops.
    const MAX_SHALLOW: u32 = 100;
    // Pixels to a part of the weight's gradient, where a lane makes a part's piece by itself.
    const DIRECT_CHUNK: u32 = 32;

    fn taps(&self) -> u32 {
        self.kernel[0] * self.kernel[1]
    }

    /// Elements of the weight.
    pub fn weight(&self) -> usize {
        [self.features[2], self.taps(), self.image[2]].iter().map(|extent| *extent as usize).product()
    }

    fn elements(&self, of: [u32; 3]) -> usize {
        of.iter().fold(self.images as usize, |product, extent| product * *extent as usize)
    }

    // Pixels of the features.
    fn pixels(&self) -> u32 {
        self.images * self.features[0] * self.features[1]
    }

    fn params(&self, rows: u32, columns: u32, chunk: u32) -> Vec<u8> {
        let Self { image, features, kernel, stride, padding, .. } = *self;
        let pixels = self.pixels();
        let params = Params { rows, columns, image, features, kernel, stride, padding, pixels, chunk };
        bytemuck::bytes_of(&params).to_vec()
    }

    // A multiply-add for every tap of every pixel of the features, whether the tap meets the image or not.
    fn flops(&self) -> u64 {
        2 * u64::from(self.pixels()) * self.weight() as u64
    }

    fn check(&self) -> Result<()> {
        for extent in self.image.iter().chain(&self.features).chain([&self.images]) {
            within("extent of a convolution", *extent, 1..=u32::MAX)?;
        }
        for (what, values, least) in
            [("kernel", self.kernel, 1), ("stride", self.stride, 1), ("padding", self.padding, 0)]
        {
            for value in values {
                within(what, value, least..=Self::MAX_WINDOW)?;
            }
        }
        let at_most = |what: &str, most: u64, got: u64| match got <= most {
            true => Ok(()),
            false => Err(Error::setting(what, format!("at most {most}"), got)),
        };
        let product = |extents: &[u32]| extents.iter().fold(1_u64, |p, e| p.saturating_mul(u64::from(*e)));
        for [height, width, channels] in [self.image, self.features] {
            at_most("lines of pixels in a batch", Self::MAX_LINES, product(&[self.images, height]))?;
            at_most("pixels in a batch", Self::MAX_PIXELS, product(&[self.images, height, width]))?;
            let rounds = product(&[self.taps(), channels.div_ceil(4)]);
            at_most("vec4s of a filter", Self::MAX_ROUNDS, rounds)?;
        }
        Ok(())
    }

    fn reference(&self) -> Convolution {
        let size = |extent: u32| extent as usize;
        Convolution {
            image: self.image.map(size),
            features: self.features.map(size),
            kernel: self.kernel.map(size),
            stride: self.stride.map(size),
            padding: self.padding.map(size),
        }
    }

    fn shape(&self, from: [u32; 3], to: [u32; 3]) -> String {
        let text = |[height, width, channels]: [u32; 3]| format!("{height}x{width}x{channels}");
        let ([u, v], [down, across]) = (self.kernel, self.stride);
        format!("{} of {} to {} by {u}x{v}/{down}x{across}", self.images, text(from), text(to))
    }
}

// A vec4 binding must hold whole vec4s.
fn read(name: &'static str, words: usize) -> Operand {
    Operand::read(name, words.next_multiple_of(4))
}

fn whole(channels: u32) -> bool {
    channels.is_multiple_of(4)
}

fn few(channels: u32) -> bool {
    channels <= Geometry::FEW_CHANNELS
}

impl Down {
    fn extents(&self) -> [u32; 2] {
        [self.geometry.pixels(), self.geometry.features[2]]
    }
}

impl Kernel for Down {
    fn name(&self) -> &'static str {
        match self.epilogue.entry() {
            "product" => "conv",
            "dense" => "conv+bias+activation",
            "dense_keep" => "conv+bias+activation, kept",
            _ => "conv*slope",
        }
    }

    fn program(&self, variants: &Variants) -> Program {
        let [rows, columns] = self.extents();
        let [kernel_height, kernel_width] = self.geometry.kernel;
        let channels = self.geometry.image[2];
        let shallow = few(channels) && self.geometry.taps() * channels <= Geometry::MAX_SHALLOW;
        let (shader, workgroups) = if shallow {
            (&shaders::DOWN_SHALLOW, shaders::shallow_workgroups(rows, columns))
        } else if few(columns) {
            (&shaders::DOWN_NARROW, shaders::narrow_workgroups(rows, columns))
        } else {
            let each = [&shaders::DOWN_TILE, &shaders::DOWN_REGISTER, &shaders::DOWN_SHUFFLE];
            matmul::variant(variants, each, rows, columns)
        };
        let aligned = Aligned { a: whole(channels), b: whole(channels), kept: whole(columns) };
        let mut constants = matmul::constants(Layout::Nt, aligned, self.epilogue, self.accumulate);
        constants.push(("COLUMNS", f64::from(columns.min(4))));
        if shallow {
            constants.push(("KERNEL_HEIGHT", f64::from(kernel_height)));
            constants.push(("KERNEL_WIDTH", f64::from(kernel_width)));
            constants.push(("CHANNELS", f64::from(channels)));
            constants.push(("OUT_CHANNELS", f64::from(columns)));
        }
        Program { shader, entry: self.epilogue.entry(), constants, workgroups }
    }

    fn params(&self) -> Vec<u8> {
        let [rows, columns] = self.extents();
        self.geometry.params(rows, columns, 1)
    }

    fn operands(&self) -> Vec<Operand> {
        let geometry = &self.geometry;
        let mut operands = vec![read("a", geometry.elements(geometry.image)), read("b", geometry.weight())];
        operands.extend(self.epilogue.operands(geometry.elements(geometry.features), geometry.features[2]));
        operands
    }

    fn check(&self) -> Result<()> {
        self.geometry.check()
    }

    fn flops(&self) -> u64 {
        self.geometry.flops()
    }

    fn shape(&self) -> String {
        self.geometry.shape(self.geometry.image, self.geometry.features)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let geometry = &self.geometry;
        let image = &floats(reads[0])[..geometry.elements(geometry.image)];
        let weight = &floats(reads[1])[..geometry.weight()];
        let values = geometry.reference().down(image, weight);
        self.epilogue.reference(values, geometry.features[2], self.accumulate, reads, writes);
    }
}

impl Up {
    // Of one of the parts that the image is made in.
    fn extents(&self) -> [u32; 2] {
        let Geometry { images, image: [height, width, channels], stride: [down, across], .. } = self.geometry;
        [images * height.div_ceil(down) * width.div_ceil(across), channels]
    }
}

impl Kernel for Up {
    fn name(&self) -> &'static str {
        match self.epilogue.entry() {
            "product" => "conv transposed",
            "dense" => "conv transposed+bias+activation",
            "dense_keep" => "conv transposed+bias+activation, kept",
            _ => "conv transposed*slope",
        }
    }

    fn program(&self, variants: &Variants) -> Program {
        let [rows, columns] = self.extents();
        let [down, across] = self.geometry.stride;
        let (shader, workgroups) = if few(columns) {
            (&shaders::UP_NARROW, shaders::narrow_workgroups(rows, columns))
        } else {
            let each = [&shaders::UP_TILE, &shaders::UP_REGISTER, &shaders::UP_SHUFFLE];
            matmul::variant(variants, each, rows, columns)
        };
        let out_channels = self.geometry.features[2];
        let aligned = Aligned { a: whole(out_channels), b: whole(columns), kept: whole(columns) };
        let mut constants = matmul::constants(Layout::Nn, aligned, self.epilogue, self.accumulate);
        constants.push(("COLUMNS", f64::from(columns.min(4))));
        Program { shader, entry: self.epilogue.entry(), constants, workgroups: workgroups * down * across }
    }

    fn params(&self) -> Vec<u8> {
        let [rows, columns] = self.extents();
        self.geometry.params(rows, columns, 1)
    }

    fn operands(&self) -> Vec<Operand> {
        let geometry = &self.geometry;
        let mut operands =
            vec![read("a", geometry.elements(geometry.features)), read("b", geometry.weight())];
        operands.extend(self.epilogue.operands(geometry.elements(geometry.image), geometry.image[2]));
        operands
    }

    fn check(&self) -> Result<()> {
        self.geometry.check()
    }

    fn flops(&self) -> u64 {
        self.geometry.flops()
    }

    fn shape(&self) -> String {
        self.geometry.shape(self.geometry.features, self.geometry.image)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let geometry = &self.geometry;
        let features = &floats(reads[0])[..geometry.elements(geometry.features)];
        let weight = &floats(reads[1])[..geometry.weight()];
        let values = geometry.reference().up(features, weight);
        self.epilogue.reference(values, geometry.image[2], self.accumulate, reads, writes);
    }
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
    fn name(&self) -> &'static str {
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
            constants.push(("ROWS", f64::from(rows.min(8))));
            constants.push(("FILTER", f64::from(columns.min(12))));
            let workgroups = shaders::weight_direct_workgroups(rows, columns, self.parts());
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
