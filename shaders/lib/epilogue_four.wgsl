// The epilogues of lib/epilogue.wgsl for lanes that make whole vec4s of columns: four neighbours are written at once, which
// costs a CPU driver half of what it costs one by one. The columns of C must be a multiple of four.
//
//     write_four        C = v
//     write_dense       C = f(v), for v = A·B + bias
//     write_dense_keep  the same, keeping v
//     write_slope       C = v * f'(kept)
//
// C is written (=), or added to (+=) where ACCUMULATE is set. `i` counts vec4s of C. Joined behind lib/activation.wgsl.

override ACCUMULATE: bool = false;

/// One number per column, added to every row (`dense`).
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
/// What the forward pass kept of the activation that C is the gradient of (`product_slope`).
@group(0) @binding(4) var<storage, read> kept: array<vec4f>;
/// C, [rows, columns].
@group(0) @binding(5) var<storage, read_write> c: array<vec4f>;
/// The pre-activation, [rows, columns], for activations whose slope needs it (`dense_keep`).
@group(0) @binding(6) var<storage, read_write> preactivation: array<vec4f>;

fn write_four(i: u32, v: vec4f) {
    if ACCUMULATE {
        c[i] += v;
    } else {
        c[i] = v;
    }
}

fn write_dense(i: u32, v: vec4f) {
    write_four(i, vec4f(activate(v.x), activate(v.y), activate(v.z), activate(v.w)));
}

fn write_dense_keep(i: u32, v: vec4f) {
    preactivation[i] = v;
    write_dense(i, v);
}

fn write_slope(i: u32, v: vec4f) {
    let z = kept[i];
    let slope = vec4f(activation_slope(z.x), activation_slope(z.y), activation_slope(z.z), activation_slope(z.w));
    write_four(i, v * slope);
}
