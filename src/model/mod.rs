//! The autoencoders: settings, networks, likelihoods, and each variant in a short file.

mod adversarial;
mod blueprint;
mod cnn;
mod common;
mod condition;
mod config;
mod configured;
mod contractive;
mod convolutions;
mod declare;
mod denoising;
mod extent;
mod iwae;
mod kinds;
mod layer;
mod likelihood;
mod linear;
mod mlp;
mod network;
mod plans;
mod registry;
mod sections;
pub mod set_ups;
mod settings;
mod sparse;
mod step;
mod tangent;
mod vae;
mod variant;

pub use adversarial::AdversarialSettings;
pub use common::{COMMON, CommonSettings};
pub use condition::Condition;
pub use config::ModelConfig;
pub use configured::Model;
pub use contractive::ContractiveSettings;
pub use declare::Declare;
pub use extent::Extent;
pub use iwae::IwaeSettings;
pub use kinds::{
    ConditionKind, ContractionKind, CorruptionKind, InitScheme, LikelihoodKind, ReductionKind, SparsityKind,
    StackKind, WarmupKind,
};
pub use layer::LayerConfig;
pub use likelihood::Likelihood;
pub use network::{Layer, Network, Stack};
pub use registry::Registry;
pub(crate) use sections::{check_applicable, one_line, overlaid, unknown};
pub use settings::{
    Described, NoSettings, Setting, Settings, check_count, check_fraction, check_positive, check_weight,
    check_widths, check_within,
};
pub use sparse::SparseSettings;
pub use step::Step;
pub use vae::VaeSettings;
pub use variant::{Autoencoder, Preset, Prior, Variant, VariantRef};
