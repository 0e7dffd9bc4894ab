// How a workgroup of 64 lanes walks along a line of pixels, `channels` numbers each.
//
// Neighbouring lanes take neighbouring numbers, then all move on by 64. A pixel and a channel are found by a division
// once a line, and from there by addition: on CPUs a division of each lane's own number costs more than all else that
// pooling does with it.

struct Place {
    column: u32,
    channel: u32,
}

// Where number `e` of a line stands.
fn place_at(e: u32, channels: u32) -> Place {
    return Place(e / channels, e % channels);
}

// `step` numbers further on.
fn moved(place: Place, step: Place, channels: u32) -> Place {
    let channel = place.channel + step.channel;
    let over = channel >= channels;
    return Place(place.column + step.column + select(0u, 1u, over), channel - select(0u, channels, over));
}
