//! Numbers of images as a table for other programs.

use std::io;

use crate::data::Dataset;

/// A CSV file with a row an image: `values` `[images, names]` under `names`, then whatever is known of the image.
pub(super) fn csv(names: Vec<String>, values: &[f32], images: &Dataset) -> io::Result<Vec<u8>> {
    let width = names.len();
    let labels = images.labels.as_deref();
    let known = [
        ("label", labels.is_some()),
        ("class", labels.is_some() && !images.classes.is_empty()),
        ("file", !images.files.is_empty()),
    ];
    let mut writer = csv::Writer::from_writer(Vec::new());
    let titles = known.iter().filter(|(_, there)| *there).map(|(title, _)| (*title).to_owned());
    writer.write_record(names.into_iter().chain(titles))?;
    for (row, values) in values.chunks_exact(width).enumerate() {
        let label = labels.and_then(|labels| labels.get(row));
        let class = label.filter(|_| known[1].1).map(|label| images.class(*label));
        let file = images.files.get(row).map(|file| file.display().to_string());
        let about = [label.map(u8::to_string), class, file].into_iter().flatten();
        writer.write_record(values.iter().map(f32::to_string).chain(about))?;
    }
    writer.into_inner().map_err(|error| error.into_error())
}
