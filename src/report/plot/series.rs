//! Points, curves and arrows between two axes.

use std::collections::BTreeMap;

use super::arrows;
use super::axis::{Axis, Frame};
use super::legend::Legend;
use super::page::Panel;
use super::thumbnails::Thumbnails;
use crate::data::Dataset;
use crate::report::picture::{Area, Colour, Picture};

/// Series of points between two axes.
///
/// ```
/// use narrows::report::{Panel, Plot};
///
/// let points = [[0.0, 1.0], [2.0, 0.5], [1.0, 3.0]];
/// let plot = Plot::of_classes("Codes", &points, Some(&[0, 1, 0]), &["shirt", "bag"]);
/// assert!(plot.picture().svg().contains("shirt"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// What stands above it.
    pub title: String,
    /// Across and up.
    pub axes: [Axis; 2],
    /// In the order in which they are drawn, but dots lie below all others.
    pub series: Vec<Series>,
    /// Images to be drawn at some of the points.
    pub thumbnails: Option<Thumbnails>,
    /// Whether a unit is as long on both axes.
    pub equal: bool,
    /// Height over width, without the legend; 0.72 where it is not given.
    pub aspect: Option<f64>,
}

/// Points of one colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What the legend calls it; a series without a name is not in the legend.
    pub name: String,
    /// x and y.
    pub points: Vec<[f64; 2]>,
    /// Their colour.
    pub colour: Colour,
    /// How they are drawn.
    pub mark: Mark,
}

/// How the points of a series are drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// As dots, smaller where there are many.
    Dots,
    /// As a line from point to point, in order.
    Line,
    /// As arrows that begin at the points, one vector for each. All are scaled alike, so that half of them reach their
    /// neighbours; longer ones are cut there.
    Arrows(Vec<[f64; 2]>),
}

// Series take turns, so that none hides the others where they overlap.
const TURNS: usize = 12;
// With more points, marks on them would hide the line.
const MARKED: usize = 30;

impl Plot {
    /// Dots coloured by label, if there are labels; `names` of labels may be fewer than there are.
    pub fn of_classes(
        title: impl Into<String>,
        points: &[[f32; 2]],
        labels: Option<&[u8]>,
        names: &[impl AsRef<str>],
    ) -> Self {
        let mut classes: BTreeMap<u8, Vec<[f64; 2]>> = BTreeMap::new();
        for (number, point) in points.iter().enumerate() {
            let class = labels.and_then(|labels| labels.get(number)).copied().unwrap_or(0);
            classes.entry(class).or_default().push(point.map(f64::from));
        }
        let series = classes.into_iter().map(|(class, points)| {
            let name = match (labels, names.get(usize::from(class))) {
                (None, _) => String::new(),
                (Some(_), Some(name)) => name.as_ref().to_owned(),
                (Some(_), None) => class.to_string(),
            };
            Series { name, points, colour: Colour::of_class(class.into()), mark: Mark::Dots }
        });
        Self { title: title.into(), series: series.collect(), ..Self::default() }
    }

    /// A dot for each image, at `places` `[images, 2]`, coloured by class; with the images themselves where there is
    /// room, if `shown` has them as pictures show them.
    pub fn of_images(
        title: impl Into<String>,
        places: &[f32],
        images: &Dataset,
        shown: Option<Vec<f32>>,
    ) -> Self {
        let points = places.as_chunks::<2>().0;
        let thumbnails = shown.map(|shown| Thumbnails {
            points: points.to_vec(),
            images: shown,
            shape: images.shape(),
            classes: images.labels.clone().unwrap_or_default(),
        });
        let plot = Self::of_classes(title, points, images.labels.as_deref(), &images.classes);
        Self { thumbnails, ..plot }
    }

    fn legend(&self) -> Legend<'_> {
        Legend::new(self.series.iter().map(|series| (series.name.as_str(), series.colour)))
    }

    fn dots(&self, picture: &mut Picture, frame: &Frame) {
        let dots: Vec<&Series> = self.series.iter().filter(|series| series.mark == Mark::Dots).collect();
        let count: usize = dots.iter().map(|series| series.points.len()).sum();
        let radius = (frame.area.width / 14.0 / (count.max(1) as f64).sqrt()).clamp(1.2, 3.5);
        for turn in 0..TURNS {
            for series in &dots {
                let points = series.points.iter().skip(turn).step_by(TURNS);
                let centres: Vec<[f64; 2]> = points.filter_map(|point| frame.place(*point)).collect();
                picture.dots(&centres, radius, series.colour, 0.9);
            }
        }
    }
}

impl Panel for Plot {
    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self, width: f64) -> f64 {
        width * self.aspect.unwrap_or(0.72) + self.legend().height(width)
    }

    fn draw(&self, picture: &mut Picture, area: Area) {
        let area = self.legend().draw(picture, area);
        let all = self.series.iter().flat_map(|series| series.points.iter().copied());
        let frame = Frame::draw(picture, area, &self.axes, all, self.equal);
        self.dots(picture, &frame);
        for Series { points, colour, mark, .. } in &self.series {
            match mark {
                Mark::Dots => {}
                Mark::Line => {
                    let points: Vec<[f64; 2]> =
                        points.iter().filter_map(|point| frame.place(*point)).collect();
                    if points.len() <= MARKED {
                        picture.dots(&points, 3.0, *colour, 1.0);
                    }
                    picture.lines(&[points], *colour, 2.0);
                }
                Mark::Arrows(along) => arrows::draw(picture, &frame, points, along, *colour),
            }
        }
        if let Some(thumbnails) = &self.thumbnails {
            thumbnails.draw(picture, &frame);
        }
    }
}
