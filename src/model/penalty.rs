//! What a model minimizes beside the reconstruction.

/// The one term of a model's objective that is no reconstruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Penalty {
    /// `kl`, `l1`, `sparsity` or `contraction`: the term's name in plans, metrics and reports.
    pub name: &'static str,
    /// Its weight, as configured.
    pub weight: f32,
    /// What the weight multiplies: sum or mean, over the code and over the batch. Begins with the setting's name.
    pub meaning: &'static str,
}
