//! Parquet files as tables: with the feature `parquet`, else an error that says how to get it.

use std::path::Path;

use super::TableForm;
use super::text::Table;
use crate::Result;

#[cfg(not(feature = "parquet"))]
pub(super) fn read<'a>(path: &'a Path, _: &TableForm) -> Result<Table<'a>> {
    let name = path.display();
    let found = format!(
        "Parquet; install narrows with it: cargo install --path . --features parquet, or convert: python3 -c \"import \
         pandas; pandas.read_parquet('{name}').to_csv('{}', index=False)\"",
        path.with_extension("csv").display()
    );
    Err(crate::data::origin::Origin::File(path).wrong("a table of text in a build without Parquet", found))
}

// Each field is the text that a CSV file would have, and takes the same way from there: null is missing, dates and lists are
// text.
#[cfg(feature = "parquet")]
pub(super) fn read<'a>(path: &'a Path, form: &TableForm) -> Result<Table<'a>> {
    use parquet::basic::Compression;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    use crate::Error;
    use crate::data::origin::open;

    for (setting, given) in [("--separator", form.separator.is_some()), ("--header", form.header.is_some())] {
        if given {
            return Err(Error::setting(
                setting,
                "none for a Parquet file, which has names and no text",
                "one",
            ));
        }
    }
    let mut table = Table { place: "row", ..Table::new(path, Vec::new()) };
    let damaged = |error: parquet::errors::ParquetError| {
        table.wrong("a Parquet file", format!("a damaged or foreign one ({error})"))
    };
    let reader = SerializedFileReader::new(open(path, "a table")?.0).map_err(damaged)?;
    let chunks = reader.metadata().row_groups().iter().flat_map(|group| group.columns());
    let known =
        |codec| matches!(codec, Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::ZSTD(_));
    if let Some(other) = chunks.map(|chunk| chunk.compression()).find(|codec| !known(*codec)) {
        let found =
            format!("{other}; write it anew, as pandas does: to_parquet(..., compression=\"snappy\")");
        return Err(table.wrong("compression by Snappy or Zstandard, or none", found));
    }
    // The rows' own names, of pandas.
    let is_data = |name: &str| !name.starts_with("__index_level_");
    let fields = reader.metadata().file_metadata().schema().get_fields();
    let names = fields.iter().map(|field| field.name().to_owned()).filter(|name| is_data(name)).collect();
    let mut records = Vec::new();
    for (number, row) in (1..).zip(reader.get_row_iter(None).map_err(damaged)?) {
        let row = row.map_err(damaged)?;
        let fields = row.get_column_iter().filter(|(name, _)| is_data(name));
        let text = |(_, field): (&String, &Field)| match field {
            Field::Null => String::new(),
            Field::Str(text) => text.clone(),
            Field::Float(number) => number.to_string(),
            Field::Double(number) => number.to_string(),
            other => other.to_string(),
        };
        records.push((number, fields.map(text).collect()));
    }
    (table.names, table.records) = (names, records);
    Ok(table)
}
