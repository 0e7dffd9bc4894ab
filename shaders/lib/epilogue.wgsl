// The epilogues of the matrix products: what happens to C on its way out.
//
//     store_product      C = A·B
//     store_dense        C = f(A·B + bias)
//     store_dense_keep   the same, keeping A·B + bias
//     store_slope        C = A·B * f'(kept)      the gradient passes the activation of the layer below
//
// C is written (=), or added to (+=) where ACCUMULATE is set. Each takes the 4 x 4 block at [row, column],
// whose rows are named one by one: an index that varies would put the block into memory. Joined behind
// lib/activation.wgsl, lib/matmul.wgsl and the operands, which say where a row of C lies.

override ACCUMULATE: bool = false;
// Whether rows of what is kept are whole vec4s and begin at one, for `product_slope`.
override ALIGNED_KEPT: bool = true;

/// One number per column, added to every row (`dense`).
@group(0) @binding(3) var<storage, read> bias: array<f32>;
/// What the forward pass kept of the activation that C is the gradient of (`product_slope`).
@group(0) @binding(4) var<storage, read> kept: array<vec4f>;
/// C, [rows, columns].
@group(0) @binding(5) var<storage, read_write> c: array<f32>;
/// The pre-activation, [rows, columns], for activations whose slope needs it (`dense_keep`).
@group(0) @binding(6) var<storage, read_write> preactivation: array<f32>;

// The bias of four neighbouring columns, which a row of C starts from.
fn biases(column: u32) -> vec4f {
    let last = params.columns - 1u;
    return vec4f(bias[min(column, last)], bias[min(column + 1u, last)],
                 bias[min(column + 2u, last)], bias[min(column + 3u, last)]);
}

fn store(i: u32, value: f32) {
    if ACCUMULATE {
        c[i] += value;
    } else {
        c[i] = value;
    }
}

fn store_row(part: Part, row: u32, column: u32, v: vec4f) {
    let at = place(part, row);
    if at.inside {
        for (var i = 0u; i < 4u; i++) {
            if column + i < params.columns {
                store(at.first + column + i, v[i]);
            }
        }
    }
}

fn store_product(part: Part, row: u32, column: u32, block: mat4x4f) {
    store_row(part, row, column, block[0]);
    store_row(part, row + 1u, column, block[1]);
    store_row(part, row + 2u, column, block[2]);
    store_row(part, row + 3u, column, block[3]);
}

fn activate_row(z: vec4f) -> vec4f {
    return vec4f(activate(z.x), activate(z.y), activate(z.z), activate(z.w));
}

// For a block whose rows started from the bias.
fn store_dense(part: Part, row: u32, column: u32, block: mat4x4f) {
    store_product(part, row, column, mat4x4f(activate_row(block[0]), activate_row(block[1]),
                                       activate_row(block[2]), activate_row(block[3])));
}

fn keep_row(part: Part, row: u32, column: u32, z: vec4f) {
    let at = place(part, row);
    if at.inside {
        for (var i = 0u; i < 4u; i++) {
            if column + i < params.columns {
                preactivation[at.first + column + i] = z[i];
            }
        }
    }
}

fn store_dense_keep(part: Part, row: u32, column: u32, block: mat4x4f) {
    keep_row(part, row, column, block[0]);
    keep_row(part, row + 1u, column, block[1]);
    keep_row(part, row + 2u, column, block[2]);
    keep_row(part, row + 3u, column, block[3]);
    store_dense(part, row, column, block);
}

// f'(kept) of four neighbours.
fn slopes(part: Part, row: u32, column: u32) -> vec4f {
    var v = vec4f();
    let at = place(part, row);
    let first = at.first + column;
    if ALIGNED_KEPT {
        let inside = at.inside && column < params.columns;
        v = kept[select(0u, first / 4u, inside)];
    } else {
        for (var i = 0u; i < 4u; i++) {
            if at.inside && column + i < params.columns {
                v[i] = kept[(first + i) / 4u][(first + i) % 4u];
            }
        }
    }
    return vec4f(activation_slope(v.x), activation_slope(v.y), activation_slope(v.z), activation_slope(v.w));
}

fn store_slope(part: Part, row: u32, column: u32, block: mat4x4f) {
    store_row(part, row, column, block[0] * slopes(part, row, column));
    store_row(part, row + 1u, column, block[1] * slopes(part, row + 1u, column));
    store_row(part, row + 2u, column, block[2] * slopes(part, row + 2u, column));
    store_row(part, row + 3u, column, block[3] * slopes(part, row + 3u, column));
}
