// The features that make cells of an image of at most four channels, line by line, for subgroups of exactly 8. Joined behind
// lib/conv.wgsl, lib/conv_up.wgsl and lib/conv_sides.wgsl.
//
// Feature x begins a cell of STRIDE pixels, from x * STRIDE - left on. Features x - t meet pixel r of it at the taps v = r + t
// * STRIDE. A lane loads SLOTS neighbouring features of a line and has those beside them from its neighbours. Its cells are
// those LEFT / STRIDE further right, and the last cells of 8 SLOTS, whose features no lane has, are no part of a tile. Down an
// image it is the same, with lines of features.

// Zeros to the left of the image, fewer than KERNEL_WIDTH rounded up to whole strides.
override LEFT: u32 = 1u;
// Pixels of the features to a lane: at most five, and SLOTS STRIDE at most eight.
override SLOTS: u32 = 4u;

// Pixels of the features, each with four channels.
alias Slots = array<vec4f, 5>;
alias Window = array<vec4f, 9>;

fn taps_across() -> u32 {
    return (KERNEL_WIDTH + STRIDE - 1u) / STRIDE;
}

// Features that the first cell lacks, and that the last one does.
fn before() -> u32 {
    return taps_across() - 1u - LEFT / STRIDE;
}

// Cells to a line of a workgroup.
fn cells() -> u32 {
    return 8u * SLOTS - (taps_across() - 1u);
}

// Cells along an axis.
fn all_cells(extent: u32, pad: u32) -> u32 {
    return (extent - 1u + pad) / STRIDE - pad / STRIDE + 1u;
}

// What a workgroup makes of an image. It is the same for all lanes, as shuffles in a loop want it.
struct Tile {
    image: u32,
    // The first cell, from the image's first on.
    cell: u32,
    // Lines of features: the first to read, the first that ends a row of cells, and the end.
    begin: u32,
    first: u32,
    end: u32,
}

fn tile_at(group: vec3u, groups: vec3u) -> Tile {
    let side = sides();
    let tiles = (all_cells(side.width, LEFT) + cells() - 1u) / cells();
    let down = all_cells(side.height, side.top);
    let across = divide(group.x + group.y * groups.x, tiles);
    let part = divide(across.x, (down + params.chunk - 1u) / params.chunk);
    let above = side.top / STRIDE;
    let first = part.y * params.chunk;
    let end = select(first, min(first + params.chunk, down), part.x < images());
    // No line lies before the first one.
    let taps_down = (KERNEL_HEIGHT + STRIDE - 1u) / STRIDE;
    let begin = min(max(first + above + 1u, taps_down) - taps_down, end + above);
    return Tile(part.x, across.y * cells(), begin, first + above, end + above);
}

struct Lane {
    number: u32,
    // Each slot's first vec4 in the first line, and whether there is such a pixel.
    slots: array<u32, 5>,
    inside: array<bool, 5>,
}

fn lane_at(tile: Tile, number: u32) -> Lane {
    let side = sides();
    var lane = Lane(number, array<u32, 5>(), array<bool, 5>());
    for (var i = 0u; i < SLOTS; i++) {
        let slot = number * SLOTS + i;
        // The last slots hold what lies left of the first.
        let x = tile.cell + slot - select(0u, 8u * SLOTS, slot + before() >= 8u * SLOTS);
        let pixel = tile.image * side.out_height * side.out_width + x;
        lane.slots[i] = pixel * (side.out_channels / 4u);
        lane.inside[i] = x < side.out_width;
    }
    return lane;
}

// Slot i of a lane, whose neighbours' slots are before its first and behind its last.
fn slot_at(slots: ptr<function, Slots>, lane: u32, i: u32) -> vec4f {
    let slot = (*slots)[i % SLOTS];
    if i / SLOTS == 8u {
        return slot;
    }
    return subgroupShuffle(slot, (lane + i / SLOTS) % 8u);
}

// The pixels of line y of the features that a lane's cells meet, four channels of them.
fn window_at(lane: ptr<function, Lane>, y: u32, four: u32) -> Window {
    let side = sides();
    var slots: Slots;
    let first = y * side.out_width * (side.out_channels / 4u) + four;
    for (var i = 0u; i < SLOTS; i++) {
        let inside = y < side.out_height && (*lane).inside[i];
        slots[i] = select(vec4f(), a[select(0u, (*lane).slots[i] + first, inside)], inside);
    }
    var window: Window;
    for (var i = 0u; i < SLOTS + taps_across() - 1u; i++) {
        window[i] = slot_at(&slots, (*lane).number, 8u * SLOTS + i - before());
    }
    return window;
}

// Pixel j of row r of a lane's cells that end with line y.
fn place_at(tile: Tile, number: u32, y: u32, r: u32, j: u32) -> Place {
    let side = sides();
    let i = y * STRIDE + r - side.top;
    let cell = number * SLOTS + j / STRIDE;
    let x = (tile.cell + cell + LEFT / STRIDE) * STRIDE + j % STRIDE - LEFT;
    let first = ((tile.image * side.height + i) * side.width + x) * CHANNELS;
    return Place(first, y >= tile.first && i < side.height && cell < cells() && x < side.width);
}
