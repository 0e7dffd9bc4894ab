//! From formulas to a flat list of dispatches, and its replay on a device or on the CPU.
//!
//! A [`Graph`] is a tape that exists only while a model is built: each operation records its forward
//! dispatches and pushes its backward. [`Graph::finish`] leaves a [`Plan`], which a [`Replay`] runs step
//! after step without looking back.

mod activation;
mod algebra;
mod among;
mod arrange;
mod batch;
mod build;
mod clip;
mod compare;
mod conv;
mod cpu;
mod dense;
mod device;
mod dropout;
mod gpu;
mod gradient;
mod jacobian;
mod keep;
mod latent;
mod layer;
mod liveness;
mod measure;
mod memory;
mod norm;
mod objective;
mod op;
mod parameters;
mod parts;
mod placement;
mod plan;
mod pool;
mod product;
mod record;
mod replay;
mod room;
mod shape;
mod share;
mod slope;
mod slots;
mod stores;
mod streamed;
mod tape;
mod tensor;
mod update;
mod window;

pub use batch::{Augmentation, Batch, Images, Rows};
pub use build::Graph;
pub use compare::{Difference, first_difference};
pub use device::Device;
pub use jacobian::Jacobian;
pub use latent::GaussianCode;
pub use measure::StepTimes;
pub use norm::BatchNorm;
pub use objective::{
    Objective, Term, TermSpec, bernoulli_nll, continuous_bernoulli_nll, contraction, free_bits_kl,
    gaussian_kl, gaussian_nll, kl_sparsity, l1, learned_gaussian_nll, log_ratio, projected_contraction,
    squared_error,
};
pub use op::{Op, OpContext};
pub use parameters::{Init, MODEL, Parameter, ParameterLayout};
pub use placement::{Placement, RowSource};
pub use plan::{BufferId, BufferSpec, Content, Dispatch, Phase, Plan, Slice};
pub use replay::{Pending, Replay};
pub use shape::Shape;
pub use share::{Exchange, Share};
pub use slots::{Slot, Slots};
pub use stores::{Store, StoreKind};
pub use tensor::Tensor;
pub use update::{Clip, Update};
pub use window::{Padding, Window};

pub use crate::kernels::optimizer::Optimizer;
pub use crate::kernels::state::State;
pub use crate::kernels::step::{Fall, RateSchedule, Warmup};
