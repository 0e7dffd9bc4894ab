// Matrix product, variant `register`: a lane makes 8 x 8 of C out of registers alone.
//
// No workgroup memory, no barrier, no feature: runs everywhere and suits CPU drivers, where 16 vec4 loads
// feed 256 multiply-adds. A workgroup of 8 lanes covers 8 rows x 64 columns.
//
// Joined behind lib/stable.wgsl, lib/finite.wgsl, lib/activation.wgsl, lib/matmul.wgsl, the operands and
// lib/epilogue.wgsl. The operands are lib/dense.wgsl; or lib/conv.wgsl with lib/conv_down.wgsl, lib/conv_up.wgsl or
// lib/conv_weight.wgsl. Further entries follow where they are of use: those of layers, lib/register_layer.wgsl; that of
// a gradient of weights, lib/register_sums.wgsl, which wants lib/sums_beside.wgsl, and lib/row_sums.wgsl or
// lib/channel_sums.wgsl; and that which leads back through a sample, lib/register_sample.wgsl, which wants
// lib/logvar.wgsl and lib/through_sample.wgsl.

fn position(group: vec3u, groups: vec3u, lane: u32) -> Corner {
    let at = corner(group, groups, 8u, 64u);
    return Corner(at.part, at.row, at.column + lane * 8u);
}

// The 4 x 4 quarters: top left, top right, bottom left, bottom right. Column j of a quarter is row j of its part of C.
alias Quarters = array<mat4x4f, 4>;

// Where a quarter begins. They are stored in a loop, as CPU drivers compile each call anew: four take a third longer.
fn quarter(p: Corner, number: u32) -> Corner {
    return Corner(p.part, p.row + number / 2u * 4u, p.column + number % 2u * 4u);
}

// The rows of C start from `left_start` and `right_start`.
fn multiply(p: Corner, left_start: vec4f, right_start: vec4f) -> Quarters {
    var top_left = mat4x4f(left_start, left_start, left_start, left_start);
    var top_right = mat4x4f(right_start, right_start, right_start, right_start);
    var bottom_left = top_left;
    var bottom_right = top_right;
    let top_rows = rows_at(p.part, p.row);
    let bottom_rows = rows_at(p.part, p.row + 4u);
    let left_column = column_at(p.part, p.column);
    let right_column = column_at(p.part, p.column + 4u);
    let begin = first_step(p.part);
    let end = begin + depth(p.part);
    for (var k = begin; k < end; k += 4u) {
        let left = block_b(k, left_column);
        let right = block_b(k, right_column);
        let top = load_rows(top_rows, k);
        top_left = multiply_add(top_left, left, top);
        top_right = multiply_add(top_right, right, top);
        let bottom = load_rows(bottom_rows, k);
        bottom_left = multiply_add(bottom_left, left, bottom);
        bottom_right = multiply_add(bottom_right, right, bottom);
    }
    return Quarters(top_left, top_right, bottom_left, bottom_right);
}

@compute @workgroup_size(8)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let p = position(group, groups, lane);
    var quarters = multiply(p, vec4f(), vec4f());
    for (var i = 0u; i < 4u; i++) {
        let at = quarter(p, i);
        store_product(at.part, at.row, at.column, quarters[i]);
    }
}
