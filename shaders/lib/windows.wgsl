// Windows over the pixels of an image, for pooling: [batch, height, width, channels] on one side, [batch, out_height,
// out_width, channels] on the other, with out_height = floor((height - WINDOW_HEIGHT) / STRIDE_HEIGHT) + 1, out_width
// alike. What does not fill a window is left out.

override WINDOW_HEIGHT: u32 = 2u;
override WINDOW_WIDTH: u32 = 2u;
override STRIDE_HEIGHT: u32 = 2u;
override STRIDE_WIDTH: u32 = 2u;

struct Params {
    batch: u32,
    height: u32,
    width: u32,
    channels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

fn out_height() -> u32 {
    return (params.height - WINDOW_HEIGHT) / STRIDE_HEIGHT + 1u;
}

fn out_width() -> u32 {
    return (params.width - WINDOW_WIDTH) / STRIDE_WIDTH + 1u;
}
