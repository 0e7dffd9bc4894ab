//! The page with all figures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

use super::{ModelRecord, Number, Record};
use crate::report::duration;
use crate::report::html::{figure, page, table, verbatim};

/// One HTML file with each record and its picture, an SVG.
pub(super) fn figures_page(figures: &[(Record, String)]) -> String {
    let body = html! {
        p { "Murphy, " em { "Probabilistic Machine Learning" } ", section 20.3, reproduced by narrows." }
        @for (record, svg) in figures { (section(record, svg)) }
    };
    page("Figures", &body)
}

fn section(record: &Record, svg: &str) -> Markup {
    // As an image: nothing in it can run or load anything.
    let source = format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg));
    let number = |number: &Number| (number.what.clone(), vec![shown(number.value)]);
    let numbers: Vec<_> = record.numbers.iter().map(number).collect();
    let model =
        |model: &ModelRecord| (model.name.clone(), vec![model.setup.clone(), duration(model.seconds)]);
    let models: Vec<_> = record.models.iter().map(model).collect();
    let mut commands = vec![record.command.clone()];
    commands.extend(record.models.iter().map(|model| model.command.clone()));
    html! {
        section id=(record.figure) {
            h2 { (record.title) }
            (figure(&html! { img.smooth src=(source) alt=(record.title); }, &record.caption))
            (table(&["", "value"], &numbers))
            details {
                summary {
                    "Set-up: " (record.data) ", " (record.device) "; made in " (duration(record.seconds))
                }
                (table(&["model", "set-up", "training"], &models))
                (verbatim(&commands.join("\n")))
            }
        }
    }
}

// A count as it is, else five digits that matter.
fn shown(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e9 {
        return format!("{value:.0}");
    }
    let digits = 4 - (value.abs().max(1e-12).log10().floor() as i32).clamp(-6, 4);
    format!("{value:.*}", digits as usize)
}
