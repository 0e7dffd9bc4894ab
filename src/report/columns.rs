//! Plots of a table's columns: what no picture of pixels can show.

use super::{Axis, Colour, Histogram, Mark, Page, Panel, Plot, Series};
use crate::data::Column;

// Columns that are shown, and panels in a row.
const MOST: usize = 12;
const ACROSS: usize = 3;
const BINS: usize = 24;

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
        let ends = given
            .iter()
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| [low.min(*x), high.max(*x)]);
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
/// the first 12 columns that have more than one number.
pub fn distributed_columns(title: &str, names: &[String], sets: &[(&str, &[f32])]) -> Page {
    let panel = |at: usize| {
        let values: Vec<Vec<f64>> = sets.iter().map(|(_, rows)| column(rows, names, at)).collect();
        let [low, high] = values
            .iter()
            .flatten()
            .filter(|x| x.is_finite())
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| [low.min(*x), high.max(*x)]);
        let series = sets.iter().zip(&values).enumerate().map(|(number, ((name, _), values))| {
            let values = values.iter().map(|x| *x as f32).collect();
            ((*name).to_owned(), values, Colour::of_class(number))
        });
        let axis = Axis::new(names[at].as_str()).from_to(low, high);
        let series = series.collect();
        (low < high).then_some(Histogram { title: String::new(), axis, bins: BINS, series })
    };
    page(title, (0..names.len()).filter_map(panel))
}

fn page<P: Panel + 'static>(title: &str, panels: impl Iterator<Item = P>) -> Page {
    let mut page = Page::new(title);
    let mut panels = panels.take(MOST).map(|panel| Box::new(panel) as Box<dyn Panel>).peekable();
    while panels.peek().is_some() {
        page.row(panels.by_ref().take(ACROSS).collect());
    }
    page
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
            distributed_columns("Rows", &names, &[("data", &rows), ("samples", &made)]).picture().svg();
        assert!(text.contains("samples") && text.contains(">a<") && !text.contains(">b<"), "{text}");
    }
}
