//! The fitting of a decoded picture to a size, as bytes or at full depth.

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageBuffer, Pixel, Primitive, Rgb32FImage, RgbImage, Rgba, Rgba32FImage};

use crate::data::Alpha;

/// A channel of a pixel: a byte, or a float in [0, 1].
pub(in crate::data) trait Channel: Primitive + Into<f64> + Send + Sync {
    /// A picture resized to `inner` and padded to `size`, `[height, width, channels]`: 1 or 3, with `alpha` kept 2 or 4.
    fn formed(
        picture: DynamicImage,
        inner: [u32; 2],
        size: [u32; 2],
        alpha: Alpha,
        channels: usize,
    ) -> Vec<Self>;

    /// As a share of the largest value.
    fn share(self) -> f32;

    /// The value of a share, which is cut to [0, 1].
    fn of_share(share: f32) -> Self;

    fn mean(sum: f64, count: f64) -> Self;

    /// With an opacity, over what is behind.
    fn over(self, behind: Self, opacity: Self) -> Self;
}

impl Channel for u8 {
    fn formed(
        picture: DynamicImage,
        inner: [u32; 2],
        size: [u32; 2],
        alpha: Alpha,
        channels: usize,
    ) -> Vec<Self> {
        let opaque = |picture: DynamicImage| -> RgbImage {
            let veiled = picture.color().has_alpha();
            if veiled { before(&picture.into_rgba8(), alpha.behind()) } else { picture.into_rgb8() }
        };
        let formed: DynamicImage = match alpha {
            Alpha::Keep => padded(resized_veiled(picture.into_rgba8(), inner), size).into(),
            Alpha::White | Alpha::Black => padded(resized(opaque(picture), inner), size).into(),
        };
        match channels {
            1 => formed.into_luma8().into_raw(),
            2 => formed.into_luma_alpha8().into_raw(),
            3 => formed.into_rgb8().into_raw(),
            _ => formed.into_rgba8().into_raw(),
        }
    }

    fn share(self) -> f32 {
        f32::from(self) / 255.0
    }

    fn of_share(share: f32) -> Self {
        (share.clamp(0.0, 1.0) * 255.0).round() as Self
    }

    fn mean(sum: f64, count: f64) -> Self {
        ((sum + (count / 2.0).floor()) / count) as Self
    }

    fn over(self, behind: Self, opacity: Self) -> Self {
        let [value, behind, opacity] = [self, behind, opacity].map(u32::from);
        ((value * opacity + behind * (255 - opacity) + 127) / 255) as Self
    }
}

impl Channel for f32 {
    fn formed(
        picture: DynamicImage,
        inner: [u32; 2],
        size: [u32; 2],
        alpha: Alpha,
        channels: usize,
    ) -> Vec<Self> {
        if alpha == Alpha::Keep {
            let veiled: Rgba32FImage = divided(&picture.into_rgba16());
            let formed = padded(resized_veiled(veiled, inner), size);
            return match channels {
                2 => formed.pixels().flat_map(|pixel| pixel.to_luma_alpha().0).collect(),
                _ => formed.into_raw(),
            };
        }
        let opaque: Rgb32FImage = match picture.color().has_alpha() {
            true => before(&divided::<_, Rgba<f32>>(&picture.into_rgba16()), alpha.behind()),
            false => divided(&picture.into_rgb16()),
        };
        let formed = padded(resized(opaque, inner), size);
        match channels {
            1 => formed.pixels().flat_map(|pixel| pixel.to_luma().0).collect(),
            _ => formed.into_raw(),
        }
    }

    fn share(self) -> f32 {
        self
    }

    fn of_share(share: f32) -> Self {
        share.clamp(0.0, 1.0)
    }

    fn mean(sum: f64, count: f64) -> Self {
        (sum / count) as Self
    }

    fn over(self, behind: Self, opacity: Self) -> Self {
        self * opacity + behind * (1.0 - opacity)
    }
}

// `by * to / from`, rounded, at least 1.
fn scaled(by: u32, to: u32, from: u32) -> u32 {
    let rounded = (u64::from(by) * u64::from(to) + u64::from(from) / 2) / u64::from(from);
    u32::try_from(rounded).unwrap_or(u32::MAX).max(1)
}

/// The largest part with the proportions of a size.
pub(super) fn largest([down, across]: [u32; 2], [height, width]: [u32; 2]) -> [u32; 2] {
    [down.min(scaled(across, height, width)), across.min(scaled(down, width, height))]
}

/// The largest size with the proportions of a picture that fits in a size.
pub(super) fn within([down, across]: [u32; 2], [height, width]: [u32; 2]) -> [u32; 2] {
    [height.min(scaled(width, down, across)), width.min(scaled(height, across, down))]
}

/// The middle. Cropping comes first, so that only what remains is resized.
pub(super) fn cropped(picture: &DynamicImage, size: [u32; 2]) -> DynamicImage {
    let (across, down) = (picture.width(), picture.height());
    let [rows, columns] = largest([down, across], size);
    picture.crop_imm((across - columns) / 2, (down - rows) / 2, columns, rows)
}

fn resized<P: Pixel + 'static>(
    picture: ImageBuffer<P, Vec<P::Subpixel>>,
    [height, width]: [u32; 2],
) -> ImageBuffer<P, Vec<P::Subpixel>>
where
    P::Subpixel: 'static,
{
    if picture.dimensions() == (width, height) {
        return picture;
    }
    imageops::resize(&picture, width, height, FilterType::Lanczos3)
}

// Colours count by their opacity, so that those of invisible pixels do not leak into their neighbours. Halved, since
// what overshoots 1 is cut off.
fn resized_veiled<P: Pixel<Subpixel: Channel>>(
    picture: ImageBuffer<P, Vec<P::Subpixel>>,
    [height, width]: [u32; 2],
) -> ImageBuffer<P, Vec<P::Subpixel>> {
    if picture.dimensions() == (width, height) {
        return picture;
    }
    let weighed = Rgba32FImage::from_fn(picture.width(), picture.height(), |x, y| {
        let channel = |at: usize| picture.get_pixel(x, y).channels()[at].share();
        let half = channel(3) / 2.0;
        Rgba([channel(0) * half, channel(1) * half, channel(2) * half, half])
    });
    let weighed = imageops::resize(&weighed, width, height, FilterType::Lanczos3);
    ImageBuffer::from_fn(width, height, |x, y| {
        let Rgba([red, green, blue, half]) = *weighed.get_pixel(x, y);
        let colour = |value: f32| P::Subpixel::of_share(if half > 0.0 { value / half } else { 0.0 });
        *P::from_slice(&[colour(red), colour(green), colour(blue), P::Subpixel::of_share(2.0 * half)])
    })
}

// In the middle of a size, on the mean colour of the outermost pixels.
fn padded<P: Pixel<Subpixel: Channel>>(
    picture: ImageBuffer<P, Vec<P::Subpixel>>,
    [height, width]: [u32; 2],
) -> ImageBuffer<P, Vec<P::Subpixel>> {
    let (across, down) = picture.dimensions();
    if (across, down) == (width, height) {
        return picture;
    }
    let outermost = |x, y| x == 0 || y == 0 || x + 1 == across || y + 1 == down;
    let (mut sums, mut count) = ([0.0_f64; 4], 0.0_f64);
    for (_, _, pixel) in picture.enumerate_pixels().filter(|(x, y, _)| outermost(*x, *y)) {
        for (sum, value) in sums.iter_mut().zip(pixel.channels()) {
            *sum += (*value).into();
        }
        count += 1.0;
    }
    let mean = sums.map(|sum| P::Subpixel::mean(sum, count.max(1.0)));
    let behind = *P::from_slice(&mean[..usize::from(P::CHANNEL_COUNT)]);
    let mut whole = ImageBuffer::from_pixel(width, height, behind);
    imageops::replace(&mut whole, &picture, i64::from((width - across) / 2), i64::from((height - down) / 2));
    whole
}

// The quotients to the last bit, which those of the crate `image` are not.
fn divided<P: Pixel<Subpixel = u16>, Q: Pixel<Subpixel = f32>>(
    picture: &ImageBuffer<P, Vec<u16>>,
) -> ImageBuffer<Q, Vec<f32>> {
    ImageBuffer::from_fn(picture.width(), picture.height(), |x, y| {
        let mut shares = [0.0; 4];
        let channels = picture.get_pixel(x, y).channels();
        shares.iter_mut().zip(channels).for_each(|(share, value)| *share = f32::from(*value) / 65_535.0);
        *Q::from_slice(&shares[..channels.len()])
    })
}

// Transparent pixels show what is behind.
fn before<P: Pixel<Subpixel: Channel>, Q: Pixel<Subpixel = P::Subpixel>>(
    picture: &ImageBuffer<P, Vec<P::Subpixel>>,
    behind: f32,
) -> ImageBuffer<Q, Vec<P::Subpixel>> {
    let behind = P::Subpixel::of_share(behind);
    ImageBuffer::from_fn(picture.width(), picture.height(), |x, y| {
        let channels = picture.get_pixel(x, y).channels();
        *Q::from_slice(&[0, 1, 2].map(|colour| channels[colour].over(behind, channels[3])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_quotients_to_the_last_bit_of_bytes_and_of_16_bits() {
        let formed = |picture: DynamicImage, channels| {
            let size = [picture.height(), picture.width()];
            f32::formed(picture, size, size, Alpha::White, channels)
        };
        let bytes = image::GrayImage::from_fn(16, 16, |x, y| [(16 * y + x) as u8].into());
        let expected: Vec<f32> = bytes.iter().map(|byte| f32::from(*byte) / 255.0).collect();
        assert_eq!(formed(bytes.clone().into(), 1), expected);
        assert!(formed(bytes.into(), 3).iter().step_by(3).eq(&expected));
        let all = ImageBuffer::<image::Luma<u16>, _>::from_fn(256, 256, |x, y| [(256 * y + x) as u16].into());
        let expected: Vec<f32> = all.iter().map(|value| f32::from(*value) / 65_535.0).collect();
        assert_eq!(formed(all.clone().into(), 1), expected);
        assert!(formed(all.into(), 3).iter().step_by(3).eq(&expected));
    }

    #[test]
    fn the_middle_is_cropped_to_the_proportions_asked_for() {
        for (from, to, expected) in [
            ([4, 10], [2, 2], [4, 4]),
            ([10, 4], [2, 2], [4, 4]),
            ([10, 4], [5, 2], [10, 4]),
            ([7, 7], [3, 9], [2, 7]),
            ([1, 5000], [64, 64], [1, 1]),
            ([5000, 1], [1, 128], [1, 1]),
        ] {
            let [height, width] = from;
            let picture = cropped(&DynamicImage::new_luma8(width, height), to);
            assert_eq!([picture.height(), picture.width()], expected, "{from:?} to {to:?}");
        }
    }

    #[test]
    fn a_padded_picture_is_as_large_as_fits() {
        for (from, to, expected) in [
            ([4, 10], [20, 20], [8, 20]),
            ([10, 4], [20, 20], [20, 8]),
            ([10, 4], [5, 2], [5, 2]),
            ([1, 5000], [64, 64], [1, 64]),
            ([5000, 1], [1, 128], [1, 1]),
        ] {
            assert_eq!(within(from, to), expected, "{from:?} to {to:?}");
        }
    }
}
