//! Convolutions: features of an image, an image of features, and the gradient of the weight, as matrix
//! products on operands that are seen in images (`shaders/lib/conv*.wgsl`).

use narrows_shaders::{Shader, conv as shaders};

use super::matmul::{self, Aligned, Epilogue, Layout};
use super::{Kernel, Operand, Program, floats};
use crate::Result;
use crate::gpu::Variants;

mod geometry;
mod weight;

pub use geometry::Geometry;
pub use weight::WeightGradient;

/// Which side a convolution makes of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Features of an image: a convolution, or the input gradient of a transposed one.
    Down,
    /// An image of features: a transposed convolution, or the input gradient of a convolution.
    Up,
}

impl Direction {
    /// The way that gradients go.
    pub const fn reversed(self) -> Self {
        match self {
            Self::Down => Self::Up,
            Self::Up => Self::Down,
        }
    }
}

/// `features[images, out_height, out_width, out_channels]` of `image[images, height, width, channels]`, or the other
/// way. Operands: what is read of the two, weight, and those of the epilogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv {
    /// What is made of what.
    pub direction: Direction,
    /// The shapes.
    pub geometry: Geometry,
    /// What happens on the way out.
    pub epilogue: Epilogue,
    /// Add to what is there instead of writing.
    pub accumulate: bool,
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

impl Conv {
    // Height, width and channels of what is read.
    fn source(&self) -> [u32; 3] {
        match self.direction {
            Direction::Down => self.geometry.image,
            Direction::Up => self.geometry.features,
        }
    }

    // Height, width and channels of what is made.
    fn target(&self) -> [u32; 3] {
        match self.direction {
            Direction::Down => self.geometry.features,
            Direction::Up => self.geometry.image,
        }
    }

    // Parts that the target is made in, each with taps of its own: as many as a stride has phases.
    fn parts(&self) -> u32 {
        match self.direction {
            Direction::Down => 1,
            Direction::Up => self.geometry.stride.iter().product(),
        }
    }

    // Rows and columns of the product that makes one part.
    fn extents(&self) -> [u32; 2] {
        let [height, width, channels] = self.target();
        let [down, across] = match self.direction {
            Direction::Down => [1, 1],
            Direction::Up => self.geometry.stride,
        };
        [self.geometry.images * height.div_ceil(down) * width.div_ceil(across), channels]
    }

    // Whether filters are so short that loops over them are unrolled.
    fn is_shallow(&self) -> bool {
        let channels = self.geometry.image[2];
        let short = few(channels) && self.geometry.taps() * channels <= Geometry::MAX_SHALLOW;
        self.direction == Direction::Down && short
    }

    // The shader, and its workgroups for one part.
    fn shader(&self, variants: &Variants) -> (&'static Shader, u32) {
        let [rows, columns] = self.extents();
        let (narrow, each) = match self.direction {
            Direction::Down => (
                &shaders::DOWN_NARROW,
                [&shaders::DOWN_TILE, &shaders::DOWN_REGISTER, &shaders::DOWN_SHUFFLE],
            ),
            Direction::Up => {
                (&shaders::UP_NARROW, [&shaders::UP_TILE, &shaders::UP_REGISTER, &shaders::UP_SHUFFLE])
            }
        };
        if self.is_shallow() {
            (&shaders::DOWN_SHALLOW, shaders::shallow_workgroups(rows, columns))
        } else if few(columns) {
            (narrow, shaders::narrow_workgroups(rows, columns))
        } else {
            matmul::variant(variants, each, rows, columns)
        }
    }
}

impl Kernel for Conv {
    fn title(&self) -> &'static str {
        let [down, up] = match self.epilogue.entry() {
            "product" => ["conv", "conv transposed"],
            "dense" => ["conv+bias+activation", "conv transposed+bias+activation"],
            "dense_keep" => ["conv+bias+activation, kept", "conv transposed+bias+activation, kept"],
            _ => ["conv*slope", "conv transposed*slope"],
        };
        match self.direction {
            Direction::Down => down,
            Direction::Up => up,
        }
    }

    fn program(&self, variants: &Variants) -> Program {
        let [_, columns] = self.extents();
        let (shader, workgroups) = self.shader(variants);
        // The weight's innermost extent is the image's channels.
        let layout = match self.direction {
            Direction::Down => Layout::Nt,
            Direction::Up => Layout::Nn,
        };
        let channels = self.geometry.image[2];
        let aligned = Aligned { a: whole(self.source()[2]), b: whole(channels), kept: whole(columns) };
        let mut constants = matmul::constants(layout, aligned, self.epilogue, self.accumulate);
        constants.push(("COLUMNS", f64::from(columns.min(4))));
        if self.is_shallow() {
            let [kernel_height, kernel_width] = self.geometry.kernel;
            constants.push(("KERNEL_HEIGHT", f64::from(kernel_height)));
            constants.push(("KERNEL_WIDTH", f64::from(kernel_width)));
            constants.push(("CHANNELS", f64::from(channels)));
            constants.push(("OUT_CHANNELS", f64::from(columns)));
        }
        Program { shader, entry: self.epilogue.entry(), constants, workgroups: workgroups * self.parts() }
    }

    fn params(&self) -> Vec<u8> {
        let [rows, columns] = self.extents();
        self.geometry.params(rows, columns, 1)
    }

    fn operands(&self) -> Vec<Operand> {
        let geometry = &self.geometry;
        let mut operands = vec![read("a", geometry.elements(self.source())), read("b", geometry.weight())];
        operands.extend(self.epilogue.operands(geometry.elements(self.target()), self.target()[2]));
        operands
    }

    fn check(&self) -> Result<()> {
        self.geometry.check()
    }

    fn flops(&self) -> u64 {
        self.geometry.flops()
    }

    fn shape(&self) -> String {
        self.geometry.shape(self.source(), self.target())
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let geometry = &self.geometry;
        let source = &floats(reads[0])[..geometry.elements(self.source())];
        let weight = &floats(reads[1])[..geometry.weight()];
        let values = match self.direction {
            Direction::Down => geometry.reference().down(source, weight),
            Direction::Up => geometry.reference().up(source, weight),
        };
        self.epilogue.reference(values, self.target()[2], self.accumulate, reads, writes);
    }
}
