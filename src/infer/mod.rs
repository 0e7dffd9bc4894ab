//! The use of what was trained: codes, reconstructions, images of codes, bounds, and the geometry of codes.

mod bound;
mod codes;
mod interpolate;
mod jacobian;
mod loaded;
mod reconstruct;
mod score;

pub use bound::{ActiveUnits, ImportanceBound};
pub use codes::{prior_grid, traversals};
pub use interpolate::Interpolation;
pub use jacobian::JacobianNorms;
pub use reconstruct::{Decoder, Reconstructions, Reconstructor, prior_codes};
pub use score::ScoreField;
