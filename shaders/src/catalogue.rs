//! Every shader there is, by stem.

use crate::table::{Binding, Entry, Shader};

macro_rules! compose {
    ($($file:literal),+ $(,)?) => {
        concat!($(include_str!(concat!("../", $file))),+)
    };
}

/// Every shader, for tests and tools that walk them all.
pub const ALL: &[&Shader] = &[
    &activation::SHADER,
    &batch::SHADER,
    &ceiling::SHADER,
    &latent::SHADER,
    &loss::SHADER,
    &matmul::SHUFFLE,
    &matmul::TILE,
    &matmul::REGISTER,
    &optimizer::SHADER,
    &random::SHADER,
    &record::SHADER,
    &reduce::SHADER,
    &step::SHADER,
];

/// Activations on their own.
pub mod activation {
    use super::{Binding, Entry, Shader};

    /// `forward` and `backward`.
    pub const SHADER: Shader = Shader {
        name: "activation",
        source: compose!("lib/stable.wgsl", "lib/activation.wgsl", "activation.wgsl"),
        overrides: &["ACTIVATION", "ACCUMULATE"],
        entries: &[
            Entry {
                name: "forward",
                bindings: &[Binding::PARAMS, Binding::read(1, "x"), Binding::write(4, "y")],
            },
            Entry {
                name: "backward",
                bindings: &[
                    Binding::PARAMS,
                    Binding::read(2, "dy"),
                    Binding::read(3, "kept"),
                    Binding::write(5, "dx"),
                ],
            },
        ],
        subgroups: false,
    };

    /// Workgroups for `count` numbers.
    pub const fn workgroups(count: u32) -> u32 {
        count.div_ceil(64)
    }
}

/// Which images a step sees, and their pixels.
pub mod batch {
    use super::{Binding, Entry, Shader};

    /// `permute`, `gather` and `gather_centered`.
    pub const SHADER: Shader = Shader {
        name: "batch",
        source: compose!("lib/philox.wgsl", "lib/state.wgsl", "batch.wgsl"),
        overrides: &["SHUFFLE"],
        entries: &[
            Entry {
                name: "permute",
                bindings: &[Binding::PARAMS, Binding::read(1, "state"), Binding::write(5, "indices")],
            },
            Entry {
                name: "gather",
                bindings: &[
                    Binding::PARAMS,
                    Binding::read(2, "images"),
                    Binding::read(3, "chosen"),
                    Binding::write(6, "x"),
                ],
            },
            Entry {
                name: "gather_centered",
                bindings: &[
                    Binding::PARAMS,
                    Binding::read(2, "images"),
                    Binding::read(3, "chosen"),
                    Binding::read(4, "center"),
                    Binding::write(6, "x"),
                ],
            },
        ],
        subgroups: false,
    };

    /// Workgroups of `permute` for `batch` images.
    pub const fn permute_workgroups(batch: u32) -> u32 {
        batch.div_ceil(64)
    }

    /// Workgroups of `gather` for `batch` images of `pixels` bytes.
    pub const fn gather_workgroups(batch: u32, pixels: u32) -> u32 {
        (batch * pixels.div_ceil(4)).div_ceil(64)
    }
}

/// What a device's arithmetic and memory can do at most.
pub mod ceiling {
    use super::{Binding, Entry, Shader};

    /// `multiply_add` and `copy`.
    pub const SHADER: Shader = Shader {
        name: "ceiling",
        source: compose!("ceiling.wgsl"),
        overrides: &[],
        entries: &[
            Entry { name: "multiply_add", bindings: &[Binding::PARAMS, Binding::write(2, "results")] },
            Entry {
                name: "copy",
                bindings: &[Binding::PARAMS, Binding::read(1, "original"), Binding::write(3, "duplicate")],
            },
        ],
        subgroups: false,
    };

    /// Workgroups of `multiply_add` for `invocations`.
    pub const fn multiply_add_workgroups(invocations: u32) -> u32 {
        invocations.div_ceil(64)
    }

    /// Workgroups of `copy` for `count` numbers.
    pub const fn copy_workgroups(count: u32) -> u32 {
        count.div_ceil(256)
    }
}

/// The Gaussian code: its sample, its mean, and its divergence from the prior.
pub mod latent {
    use super::{Binding, Entry, Shader};

    const STATE: Binding = Binding::read(1, "state");
    const STATS: Binding = Binding::read(2, "stats");
    const DZ: Binding = Binding::read(3, "dz");
    const Z: Binding = Binding::write(4, "z");
    const VALUE: Binding = Binding::write(5, "value");
    const DSTATS: Binding = Binding::write(6, "dstats");

    /// `reparameterize`, `reparameterize_backward`, `gaussian_kl` and `mean`.
    pub const SHADER: Shader = Shader {
        name: "latent",
        source: compose!(
            "lib/stable.wgsl",
            "lib/row_sum.wgsl",
            "lib/philox.wgsl",
            "lib/state.wgsl",
            "latent.wgsl"
        ),
        overrides: &["ACCUMULATE"],
        entries: &[
            Entry { name: "reparameterize", bindings: &[Binding::PARAMS, STATE, STATS, Z] },
            Entry { name: "reparameterize_backward", bindings: &[Binding::PARAMS, STATE, STATS, DZ, DSTATS] },
            Entry { name: "gaussian_kl", bindings: &[Binding::PARAMS, STATS, VALUE, DSTATS] },
            Entry { name: "mean", bindings: &[Binding::PARAMS, STATS, Z] },
        ],
        subgroups: false,
    };

    /// Workgroups of every entry but `gaussian_kl`, for a code of `count` = rows x latent numbers.
    pub const fn workgroups(count: u32) -> u32 {
        count.div_ceil(256)
    }

    /// Workgroups of `gaussian_kl`.
    pub const fn kl_workgroups(rows: u32) -> u32 {
        rows
    }
}

/// Likelihoods, with their gradients.
pub mod loss {
    use super::{Binding, Entry, Shader};

    const Y: Binding = Binding::read(1, "y");
    const X: Binding = Binding::read(2, "x");
    const LOG_VARIANCE: Binding = Binding::read(3, "log_variance");
    const VALUE: Binding = Binding::write(4, "value");
    const DY: Binding = Binding::write(5, "dy");
    const LOG_VARIANCE_GRADIENT: Binding = Binding::write(6, "log_variance_gradient");

    /// `squared_error`, `gaussian`, `gaussian_learned` and `bernoulli`.
    pub const SHADER: Shader = Shader {
        name: "loss",
        source: compose!("lib/stable.wgsl", "lib/row_sum.wgsl", "loss.wgsl"),
        overrides: &["ACCUMULATE"],
        entries: &[
            Entry { name: "squared_error", bindings: &[Binding::PARAMS, Y, X, VALUE, DY] },
            Entry { name: "gaussian", bindings: &[Binding::PARAMS, Y, X, VALUE, DY] },
            Entry {
                name: "gaussian_learned",
                bindings: &[Binding::PARAMS, Y, X, LOG_VARIANCE, VALUE, DY, LOG_VARIANCE_GRADIENT],
            },
            Entry { name: "bernoulli", bindings: &[Binding::PARAMS, Y, X, VALUE, DY] },
        ],
        subgroups: false,
    };

    /// Workgroups for `rows` images.
    pub const fn workgroups(rows: u32) -> u32 {
        rows
    }
}

/// Matrix products with fused epilogues: NN, NT and TN through `TRANSPOSE_A` and `TRANSPOSE_B`.
pub mod matmul {
    use super::{Binding, Entry, Shader};

    const A: Binding = Binding::read(1, "a");
    const B: Binding = Binding::read(2, "b");
    const BIAS: Binding = Binding::read(3, "bias");
    const KEPT: Binding = Binding::read(4, "kept");
    const C: Binding = Binding::write(5, "c");
    const PREACTIVATION: Binding = Binding::write(6, "preactivation");

    const OVERRIDES: &[&str] = &["TRANSPOSE_A", "TRANSPOSE_B", "ALIGNED", "ACCUMULATE", "ACTIVATION"];
    const ENTRIES: &[Entry] = &[
        Entry { name: "product", bindings: &[Binding::PARAMS, A, B, C] },
        Entry { name: "dense", bindings: &[Binding::PARAMS, A, B, BIAS, C] },
        Entry { name: "dense_keep", bindings: &[Binding::PARAMS, A, B, BIAS, C, PREACTIVATION] },
        Entry { name: "product_slope", bindings: &[Binding::PARAMS, A, B, KEPT, C] },
    ];

    const fn variant(name: &'static str, source: &'static str, subgroups: bool) -> Shader {
        Shader { name, source, overrides: OVERRIDES, entries: ENTRIES, subgroups }
    }

    /// For CPU drivers with subgroups of exactly 8.
    pub const SHUFFLE: Shader = variant(
        "matmul_shuffle",
        compose!(
            "lib/stable.wgsl",
            "lib/activation.wgsl",
            "lib/matmul.wgsl",
            "lib/epilogue.wgsl",
            "matmul_shuffle.wgsl"
        ),
        true,
    );

    /// For GPUs.
    pub const TILE: Shader = variant(
        "matmul_tile",
        compose!(
            "lib/stable.wgsl",
            "lib/activation.wgsl",
            "lib/matmul.wgsl",
            "lib/epilogue.wgsl",
            "matmul_tile.wgsl"
        ),
        false,
    );

    /// For anything else.
    pub const REGISTER: Shader = variant(
        "matmul_register",
        compose!(
            "lib/stable.wgsl",
            "lib/activation.wgsl",
            "lib/matmul.wgsl",
            "lib/epilogue.wgsl",
            "matmul_register.wgsl"
        ),
        false,
    );

    /// Workgroups of [`TILE`] for a product of `rows` x `columns`.
    pub const fn tile_workgroups(rows: u32, columns: u32) -> u32 {
        rows.div_ceil(64) * columns.div_ceil(64)
    }

    /// Workgroups of [`REGISTER`] for a product of `rows` x `columns`.
    pub const fn register_workgroups(rows: u32, columns: u32) -> u32 {
        rows.div_ceil(8) * columns.div_ceil(64)
    }

    /// Workgroups of [`SHUFFLE`] for a product of `rows` x `columns`.
    pub const fn shuffle_workgroups(rows: u32, columns: u32) -> u32 {
        rows.div_ceil(32) * columns.div_ceil(32)
    }
}

/// One step of gradient descent over a flat buffer.
pub mod optimizer {
    use super::{Binding, Entry, Shader};

    const STATE: Binding = Binding::read(1, "state");
    const GRADIENTS: Binding = Binding::read(2, "gradients");
    const PARAMETERS: Binding = Binding::write(3, "parameters");
    const FIRST: Binding = Binding::write(4, "first_moment");
    const SECOND: Binding = Binding::write(5, "second_moment");

    /// `sgd` and `adam`.
    pub const SHADER: Shader = Shader {
        name: "optimizer",
        source: compose!("lib/state.wgsl", "optimizer.wgsl"),
        overrides: &["DECOUPLED"],
        entries: &[
            Entry { name: "sgd", bindings: &[Binding::PARAMS, STATE, GRADIENTS, PARAMETERS, FIRST] },
            Entry { name: "adam", bindings: &[Binding::PARAMS, STATE, GRADIENTS, PARAMETERS, FIRST, SECOND] },
        ],
        subgroups: false,
    };

    /// Workgroups for `count` parameters.
    pub const fn workgroups(count: u32) -> u32 {
        count.div_ceil(256)
    }
}

/// Random numbers on their own.
pub mod random {
    use super::{Binding, Entry, Shader};

    const STATE: Binding = Binding::read(1, "state");
    const VALUES: Binding = Binding::write(3, "values");

    /// `draw_bits`, `draw_uniform` and `draw_normal`.
    pub const SHADER: Shader = Shader {
        name: "random",
        source: compose!("lib/philox.wgsl", "lib/state.wgsl", "random.wgsl"),
        overrides: &[],
        entries: &[
            Entry { name: "draw_bits", bindings: &[Binding::PARAMS, STATE, Binding::write(2, "words")] },
            Entry { name: "draw_uniform", bindings: &[Binding::PARAMS, STATE, VALUES] },
            Entry { name: "draw_normal", bindings: &[Binding::PARAMS, STATE, VALUES] },
        ],
        subgroups: false,
    };

    /// Workgroups for `count` numbers.
    pub const fn workgroups(count: u32) -> u32 {
        count.div_ceil(256)
    }
}

/// Losses, kept on the device.
pub mod record {
    use super::{Binding, Entry, Shader};

    const STATE: Binding = Binding::read(1, "state");
    const VALUES: Binding = Binding::read(2, "values");

    /// `mean_to_ring` and `collect`.
    pub const SHADER: Shader = Shader {
        name: "record",
        source: compose!("lib/state.wgsl", "record.wgsl"),
        overrides: &[],
        entries: &[
            Entry {
                name: "mean_to_ring",
                bindings: &[Binding::PARAMS, STATE, VALUES, Binding::write(3, "ring")],
            },
            Entry {
                name: "collect",
                bindings: &[Binding::PARAMS, STATE, VALUES, Binding::write(4, "per_image")],
            },
        ],
        subgroups: false,
    };

    /// Workgroups of `collect` for `count` values; `mean_to_ring` takes one.
    pub const fn collect_workgroups(count: u32) -> u32 {
        count.div_ceil(64)
    }
}

/// Sums in a fixed order.
pub mod reduce {
    use super::{Binding, Entry, Shader};

    /// `column_sum`.
    pub const SHADER: Shader = Shader {
        name: "reduce",
        source: compose!("reduce.wgsl"),
        overrides: &["ACCUMULATE"],
        entries: &[Entry {
            name: "column_sum",
            bindings: &[Binding::PARAMS, Binding::read(1, "a"), Binding::write(2, "sums")],
        }],
        subgroups: false,
    };

    /// Workgroups for a matrix of `rows` x `columns`, `chunk` rows to a sum.
    pub const fn workgroups(rows: u32, columns: u32, chunk: u32) -> u32 {
        rows.div_ceil(chunk) * columns.div_ceil(32)
    }
}

/// The last kernel of a step.
pub mod step {
    use super::{Binding, Entry, Shader};

    /// `advance`: one workgroup.
    pub const SHADER: Shader = Shader {
        name: "step",
        source: compose!("lib/state.wgsl", "step.wgsl"),
        overrides: &[],
        entries: &[Entry { name: "advance", bindings: &[Binding::PARAMS, Binding::write(1, "state")] }],
        subgroups: false,
    };
}
