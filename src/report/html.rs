//! HTML in one file: style, pictures and plots are in it, nothing is loaded.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Picture;

// Quiet, narrow enough to read, wide as the screen on a phone, dark where the reader is.
const STYLE: &str = "
:root { color-scheme: light dark; --edge: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: .5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
figure { margin: 1rem 0; }
figcaption { font-size: .875rem; margin-top: .4rem; }
figure > svg, figure > img { width: 100%; height: auto; display: block; }
figure > img { image-rendering: pixelated; background: #fff; border-radius: 4px; }
figure > img.smooth { image-rendering: auto; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0 1rem; }
summary { font-size: .875rem; cursor: pointer; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--edge);
  vertical-align: top; font-weight: normal; }
thead th, th[scope=row] { opacity: .75; }
td.number, th.number { text-align: right; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--edge); border-radius: 4px; font-size: .8125rem; }
code { overflow-wrap: anywhere; }
pre code { overflow-wrap: normal; }
";

/// A whole page.
pub(crate) fn page(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                (body)
            }
        }
    };
    page.into_string()
}

/// A plot, on the page's own background.
pub(crate) fn plot(picture: &Picture, caption: &str) -> Markup {
    figure(&html! { (PreEscaped(picture.svg_element(caption))) }, caption)
}

/// A PNG, within the page.
pub(crate) fn image(png: &[u8], caption: &str) -> Markup {
    let source = format!("data:image/png;base64,{}", STANDARD.encode(png));
    figure(&html! { img src=(source) alt=(caption); }, caption)
}

/// Something to look at, above its caption.
pub(crate) fn figure(content: &Markup, caption: &str) -> Markup {
    html! { figure { (content) figcaption { (caption) } } }
}

/// Two columns: names and values.
pub(crate) fn facts(rows: &[(&str, String)]) -> Markup {
    let rows = html! { @for (name, value) in rows { tr { th scope="row" { (name) } td { (value) } } } };
    html! { div.scroll { table { (rows) } } }
}

/// A table of numbers: a head, and rows that begin with their names.
pub(crate) fn table(head: &[&str], rows: &[(String, Vec<String>)]) -> Markup {
    let (first, others) = head.split_first().unwrap_or((&"", &[]));
    html! {
        div.scroll {
            table {
                thead { tr { th { (first) } @for name in others { th.number { (name) } } } }
                @for (name, values) in rows {
                    tr { th scope="row" { (name) } @for value in values { td.number { (value) } } }
                }
            }
        }
    }
}

/// Text as it is: a file, or commands.
pub(crate) fn verbatim(text: &str) -> Markup {
    html! { pre { code { (text) } } }
}
