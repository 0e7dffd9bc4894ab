//! TOML texts that the presets of several variants start from.

/// One hidden layer of 100 selu units on either side of a code of 30; the mean over pixels by plain SGD at a rate of 1,
/// 10 epochs in batches of 32.
pub const HIDDEN_100: &str = r#"
[model]
hidden = [100]
latent = 30
activation = "selu"
code_activation = "selu"
reduction = "pixel"
[train]
optimizer = "sgd"
learning_rate = 1.0
batch = 32
epochs = 10
"#;

/// One layer of 1,000 sigmoid units and its transpose (Rifai et al. 2011, section 5), for autoencoders that differ only
/// in their objectives.
pub const TIED_1000: &str = r#"
[model]
latent = 1000
code_activation = "sigmoid"
tied = true
[train]
optimizer = "adam"
learning_rate = 1e-3
batch = 128
epochs = 10
"#;

/// One hidden layer of 400 relu units on either side of a code of 20, by Adam.
pub const HIDDEN_400: &str = r#"
[model]
hidden = [400]
latent = 20
activation = "relu"
[train]
optimizer = "adam"
learning_rate = 1e-3
batch = 128
epochs = 20
"#;
