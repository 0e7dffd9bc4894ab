//! Data sets: images and rows in memory, their scaling, the file formats, the search for files, and the built-in sample.
//!
//! ```
//! use narrows::data::{self, Source};
//!
//! let split = data::load(Source::Sample, None, None)?;
//! assert_eq!((split.train.len(), split.validation.len(), split.test.len()), (7_200, 800, 1_000));
//! # Ok::<(), narrows::Error>(())
//! ```

mod classes;
mod codes;
mod dataset;
mod drawn;
pub mod folder;
mod form;
pub mod idx;
mod items;
mod load;
mod mixture;
mod nearest;
pub mod npy;
mod numbers;
mod origin;
mod part;
mod parts;
mod picture;
pub mod points;
#[cfg(feature = "sample")]
mod sample;
mod scaling;
mod shell;
mod source;
pub mod table;
mod values;
mod watch;
pub(crate) mod written;

pub(crate) use classes::place_of;
pub use codes::{read_codes, read_codes_from};
pub use dataset::{Dataset, LoadReport, Split};
pub use drawn::DrawnParts;
pub use form::{Alpha, Fit, Form, Size};
pub use items::Items;
pub use load::{Reading, load, load_as, load_whole};
pub use mixture::{Component, GaussianMixture};
pub use npy::{ArrayForm, Layout};
pub use numbers::Numbers;
pub use part::Part;
pub use parts::{Parts, stratified};
pub(crate) use scaling::quantile;
pub use scaling::{Flattened, ScaleKind, ScaleOver, Scaling};
pub use shell::shell_word;
pub use source::Source;
pub use table::{Column, Missing, TableForm};
pub use values::Values;
pub use watch::Watch;
