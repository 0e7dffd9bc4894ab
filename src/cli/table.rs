//! Numbers per image as a table for other programs: `.npy` or `.csv`.

use std::io;

use crate::data::Dataset;
use crate::{Error, Result};
use npyz::WriterBuilder;

/// `values` `[images, names]` as a file of this ending: `npy`, else CSV.
pub(super) fn bytes(ending: &str, names: Vec<String>, values: &[f32], images: &Dataset) -> Result<Vec<u8>> {
    let bytes = if ending == "npy" { npy(names.len(), values) } else { csv(names, values, images) };
    bytes.map_err(Error::io("write", "the table"))
}

fn npy(width: usize, values: &[f32]) -> io::Result<Vec<u8>> {
    let shape = [(values.len() / width) as u64, width as u64];
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    writer.extend(values.iter().copied())?;
    writer.finish()?;
    Ok(bytes)
}

// One row per image: its values under `names`, then its label, class and file as far as they are known.
fn csv(names: Vec<String>, values: &[f32], images: &Dataset) -> io::Result<Vec<u8>> {
    let width = names.len();
    let labels = images.labels.as_deref();
    let known = [
        ("label", labels.is_some()),
        ("class", labels.is_some() && !images.classes.is_empty()),
        ("file", !images.files.is_empty()),
        ("id", !images.ids.is_empty()),
        ("row", !images.places.is_empty()),
    ];
    let mut writer = csv::Writer::from_writer(Vec::new());
    let titles = known.iter().filter(|(_, there)| *there).map(|(title, _)| (*title).to_owned());
    writer.write_record(names.into_iter().chain(titles))?;
    for (row, values) in values.chunks_exact(width).enumerate() {
        let label = labels.and_then(|labels| labels.get(row));
        let class = label.filter(|_| known[1].1).map(|label| images.class(*label));
        let file = images.files.get(row).map(|file| file.display().to_string());
        let (id, place) = (images.ids.get(row).cloned(), images.places.get(row).map(usize::to_string));
        let about = [label.map(u8::to_string), class, file, id, place].into_iter().flatten();
        writer.write_record(values.iter().map(f32::to_string).chain(about))?;
    }
    writer.into_inner().map_err(|error| error.into_error())
}
