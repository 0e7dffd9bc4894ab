//! A field of arrows.

use super::axis::Frame;
use crate::report::picture::{Colour, Picture};

// Width of a shaft and length of a head, in units. Shorter arrows than the last are not drawn.
const SHAFT: f64 = 1.0;
const HEAD: f64 = 3.6;
const SHORTEST: f64 = 0.3;

pub(super) fn draw(
    picture: &mut Picture,
    frame: &Frame,
    from: &[[f64; 2]],
    along: &[[f64; 2]],
    colour: Colour,
) {
    // What each arrow has of the frame's width, where they begin on a square grid.
    let longest = (frame.x.high - frame.x.low) / (from.len().max(1) as f64).sqrt();
    let scale = longest / median_length(along);
    let (mut shafts, mut heads) = (Vec::new(), Vec::new());
    for (from, along) in from.iter().zip(along) {
        let factor = scale.min(longest / along[0].hypot(along[1]).max(1e-12));
        let to = [0, 1].map(|axis| from[axis] + factor * along[axis]);
        let (Some(tail), Some(tip)) = (frame.place(*from), frame.place(to)) else { continue };
        let (dx, dy) = (tip[0] - tail[0], tip[1] - tail[1]);
        let length = dx.hypot(dy);
        if length < SHORTEST {
            continue;
        }
        let (ux, uy) = (dx / length, dy / length);
        // Short arrows get short heads.
        let head = HEAD.min(0.6 * length);
        let neck = [tip[0] - head * ux, tip[1] - head * uy];
        let side = 0.42 * head;
        shafts.push(vec![tail, neck]);
        let [left, right] = [-side, side].map(|side| [neck[0] + side * uy, neck[1] - side * ux]);
        heads.push(vec![tip, left, right]);
    }
    picture.lines(&shafts, colour, SHAFT);
    picture.polygons(&heads, colour, 1.0);
}

fn median_length(vectors: &[[f64; 2]]) -> f64 {
    let lengths = vectors.iter().map(|[x, y]| x.hypot(*y));
    let mut lengths: Vec<f64> = lengths.filter(|length| length.is_finite()).collect();
    lengths.sort_by(f64::total_cmp);
    lengths.get(lengths.len() / 2).copied().unwrap_or(1.0).max(1e-12)
}
