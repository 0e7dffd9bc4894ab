//! The classes of a step's images, compared with the reference exactly.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::{check, gpu, run, words};
use narrows::kernels::Kernel;
use narrows::kernels::one_hot::OneHot;
use narrows::reference::compare::Tolerance;

fn operands(batch: u32, count: u32, classes: u32) -> [Vec<u32>; 2] {
    let labels = (0..count).map(|image| image.wrapping_mul(7) % classes).collect();
    [labels, (0..batch).map(|row| (row * 37 + count - 1) % count).collect()]
}

#[test]
fn rows_have_a_one_at_the_label_of_their_image() {
    for (batch, count, classes) in
        [(1, 1, 1), (3, 5, 2), (7, 9, 13), (65, 129, 10), (300, 51, 256), (128, 60_000, 47)]
    {
        let kernel = OneHot { batch, count, classes };
        check(gpu(), &kernel, &operands(batch, count, classes), &[None], Tolerance::EXACT);
    }
    let inputs = [vec![2, 0, 1], vec![1, 2, 0, 2]];
    let got = run(gpu(), &OneHot { batch: 4, count: 3, classes: 3 }, &inputs, &[None]).swap_remove(2);
    assert_eq!(got, words(&[1., 0., 0., 0., 1., 0., 0., 0., 1., 0., 1., 0.]));
}

#[test]
fn a_label_of_no_class_leaves_a_row_of_zeros() {
    let kernel = OneHot { batch: 2, count: 2, classes: 3 };
    let got = run(gpu(), &kernel, &[vec![3, 1], vec![0, 1]], &[None]).swap_remove(2);
    assert_eq!(got, words(&[0., 0., 0., 0., 1., 0.]));
}

#[test]
fn no_classes_and_no_images_are_refused() {
    for (count, classes, what) in [(0, 3, "images"), (3, 0, "classes")] {
        let said = OneHot { batch: 1, count, classes }.check().unwrap_err().to_string();
        assert!(said.contains(what), "{said}");
    }
}
