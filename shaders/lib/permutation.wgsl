// The order of a pass over `params.count` images: a bijection of [0, count) that needs no table.
//
// A balanced Feistel network over the smallest even number of bits that holds count - 1, applied again while it lands at
// count or beyond (cycle walking: Black and Rogaway 2002, "Ciphers with arbitrary finite domains"). Joined behind
// lib/philox.wgsl and lib/state.wgsl.

// The finalizer of MurmurHash3: every bit of x reaches every bit of the result.
fn mix(x: u32) -> u32 {
    var h = x;
    h = (h ^ (h >> 16u)) * 0x85ebca6bu;
    h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
    return h ^ (h >> 16u);
}

// The four round keys of half the network.
fn round_keys(half: u32, epoch: u32, seed: vec2u) -> vec4u {
    return philox(vec4u(half, epoch, STREAM_PERMUTATION, 0u), seed);
}

// Two rounds of the network, which bring both halves back to their sides.
fn two_rounds(sides: vec2u, keys: vec2u, mask: u32) -> vec2u {
    let left = sides.x ^ (mix(sides.y ^ keys.x) & mask);
    return vec2u(left, sides.y ^ (mix(left ^ keys.y) & mask));
}

fn permuted(position: u32, epoch: u32, seed: vec2u) -> u32 {
    let bits = max(32u - countLeadingZeros(params.count - 1u), 2u);
    let half = (bits + 1u) / 2u;
    let mask = (1u << half) - 1u;
    let first = round_keys(0u, epoch, seed);
    let last = round_keys(1u, epoch, seed);
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
