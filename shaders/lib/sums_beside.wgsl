// What is summed beside a product, on its way out: where lib/row_sums.wgsl and lib/channel_sums.wgsl store.

// Whether `product_sums` adds to the sums that are there.
override ACCUMULATE_SUMS: bool = false;

/// The sums of A's rows, [rows], or [parts, rows]; or those of lib/channel_sums.wgsl (`product_sums`).
@group(0) @binding(7) var<storage, read_write> row_sums: array<f32>;

// The first `count` of four neighbouring sums.
fn store_sums(first: u32, count: u32, sums: vec4f) {
    for (var i = 0u; i < min(count, 4u); i++) {
        if ACCUMULATE_SUMS {
            row_sums[first + i] += sums[i];
        } else {
            row_sums[first + i] = sums[i];
        }
    }
}
