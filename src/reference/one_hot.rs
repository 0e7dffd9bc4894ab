//! Which class each image of a step is of: the twin of `shaders/one_hot.wgsl`.

/// A row for each of the `chosen` images: 1 at its label, 0 elsewhere, `[chosen, classes]`.
pub fn one_hot(labels: &[u32], chosen: &[u32], classes: u32) -> Vec<f64> {
    let row = |image: &u32| {
        let label = labels[*image as usize];
        (0..classes).map(move |class| f64::from(u8::from(class == label)))
    };
    chosen.iter().flat_map(row).collect()
}
