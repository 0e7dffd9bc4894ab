//! Plots of a table's columns: what no picture of pixels can show.

use super::{Area, Axis, Colour, Histogram, Mark, Page, Panel, Picture, Plot, Series};
use crate::data::{Column, Scaling};
use crate::train::rounded;

// Columns that are shown, and panels in a row.
const MOST: usize = 12;
const ACROSS: usize = 3;
const BINS: usize = 24;
// Lines in a panel: as many as there are colours.
const LINES: usize = 10;

/// How each column is called: by its name, or its number.
pub fn column_names(columns: &[Column], count: usize) -> Vec<String> {
    let name = |at: usize| columns.get(at).map_or_else(|| format!("column {at}"), ToString::to_string);
    (0..count).map(name).collect()
}

/// Reconstructions `[rows, columns]` over the rows `[rows, columns]` themselves: a plot for each of at most 12 columns, those
/// first of whose variance the model explains least. On the line both are equal. Columns with one number are left out.
pub fn reconstructed_columns(title: &str, names: &[String], rows: &[f32], reconstructions: &[f32]) -> Page {
    let mut columns: Vec<(f64, usize)> = (0..names.len())
        .filter_map(|at| {
            Some((explained(&column(rows, names, at), &column(reconstructions, names, at))?, at))
        })
        .collect();
    columns.sort_by(|a, b| a.0.total_cmp(&b.0));
    let panel = |(explained, at): &(f64, usize)| {
        let (given, made) = (column(rows, names, *at), column(reconstructions, names, *at));
        let ends = range(given.iter().copied());
        let points = given.into_iter().zip(made).map(|(x, y)| [x, y]).collect();
        let dots = Series { name: String::new(), points, colour: Colour::of_class(0), mark: Mark::Dots };
        let equal = Series {
            name: String::new(),
            points: ends.map(|end| [end; 2]).to_vec(),
            colour: Colour::Ink,
            mark: Mark::Line,
        };
        let title = format!("{}: {:.0} % explained", names[*at], 100.0 * explained.max(0.0));
        let axes = ["given", "reconstructed"].map(Axis::new);
        Plot { title, axes, series: vec![equal, dots], aspect: Some(0.85), ..Plot::default() }
    };
    page(title, columns.iter().map(panel))
}

/// How often the numbers of each column occur in sets of rows `[rows, columns]`, each with its name: a histogram for each of
/// the first 12 columns that have more than one number. Lines stand at the `landmarks` of each column, where there are any.
pub fn distributed_columns(
    title: &str,
    names: &[String],
    sets: &[(&str, &[f32])],
    landmarks: &[Vec<f32>],
) -> Page {
    let panel = |at: usize| {
        let rules: Vec<f64> = landmarks.get(at).into_iter().flatten().map(|x| f64::from(*x)).collect();
        let values: Vec<Vec<f64>> = sets.iter().map(|(_, rows)| column(rows, names, at)).collect();
        let [low, high] = range(values.iter().flatten().chain(&rules).copied());
        let series = sets.iter().zip(&values).enumerate().map(|(number, ((name, _), values))| {
            let values = values.iter().map(|x| *x as f32).collect();
            ((*name).to_owned(), values, Colour::of_class(number))
        });
        // A line at the end would lie on the frame.
        let room = if rules.is_empty() { 0.0 } else { 0.04 * (high - low) };
        let axis = Axis::new(names[at].as_str()).from_to(low - room, high + room);
        let series = series.collect();
        (low < high).then_some(Histogram { title: String::new(), axis, bins: BINS, series, rules })
    };
    page(title, (0..names.len()).filter_map(panel))
}

/// Rows that were decoded of codes in which one number varies.
#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    /// What varies.
    pub label: String,
    /// Its values.
    pub values: Vec<f32>,
    /// A row for each value, `[values, columns]`.
    pub rows: Vec<f32>,
}

/// How columns change along walks: a panel for each, with lines for the at most 10 columns that change most along it. All panels
/// have the same scale, whose unit is that of the rows.
pub fn varied_columns(title: &str, unit: &str, names: &[String], walks: &[Walk]) -> Page {
    let [low, high] = range(walks.iter().flat_map(|walk| &walk.rows).map(|x| f64::from(*x)));
    let room = 0.04 * (high - low);
    let panel = |walk: &Walk| {
        let most = most_changing(&walk.rows, names, LINES);
        let series = most.into_iter().enumerate().map(|(rank, at)| Series {
            name: names[at].clone(),
            points: points(&walk.values, column(&walk.rows, names, at)),
            // A column keeps its colour, where the colours are enough.
            colour: Colour::of_class(if names.len() > LINES { rank } else { at }),
            mark: Mark::Line,
        });
        let up = Axis::new(unit).from_to(low - room, high + room);
        let axes = [Axis::new(walk.label.as_str()), up];
        Plot { axes, series: series.collect(), ..Plot::default() }
    };
    let panels: Vec<Plot> = walks.iter().map(panel).collect();
    laid_out(title, panels.into_iter(), 2)
}

/// How columns change on the way `[steps, columns]` from one row to another: a panel for each of the at most 12 that change most
/// in `scaled`, the same in the scale of a model. Dots are the two rows themselves, `[columns]` each.
pub fn interpolated_columns(
    title: &str,
    names: &[String],
    way: &[f32],
    scaled: &[f32],
    ends: [&[f32]; 2],
) -> Page {
    let steps = way.len() / names.len().max(1);
    let share = |step: usize| step as f32 / steps.saturating_sub(1).max(1) as f32;
    let shares: Vec<f32> = (0..steps).map(share).collect();
    let panel = |at: usize| {
        let ends = ends.map(|row| row.get(at).copied().unwrap_or(f32::NAN).into());
        let series = |points, colour, mark| Series { name: String::new(), points, colour, mark };
        let line = series(points(&shares, column(way, names, at)), Colour::of_class(0), Mark::Line);
        let given = series(points(&[0.0, 1.0], ends.to_vec()), Colour::of_class(1), Mark::Dots);
        let axes = ["t", names[at].as_str()].map(Axis::new);
        Plot { axes, series: vec![line, given], ..Plot::default() }
    };
    page(title, most_changing(scaled, names, MOST).into_iter().map(panel))
}

/// A row that a model finds unusual, and its reconstruction.
#[derive(Clone, Debug, PartialEq)]
pub struct Unusual {
    /// How it is called.
    pub title: String,
    /// The column with the largest squared error, with what it is and what it would be.
    pub most_by: String,
    /// `[columns]`, in the model's scale: given and reconstructed.
    pub scaled: [Vec<f32>; 2],
}

impl Unusual {
    /// Of a row and its reconstruction, in the data's units.
    pub fn new(title: String, names: &[String], scaling: &Scaling, rows: [Vec<f32>; 2]) -> Self {
        let scaled = rows.clone().map(|mut row| {
            scaling.scale(&mut row);
            row
        });
        let error = |at: &usize| (scaled[0][*at] - scaled[1][*at]).abs();
        let most = (0..names.len()).max_by(|a, b| error(a).total_cmp(&error(b))).unwrap_or_default();
        let [is, would_be] = rows.map(|row| row.get(most).map_or(f32::NAN, |x| rounded(*x)));
        let name = names.get(most).map(String::as_str).unwrap_or_default();
        Self { title, most_by: format!("{name}, {is} for {would_be}"), scaled }
    }
}

/// Unusual rows beside their reconstructions: a panel for each, across it the columns by their numbers, up their numbers in the
/// model's scale, in the unit that is named.
pub fn unusual_rows(title: &str, unit: &str, rows: &[Unusual]) -> Page {
    let panel = |row: &Unusual| {
        let series = ["given", "reconstructed"].into_iter().zip(&row.scaled).enumerate();
        let series = series.map(|(number, (name, row))| Series {
            name: name.to_owned(),
            points: (0..).map(f64::from).zip(row).map(|(at, x)| [at, f64::from(*x)]).collect(),
            colour: Colour::of_class(number),
            mark: if number == 0 { Mark::Dots } else { Mark::Line },
        });
        let axes = ["column", unit].map(Axis::new);
        Plot { title: row.title.clone(), axes, series: series.collect(), ..Plot::default() }
    };
    laid_out(title, rows.iter().map(panel), 2)
}

// The columns with the largest differences between two rows, largest first.
fn most_changing(rows: &[f32], names: &[String], most: usize) -> Vec<usize> {
    let change = |at: usize| {
        let [low, high] = range(column(rows, names, at).into_iter());
        (high - low, at)
    };
    let mut columns: Vec<(f64, usize)> = (0..names.len()).map(change).collect();
    columns.sort_by(|a, b| b.0.total_cmp(&a.0));
    columns.into_iter().map(|(_, at)| at).take(most).collect()
}

fn points(across: &[f32], up: Vec<f64>) -> Vec<[f64; 2]> {
    across.iter().map(|x| f64::from(*x)).zip(up).map(|(x, y)| [x, y]).collect()
}

// The smallest and the largest finite number.
fn range(numbers: impl Iterator<Item = f64>) -> [f64; 2] {
    let finite = numbers.filter(|x| x.is_finite());
    finite.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)])
}

fn page<P: Panel + 'static>(title: &str, panels: impl Iterator<Item = P>) -> Page {
    laid_out(title, panels.take(MOST), ACROSS)
}

fn laid_out<P: Panel + 'static>(title: &str, panels: impl Iterator<Item = P>, across: usize) -> Page {
    let mut page = Page::new(title);
    let mut panels = panels.map(|panel| Box::new(panel) as Box<dyn Panel>).peekable();
    let mut is_first = true;
    while panels.peek().is_some() {
        let mut row: Vec<Box<dyn Panel>> = panels.by_ref().take(across).collect();
        // As wide as those above.
        if !is_first {
            row.resize_with(across, || Box::new(Gap));
        }
        page.row(row);
        is_first = false;
    }
    page
}

// The place of a panel that is not there.
struct Gap;

impl Panel for Gap {
    fn title(&self) -> &str {
        ""
    }

    fn height(&self, _: f64) -> f64 {
        0.0
    }

    fn draw(&self, _: &mut Picture, _: Area) {}
}

fn column(rows: &[f32], names: &[String], at: usize) -> Vec<f64> {
    rows.iter().skip(at).step_by(names.len().max(1)).map(|x| f64::from(*x)).collect()
}

// The share of the variance that is explained; None where there is none.
fn explained(given: &[f64], made: &[f64]) -> Option<f64> {
    let mean = given.iter().sum::<f64>() / given.len().max(1) as f64;
    let variance: f64 = given.iter().map(|x| (x - mean).powi(2)).sum();
    let error: f64 = given.iter().zip(made).map(|(x, y)| (x - y).powi(2)).sum();
    (variance > 0.0).then(|| 1.0 - error / variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_that_is_explained_least_is_first_and_a_constant_one_is_left_out() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let rows = [1.0, 5.0, 2.0, 2.0, 5.0, 4.0, 3.0, 5.0, 6.0];
        let made = [1.1, 5.0, 4.0, 2.0, 5.0, 4.0, 2.9, 5.0, 4.0];
        let text = reconstructed_columns("Rows", &names, &rows, &made).picture().svg();
        let place = |title: &str| text.find(title).unwrap();
        assert!(place("c: 0 % explained") < place("a: 99 % explained"), "{text}");
        assert!(!text.contains("b: "), "{text}");
        let text =
            distributed_columns("Rows", &names, &[("data", &rows), ("samples", &made)], &[]).picture().svg();
        assert!(text.contains("samples") && text.contains(">a<") && !text.contains(">b<"), "{text}");
    }

    #[test]
    fn the_columns_that_change_most_come_first_and_a_last_row_is_no_wider_than_those_above() {
        let names: Vec<String> = (0..14).map(|at| format!("c{at}c")).collect();
        let rows: Vec<f32> = (0..3).flat_map(|step| (0..14).map(move |at| (step * at) as f32)).collect();
        let walk = Walk { label: "z0".to_owned(), values: vec![-1.0, 0.0, 1.0], rows: rows.clone() };
        let page = |count| varied_columns("Walks", "metres", &names, &vec![walk.clone(); count]);
        let text = page(1).picture().svg();
        let place = |name: &str| text.find(&format!(">{name}<"));
        assert!(place("c13c").unwrap() < place("c12c").unwrap() && place("c4c").is_some(), "{text}");
        assert!(place("c3c").is_none() && place("z0").is_some() && place("metres").is_some(), "{text}");
        let text =
            interpolated_columns("Way", &names, &rows, &rows, [&rows[..14], &rows[28..]]).picture().svg();
        let place = |name: &str| text.find(&format!(">{name}<"));
        assert!(place("c13c").unwrap() < place("c2c").unwrap() && place("c1c").is_none(), "{text}");
        let height = |count| {
            let (text, count) = (page(count).picture().svg(), "height=\"");
            let from = text.find(count).unwrap() + count.len();
            text[from..].split('"').next().unwrap().parse::<f64>().unwrap()
        };
        assert!((height(3) - height(4)).abs() < 1e-6, "{} {}", height(3), height(4));
    }
}
