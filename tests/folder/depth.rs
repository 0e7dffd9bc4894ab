//! Pictures of 16 bits a channel, and of other depths.

use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Pixel, Rgb, Rgb32FImage, Rgba};
use narrows::data::{Alpha, Dataset, Fit, Form, folder};
use tempfile::TempDir;

use super::{encoded, grey, one, png, put, read, refusal, square};

// Neighbours lie closer than a byte can tell: 3 of 257.
fn shade(x: u32, y: u32) -> u16 {
    20_000 + 3 * (7 * y + x) as u16
}

/// A picture, 6 high and 7 wide, of the colour that `pixel` makes of a shade.
fn deep<P: Pixel<Subpixel = u16>>(pixel: impl Fn(u16) -> P) -> DynamicImage
where
    DynamicImage: From<ImageBuffer<P, Vec<u16>>>,
{
    ImageBuffer::from_fn(7, 6, |x, y| pixel(shade(x, y))).into()
}

fn floats(set: &Dataset) -> Vec<f32> {
    assert!(!set.values.are_bytes());
    set.floats()
}

fn shares(picture: &DynamicImage) -> Vec<f32> {
    let samples: &[u16] = bytemuck::cast_slice(picture.as_bytes());
    samples.iter().map(|sample| f32::from(*sample) / 65_535.0).collect()
}

#[test]
fn pictures_of_16_bits_are_floats_to_the_last_bit_in_every_format_that_has_them() {
    let colour = deep(|shade| Rgb([shade, 65_535 - shade, 7]));
    let lone = deep(|shade| Luma([shade]));
    for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Pnm] {
        for (picture, channels) in [(&colour, 3), (&lone, 1)] {
            let set = one("picture", &encoded(picture.clone(), format), Form::default());
            assert_eq!(set.shape(), [6, 7, channels], "{format:?}");
            assert_eq!(floats(&set), shares(picture), "{format:?}");
        }
    }
    let keep = Form { alpha: Alpha::Keep, ..Form::default() };
    for (picture, channels) in [
        (deep(|shade| LumaA([shade, 40_000 + shade / 9])), 2),
        (deep(|shade| Rgba([shade, 3, 9, 40_000 + shade / 9])), 4),
    ] {
        let set = one("picture.png", &png(picture.clone()), keep);
        assert_eq!((set.channels, floats(&set)), (channels, shares(&picture)));
    }
    // In 12 bits of the 16, as its header says.
    let text = one("picture.pgm", b"P2 2 2 4095 0 4095 1 2048", Form::default());
    assert_eq!(floats(&text), [0, 65_535, 16, 32_776].map(|sample| sample as f32 / 65_535.0));
}

#[test]
fn one_picture_of_16_bits_makes_floats_of_all_and_a_remark_says_so() {
    let place = TempDir::new().unwrap();
    let dark = |x, y| [(x * 9 + y) as u8].into();
    put(place.path(), "a.png", &png(image::GrayImage::from_fn(7, 6, dark)));
    put(place.path(), "b.jpg", &encoded(image::GrayImage::new(7, 6), ImageFormat::Jpeg));
    assert!(read(place.path()).0.values.bytes().is_some());
    put(place.path(), "c.png", &png(deep(|shade| Luma([shade]))));
    let parts = folder::read(place.path(), Form::default()).unwrap();
    let said = "1 picture of 16 bits a channel, 2 of 8 bits: all are floats, divided by 65535 and by 255";
    assert_eq!(parts.report.remarks, [said]);
    let (whole, _) = parts.into_whole();
    let expected: Vec<f32> = (0..6).flat_map(|y| (0..7).map(move |x| (x * 9 + y) as f32 / 255.0)).collect();
    assert_eq!((whole.channels, &floats(&whole)[..42]), (1, &expected[..]));
    assert_eq!(floats(&whole)[84..], shares(&deep(|shade| Luma([shade]))));

    let place = TempDir::new().unwrap();
    put(place.path(), "c.png", &png(deep(|shade| Luma([shade]))));
    assert_eq!(read(place.path()).2.remarks, ["1 picture of 16 bits a channel: floats, divided by 65535"]);
}

#[test]
fn a_damaged_picture_of_16_bits_leaves_the_others_bytes() {
    let place = TempDir::new().unwrap();
    for number in 0..10 {
        put(place.path(), &format!("{number}.png"), &png(grey(number)));
    }
    let whole = png(deep(|shade| Luma([shade])));
    put(place.path(), "half.png", &whole[..whole.len() - 30]);
    let (train, _, report) = read(place.path());
    assert!(train.values.bytes().is_some());
    assert!(!report.remarks.iter().any(|remark| remark.contains("16 bits")), "{:?}", report.remarks);
}

/// How far floats are from the bytes of the same picture at 8 bits, in steps of a byte.
fn off(floats: &Dataset, bytes: &Dataset) -> f32 {
    assert_eq!((floats.shape(), floats.len()), (bytes.shape(), bytes.len()));
    let pairs = self::floats(floats).into_iter().zip(bytes.bytes());
    pairs.map(|(float, byte)| (float * 255.0 - f32::from(byte)).abs()).fold(0.0, f32::max)
}

#[test]
fn size_fit_alpha_and_grey_work_at_full_depth_as_they_do_on_bytes() {
    let veiled = image::RgbaImage::from_fn(40, 26, |x, y| {
        Rgba([(6 * x) as u8, (8 * y) as u8, (3 * (x + y)) as u8, (255 - 4 * x) as u8])
    });
    let bytes = png(veiled.clone());
    let floats = png(DynamicImage::from(veiled).into_rgba16());
    for fit in [Fit::Crop, Fit::Pad, Fit::Stretch] {
        for alpha in [Alpha::White, Alpha::Black, Alpha::Keep] {
            for grey in [false, true] {
                let channels = grey.then_some(if alpha == Alpha::Keep { 2 } else { 1 });
                for size in [[26, 40], [20, 13], [31, 17]] {
                    let form = Form { size: Some(size), channels, fit, alpha };
                    let set = one("a.png", &floats, form);
                    let off = off(&set, &one("a.png", &bytes, form));
                    // Bytes are rounded up to three times on the way; where little shows, a colour is a quotient of few.
                    let most = if alpha == Alpha::Keep { 4.0 } else { 2.0 };
                    assert!(off <= most, "{form:?}: {off}");
                    assert!(self::floats(&set).iter().all(|value| (0.0..=1.0).contains(value)));
                }
            }
        }
    }
}

#[test]
fn a_resized_or_padded_picture_of_16_bits_keeps_what_bytes_would_lose() {
    // All of it lies within one step of a byte.
    let faint = |x: u32| 30_000 + 2 * x as u16;
    let ramp = ImageBuffer::<Luma<u16>, _>::from_fn(40, 40, |x, _| Luma([faint(x)]));
    let small = one("a.png", &png(ramp.clone()), square(20, None));
    let row = &floats(&small)[20 * 9..20 * 10];
    for (x, value) in row.iter().enumerate().take(17).skip(3) {
        assert!((value * 65_535.0 - (30_000.0 + 4.0 * x as f32 + 1.0)).abs() < 0.1, "{row:?}");
    }
    let wide = Form { size: Some([40, 60]), fit: Fit::Pad, ..Form::default() };
    let mean = floats(&one("a.png", &png(ramp), wide))[0] * 65_535.0;
    assert!((mean - 30_039.0).abs() < 0.1, "{mean}");
    let veil = ImageBuffer::<LumaA<u16>, _>::from_pixel(3, 3, LumaA([10_001, 30_000]));
    let over = |alpha, behind: f64| {
        let set = one("a.png", &png(DynamicImage::from(veil.clone())), Form { alpha, ..square(3, None) });
        let opacity = 30_000.0 / 65_535.0;
        let expected = 10_001.0 / 65_535.0 * opacity + behind * (1.0 - opacity);
        assert!((f64::from(floats(&set)[4]) - expected).abs() < 1e-6, "{alpha:?}: {:?}", floats(&set));
    };
    over(Alpha::White, 1.0);
    over(Alpha::Black, 0.0);
}

#[test]
fn pictures_of_32_bit_floats_are_refused_with_what_to_do() {
    let place = TempDir::new().unwrap();
    let picture = Rgb32FImage::from_pixel(3, 3, Rgb([1.0, 200.0, -4.0]));
    put(place.path(), "a.tiff", &encoded(picture, ImageFormat::Tiff));
    let said = refusal(place.path());
    let expected = "a.tiff, is left out: its pixels are neither grey nor colours of 8 or 16 bits. Convert it";
    assert!(said.contains(expected) && said.contains("one .npy array [n, height, width]"), "{said}");
}
