//! Pictures as PNG.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, Rgb, RgbImage};
use tiny_skia::{
    FillRule, FilterQuality, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, PixmapPaint,
    PremultipliedColorU8, StrokeDash, Transform,
};

use super::text::{self, Stroke};
use super::{Area, Colour, Ink, Picture, Pixels, Shape};
use crate::{Error, Result};

/// Pixels a unit: crisp where a screen has more than one.
const SCALE: f32 = 2.0;

pub(super) fn png(picture: &Picture) -> Result<Vec<u8>> {
    let refuse = || {
        let got = format!("{} x {}", picture.width, picture.height);
        Error::shape("picture", "a width and a height of at least one pixel that fit into memory", got)
    };
    let [width, height] =
        [picture.width, picture.height].map(|extent| (extent as f32 * SCALE).round() as u32);
    let mut sheet = Pixmap::new(width, height).ok_or_else(refuse)?;
    sheet.fill(tiny_skia::Color::WHITE);
    for shape in &picture.shapes {
        draw(&mut sheet, shape);
    }
    let rgb = sheet.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    encode(RgbImage::from_raw(width, height, rgb).ok_or_else(refuse)?)
}

/// Pixels as they are, for a picture within SVG or HTML.
pub(super) fn encode_pixels(pixels: &Pixels) -> Result<Vec<u8>> {
    let image = RgbImage::from_raw(pixels.width, pixels.height, pixels.rgb.clone());
    encode(image.ok_or_else(|| Error::shape("picture", "3 bytes a pixel", pixels.rgb.len()))?)
}

fn encode(image: RgbImage) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
    // A third of the bytes, where there is no colour.
    let grey = image.pixels().all(|Rgb([red, green, blue])| red == green && green == blue);
    let image = DynamicImage::from(image);
    let image = if grey { DynamicImage::from(image.into_luma8()) } else { image };
    image.write_with_encoder(encoder).map_err(|error| Error::shape("picture", "what PNG can hold", error))?;
    Ok(bytes)
}

fn draw(sheet: &mut Pixmap, shape: &Shape) {
    let scale = Transform::from_scale(SCALE, SCALE);
    match shape {
        Shape::Paths { paths, ink: Ink::Fill, colour, alpha } => {
            fill(sheet, outline(paths, true), *colour, *alpha);
        }
        Shape::Paths { paths, ink: Ink::Stroke { width, dash }, colour, alpha } => {
            let Some(path) = outline(paths, false) else { return };
            let dash = dash.and_then(|dash| StrokeDash::new(vec![dash as f32; 2], 0.0));
            let (line_cap, line_join) =
                (if dash.is_some() { LineCap::Butt } else { LineCap::Round }, LineJoin::Round);
            let stroke =
                tiny_skia::Stroke { width: *width as f32, dash, line_cap, line_join, ..Default::default() };
            sheet.stroke_path(&path, &paint(*colour, *alpha), &stroke, scale, None);
        }
        Shape::Dots { centres, radius, colour, alpha } => {
            let mut path = PathBuilder::new();
            for [x, y] in centres {
                path.push_circle(*x as f32, *y as f32, *radius as f32);
            }
            fill(sheet, path.finish(), *colour, *alpha);
        }
        Shape::Image { area, pixels, smooth } => paste(sheet, *area, pixels, *smooth),
        Shape::Text(label) => {
            let mut path = PathBuilder::new();
            for stroke in text::outlines(label) {
                trace(&mut path, stroke);
            }
            fill(sheet, path.finish(), label.colour, 1.0);
        }
    }
}

fn fill(sheet: &mut Pixmap, path: Option<Path>, colour: Colour, alpha: f64) {
    if let Some(path) = path {
        let scale = Transform::from_scale(SCALE, SCALE);
        sheet.fill_path(&path, &paint(colour, alpha), FillRule::Winding, scale, None);
    }
}

fn paint(colour: Colour, alpha: f64) -> Paint<'static> {
    let [red, green, blue] = colour.on_white();
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, (alpha.clamp(0.0, 1.0) * 255.0).round() as u8);
    paint
}

fn outline(paths: &[Vec<[f64; 2]>], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for path in paths {
        for (number, [x, y]) in path.iter().enumerate() {
            let (x, y) = (*x as f32, *y as f32);
            if number == 0 { builder.move_to(x, y) } else { builder.line_to(x, y) }
        }
        if closed {
            builder.close();
        }
    }
    builder.finish()
}

fn trace(path: &mut PathBuilder, stroke: Stroke) {
    let small = |[x, y]: [f64; 2]| [x as f32, y as f32];
    match stroke {
        Stroke::Move(to) => {
            let [x, y] = small(to);
            path.move_to(x, y);
        }
        Stroke::Line(to) => {
            let [x, y] = small(to);
            path.line_to(x, y);
        }
        Stroke::Quad(by, to) => {
            let ([x1, y1], [x, y]) = (small(by), small(to));
            path.quad_to(x1, y1, x, y);
        }
        Stroke::Cubic(first, second, to) => {
            let ([x1, y1], [x2, y2], [x, y]) = (small(first), small(second), small(to));
            path.cubic_to(x1, y1, x2, y2, x, y);
        }
        Stroke::Close => path.close(),
    }
}

fn paste(sheet: &mut Pixmap, area: Area, pixels: &Pixels, smooth: bool) {
    let Some(mut source) = Pixmap::new(pixels.width, pixels.height) else { return };
    for (to, from) in source.pixels_mut().iter_mut().zip(pixels.rgb.chunks_exact(3)) {
        if let Some(pixel) = PremultipliedColorU8::from_rgba(from[0], from[1], from[2], 255) {
            *to = pixel;
        }
    }
    let [across, down] = [area.width / f64::from(pixels.width), area.height / f64::from(pixels.height)];
    let place = Transform::from_row(
        across as f32 * SCALE,
        0.0,
        0.0,
        down as f32 * SCALE,
        area.x as f32 * SCALE,
        area.y as f32 * SCALE,
    );
    let quality = if smooth { FilterQuality::Bilinear } else { FilterQuality::Nearest };
    let paint = PixmapPaint { quality, ..Default::default() };
    sheet.draw_pixmap(0, 0, source.as_ref(), &paint, place, None);
}
