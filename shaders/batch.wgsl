// Which images a step sees, and their pixels: nothing is uploaded for a step.
//
//     permute:  indices[batch] = order of pass `epoch` at positions cursor..cursor+batch, which may run
//               over the end of the pass into the next; batch <= count
//     place:    indices[i] = step % steps · rows + i, where `images` is a ring of the next steps' batches
//     gather:   x[batch, pixels] = the numbers of the images chosen, of bytes byte / 255
//     gather_centered: the same less the mean image
//
// All write (=). Where a data set lies in several buffers, each has a gather of its own, which leaves the rows of the
// images in the others as they are. The order of a pass is a bijection of [0, count) that needs no table: a balanced Feistel
// network over the smallest even number of bits that holds count - 1, applied again while it lands at
// count or beyond (cycle walking: Black and Rogaway 2002, "Ciphers with arbitrary finite domains").
// Joined behind lib/log.wgsl, lib/philox.wgsl, lib/state.wgsl and lib/pixels.wgsl.

override SHUFFLE: bool = true;

struct Params {
    batch: u32,
    /// Images in the data set; of a gather, those in its buffer.
    count: u32,
    /// Numbers per image.
    pixels: u32,
    /// The first image in the buffer.
    first: u32,
    /// Steps and rows of a step in a ring.
    steps: u32,
    rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Gives the seed, the pass and the position in it.
@group(0) @binding(1) var<storage, read> state: State;
/// The images of the batch, [batch].
@group(0) @binding(5) var<storage, read_write> indices: array<u32>;
/// [batch, pixels]
@group(0) @binding(6) var<storage, read_write> x: array<f32>;

// The finalizer of MurmurHash3: every bit of x reaches every bit of the result.
fn mix(x: u32) -> u32 {
    var h = x;
    h = (h ^ (h >> 16u)) * 0x85ebca6bu;
    h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
    return h ^ (h >> 16u);
}

// The four round keys of half the network.
fn round_keys(half: u32, epoch: u32) -> vec4u {
    return philox(vec4u(half, epoch, STREAM_PERMUTATION, 0u), vec2u(state.seed_low, state.seed_high));
}

// Two rounds of the network, which bring both halves back to their sides.
fn two_rounds(sides: vec2u, keys: vec2u, mask: u32) -> vec2u {
    let left = sides.x ^ (mix(sides.y ^ keys.x) & mask);
    return vec2u(left, sides.y ^ (mix(left ^ keys.y) & mask));
}

fn permuted(position: u32, epoch: u32) -> u32 {
    let bits = max(32u - countLeadingZeros(params.count - 1u), 2u);
    let half = (bits + 1u) / 2u;
    let mask = (1u << half) - 1u;
    let first = round_keys(0u, epoch);
    let last = round_keys(1u, epoch);
    var at = position;
    loop {
        var sides = vec2u(at >> half, at & mask);
        sides = two_rounds(sides, first.xy, mask);
        sides = two_rounds(sides, first.zw, mask);
        sides = two_rounds(sides, last.xy, mask);
        sides = two_rounds(sides, last.zw, mask);
        at = (sides.x << half) | sides.y;
        if at < params.count {
            break;
        }
    }
    return at;
}

@compute @workgroup_size(64)
fn permute(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i >= params.batch {
        return;
    }
    let left = params.count - state.cursor;
    let next = i >= left;
    let position = select(state.cursor + i, i - left, next);
    if SHUFFLE {
        indices[i] = permuted(position, state.epoch + u32(next));
    } else {
        indices[i] = position;
    }
}

@compute @workgroup_size(64)
fn place(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
         @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    if i < params.batch {
        indices[i] = state.step % params.steps * params.rows + i;
    }
}

// Whether the image of a row is in this buffer; before the first the difference wraps.
fn is_here(q: Quad) -> bool {
    return q.row < params.batch && chosen[q.row] - params.first < params.count;
}

fn write(q: Quad, mean: vec4f) {
    let values = pixels_at((chosen[q.row] - params.first) * params.pixels + q.pixel) - mean;
    for (var i = 0u; i < 4u && q.pixel + i < params.pixels; i++) {
        x[q.row * params.pixels + q.pixel + i] = values[i];
    }
}

@compute @workgroup_size(64)
fn gather(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
          @builtin(local_invocation_index) lane: u32) {
    let q = quad((group.x + group.y * groups.x) * 64u + lane);
    if is_here(q) {
        write(q, vec4f());
    }
}

@compute @workgroup_size(64)
fn gather_centered(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                   @builtin(local_invocation_index) lane: u32) {
    let q = quad((group.x + group.y * groups.x) * 64u + lane);
    if is_here(q) {
        write(q, means_of(q));
    }
}
