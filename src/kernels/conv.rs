//! Convolutions: features of an image, an image of features, and the gradient of the weight, as matrix
//! products on operands that are seen in images (`shaders/lib/conv*.wgsl`).

use narrows_shaders::conv as shaders;

use super::matmul::{self, Epilogue, Layout, Tiled};
use super::{Call, Kernel, floats, vec4s};
use crate::gpu::{Product, ProductKind, Variants};

mod geometry;
mod lines;
mod shallow;
mod weight;

pub use geometry::Geometry;
use geometry::count;
use shallow::Few;
pub use weight::{ChannelSums, WeightGradient};

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
/// way, by the weight.
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

fn few(channels: u32) -> bool {
    channels <= Geometry::FEW_CHANNELS
}

impl Conv {
    // Height, width and channels of what is read, and of what is made.
    fn sides(&self) -> [[u32; 3]; 2] {
        let Geometry { image, features, .. } = self.geometry;
        match self.direction {
            Direction::Down => [image, features],
            Direction::Up => [features, image],
        }
    }

    // Parts that the target is made in, down and across, each with taps of its own: as many as a stride has phases.
    fn parts(&self) -> [u32; 2] {
        match self.direction {
            Direction::Down => [1, 1],
            Direction::Up => self.geometry.stride.map(|stride| stride.max(1)),
        }
    }

    // Rows and columns of the product that makes one part.
    fn extents(&self) -> [u32; 2] {
        let ([_, [height, width, channels]], [down, across]) = (self.sides(), self.parts());
        [count([self.geometry.images, height.div_ceil(down), width.div_ceil(across)]), channels]
    }

    // The shader, for one part.
    fn tiled(&self, variants: &Variants) -> Tiled {
        let ([rows, columns], [down, across]) = (self.extents(), self.parts());
        let (kind, narrow, each) = match self.direction {
            Direction::Down => (
                ProductKind::Down,
                &shaders::DOWN_NARROW,
                [&shaders::DOWN_TILE, &shaders::DOWN_REGISTER, &shaders::DOWN_SHUFFLE],
            ),
            Direction::Up => (
                ProductKind::Up,
                &shaders::UP_NARROW,
                [&shaders::UP_TILE, &shaders::UP_REGISTER, &shaders::UP_SHUFFLE],
            ),
        };
        if few(columns) {
            return Tiled::of(narrow, shaders::NARROW_TILE);
        }
        let ([[_, _, channels], _], [u, v]) = (self.sides(), self.geometry.kernel);
        let parts = down.saturating_mul(across);
        let depth = count([u, v, channels]) / parts.max(1);
        Tiled::choose(variants, &Product { kind, rows, columns, depth, parts }, each)
    }
}

impl Kernel for Conv {
    fn call(&self, variants: &Variants) -> Call {
        let Self { direction, geometry, epilogue, accumulate } = *self;
        let ([rows, columns], [source, target], [down, across]) =
            (self.extents(), self.sides(), self.parts());
        let tiled = self.tiled(variants);
        // The weight's innermost extent is the image's channels.
        let (layout, family) = match direction {
            Direction::Down => (Layout::Nt, "conv"),
            Direction::Up => (Layout::Nn, "conv transposed"),
        };
        let channels = geometry.image[2];
        // What concerns the result alone, number by number.
        let plain = matches!(epilogue, Epilogue::None | Epilogue::Dense(_) | Epilogue::Slope(_));
        let aligned = [source[2], channels, columns].map(|extent| extent.is_multiple_of(4));
        let with_few = self.with_few(variants);
        let mirrored = |seen: &Self| seen.direction != direction;
        let call = match with_few {
            Some((seen, Few::Sixteens(sixteens))) => {
                seen.shallow(sixteens).constant("MIRRORED", mirrored(&seen))
            }
            Some((seen, Few::Lines(lines))) => lines.call(&seen).constant("MIRRORED", mirrored(&seen)),
            None => matmul::call(&tiled, layout, aligned, epilogue, accumulate)
                .constant("COLUMNS", columns.min(4)),
        };
        // Of the shader that makes images by lines, which either side may be.
        let lines = self.lines().or_else(|| self.mirrored().and_then(|conv| conv.lines()));
        geometry
            .limit(call)
            .operands([vec4s(geometry.elements(source)), vec4s(geometry.weight())])
            .operands(matmul::operands(epilogue, geometry.elements(target), [0, columns]))
            .uniform(geometry.uniform(rows, columns, lines.map_or(1, |lines| lines.rows)))
            .setting(
                "epilogue of a convolution",
                plain,
                "one that writes the result alone",
                format!("{epilogue:?}"),
            )
            .flops(2, geometry.products())
            .shape(geometry.shape(source, target))
            .family(family)
            .workgroups(|| match with_few {
                Some((seen, Few::Sixteens(sixteens))) => seen.shallow_workgroups(sixteens),
                Some((_, Few::Lines(lines))) => lines.workgroups,
                None => tiled.workgroups(rows, columns).saturating_mul(down * across),
            })
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (geometry, [source, target]) = (&self.geometry, self.sides());
        let source = &floats(reads[0])[..geometry.elements(source)];
        let weight = &floats(reads[1])[..geometry.weight()];
        let values = match self.direction {
            Direction::Down => geometry.down(source, weight),
            Direction::Up => geometry.up(source, weight),
        };
        self.epilogue.reference(values, [target[2] as usize; 2], self.accumulate, reads, writes);
    }
}
