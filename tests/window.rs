//! The shapes that windows make, compared with those of Keras and PyTorch.
#![allow(clippy::unwrap_used, missing_docs)]

use narrows::graph::{Padding, Shape, Window};

fn window(kernel: u32, stride: u32, padding: Padding) -> Window {
    Window::new([kernel; 2], [stride; 2], padding)
}

fn square(extent: u32) -> Shape {
    Shape::new(extent, extent, 3)
}

#[test]
fn a_convolution_has_the_shapes_of_keras_and_pytorch() {
    use Padding::{Explicit, Same, Valid};
    for (input, kernel, stride, padding, expected) in [
        // Keras: Conv2D(7, kernel, stride, padding)
        (28, 3, 1, Same, 28),
        (28, 3, 2, Same, 14),
        (7, 3, 2, Same, 4),
        (7, 2, 3, Same, 3),
        (2, 5, 1, Same, 2),
        (28, 5, 2, Valid, 12),
        (28, 28, 1, Valid, 1),
        (5, 1, 3, Valid, 2),
        // PyTorch: Conv2d(3, 7, kernel, stride, padding)
        (28, 3, 2, Explicit([1; 2]), 14),
        (28, 5, 3, Explicit([2; 2]), 10),
        (7, 4, 2, Explicit([1; 2]), 3),
        (1, 3, 1, Explicit([1; 2]), 1),
        (3, 2, 1, Explicit([4; 2]), 10),
    ] {
        let found = window(kernel, stride, padding).output(square(input), 7).unwrap();
        assert_eq!(found, Shape::new(expected, expected, 7), "{input} by {kernel}/{stride}, {padding:?}");
    }
}

#[test]
fn a_transposed_convolution_has_the_shapes_of_keras_and_pytorch() {
    use Padding::{Explicit, Same, Valid};
    for (input, kernel, stride, padding, output_padding, expected) in [
        // Keras: Conv2DTranspose(7, kernel, stride, padding)
        (3, 3, 2, Valid, 0, 7),
        (7, 3, 2, Same, 0, 14),
        (14, 3, 2, Same, 0, 28),
        (5, 2, 3, Same, 0, 15),
        (4, 5, 1, Same, 0, 4),
        // PyTorch: ConvTranspose2d(3, 7, kernel, stride, padding, output_padding)
        (7, 3, 2, Explicit([1; 2]), 1, 14),
        (7, 3, 2, Explicit([1; 2]), 0, 13),
        (7, 4, 2, Explicit([1; 2]), 0, 14),
        (4, 5, 3, Explicit([2; 2]), 2, 12),
        (4, 5, 3, Valid, 2, 16),
        (1, 1, 1, Valid, 0, 1),
    ] {
        let window = Window { output_padding: [output_padding; 2], ..window(kernel, stride, padding) };
        let found = window.transposed_output(square(input), 7).unwrap();
        assert_eq!(found, Shape::new(expected, expected, 7), "{input} by {kernel}/{stride}, {padding:?}");
    }
}

#[test]
fn height_and_width_go_their_own_ways() {
    let window = Window::new([5, 2], [1, 3], Padding::Explicit([2, 0]));
    assert_eq!(window.output(Shape::new(4, 8, 2), 5).unwrap(), Shape::new(4, 3, 5));
    let window = Window { output_padding: [0, 2], ..window };
    assert_eq!(window.transposed_output(Shape::new(4, 3, 5), 2).unwrap(), Shape::new(4, 10, 2));
}

// TensorFlow puts the odd zero below and to the right; PyTorch has as many on either side.
#[test]
fn same_padding_is_halved_with_the_odd_zero_behind() {
    for (extent, kernel, stride, before) in
        [(28, 3, 1, 1), (28, 3, 2, 0), (28, 5, 2, 1), (7, 3, 2, 1), (6, 1, 3, 0), (5, 4, 1, 1), (4, 2, 5, 0)]
    {
        let window = window(kernel, stride, Padding::Same);
        let (image, features) = (square(extent), window.output(square(extent), 3).unwrap());
        let geometry = window.geometry(2, image, features);
        assert_eq!(geometry.padding, [before; 2], "{extent} by {kernel}/{stride}");
    }
    // Transposed, the zeros are those of the convolution that comes back.
    for (extent, kernel, stride, before) in [(7, 3, 2, 0), (7, 5, 2, 1), (4, 3, 1, 1), (4, 2, 3, 0)] {
        let window = window(kernel, stride, Padding::Same);
        let (features, image) = (square(extent), window.transposed_output(square(extent), 3).unwrap());
        assert_eq!(window.geometry(2, image, features).padding, [before; 2], "{extent} by {kernel}/{stride}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_in_clear_words() {
    use Padding::{Explicit, Same, Valid};
    let refused = |window: Window, input: Shape, channels: u32, [down, up]: [&str; 2]| {
        let say =
            |result: narrows::Result<Shape>| result.map_or_else(|error| error.to_string(), |_| String::new());
        assert_eq!(say(window.output(input, channels)), down);
        assert_eq!(say(window.transposed_output(input, channels)), up);
    };
    let both = |message| [message, message];
    refused(window(3, 0, Same), square(8), 7, both("stride: expected at least 1, got 0 x 0"));
    refused(Window::new([3, 0], [1; 2], Valid), square(8), 7, both("kernel: expected at least 1, got 3 x 0"));
    refused(window(3, 1, Same), Shape::new(0, 8, 3), 7, both("input: expected at least 1, got 0 x 8 x 3"));
    refused(window(3, 1, Same), square(8), 0, both("output channels: expected at least 1, got 0"));
    let too_large = "width of the kernel: expected at most the padded input's, 4, got 5";
    refused(Window::new([3, 5], [1; 2], Explicit([0, 1])), Shape::new(8, 2, 3), 7, [too_large, ""]);
    let nothing_left =
        "padding of a transposed convolution: expected less than half of the output's height of 4, got 2";
    refused(window(3, 1, Explicit([2; 2])), square(2), 7, ["", nothing_left]);
    let padded = Window { output_padding: [1, 2], ..window(3, 2, Valid) };
    let down = "output padding of a convolution: expected [0, 0], got 1 x 2";
    refused(padded, square(8), 7, [down, "output padding: expected less than the stride of 2, got 2"]);
    let same = Window { padding: Same, ..padded };
    refused(
        same,
        square(8),
        7,
        [down, "output padding beside the padding `same`: expected [0, 0], got 1 x 2"],
    );
    let huge = window(3, 4000, Same).transposed_output(Shape::new(4000, 4000, 3), 7);
    assert!(huge.is_err_and(|error| error.to_string().contains("at most 4294967295 numbers")));
}
