//! Parquet files as tables, written here with the crate's own writer.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used)]

use narrows::data::{TableForm, table};
use tempfile::TempDir;

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_says_how_to_read_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.parquet");
    std::fs::write(&path, "PAR1").unwrap();
    let said = table::read("x", &path, &TableForm::default(), &[]).unwrap_err().to_string();
    assert!(said.contains("cargo install --path . --features parquet"), "{said}");
    assert!(said.contains("x.parquet').to_csv('") && said.contains("x.csv', index=False)"), "{said}");
}

#[cfg(feature = "parquet")]
mod with_parquet {
    use std::fs::File;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use narrows::data::{Dataset, LoadReport, Missing, Reading, Source};
    use parquet::basic::Compression;
    use parquet::data_type::{
        BoolType, ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type,
    };
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    const SCHEMA: &str = "message rows {
        OPTIONAL DOUBLE size; REQUIRED FLOAT share; REQUIRED INT64 count; REQUIRED BOOLEAN old;
        OPTIONAL BYTE_ARRAY colour (UTF8); REQUIRED INT32 day (DATE); REQUIRED INT64 __index_level_0__;
    }";

    fn put(folder: &TempDir, codec: Compression) -> PathBuf {
        let path = folder.path().join("x.parquet");
        let properties = WriterProperties::builder().set_compression(codec).build();
        let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
        let mut writer =
            SerializedFileWriter::new(File::create(&path).unwrap(), schema, properties.into()).unwrap();
        let mut rows = writer.next_row_group().unwrap();
        let texts = ["red", "blue", "red"].map(ByteArray::from);
        macro_rules! column {
            ($type:ty, $values:expr, $there:expr) => {
                let mut column = rows.next_column().unwrap().unwrap();
                column.typed::<$type>().write_batch(&$values, $there, None).unwrap();
                column.close().unwrap();
            };
        }
        column!(DoubleType, [1.5, 4.5], Some(&[1, 0, 1]));
        column!(FloatType, [0.1, 1e-20, -3.0], None);
        column!(Int64Type, [1_i64 << 40, -2, 3], None);
        column!(BoolType, [true, false, true], None);
        column!(ByteArrayType, texts, Some(&[1, 1, 1]));
        column!(Int32Type, [0, 1, 2], None);
        column!(Int64Type, [7, 8, 9], None);
        rows.close().unwrap();
        writer.close().unwrap();
        path
    }

    fn names(data: &Dataset) -> Vec<String> {
        data.columns.iter().map(ToString::to_string).collect()
    }

    fn read(path: &Path, form: &TableForm) -> narrows::Result<(Dataset, LoadReport)> {
        table::read("x", path, form, &[])
    }

    #[test]
    fn numbers_truths_texts_and_missing_values_are_those_of_a_table() {
        let folder = TempDir::new().unwrap();
        let form = TableForm {
            drop: vec!["day".into()],
            label: Some("colour".into()),
            missing: Missing::Mean,
            ..TableForm::default()
        };
        for codec in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(Default::default())] {
            let path = put(&folder, codec);
            let reading = Reading { table: form.clone(), ..Reading::default() };
            let (data, _) = narrows::data::load_whole(Source::Table, Some(&path), &reading).unwrap();
            assert_eq!(names(&data), ["size", "share", "count", "old"]);
            let large = (1_i64 << 40) as f32;
            let rows = [[1.5, 0.1, large, 1.0], [3.0, 1e-20, -2.0, 0.0], [4.5, -3.0, 3.0, 1.0]];
            assert_eq!(data.floats(), rows.concat(), "{codec:?}");
            assert_eq!(
                (data.labels.unwrap(), data.classes),
                (vec![1, 0, 1], vec!["blue".into(), "red".into()])
            );
        }
    }

    #[test]
    fn what_is_no_number_is_refused_by_name() {
        let folder = TempDir::new().unwrap();
        let path = put(&folder, Compression::SNAPPY);
        let said = read(&path, &TableForm::default()).unwrap_err().to_string();
        let expected =
            "found text in colour, day; leave them out with --drop 'colour,day', or give --categories";
        assert!(said.ends_with(expected), "{said}");
        let form = TableForm { drop: vec!["colour".into(), "day".into()], ..TableForm::default() };
        let said = read(&path, &form).unwrap_err().to_string();
        assert!(said.ends_with("found a missing value in row 2, column size"), "{said}");
        let form = TableForm { header: Some(true), ..form };
        assert!(
            read(&path, &form).unwrap_err().to_string().starts_with("--header: expected none for a Parquet")
        );
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let folder = TempDir::new().unwrap();
        let path = put(&folder, Compression::SNAPPY);
        let bytes = std::fs::read(&path).unwrap();
        for length in [0, 3, 8, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let said = read(&path, &TableForm::default()).unwrap_err().to_string();
            assert!(said.contains("expected a Parquet file, found a damaged or foreign one"), "{said}");
        }
    }
}
