//! The form that pictures are brought to.

use image::{DynamicImage, GrayImage, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use narrows::data::{Alpha, Fit, Form, Size, folder};
use narrows::train::DataConfig;
use tempfile::TempDir;

use super::{encoded, formed, grey, one, png, put, read, square};

#[test]
fn colour_is_kept_unless_all_are_grey_or_grey_is_asked_for() {
    let place = TempDir::new().unwrap();
    let same = |x, _| Rgb([x as u8 * 40; 3]);
    put(place.path(), "grey-as-rgb.png", &png(RgbImage::from_fn(4, 4, same)));
    put(place.path(), "wide.png", &png(GrayImage::from_fn(4, 4, |x, _| [x as u8 * 40].into())));
    let row = [0, 40, 80, 120];
    assert_eq!((read(place.path()).0.channels, read(place.path()).0.bytes()), (1, row.repeat(4)));
    assert_eq!(formed(place.path(), None, Some(3)).channels, 3);
    let colour = Rgb([200, 100, 20]);
    put(place.path(), "colour.png", &png(RgbImage::from_pixel(4, 4, colour)));
    let (train, test, _) = read(place.path());
    assert_eq!((train.channels, test.channels), (3, 3));
    for part in [train, test] {
        for (at, file) in part.files.iter().enumerate() {
            let expected = if file.ends_with("colour.png") { colour.0 } else { [0; 3] };
            assert_eq!(
                part.bytes()[at * part.pixels()..][..part.pixels()][..3],
                expected,
                "{}",
                file.display()
            );
        }
    }
    let luma = DynamicImage::from(RgbImage::from_pixel(1, 1, colour)).into_luma8().into_raw();
    assert_eq!(
        one("a.png", &png(RgbImage::from_pixel(9, 9, colour)), square(2, Some(1))).bytes(),
        luma.repeat(4)
    );
}

#[test]
fn the_middle_is_cropped_and_resized() {
    let bars =
        RgbImage::from_fn(40, 10, |x, _| if (15..25).contains(&x) { Rgb([9, 8, 7]) } else { Rgb([255; 3]) });
    assert_eq!(one("wide.png", &png(bars.clone()), square(6, None)).bytes(), [9, 8, 7].repeat(36));
    let tall = DynamicImage::from(bars).rotate90();
    assert_eq!(one("tall.png", &png(tall), square(17, None)).bytes(), [9, 8, 7].repeat(17 * 17));
    // A ramp remains a ramp at half the size: Lanczos is exact on its linear middle.
    let ramp = GrayImage::from_fn(40, 40, |x, _| [(x * 4) as u8].into());
    let small = one("ramp.png", &png(ramp), square(20, None));
    let expected: Vec<i16> = (0..20).map(|x| 8 * x + 2).collect();
    for (x, expected) in expected.iter().enumerate().take(17).skip(3) {
        assert!((i16::from(small.bytes()[20 * 9 + x]) - expected).abs() <= 1, "{:?}", &small.bytes()[..20]);
    }
}

#[test]
fn what_is_transparent_shows_white() {
    let pixel = |alpha| RgbaImage::from_pixel(3, 3, Rgba([100, 0, 200, alpha]));
    for (alpha, expected) in [(0, [255; 3]), (255, [100, 0, 200]), (51, [224, 204, 244])] {
        assert_eq!(one("a.png", &png(pixel(alpha)), square(1, Some(3))).bytes(), expected, "alpha {alpha}");
    }
    let veil = DynamicImage::from(pixel(128)).into_luma_alpha8();
    assert_eq!(one("a.png", &png(veil.clone()), square(1, None)).channels, 1);
    assert!(one("a.png", &png(veil), square(1, None)).bytes()[0] > 130);
}

#[test]
fn the_size_is_their_own_where_they_share_a_small_one_and_else_64() {
    let sized = |sizes: &[(u32, u32)]| {
        let place = TempDir::new().unwrap();
        for (number, (height, width)) in sizes.iter().enumerate() {
            put(place.path(), &format!("{number}.png"), &png(GrayImage::new(*width, *height)));
        }
        let train = read(place.path()).0;
        (train.height, train.width)
    };
    assert_eq!(sized(&[(128, 7), (128, 7)]), (128, 7));
    assert_eq!(sized(&[(129, 7), (129, 7)]), (64, 64));
    assert_eq!(sized(&[(20, 30), (30, 20)]), (64, 64));
}

#[test]
fn pictures_are_turned_upright_as_their_camera_noted() {
    // Exif orientation 6: upright after a quarter turn clockwise.
    let exif = [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".as_slice()].concat();
    let lying = RgbImage::from_fn(8, 4, |x, _| if x < 4 { Rgb([0; 3]) } else { Rgb([255; 3]) });
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.set_exif_metadata(exif.clone()).unwrap();
    encoder.write_image(lying.as_raw(), 8, 4, image::ExtendedColorType::Rgb8).unwrap();
    let upright = one("a.png", &bytes, Form::default());
    assert_eq!((upright.height, upright.width, upright.channels), (8, 4, 1));
    assert_eq!(upright.bytes(), [vec![0; 16], vec![255; 16]].concat());
    // In a JPEG the same data stand in a segment behind its first two bytes.
    let segment = [b"Exif\0\0", &exif[..]].concat();
    let jpeg = encoded(lying, ImageFormat::Jpeg);
    let length = (segment.len() as u16 + 2).to_be_bytes();
    let bytes = [&jpeg[..2], &[0xff, 0xe1], &length, &segment, &jpeg[2..]].concat();
    let upright = one("a.jpg", &bytes, Form::default());
    assert_eq!((upright.height, upright.width, upright.channels), (8, 4, 1));
    assert!(upright.bytes()[..12].iter().all(|dark| *dark < 30), "{:?}", upright.bytes());
}

#[test]
fn every_format_is_read_whatever_its_name() {
    let picture = RgbImage::from_fn(16, 16, |x, y| Rgb([x as u8 * 8, 128, y as u8 * 8]));
    for format in ["png", "jpg", "gif", "webp", "bmp", "tiff", "ppm"] {
        let kind = ImageFormat::from_extension(format).unwrap();
        let set = one("picture.txt", &encoded(picture.clone(), kind), Form::default());
        assert_eq!((set.height, set.width, set.channels), (16, 16, 3), "{format}");
        let off =
            set.bytes().into_iter().zip(picture.as_raw()).map(|(got, expected)| got.abs_diff(*expected));
        let most = if matches!(format, "jpg" | "gif") { 40 } else { 0 };
        assert!(off.max() <= Some(most), "{format}");
    }
}

#[test]
fn a_form_that_no_picture_has_is_refused() {
    let place = TempDir::new().unwrap();
    put(place.path(), "a.png", &png(grey(0)));
    for (form, expected) in [
        (
            Form { size: Some([0, 4]), ..Form::default() },
            "size: expected 1 to 32768 pixels, such as --size 64, got 0",
        ),
        (square(usize::MAX, None), "size: expected 1 to 32768 pixels, such as --size 64, got "),
        (square(2, Some(2)), "channels: expected 1 for grey or 3 for RGB, got 2"),
    ] {
        let said = folder::read(place.path(), form).unwrap_err().to_string();
        assert!(said.starts_with(expected), "{said}");
    }
    for number in 0..8 {
        put(place.path(), &format!("{number}.png"), b"");
    }
    let said = folder::read(place.path(), square(32_768, None)).unwrap_err().to_string();
    assert!(said.starts_with("size: expected a size at which all pictures take at most 16 GiB"), "{said}");
    assert!(said.contains(", such as --size 25224, or --cache FOLDER to decode them to the disk, got 32768 x 32768 for 9 files"), "{said}");
}

/// White, black and white bars, each 10 wide and 10 high, of the colour in the middle.
fn bars(middle: [u8; 3]) -> RgbImage {
    RgbImage::from_fn(30, 10, |x, _| if (10..20).contains(&x) { Rgb(middle) } else { Rgb([255; 3]) })
}

fn with_fit(fit: Fit) -> Form {
    Form { fit, ..square(30, Some(3)) }
}

#[test]
fn a_padded_picture_is_whole_and_its_border_has_the_mean_colour_of_its_edge() {
    let set = one("a.png", &png(bars([9, 8, 7])), with_fit(Fit::Pad));
    let bytes = set.bytes();
    let pixel = |x: usize, y: usize| &bytes[(y * 30 + x) * 3..][..3];
    for y in 10..20 {
        assert_eq!((pixel(0, y), pixel(15, y), pixel(29, y)), (&[255; 3][..], &[9, 8, 7][..], &[255; 3][..]));
    }
    // Of the 76 outermost pixels, 20 are in the middle bar.
    let mean = [9, 8, 7].map(|value: u32| ((56 * 255 + 20 * value + 38) / 76) as u8);
    assert_eq!((pixel(0, 9), pixel(15, 0), pixel(29, 20)), (&mean[..], &mean[..], &mean[..]));
}

#[test]
fn a_stretched_picture_is_whole_and_fills_the_size() {
    let set = one("a.png", &png(bars([9, 8, 7])), with_fit(Fit::Stretch));
    for (at, pixel) in set.bytes().chunks(3).enumerate() {
        let expected = if (12..18).contains(&(at % 30)) { [9, 8, 7] } else { [255; 3] };
        if !matches!(at % 30, 7..12 | 18..23) {
            assert_eq!(pixel, expected, "{at}");
        }
    }
}

#[test]
fn opacity_is_kept_as_a_channel_or_put_on_black() {
    let form = |alpha, size| Form { size: Some([size; 2]), alpha, ..Form::default() };
    let colour = RgbaImage::from_pixel(3, 3, Rgba([100, 0, 200, 51]));
    assert_eq!(one("a.png", &png(colour.clone()), form(Alpha::Keep, 3)).bytes(), [100, 0, 200, 51].repeat(9));
    assert_eq!(one("a.png", &png(colour.clone()), form(Alpha::Black, 1)).bytes(), [20, 0, 40]);
    let set = one("a.png", &png(RgbaImage::from_pixel(2, 2, Rgba([7, 7, 7, 9]))), form(Alpha::Keep, 2));
    assert_eq!((set.channels, set.bytes()), (2, [7, 9].repeat(4)));
    let asked = Form { channels: Some(2), ..form(Alpha::Keep, 3) };
    assert_eq!(one("a.png", &png(colour.clone()), asked).channels, 2);
    let place = TempDir::new().unwrap();
    put(place.path(), "a.png", &png(colour));
    let asked = Form { channels: Some(3), ..form(Alpha::Keep, 3) };
    let said = folder::read(place.path(), asked).unwrap_err().to_string();
    assert_eq!(said, "channels: expected 2 for grey or 4 for RGB with opacity, got 3");
}

#[test]
fn the_colour_of_invisible_pixels_does_not_show_after_resizing() {
    let half =
        RgbaImage::from_fn(40, 40, |x, _| if x < 20 { Rgba([0, 255, 0, 0]) } else { Rgba([200, 0, 0, 255]) });
    let form = Form { size: Some([10; 2]), alpha: Alpha::Keep, ..Form::default() };
    let set = one("a.png", &png(half), form);
    assert!(set.bytes().chunks(4).all(|pixel| pixel[1] == 0), "{:?}", &set.bytes()[..40]);
    assert!(set.bytes().chunks(4).filter(|pixel| pixel[3] > 0).all(|pixel| pixel[0] == 200));
}

#[test]
fn what_was_done_to_the_pictures_is_said_in_one_line() {
    let place = TempDir::new().unwrap();
    for (name, height, width) in [("a", 8, 8), ("b", 16, 16), ("c", 8, 12), ("d", 16, 8)] {
        put(place.path(), &format!("{name}.png"), &png(GrayImage::new(width, height)));
    }
    let said = |fit| folder::read(place.path(), Form { fit, ..square(8, None) }).unwrap().report.remarks;
    let change = "--fit crop, pad or stretch change this";
    let crop = format!("4 pictures of 4 sizes: 2 cropped, 1 resized to 8 x 8 (grey); {change}");
    assert_eq!(said(Fit::Crop), [crop]);
    let pad = format!("4 pictures of 4 sizes: 2 padded, 3 resized to 8 x 8 (grey); {change}");
    assert_eq!(said(Fit::Pad), [pad]);
    let stretch = format!("4 pictures of 4 sizes: 2 stretched, 3 resized to 8 x 8 (grey); {change}");
    assert_eq!(said(Fit::Stretch), [stretch]);
}

/// A CMYK JPEG of 8 x 8 pixels of one colour. Each value is 1 to 64 or 192 to 255, as Adobe stores it: inverted.
fn cmyk(values: [u8; 4]) -> Vec<u8> {
    let segment = |kind: u8, content: &[u8]| {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&[0xff, kind], length.as_slice(), content].concat()
    };
    // One code of one bit in each Huffman table: a difference of 7 bits, and the end of a block.
    let table = |kind: u8, symbol: u8| [&[kind, 1][..], &[0; 15], &[symbol]].concat();
    let frame = [&[8, 0, 8, 0, 8, 4][..], &[1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0]].concat();
    let scan = [4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0];
    let mut bits = 0_u64;
    for value in values {
        let level = i64::from(value) - 128;
        let amplitude = if level < 0 { level + 127 } else { level };
        bits = bits << 9 | (amplitude as u64) << 1;
    }
    let bits = bits << 4 | 0xf;
    let mut data = Vec::new();
    for byte in &bits.to_be_bytes()[3..] {
        data.push(*byte);
        data.extend((*byte == 0xff).then_some(0));
    }
    [
        vec![0xff, 0xd8],
        segment(0xee, b"Adobe\0\x64\0\0\0\0\0"),
        segment(0xdb, &[&[0][..], &[8; 64]].concat()),
        segment(0xc0, &frame),
        segment(0xc4, &table(0, 7)),
        segment(0xc4, &table(0x10, 0)),
        segment(0xda, &scan),
        data,
        vec![0xff, 0xd9],
    ]
    .concat()
}

#[test]
fn jpegs_for_print_have_the_right_colours() {
    for (values, expected) in [
        ([255, 255, 255, 255], [255; 3]),
        ([1, 255, 255, 255], [1, 255, 255]),
        ([255, 64, 255, 192], [192, 48, 192]),
    ] {
        let set = one("a.jpg", &cmyk(values), square(1, Some(3)));
        let off = set.bytes().iter().zip(expected).map(|(got, expected)| got.abs_diff(expected)).max();
        assert!(off <= Some(3), "{values:?}: {:?}", set.bytes());
    }
}

#[test]
fn a_configuration_gives_the_size_as_number_text_or_pair_and_the_model_its_channels() {
    let config = |text: &str| toml::from_str::<DataConfig>(&format!("source = \"folder\"\n{text}")).unwrap();
    for (text, size) in [("64", [64, 64]), ("\"48x64\"", [48, 64]), ("[48, 64]", [48, 64])] {
        let config = config(&format!("size = {text}"));
        assert_eq!(config.size, Some(Size(size)));
        assert_eq!(toml::from_str::<DataConfig>(&toml::to_string(&config).unwrap()).unwrap(), config);
    }
    let place = TempDir::new().unwrap();
    put(place.path(), "a.png", &png(RgbaImage::from_pixel(3, 3, Rgba([100, 0, 200, 51]))));
    put(place.path(), "b.png", &png(RgbaImage::from_pixel(3, 3, Rgba([0, 100, 0, 51]))));
    let kept = DataConfig { dir: Some(place.path().to_owned()), ..config("alpha = \"keep\"\nfit = \"pad\"") };
    assert_eq!(kept.load().unwrap().train.channels, 4);
    for channels in 1..=4 {
        assert_eq!(kept.load_for([2, 2, channels], &[]).unwrap().train.shape(), [2, 2, channels]);
    }
    assert_eq!(DataConfig { grey: true, ..kept }.load().unwrap().train.channels, 2);
    let other = DataConfig { fit: Fit::Pad, alpha: Alpha::Black, ..DataConfig::default() };
    assert_eq!(
        other.load().unwrap_err().to_string(),
        "fit: expected nothing but with the source folder, got \"pad\""
    );
}
