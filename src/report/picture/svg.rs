//! Pictures as SVG.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::raster::encode_pixels;
use super::{Anchor, Colour, Ink, Label, Picture, Shape, text};

/// Where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// Alone, on white.
    File,
    /// Within an HTML page, on its paper, in the colour of its text, with a label.
    Element(&'a str),
}

pub(super) fn write(picture: &Picture, place: Place<'_>) -> String {
    let [width, height] = [picture.width, picture.height].map(number);
    let mut out = format!("<svg viewBox=\"0 0 {width} {height}\" font-family=\"{}\"", text::FAMILY);
    match place {
        // Writing to a string cannot fail.
        Place::File => {
            let _ =
                write!(out, " xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\">");
            let _ = write!(out, "\n<path fill=\"#fff\" d=\"M0 0H{width}V{height}H0Z\"/>");
        }
        Place::Element(label) => {
            let _ = write!(out, " role=\"img\" aria-label=\"{}\">", escaped(label));
        }
    }
    for shape in &picture.shapes {
        out.push('\n');
        draw(&mut out, shape, place);
    }
    out.push_str("\n</svg>\n");
    out
}

fn draw(out: &mut String, shape: &Shape, place: Place<'_>) {
    let _ = match shape {
        Shape::Paths { paths, ink, colour, alpha } => {
            let closed = *ink == Ink::Fill;
            let d: String = paths.iter().map(|path| trace(path, closed)).collect();
            match ink {
                Ink::Fill => write!(out, "<path {} d=\"{d}\"/>", paint("fill", *colour, *alpha, place)),
                Ink::Stroke { width, dash } => {
                    let style = match dash {
                        Some(dash) => format!("stroke-dasharray=\"{}\"", number(*dash)),
                        None => "stroke-linecap=\"round\"".to_owned(),
                    };
                    let (width, paint) = (number(*width), paint("stroke", *colour, *alpha, place));
                    write!(
                        out,
                        "<path fill=\"none\" {paint} stroke-width=\"{width}\" stroke-linejoin=\"round\" {style} d=\"{d}\"/>"
                    )
                }
            }
        }
        // A line without length and with round ends is a dot, in a tenth of what a circle takes.
        Shape::Dots { centres, radius, colour, alpha } => {
            let d: String =
                centres.iter().map(|[x, y]| format!("M{} {}h0", number(*x), number(*y))).collect();
            let (width, paint) = (number(2.0 * radius), paint("stroke", *colour, *alpha, place));
            write!(out, "<path {paint} stroke-width=\"{width}\" stroke-linecap=\"round\" d=\"{d}\"/>")
        }
        Shape::Image { area, pixels, smooth } => {
            let [x, y, width, height] = [area.x, area.y, area.width, area.height].map(number);
            let style = if *smooth { "" } else { " style=\"image-rendering:pixelated\"" };
            let data = STANDARD.encode(encode_pixels(pixels).unwrap_or_default());
            write!(
                out,
                "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\"{style} \
                 href=\"data:image/png;base64,{data}\"/>"
            )
        }
        Shape::Text(label) => write!(out, "{}", element(label, place)),
    };
}

fn trace(path: &[[f64; 2]], closed: bool) -> String {
    let mut d = String::new();
    for (place, [x, y]) in path.iter().enumerate() {
        let _ = write!(d, "{}{} {}", if place == 0 { 'M' } else { 'L' }, number(*x), number(*y));
    }
    if closed {
        d.push('Z');
    }
    d
}

fn element(label: &Label, place: Place<'_>) -> String {
    let [x, y] = label.at.map(number);
    let anchor = match label.anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let weight = if label.bold { " font-weight=\"bold\"" } else { "" };
    let turn = if label.upwards { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
    // Its width is given, so that no reader's font makes it run into its neighbour.
    let width = number(text::width(&label.text, label.size, label.bold));
    format!(
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" {}{anchor}{weight}{turn} textLength=\"{width}\" \
         lengthAdjust=\"spacingAndGlyphs\">{}</text>",
        number(label.size),
        paint("fill", label.colour, 1.0, place),
        escaped(&label.text),
    )
}

fn paint(what: &str, colour: Colour, alpha: f64, place: Place<'_>) -> String {
    let (name, share) = match (place, colour) {
        (Place::Element(_), Colour::Ink) => ("currentColor".to_owned(), 1.0),
        (Place::Element(_), Colour::Muted) => ("currentColor".to_owned(), 0.7),
        (Place::Element(_), Colour::Rule) => ("currentColor".to_owned(), 0.15),
        (Place::Element(_), Colour::Paper) => ("none".to_owned(), 1.0),
        _ => {
            let [red, green, blue] = colour.on_white();
            (format!("#{red:02x}{green:02x}{blue:02x}"), 1.0)
        }
    };
    let alpha = alpha * share;
    if alpha < 1.0 {
        format!("{what}=\"{name}\" {what}-opacity=\"{}\"", number(alpha))
    } else {
        format!("{what}=\"{name}\"")
    }
}

// XML 1.0 forbids most control characters even as references.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}')
            }
            letter => out.push(letter),
        }
    }
    out
}

// A hundredth of a unit is less than anybody sees.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
