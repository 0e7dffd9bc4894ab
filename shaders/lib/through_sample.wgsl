// The way out of a matrix product whose C is the gradient dz of a Gaussian code's sample: the gradient of the code, for the
// entry `product_sample` of the variants. Joined behind lib/logvar.wgsl, the operands and lib/epilogue.wgsl.
//
//     dmu = A·B,   dlogvar = A·B * spread,   spread = dz/dlogvar
//
// C is the gradient of stats, [rows, 2 columns]: mu in the first half of a row, logvar in the second. Beyond its bounds
// logvar follows only what leads back.

/// mu and logvar, [rows, 2 columns].
@group(0) @binding(3) var<storage, read> stats: array<f32>;
/// The slopes of the sample by logvar, [rows, columns].
@group(0) @binding(4) var<storage, read> spread: array<f32>;

fn store_sample_row(part: Part, row: u32, column: u32, dz: vec4f) {
    let at = place(part, row);
    if at.inside {
        for (var i = 0u; i < 4u && column + i < params.columns; i++) {
            let mu_at = at.first + column + i;
            let logvar_at = mu_at + params.columns;
            let slope = dz[i] * spread[row * params.columns + column + i];
            store(mu_at, dz[i]);
            store(logvar_at, followed(stats[logvar_at], slope));
        }
    }
}

fn store_sample(part: Part, row: u32, column: u32, block: mat4x4f) {
    store_sample_row(part, row, column, block[0]);
    store_sample_row(part, row + 1u, column, block[1]);
    store_sample_row(part, row + 2u, column, block[2]);
    store_sample_row(part, row + 3u, column, block[3]);
}
