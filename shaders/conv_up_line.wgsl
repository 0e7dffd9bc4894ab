// An image of at most four channels made of features, whole vec4s of them, for CPU drivers with subgroups of exactly 8: a
// workgroup makes a tile of an image line by line.
//
// There each load is a loop over the lanes and a shuffle is one instruction. So each feature is loaded once, with all taps
// taken of it: sums stay in registers until the last line that meets them, and so do the weights where they are few. Joined
// behind lib/stable.wgsl, lib/finite.wgsl, lib/activation.wgsl, lib/matmul.wgsl, lib/conv.wgsl, lib/conv_up.wgsl,
// lib/conv_sides.wgsl, lib/conv_cells.wgsl, lib/conv_cell_sums.wgsl and lib/epilogue.wgsl.

fn product_pixel(at: Place, v: vec4f) {
    if at.inside {
        for (var channel = 0u; channel < CHANNELS; channel++) {
            store(at.first + channel, v[channel]);
        }
    }
}

@compute @workgroup_size(8)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(subgroup_invocation_id) number: u32) {
    let start = line_of(vec4f());
    let tile = tile_at(group, groups);
    var lane = lane_at(tile, number);
    var held = held_weights(number);
    var sums = Sums(start, start, start, start, start);
    for (var y = tile.begin; y != tile.end; y++) {
        add_line(&sums, &lane, &held, y);
        for (var r = 0u; r < STRIDE; r++) {
            for (var j = 0u; j < SLOTS * STRIDE; j++) {
                product_pixel(place_at(tile, number, y, r, j), sums[0][j]);
            }
            sums = moved_up(sums, start);
        }
    }
}

fn dense_pixel(at: Place, v: vec4f) {
    if at.inside {
        for (var channel = 0u; channel < CHANNELS; channel++) {
            store(at.first + channel, activate(v[channel]));
        }
    }
}

@compute @workgroup_size(8)
fn dense(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(subgroup_invocation_id) number: u32) {
    let start = line_of(biases(0u));
    let tile = tile_at(group, groups);
    var lane = lane_at(tile, number);
    var held = held_weights(number);
    var sums = Sums(start, start, start, start, start);
    for (var y = tile.begin; y != tile.end; y++) {
        add_line(&sums, &lane, &held, y);
        for (var r = 0u; r < STRIDE; r++) {
            for (var j = 0u; j < SLOTS * STRIDE; j++) {
                dense_pixel(place_at(tile, number, y, r, j), sums[0][j]);
            }
            sums = moved_up(sums, start);
        }
    }
}

fn dense_keep_pixel(at: Place, v: vec4f) {
    if at.inside {
        for (var channel = 0u; channel < CHANNELS; channel++) {
            preactivation[at.first + channel] = v[channel];
            store(at.first + channel, activate(v[channel]));
        }
    }
}

@compute @workgroup_size(8)
fn dense_keep(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(subgroup_invocation_id) number: u32) {
    let start = line_of(biases(0u));
    let tile = tile_at(group, groups);
    var lane = lane_at(tile, number);
    var held = held_weights(number);
    var sums = Sums(start, start, start, start, start);
    for (var y = tile.begin; y != tile.end; y++) {
        add_line(&sums, &lane, &held, y);
        for (var r = 0u; r < STRIDE; r++) {
            for (var j = 0u; j < SLOTS * STRIDE; j++) {
                dense_keep_pixel(place_at(tile, number, y, r, j), sums[0][j]);
            }
            sums = moved_up(sums, start);
        }
    }
}

fn product_slope_pixel(at: Place, v: vec4f) {
    if at.inside {
        for (var channel = 0u; channel < CHANNELS; channel++) {
            let i = at.first + channel;
            store(i, v[channel] * activation_slope(kept[i / 4u][i % 4u]));
        }
    }
}

@compute @workgroup_size(8)
fn product_slope(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                 @builtin(subgroup_invocation_id) number: u32) {
    let start = line_of(vec4f());
    let tile = tile_at(group, groups);
    var lane = lane_at(tile, number);
    var held = held_weights(number);
    var sums = Sums(start, start, start, start, start);
    for (var y = tile.begin; y != tile.end; y++) {
        add_line(&sums, &lane, &held, y);
        for (var r = 0u; r < STRIDE; r++) {
            for (var j = 0u; j < SLOTS * STRIDE; j++) {
                product_slope_pixel(place_at(tile, number, y, r, j), sums[0][j]);
            }
            sums = moved_up(sums, start);
        }
    }
}
