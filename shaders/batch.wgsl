// Which images a step sees, and their pixels: nothing is uploaded for a step.
//
//     permute:  indices[batch] = order of pass `epoch` at positions cursor + first_place + 0..batch, which may
//               run over the end of the pass into the next; first_place + batch <= count
//     place:    indices[i] = step % steps · rows + i, where `images` is a ring of the next steps' batches
//     gather:   x[batch, pixels] = the numbers of the images chosen, of bytes byte / 255
//     gather_centered: the same less the mean image
//     next_batch, next_batch_centered: permute and gather in one, of a data set in one buffer
//
// All write (=). Where a data set lies in several buffers, each has a gather of its own, which leaves the rows of the
// images in the others as they are. Joined behind lib/log.wgsl, lib/philox.wgsl, lib/state.wgsl, lib/pixels.wgsl and
// lib/permutation.wgsl.

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
    /// The place of image 0 in the whole batch, of which these may be a part.
    first_place: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// Gives the seed, the pass and the position in it.
@group(0) @binding(1) var<storage, read> state: State;
/// The images of the batch, [batch].
@group(0) @binding(5) var<storage, read_write> indices: array<u32>;
/// [batch, pixels]
@group(0) @binding(6) var<storage, read_write> x: array<f32>;

// The image at place i of the batch. `now` is the state, read once before any branch: there a CPU driver reads it for all
// lanes at once, behind one for each.
fn image_at(i: u32, now: State) -> u32 {
    let left = params.count - now.cursor;
    let place = params.first_place + i;
    let next = place >= left;
    let position = select(now.cursor + place, place - left, next);
    if SHUFFLE {
        return permuted(position, now.epoch + u32(next), vec2u(now.seed_low, now.seed_high));
    }
    return position;
}

@compute @workgroup_size(64)
fn permute(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
           @builtin(local_invocation_index) lane: u32) {
    let i = (group.x + group.y * groups.x) * 64u + lane;
    let now = state;
    if i < params.batch {
        indices[i] = image_at(i, now);
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

// The pixels of this image of the buffer.
fn write(q: Quad, image: u32, mean: vec4f) {
    let values = pixels_at(image * params.pixels + q.pixel) - mean;
    for (var i = 0u; i < 4u && q.pixel + i < params.pixels; i++) {
        x[q.row * params.pixels + q.pixel + i] = values[i];
    }
}

@compute @workgroup_size(64)
fn gather(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
          @builtin(local_invocation_index) lane: u32) {
    let q = quad((group.x + group.y * groups.x) * 64u + lane);
    if is_here(q) {
        write(q, chosen[q.row] - params.first, vec4f());
    }
}

@compute @workgroup_size(64)
fn gather_centered(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                   @builtin(local_invocation_index) lane: u32) {
    let q = quad((group.x + group.y * groups.x) * 64u + lane);
    if is_here(q) {
        write(q, chosen[q.row] - params.first, means_of(q));
    }
}

// A row of the batch, and its image.
struct Found {
    row: u32,
    image: u32,
}

// The image of a quad: the same as before where it is of the same row. The first quad of a row keeps the image's number.
fn find(q: Quad, before: Found, now: State) -> Found {
    var found = before;
    if q.row != before.row {
        found = Found(q.row, image_at(q.row, now));
    }
    if q.pixel == 0u {
        indices[q.row] = found.image;
    }
    return found;
}

// An invocation takes four quads, a workgroup's width apart, and so has to find few images.
@compute @workgroup_size(64)
fn next_batch(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
              @builtin(local_invocation_index) lane: u32) {
    let first = (group.x + group.y * groups.x) * 256u + lane;
    let now = state;
    var found = Found(params.batch, 0u);
    for (var number = first; number < first + 256u; number += 64u) {
        let q = quad(number);
        if q.row >= params.batch {
            return;
        }
        found = find(q, found, now);
        write(q, found.image, vec4f());
    }
}

@compute @workgroup_size(64)
fn next_batch_centered(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                       @builtin(local_invocation_index) lane: u32) {
    let first = (group.x + group.y * groups.x) * 256u + lane;
    let now = state;
    var found = Found(params.batch, 0u);
    for (var number = first; number < first + 256u; number += 64u) {
        let q = quad(number);
        if q.row >= params.batch {
            return;
        }
        found = find(q, found, now);
        write(q, found.image, means_of(q));
    }
}
