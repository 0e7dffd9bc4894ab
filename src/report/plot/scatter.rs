//! Points in the plane, coloured by class.

use super::axis::{Axis, Frame};
use super::legend::Legend;
use super::page::{Panel, WIDTH};
use crate::report::picture::{Area, Colour, Picture, Pixels};

/// Points in the plane, coloured by series, with images where there is room for them.
///
/// ```
/// use narrows::report::{Panel, Scatter};
///
/// let points = [[0.0, 1.0], [2.0, 0.5], [1.0, 3.0]];
/// let scatter = Scatter::of_classes("Codes", &points, Some(&[0, 1, 0]), &["shirt", "bag"]);
/// assert!(scatter.picture().svg().contains("shirt"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scatter {
    /// What stands above it.
    pub title: String,
    /// Across and up.
    pub axes: [Axis; 2],
    /// What is drawn; later series lie above earlier ones where they are marked so.
    pub series: Vec<Series>,
    /// Images of the points of `thumbnails.points`.
    pub thumbnails: Option<Thumbnails>,
    /// Whether a unit is as long on both axes.
    pub equal: bool,
    /// Height over width; 0 for what suits most.
    pub aspect: f64,
    /// Whether the series' names stand below. Series without a name never do.
    pub legend: bool,
}

/// Points of one colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What the legend calls it.
    pub name: String,
    /// x and y.
    pub points: Vec<[f32; 2]>,
    /// Their colour.
    pub colour: Colour,
}

/// Images to be put where some points lie, as many as do not overlap.
#[derive(Clone, Debug, PartialEq)]
pub struct Thumbnails {
    /// Where each image belongs.
    pub points: Vec<[f32; 2]>,
    /// `[count, height, width, channels]`
    pub images: Vec<u8>,
    /// Height, width and channels (1 or 3).
    pub shape: [usize; 3],
    /// Which series each is of, for the colour of its frame. May be empty.
    pub classes: Vec<u8>,
}

// Of a thumbnail, in units.
const THUMBNAIL: f64 = 26.0;
const SMALLEST_THUMBNAIL: f64 = 18.0;
// Series take turns, so that none hides the others where they overlap.
const TURNS: usize = 12;

impl Scatter {
    /// Points coloured by label, if there are labels; `names` of labels may be fewer than there are.
    pub fn of_classes(
        title: impl Into<String>,
        points: &[[f32; 2]],
        labels: Option<&[u8]>,
        names: &[impl AsRef<str>],
    ) -> Self {
        let mut series = Vec::new();
        for class in 0..=u8::MAX {
            let of_class = points.iter().enumerate().filter(|(number, _)| {
                labels.and_then(|labels| labels.get(*number)).copied().unwrap_or(0) == class
            });
            let points: Vec<[f32; 2]> = of_class.map(|(_, point)| *point).collect();
            if !points.is_empty() {
                let known = names.get(usize::from(class)).map(|name| name.as_ref().to_owned());
                let name =
                    if labels.is_some() { known.unwrap_or_else(|| class.to_string()) } else { String::new() };
                series.push(Series { name, points, colour: Colour::of_class(class.into()) });
            }
        }
        Self { title: title.into(), series, legend: true, ..Self::default() }
    }

    fn names(&self) -> Legend {
        let named = self.series.iter().filter(|series| self.legend && !series.name.is_empty());
        Legend(named.map(|series| (series.name.clone(), series.colour)).collect())
    }

    fn radius(&self, area: Area) -> f64 {
        let count: usize = self.series.iter().map(|series| series.points.len()).sum();
        (area.width / 14.0 / (count.max(1) as f64).sqrt()).clamp(1.2, 3.5)
    }
}

impl Panel for Scatter {
    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self, width: f64) -> f64 {
        let aspect = if self.aspect > 0.0 { self.aspect } else { 0.72 };
        width * aspect + self.names().height(width)
    }

    fn draw(&self, picture: &mut Picture, area: Area) {
        let legend = self.names();
        let below = legend.height(area.width);
        legend.draw(picture, area.inside(0.0, area.height - below, 0.0, 0.0));
        let all = || self.series.iter().flat_map(|series| &series.points);
        let [across, up] = [&self.axes[0], &self.axes[1]];
        let x = across.scale(all().map(|[x, _]| f64::from(*x)), 0.04);
        let y = up.scale(all().map(|[_, y]| f64::from(*y)), 0.04);
        let area = area.inside(0.0, 0.0, 0.0, below);
        let frame = Frame::draw(picture, area, [across, up], [x, y], self.equal);
        let radius = self.radius(area);
        for turn in 0..TURNS {
            for series in &self.series {
                let points = series.points.iter().skip(turn).step_by(TURNS);
                let centres = points.filter_map(|point| frame.place(point.map(f64::from))).collect();
                picture.dots(centres, radius, series.colour, 0.9);
            }
        }
        if let Some(thumbnails) = &self.thumbnails {
            thumbnails.draw(picture, &frame);
        }
    }
}

impl Thumbnails {
    fn draw(&self, picture: &mut Picture, frame: &Frame) {
        let [height, width, channels] = self.shape;
        let long = height.max(width).max(1) as f64;
        let size = (frame.area.width / WIDTH * THUMBNAIL).max(SMALLEST_THUMBNAIL);
        let [wide, high] = [width, height].map(|extent| size * extent as f64 / long);
        let mut placed: Vec<[f64; 2]> = Vec::new();
        let images = self.images.chunks_exact((height * width * channels).max(1));
        for (number, (point, image)) in self.points.iter().zip(images).enumerate() {
            let Some([x, y]) = frame.place(point.map(f64::from)) else { continue };
            let room = Area { x: x - wide / 2.0, y: y - high / 2.0, width: wide, height: high };
            let inside = room.x > frame.area.x + 2.0
                && room.y > frame.area.y + 2.0
                && room.right() < frame.area.right() - 2.0
                && room.bottom() < frame.area.bottom() - 2.0;
            // Dots are to be seen between them.
            let free = placed.iter().all(|[left, above]| (left - x).hypot(above - y) > 1.9 * size);
            if inside && free {
                placed.push([x, y]);
                let class = self.classes.get(number).map(|class| Colour::of_class(usize::from(*class)));
                let edge = Area { x: room.x - 1.5, y: room.y - 1.5, width: wide + 3.0, height: high + 3.0 };
                picture.rectangle(edge, class.unwrap_or(Colour::Muted), 1.0);
                picture.image(room, pixels(image, self.shape), true);
            }
        }
    }
}

fn pixels(image: &[u8], [height, width, channels]: [usize; 3]) -> Pixels {
    let rgb = match channels {
        3 => image.to_vec(),
        _ => image.iter().flat_map(|grey| [*grey; 3]).collect(),
    };
    Pixels { width: width as u32, height: height as u32, rgb }
}
