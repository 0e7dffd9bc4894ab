// The gradient of a convolution's weight where the image has at most four channels and the features whole vec4s, for CPU
// drivers: a lane makes up to 16 rows of a part of C, with all their columns or those of some rows of the kernel.
//
// It goes through the pixels of a part several at a time, reads each number that they meet once, and keeps all sums: a GPU
// has too few registers. Joined behind lib/stable.wgsl, lib/finite.wgsl, lib/activation.wgsl, lib/matmul.wgsl, lib/conv.wgsl,
// lib/conv_weight.wgsl, lib/channel_sums.wgsl, lib/conv_sides.wgsl, lib/conv_line.wgsl, lib/conv_tap_sums.wgsl,
// lib/epilogue_four.wgsl and lib/sums_beside.wgsl.

// Four rows of C, as far as the lane makes them.
alias FourRows = array<f32, 300>;

fn lay_row_of_kernel(rows: ptr<function, FourRows>, sums: ptr<function, Sums>, u: u32, four: u32) {
    if u >= TAPS_DOWN {
        return;
    }
    let width = KERNEL_WIDTH * CHANNELS;
    for (var i = 0u; i < width; i++) {
        let v = (*sums)[u][i * 4u + four];
        (*rows)[u * width + i] = v.x;
        (*rows)[(TAPS_DOWN + u) * width + i] = v.y;
        (*rows)[(2u * TAPS_DOWN + u) * width + i] = v.z;
        (*rows)[(3u * TAPS_DOWN + u) * width + i] = v.w;
    }
}

// Up to 25 vec4s of them, from `begin` on. The first row begins at `first`.
fn store_some(first: u32, rows: ptr<function, FourRows>, begin: u32) {
    let length = TAPS_DOWN * KERNEL_WIDTH * CHANNELS;
    for (var i = begin; i < min(begin + 25u, length); i++) {
        let at = 4u * i;
        let to = (first + at / length * params.columns + at % length) / 4u;
        write_four(to, vec4f((*rows)[at], (*rows)[at + 1u], (*rows)[at + 2u], (*rows)[at + 3u]));
    }
}

fn store_four(at: Corner, sums: ptr<function, Sums>, four: u32) {
    let row = at.row + 4u * four;
    if row >= params.rows || depth(at.part) == 0u {
        return;
    }
    var rows: FourRows;
    lay_row_of_kernel(&rows, sums, 0u, four);
    lay_row_of_kernel(&rows, sums, 1u, four);
    lay_row_of_kernel(&rows, sums, 2u, four);
    lay_row_of_kernel(&rows, sums, 3u, four);
    lay_row_of_kernel(&rows, sums, 4u, four);
    let first = (at.part * params.rows + row) * params.columns + at.column;
    store_some(first, &rows, 0u);
    store_some(first, &rows, 25u);
    store_some(first, &rows, 50u);
}

// What a lane has made: where, and the sums of its rows of A.
struct Made {
    at: Corner,
    sums: mat4x4f,
}

fn make(group: vec3u, groups: vec3u, index: u32) -> Made {
    let across = KERNEL_HEIGHT / TAPS_DOWN;
    let tiles = (params.rows + ROWS - 1u) / ROWS * across;
    let found = part_and_tile((group.x + group.y * groups.x) * 8u + index, tiles);
    let part = part_at(found.x);
    let row = found.y / across * ROWS;
    let down = found.y % across * TAPS_DOWN;
    var sums: Sums;
    var channels = mat4x4f();
    let end = part * params.chunk + depth(part);
    var pixel = select(end, part * params.chunk, depth(part) > 0u);
    while pixel < end {
        let at = divide(pixel, params.out_width);
        let count = min(min(params.out_width - at.y, end - pixel), PIXELS);
        var features: Features;
        for (var i = 0u; i < PIXELS; i++) {
            for (var four = 0u; four < ROWS / 4u; four++) {
                // Rows that there are not are never stored.
                let first = (pixel + i) * params.rows + min(row + 4u * four, params.rows - 4u);
                var values = vec4f();
                if EVEN {
                    values = a[first / 4u];
                } else {
                    values = four_of_a(Place(first, i < count));
                }
                features[4u * i + four] = values;
                channels[four] += values;
            }
        }
        let lane = lane_at(at.x, at.y, count);
        add_row_of_kernel(&sums, lane, &features, down, 0u);
        add_row_of_kernel(&sums, lane, &features, down, 1u);
        add_row_of_kernel(&sums, lane, &features, down, 2u);
        add_row_of_kernel(&sums, lane, &features, down, 3u);
        add_row_of_kernel(&sums, lane, &features, down, 4u);
        pixel += count;
    }
    let at = Corner(part, row, down * KERNEL_WIDTH * CHANNELS);
    store_four(at, &sums, 0u);
    if ROWS > 4u {
        store_four(at, &sums, 1u);
    }
    if ROWS > 8u {
        store_four(at, &sums, 2u);
        store_four(at, &sums, 3u);
    }
    return Made(at, channels);
}

@compute @workgroup_size(8)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) index: u32) {
    make(group, groups, index);
}

@compute @workgroup_size(8)
fn product_sums(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                @builtin(local_invocation_index) index: u32) {
    let made = make(group, groups, index);
    let at = made.at;
    if at.column > 0u {
        return;
    }
    if SUMS_OF_IMAGE {
        store_row_sums(at.part, at.row, sum_rows(at.part, at.row, 0u, 1u));
        return;
    }
    for (var four = 0u; four < ROWS / 4u; four++) {
        store_row_sums(at.part, at.row + 4u * four, made.sums[four]);
    }
}
