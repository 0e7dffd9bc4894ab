//! Images brought to another height and width about their middle: the twin of `shaders/crop_or_pad.wgsl`.

/// What is cut off of `from` pixels, and what is added to them, before the first, to make them `to`; as much goes behind the
/// last, or one more.
pub const fn before(from: u32, to: u32) -> [u32; 2] {
    [from.saturating_sub(to) / 2, to.saturating_sub(from) / 2]
}

/// Images x `[.., from, channels]` with height and width `to`.
pub fn crop_or_pad(x: &[f64], from: [u32; 2], to: [u32; 2], channels: u32) -> Vec<f64> {
    let [rows, columns] = [0, 1].map(|axis| before(from[axis], to[axis]));
    // The place in x of a place in y, along one axis.
    let source = |at: u32, [cut, added]: [u32; 2], extent: u32| {
        (at + cut).checked_sub(added).filter(|at| *at < extent).map(|at| at as usize)
    };
    let [width, channels] = [from[1], channels].map(|extent| extent as usize);
    let mut y = Vec::new();
    for image in x.chunks_exact(from[0] as usize * width * channels) {
        for row in (0..to[0]).map(|row| source(row, rows, from[0])) {
            for column in (0..to[1]).map(|column| source(column, columns, from[1])) {
                let pixel = row.zip(column).map(|(row, column)| (row * width + column) * channels);
                y.extend((0..channels).map(|channel| pixel.map_or(0.0, |first| image[first + channel])));
            }
        }
    }
    y
}
