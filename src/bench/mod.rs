//! What a device does in a second: standard benchmarks, their results as a file, and two of them compared.
//!
//! A [`Benchmark`] is data: what runs, and how many operations, bytes and images that is. [`measure`] runs a list of them
//! and gives a [`Record`], which has all samples. Each sample is paired with one of a yardstick, the arithmetic ceiling of
//! [`ceiling`](crate::kernels::ceiling), taken next to it: on a machine that others use too, both are slowed alike.

mod compare;
mod date;
mod fastest;
mod measure;
mod page;
mod record;
mod shapes;
mod statistics;
mod suite;
mod table;
mod work;

pub use compare::{Compared, Comparison, Verdict};
pub use date::date;
pub use fastest::{Fastest, fastest, products_of};
pub use measure::{Progress, measure};
pub use page::page;
pub use record::{DeviceFacts, Measurement, Record, Yardstick};
pub use shapes::{convolutions, geometry, products, weight_gradient};
pub use statistics::{Spread, ratio_interval};
pub use suite::{Benchmark, Extent, Group, Suite, Work};
pub use table::{Row, Table, duration};
pub use work::{fractions, launch, step};
