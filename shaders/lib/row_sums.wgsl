// What a product with A transposed brings along: the sums of A's rows, the gradient of the bias beside the weight's. Joined
// behind the operands, for the entry `product_sums` of the matrix-product variants.

// Four neighbouring rows of A, summed over the steps of depth from `first` on, `step` apart.
fn sum_rows(part: Part, row: u32, first: u32, step: u32) -> vec4f {
    let four = row_at(part, row);
    let begin = first_step(part);
    let end = begin + depth(part);
    var sums = vec4f();
    for (var k = begin + first; k < end; k += step) {
        sums += load_a(four, k);
    }
    return sums;
}

fn store_row_sums(part: Part, row: u32, sums: vec4f) {
    let count = select(0u, params.rows - min(row, params.rows), depth(part) > 0u);
    store_sums(number_of(part) * params.rows + row, count, sums);
}
