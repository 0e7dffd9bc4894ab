// The sides of a convolution as the shaders for few channels see them: the image has at most four, the features whole vec4s.
// Joined behind lib/conv.wgsl.
//
// With a stride of 1 the features of an image are also an image of features, by the kernel turned half round:
//
//     weight[o, u, v, c] of the one is weight[c, kernel_height - 1 - u, kernel_width - 1 - v, o] of the other
//
// So where it is the features that have few channels, both sides change places.

// Whether they do.
override MIRRORED: bool = false;
// At most five rows and columns.
override KERNEL_HEIGHT: u32 = 3u;
override KERNEL_WIDTH: u32 = 3u;
// Of the image.
override CHANNELS: u32 = 1u;
override STRIDE: u32 = 1u;

struct Sides {
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    out_channels: u32,
    top: u32,
    left: u32,
}

fn sides() -> Sides {
    if MIRRORED {
        return Sides(params.out_height, params.out_width, params.height, params.width, params.channels,
                     KERNEL_HEIGHT - 1u - params.top, KERNEL_WIDTH - 1u - params.left);
    }
    return Sides(params.height, params.width, params.out_height, params.out_width, params.out_channels, params.top,
                 params.left);
}

fn images() -> u32 {
    return divide(params.pixels, params.out_height * params.out_width).x;
}

// Where the weight of feature o, row u and column v of the kernel, and channel c is, of so many features.
fn place_of_weight(o: u32, u: u32, v: u32, c: u32, features: u32) -> u32 {
    if MIRRORED {
        return ((c * KERNEL_HEIGHT + KERNEL_HEIGHT - 1u - u) * KERNEL_WIDTH + KERNEL_WIDTH - 1u - v) * features + o;
    }
    return ((o * KERNEL_HEIGHT + u) * KERNEL_WIDTH + v) * CHANNELS + c;
}
