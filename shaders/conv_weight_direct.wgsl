// The gradient of a convolution's weight where image or features have at most four channels: a lane makes ROWS rows
// x 12 columns of a part of C.
//
// The tiles of the matrix-product variants would be mostly empty. Here parts are small and many, and a lane goes
// through the pixels of one by itself. Joined behind lib/stable.wgsl, lib/finite.wgsl, lib/activation.wgsl,
// lib/matmul.wgsl, lib/conv.wgsl, lib/conv_weight.wgsl, lib/channel_sums.wgsl, lib/sums_beside.wgsl and
// lib/epilogue.wgsl.

// Rows of C to a lane: four, or eight where loads are what costs and registers do not spill; or all there are, where
// they are fewer.
override ROWS: u32 = 8u;
// Columns of C, where they are fewer than twelve: what there is not costs nothing.
override FILTER: u32 = 12u;

// Where a lane's rows and columns begin, and the sums of its rows of A.
struct Made {
    at: Corner,
    top_sums: vec4f,
    bottom_sums: vec4f,
}

// Makes what belongs to the lane.
fn make(group: vec3u, groups: vec3u, lane: u32) -> Made {
    let across = (params.columns + 11u) / 12u;
    let down = (params.rows + ROWS - 1u) / ROWS;
    let found = part_and_tile((group.x + group.y * groups.x) * 64u + lane, across * down);
    let part = part_at(found.x);
    let row = found.y / across * ROWS;
    let column = found.y % across * 12u;
    let depth = depth(part);
    let top = row_at(part, row);
    let bottom = row_at(part, row + 4u);
    let left = column_at(part, column);
    let middle = column_at(part, column + 4u);
    let right = column_at(part, column + 8u);
    var top_left = mat4x4f();
    var top_middle = mat4x4f();
    var top_right = mat4x4f();
    var bottom_left = mat4x4f();
    var bottom_middle = mat4x4f();
    var bottom_right = mat4x4f();
    var top_sums = vec4f();
    var bottom_sums = vec4f();
    for (var k = 0u; k < depth; k++) {
        let a_top = load_a(top, k);
        top_sums += a_top;
        let b_left = load_b(k, left);
        top_left = add_outer(top_left, a_top, b_left);
        var b_middle = vec4f();
        var b_right = vec4f();
        if FILTER > 4u {
            b_middle = load_b(k, middle);
            top_middle = add_outer(top_middle, a_top, b_middle);
        }
        if FILTER > 8u {
            b_right = load_b(k, right);
            top_right = add_outer(top_right, a_top, b_right);
        }
        if ROWS > 4u {
            let a_bottom = load_a(bottom, k);
            bottom_sums += a_bottom;
            bottom_left = add_outer(bottom_left, a_bottom, b_left);
            bottom_middle = add_outer(bottom_middle, a_bottom, b_middle);
            bottom_right = add_outer(bottom_right, a_bottom, b_right);
        }
    }
    store_product(part, row, column, top_left);
    store_product(part, row, column + 4u, top_middle);
    store_product(part, row, column + 8u, top_right);
    if ROWS > 4u {
        store_product(part, row + 4u, column, bottom_left);
        store_product(part, row + 4u, column + 4u, bottom_middle);
        store_product(part, row + 4u, column + 8u, bottom_right);
    }
    return Made(Corner(part, row, column), top_sums, bottom_sums);
}

@compute @workgroup_size(64)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    make(group, groups, lane);
}

@compute @workgroup_size(64)
fn product_sums(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(local_invocation_index) lane: u32) {
    var made = make(group, groups, lane);
    let at = made.at;
    if at.column > 0u {
        return;
    }
    if SUMS_OF_IMAGE {
        made.top_sums = sum_rows(at.part, at.row, 0u, 1u);
        made.bottom_sums = sum_rows(at.part, at.row + 4u, 0u, 1u);
    }
    store_row_sums(at.part, at.row, made.top_sums);
    if ROWS > 4u {
        store_row_sums(at.part, at.row + 4u, made.bottom_sums);
    }
}
