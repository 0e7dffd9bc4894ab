//! Plots: SVG that parses, PNG of the size it says, and nothing that a name or a number can break.
#![cfg(feature = "plot")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use narrows::report::{
    Area, Axis, Bar, Bars, Colour, HeatMap, Histogram, Images, Mark, Page, Panel, Picture, Plot, Series,
    Thumbnails,
};
use roxmltree::{Document, Node};

const HOSTILE: &str = "<script>alert('1')</script> & \"quotes\" \u{1} \u{ffff} ]]>";

fn scatter() -> Plot {
    let points = [[0.0, 1.0], [2.0, 0.5], [1.0, 3.0], [f32::NAN, 0.0]];
    let mut scatter = Plot::of_classes("points", &points, Some(&[0, 1, 0, 1]), &["shirt"]);
    let images = (0..4 * 6).map(|byte| (byte * 10) as f32 / 255.0).collect();
    let points = points.to_vec();
    scatter.thumbnails = Some(Thumbnails { points, images, shape: [2, 3, 1], classes: vec![0, 1, 0, 1] });
    scatter
}

fn series(name: &str, points: Vec<[f64; 2]>, class: usize, mark: Mark) -> Series {
    Series { name: name.to_owned(), points, colour: Colour::of_class(class), mark }
}

fn lines() -> Plot {
    let points = vec![[1.0, 10.0], [2.0, 1.0], [3.0, -1.0], [4.0, f64::INFINITY]];
    Plot {
        title: "curves".into(),
        axes: [Axis { whole: true, ..Axis::new("epoch") }, Axis::new("loss")],
        series: vec![series("train", points, 0, Mark::Line)],
        ..Plot::default()
    }
}

fn arrows() -> Plot {
    let from = vec![[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]];
    let along = vec![[0.1, 0.0], [0.0, 0.2], [0.0, 0.0]];
    let data = series("data", from.clone(), 3, Mark::Dots);
    let series = vec![series("field", from, 1, Mark::Arrows(along)), data];
    Plot { title: "arrows".into(), series, equal: true, ..Plot::default() }
}

fn images(rows: usize, columns: usize) -> Images {
    let image = |row: usize| (format!("row {row}"), vec![0.5; columns * 4]);
    Images { title: "images".into(), shape: [2, 2, 1], columns, rows: (0..rows).map(image).collect() }
}

fn heat_map() -> HeatMap {
    let labels = ["unit".into(), "image".into()];
    HeatMap {
        title: "heat".into(),
        labels,
        values: vec![0.0, 1.0, -1.0, f32::NAN, 0.5, 0.2],
        columns: 3,
        largest: 1.0,
    }
}

fn histogram() -> Histogram {
    Histogram::new("values", vec![0.0, 0.1, 0.1, 0.9, 7.0, f32::NAN], Axis::new("value").from_to(0.0, 1.0), 4)
}

// Outlines, one of which has no value.
fn histogram_of_several() -> Histogram {
    let series = |name: &str, values, class| (name.to_owned(), values, Colour::of_class(class));
    let series = vec![
        series("one", vec![0.2, 0.3, 0.3], 0),
        series("other", vec![0.9, f32::NAN], 1),
        series("none", vec![], 2),
    ];
    // One line stands beyond its axis.
    Histogram { series, rules: vec![0.25, 2.0], ..histogram() }
}

fn bars() -> Bars {
    let bar = |name: &str, value, range| Bar { name: name.to_owned(), value, range };
    let bars = vec![
        bar("one", 0.5, Some([0.4, 0.7])),
        bar(
            "a name that is longer than half of the page is wide, and then some, and then some more of it",
            0.0,
            None,
        ),
        bar("none", f64::NAN, Some([f64::NAN, 1.0])),
    ];
    Bars { title: "bars".into(), axis: Axis::new("share [%]"), bars }
}

fn everything() -> Vec<Box<dyn Panel>> {
    vec![
        Box::new(scatter()),
        Box::new(lines()),
        Box::new(arrows()),
        Box::new(images(2, 3)),
        Box::new(heat_map()),
        Box::new(histogram()),
        Box::new(histogram_of_several()),
        Box::new(bars()),
        Box::new(Bars::default()),
        Box::new(Plot::default()),
        Box::new(Images::default()),
        Box::new(HeatMap { values: Vec::new(), columns: 0, ..heat_map() }),
        Box::new(Histogram::new("none", Vec::new(), Axis::new("value"), 0)),
    ]
}

fn size(svg: &Document<'_>) -> [f64; 2] {
    ["width", "height"].map(|name| svg.root_element().attribute(name).unwrap().parse().unwrap())
}

#[test]
fn every_panel_gives_an_svg_that_parses_and_a_png_of_twice_its_size() {
    let mut page = Page::new("all");
    everything().into_iter().for_each(|panel| page.row(vec![panel]));
    let picture = page.picture();
    let svg = picture.svg();
    let document = Document::parse(&svg).unwrap();
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    let png = image::load_from_memory(&picture.png().unwrap()).unwrap();
    let [width, height] = size(&document);
    assert_eq!([png.width(), png.height()], [width, height].map(|extent| (2.0 * extent).round() as u32));
}

// Texts have a width that is written beside them, and a size.
fn within(text: Node<'_, '_>, [width, height]: [f64; 2]) -> bool {
    let number = |name: &str| text.attribute(name).unwrap().parse::<f64>().unwrap();
    let (x, y, long, size) = (number("x"), number("y"), number("textLength"), number("font-size"));
    let before = match text.attribute("text-anchor") {
        Some("middle") => 0.5 * long,
        Some("end") => long,
        _ => 0.0,
    };
    let ([left, top], [right, bottom]) = match text.attribute("transform") {
        Some(_) => ([x - size, y - long + before], [x + 0.3 * size, y + before]),
        None => ([x - before, y - size], [x - before + long, y + 0.3 * size]),
    };
    left >= 0.0 && top >= 0.0 && right <= width && bottom <= height
}

#[test]
fn no_text_leaves_the_picture() {
    let long =
        "a name of many words, of which some are incomprehensibilities, and more than a line has room for";
    let mut scatter = scatter();
    scatter.title = long.into();
    scatter.axes = [Axis::new(long), Axis::new(long)];
    scatter.series[0].name = long.repeat(99);
    let mut narrow = lines();
    narrow.axes[0] = Axis::new(long).from_to(-123_456.0, 98_765.0);
    narrow.axes[1] = Axis::new(long).from_to(1e-7, 3e-7);
    let mut rows = images(2, 12);
    rows.rows[0].0 = long.repeat(2).replace(' ', "_");
    let mut page = Page::new(long);
    page.row(vec![Box::new(scatter.clone()), Box::new(narrow), Box::new(scatter)]);
    page.row(vec![Box::new(rows)]);
    let svg = page.picture().svg();
    let document = Document::parse(&svg).unwrap();
    let size = size(&document);
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    let outside: Vec<&str> =
        texts.filter(|text| !within(*text, size)).filter_map(|text| text.text()).collect();
    assert!(outside.is_empty(), "{outside:?}");
}

#[test]
fn hostile_names_are_text_and_nothing_else() {
    let mut scatter = scatter();
    scatter.series[0].name = HOSTILE.into();
    scatter.title = HOSTILE.into();
    let picture = scatter.picture();
    for svg in [picture.svg(), picture.svg_element(HOSTILE)] {
        let document = Document::parse(&svg).unwrap();
        assert!(!document.descendants().any(|node| node.has_tag_name("script")), "{svg}");
        let texts: Vec<&str> =
            document.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect();
        assert!(
            texts.iter().any(|text| text.starts_with("<script>alert('1')</script> & \"quotes\"")),
            "{texts:?}"
        );
    }
}

#[test]
fn a_dot_is_where_the_axes_say() {
    let series = series("", vec![[1.0, 1.0]], 2, Mark::Dots);
    let axes = [Axis::new("").from_to(0.0, 2.0), Axis::new("").from_to(0.0, 4.0)];
    let picture = Plot { axes, series: vec![series], ..Plot::default() }.picture();
    let png = image::load_from_memory(&picture.png().unwrap()).unwrap().to_rgb8();
    let red = png.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] > 150 && pixel.0[1] < 80);
    let places: Vec<[f64; 2]> = red.map(|(x, y, _)| [f64::from(x), f64::from(y)]).collect();
    let mean = |axis: usize| places.iter().map(|place| place[axis]).sum::<f64>() / places.len() as f64;
    // Half of the way across, a quarter of it up, except for the margins.
    assert!((mean(0) / f64::from(png.width()) - 0.5).abs() < 0.01, "{places:?}");
    assert!((mean(1) / f64::from(png.height()) - 0.74).abs() < 0.02, "{places:?}");
}

#[test]
fn svg_and_png_have_an_image_in_the_same_place() {
    let mut picture = Picture::new(40.0, 20.0);
    let image = image::RgbImage::from_raw(2, 1, vec![255, 0, 0, 0, 0, 255]).unwrap();
    picture.image(Area { x: 10.0, y: 5.0, width: 20.0, height: 10.0 }, image, false);
    let png = image::load_from_memory(&picture.png().unwrap()).unwrap().to_rgb8();
    for (at, colour) in [
        ([21, 11], [255, 0, 0]),
        ([38, 28], [255, 0, 0]),
        ([41, 11], [0, 0, 255]),
        ([58, 28], [0, 0, 255]),
        ([18, 15], [255; 3]),
    ] {
        assert_eq!(png.get_pixel(at[0], at[1]).0, colour, "{at:?}");
    }
    let svg = picture.svg();
    let document = Document::parse(&svg).unwrap();
    let image = document.descendants().find(|node| node.has_tag_name("image")).unwrap();
    let place =
        ["x", "y", "width", "height"].map(|name| image.attribute(name).unwrap().parse::<u32>().unwrap());
    assert_eq!(place, [10, 5, 20, 10]);
    assert!(image.attribute("href").unwrap().starts_with("data:image/png;base64,iVBOR"));
}

#[test]
fn shares_are_percent_of_the_finite_values() {
    let values = [0.0, 0.1, 0.3, 0.99, 1.0, 5.0, -5.0, f32::NAN];
    let shares = Histogram::shares(&values, [0.0, 1.0], 4);
    let expected = [3.0, 1.0, 0.0, 3.0].map(|count| 100.0 * count / 7.0);
    assert!(shares.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-9), "{shares:?}");
}

#[test]
fn the_ramp_is_white_at_zero_and_darkens_both_ways() {
    assert_eq!(Colour::ramp(0.0), [255; 3]);
    assert_eq!(Colour::ramp(f64::NAN), [255; 3]);
    assert_eq!(Colour::ramp(1.0), Colour::ramp(9.0));
    let brightness = |value: f64| Colour::ramp(value).iter().map(|channel| u32::from(*channel)).sum::<u32>();
    for step in 0..20 {
        let (near, far) = (f64::from(step) / 20.0, f64::from(step + 1) / 20.0);
        assert!(brightness(near) > brightness(far) && brightness(-near) > brightness(-far), "at {near}");
    }
}

#[cfg(unix)]
#[test]
fn a_plot_takes_the_place_of_an_older_file_whole() {
    let folder = tempfile::TempDir::new().unwrap();
    let [path, kept] = ["plot.svg", "kept.svg"].map(|name| folder.path().join(name));
    std::fs::write(&path, "old").unwrap();
    std::fs::hard_link(&path, &kept).unwrap();
    let picture = Picture::new(1.0, 1.0);
    picture.save(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), picture.svg());
    assert_eq!(std::fs::read(&kept).unwrap(), b"old");
}

#[test]
fn other_endings_are_refused() {
    let error = Picture::new(1.0, 1.0).save("plot.gif".as_ref()).unwrap_err().to_string();
    assert_eq!(error, "picture: expected a name ending in .svg or .png, got plot.gif");
    assert!(Picture::new(0.0, 1.0).png().is_err());
}
