//! Tables as data: separators, headers, quotes, text, missing values, labels, parts, and new rows for a trained model.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use narrows::data::{self, Dataset, LoadReport, Missing, Reading, Source, TableForm, stratified, table};
use tempfile::TempDir;

fn put(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn read_as(text: &str, form: &TableForm) -> narrows::Result<(Dataset, LoadReport)> {
    let folder = TempDir::new().unwrap();
    table::read("x", &put(&folder, "x.csv", text), form, &[])
}

fn read(text: &str) -> Dataset {
    read_as(text, &TableForm::default()).unwrap().0
}

fn refusal(text: &str, form: &TableForm) -> String {
    read_as(text, form).unwrap_err().to_string().split_once("expected ").unwrap().1.to_owned()
}

fn names(data: &Dataset) -> Vec<String> {
    data.columns.iter().map(ToString::to_string).collect()
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_separator_and_the_header_are_seen_in_the_file() {
    for separator in [",", "\t", ";", "|"] {
        for start in ["", "\u{feff}"] {
            let text = start.to_owned() + &["a", "b", "c\n1", "-2.5", "3e2\n4", "5", "6\n"].join(separator);
            let data = read(&text);
            assert_eq!(names(&data), ["a", "b", "c"], "{text:?}");
            assert_eq!(data.floats(), [1.0, -2.5, 300.0, 4.0, 5.0, 6.0], "{text:?}");
            assert_eq!(data.shape(), [1, 3, 1]);
        }
    }
    let without = read("1,2\r\n3,4\r\n");
    assert_eq!(
        (names(&without), without.floats()),
        (list(&["column1", "column2"]), vec![1.0, 2.0, 3.0, 4.0])
    );
    let years = TableForm { header: Some(true), ..TableForm::default() };
    assert_eq!(names(&read_as("2020,2021\n1,2\n", &years).unwrap().0), ["2020", "2021"]);
    let bar = TableForm { separator: Some(':'), ..TableForm::default() };
    assert_eq!(read_as("a:b\n1:2\n", &bar).unwrap().0.floats(), [1.0, 2.0]);
}

#[test]
fn quotes_hold_separators_line_breaks_and_quotes() {
    let data = read("\"a, or \"\"b\"\"\",c\n\"1\",true\n2,FALSE\n");
    assert_eq!((names(&data), data.floats()), (list(&["a, or \"b\"", "c"]), vec![1.0, 1.0, 2.0, 0.0]));
}

#[test]
fn text_is_refused_by_name_dropped_or_made_one_column_for_each_category() {
    let text = "size,colour,note\n1,red,x y\n2,blue,z\n3,red,\n";
    let said = refusal(text, &TableForm::default());
    assert!(
        said.ends_with(
            "found text in colour, note; leave them out with --drop 'colour,note', or give --categories"
        ),
        "{said}"
    );
    let dropped = TableForm { drop: list(&["colour", "note"]), ..TableForm::default() };
    assert_eq!(names(&read_as(text, &dropped).unwrap().0), ["size"]);
    let mut form = TableForm { categories: true, drop: list(&["note"]), ..TableForm::default() };
    let data = read_as(text, &form).unwrap().0;
    assert_eq!(names(&data), ["size", "colour=blue", "colour=red"]);
    assert_eq!(data.floats(), [1.0, 0.0, 1.0, 2.0, 1.0, 0.0, 3.0, 0.0, 1.0]);
    form.drop.clear();
    let said = refusal("size,colour\n1,red\n2,\n", &form);
    assert!(said.ends_with("found a missing value in line 3, column colour"), "{said}");
    let chosen = TableForm { columns: list(&["size"]), ..TableForm::default() };
    assert_eq!(names(&read_as(text, &chosen).unwrap().0), ["size"]);
    let wrong = TableForm { columns: list(&["sise"]), ..TableForm::default() };
    assert!(refusal(text, &wrong).starts_with("one of the columns size, colour, note of "));
    let wrong = TableForm { label: Some("kind".into()), ..TableForm::default() };
    assert!(refusal(text, &wrong).ends_with(", got kind"));
}

#[test]
fn missing_values_are_refused_with_line_and_column_filled_or_dropped() {
    let text = "a,b\n1,10\n2,NA\n3,30\n6,80\n";
    let said = refusal(text, &TableForm::default());
    let expected = "a number in each field, or --missing mean, median or drop, found a missing value in line 3, column b";
    assert_eq!(said, expected);
    let folder = TempDir::new().unwrap();
    let path = put(&folder, "x.csv", text);
    let filled = |missing| {
        let form = TableForm { missing, ..TableForm::default() };
        let reading = Reading { table: form, ..Reading::default() };
        let split = data::load_as(Source::Table, Some(&path), Some(0), &reading).unwrap();
        let numbers = [split.train.floats(), split.test.floats()].concat();
        (split.train.len() + split.test.len(), split.train.columns[1].fill.unwrap(), numbers)
    };
    assert_eq!(filled(Missing::Drop).0, 3);
    for missing in [Missing::Mean, Missing::Median] {
        let (count, fill, numbers) = filled(missing);
        assert_eq!(count, 4);
        assert!(fill >= 10.0 && numbers.contains(&fill), "{missing:?}: {fill}");
    }
    let (data, report) = read_as("a,b\n1,\n2,\n", &TableForm::default()).unwrap();
    assert_eq!(names(&data), ["a"]);
    assert_eq!(report.remarks, ["columns without any value are left out: b"]);
}

#[test]
fn damage_is_named_by_its_line() {
    let plain = TableForm::default();
    assert_eq!(
        refusal("a,b\n1,2\n3\n", &plain),
        "2 fields in each row, found 1 in line 3; put quotes around a field that holds ',', or give another --separator"
    );
    assert_eq!(refusal("a,a\n1,2\n", &plain), "a name for each column, found a twice; rename one of them");
    assert_eq!(refusal("", &plain), "at least one row, found none");
    assert_eq!(
        refusal("a,b\n", &plain),
        "at least one row, found names alone; give --header=false if they are a row"
    );
    assert!(refusal("a\n1\n1e99\n", &plain).ends_with("\"1e99\" in line 3, column a"));
}

#[test]
fn decimal_commas_are_read_where_a_whole_column_has_them_and_said() {
    let text = "id;a;b;kind\n1,5;3,25;2;1,5\n2,5;-0,5;4,25;1,5\n3,5;;1e3;2,5\n";
    let form = TableForm {
        id: Some("id".into()),
        label: Some("kind".into()),
        missing: Missing::Drop,
        ..TableForm::default()
    };
    let (data, report) = read_as(text, &form).unwrap();
    assert_eq!((names(&data), data.floats()), (list(&["a", "b"]), vec![3.25, 2.0, -0.5, 4.25]));
    assert_eq!(report.remarks[0], "numbers with decimal commas are read as such in a, b");
    assert_eq!((data.ids, data.classes), (list(&["1,5", "2,5"]), list(&["1,5"])));
    assert_eq!(read("3,25\t2,5\n1,5\t3\n0,5\t1\n").floats(), [3.25, 2.5, 1.5, 3.0, 0.5, 1.0]);
    // Beside points, with thousands or between commas they could mean something else.
    for text in ["a;b\n3,25;1\n3.5;2\n", "a;b\n1.234,5;1\n2.000,5;2\n", "a,b\n\"1,5\",1\n\"3,25\",1\n"] {
        assert!(!refusal(text, &TableForm::default()).is_empty(), "{text}");
    }
}

#[test]
fn text_that_is_not_utf_8_is_refused_with_the_command_that_converts_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.csv");
    let wide: Vec<u8> = "a,b\n1,2\n3,4\n5,6\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&b"\xff\xfe"[..], &wide].concat();
    for (bytes, found) in [
        (wide, "found UTF-16; convert it with: iconv -f UTF-16 -t UTF-8 "),
        (marked, "found UTF-16; convert it with: iconv -f UTF-16 -t UTF-8 "),
        (
            b"size,\ngr\xf6\xdfe,2\n".to_vec(),
            "found other bytes in line 2, as Latin-1 has; convert it with: iconv -f WINDOWS-1252",
        ),
    ] {
        fs::write(&path, bytes).unwrap();
        let said = table::read("x", &path, &TableForm::default(), &[]).unwrap_err().to_string();
        assert!(said.contains(&format!("x.csv: expected text in UTF-8, {found}")), "{said}");
    }
}

#[test]
fn a_table_in_memory_reads_as_its_file_and_a_trained_model_finds_its_columns_in_it() {
    let folder = TempDir::new().unwrap();
    let form = TableForm { label: Some("kind".into()), ..TableForm::default() };
    let text = "height;kind;width\n1;u;2\n3;v;4\n5,5;u;6\n";
    let (of_file, _) = table::read("x", &put(&folder, "x.csv", text), &form, &[]).unwrap();
    let (in_memory, _) = table::from_bytes("x.csv", text.as_bytes(), &form, &[]).unwrap();
    let values = |data: &Dataset| format!("{:?}", (&data.values, &data.labels, &data.columns));
    assert_eq!(values(&in_memory), values(&of_file));
    let swapped = "width;height\n4;3\n";
    let (new, _) =
        table::from_bytes("new.csv", swapped.as_bytes(), &TableForm::default(), &in_memory.columns).unwrap();
    assert_eq!(names(&new), names(&of_file));
    let said = table::from_bytes("x.csv", b"a,b\n1,2\n3\n", &TableForm::default(), &[]).unwrap_err();
    assert!(said.to_string().contains("x.csv") && said.to_string().contains("line 3"), "{said}");
}

#[test]
fn more_labels_than_training_can_count_are_left_out_with_a_remark() {
    let rows: String = (0..300).map(|row| format!("{row}.5,price {row}\n")).collect();
    let form = TableForm { label: Some("price".into()), ..TableForm::default() };
    let (data, report) = read_as(&("x,price\n".to_owned() + &rows), &form).unwrap();
    assert_eq!((data.len(), &data.labels, names(&data)), (300, &None, list(&["x"])));
    assert!(report.remarks[0].starts_with("there are no labels: 300 "), "{:?}", report.remarks);
}

#[test]
fn the_index_that_pandas_writes_is_left_out_unless_it_is_asked_for() {
    let text = ",a\n0,5\n1,6\n2,7\n";
    let (data, report) = read_as(text, &TableForm::default()).unwrap();
    assert_eq!((names(&data), data.floats()), (list(&["a"]), vec![5.0, 6.0, 7.0]));
    assert!(
        report.remarks[0].starts_with("the first column has no name and numbers the rows: it is left out")
    );
    let asked = TableForm { columns: list(&["column1", "a"]), ..TableForm::default() };
    assert_eq!(names(&read_as(text, &asked).unwrap().0), ["column1", "a"]);
    // Numbers that are no index are data.
    assert_eq!(names(&read(",a\n5,5\n5,6\n2,7\n")), ["column1", "a"]);
}

#[test]
fn a_column_whose_name_has_a_comma_is_named_so_that_the_command_works() {
    let said = refusal("\"a, b\",c\nx,1\ny,2\n", &TableForm::default());
    assert!(said.contains("--drop '\"a, b\"'"), "{said}");
    assert_eq!(table::names("\"a, b\",c"), ["a, b", "c"]);
}

#[test]
fn new_rows_get_what_training_knows_and_unknown_categories_are_told_of() {
    let folder = TempDir::new().unwrap();
    let path = put(&folder, "train.csv", "a,b,c\n1,10,u\n2,,w\n3,30,u\n4,50,w\n");
    let form = TableForm { missing: Missing::Median, categories: true, ..TableForm::default() };
    let mut reading = Reading { table: form, ..Reading::default() };
    let trained = data::load_whole(Source::Table, Some(&path), &reading).unwrap().0;
    assert_eq!(trained.columns[1].fill, Some(30.0));
    reading.columns = trained.columns;
    let new = put(&folder, "new.csv", "b,a,c\n,1,u\n7,2,x\n9,3,x\n");
    let (new, report) = data::load_whole(Source::Table, Some(&new), &reading).unwrap();
    assert_eq!(new.floats(), [1.0, 30.0, 1.0, 0.0, 2.0, 7.0, 0.0, 0.0, 3.0, 9.0, 0.0, 0.0]);
    assert_eq!(
        report.remarks,
        ["2 rows have \"x\" in c, which training did not: 0 for each of its categories"]
    );
}

#[test]
fn labels_are_numbered_over_all_parts_and_names_stay_with_their_rows() {
    let folder = TempDir::new().unwrap();
    put(&folder, "Train.csv", "id,x,kind\np,1,b\nq,2,a\nr,3,b\n");
    put(&folder, "test.csv", "id,x,kind\ns,4,c\n");
    put(&folder, "valid.csv", "x,kind,id\n5,a,t\n");
    let form = TableForm { label: Some("kind".into()), id: Some("id".into()), ..TableForm::default() };
    let reading = Reading { table: form, ..Reading::default() };
    let load = |count| data::load_as(Source::Table, Some(folder.path()), count, &reading);
    let split = load(None).unwrap();
    assert_eq!(split.train.classes, ["a", "b", "c"]);
    assert_eq!(split.train.labels.unwrap(), [1, 0, 1]);
    assert_eq!((split.test.labels.unwrap(), split.test.ids), (vec![2], list(&["s"])));
    assert_eq!((split.validation.floats(), split.validation.ids), (vec![5.0], list(&["t"])));
    let error = load(Some(2)).unwrap_err().to_string();
    assert!(error.contains("has a validation part of its own"), "{error}");
}

#[test]
fn new_rows_are_taken_by_the_names_of_the_models_columns() {
    let folder = TempDir::new().unwrap();
    let form = TableForm { categories: true, ..TableForm::default() };
    let (trained, _) = table::read("x", &put(&folder, "x.csv", "a,c,b\n1,u,2\n3,v,4\n"), &form, &[]).unwrap();
    let read = |path: &Path| table::read("new", path, &form, &trained.columns);
    let (new, _) = read(&put(&folder, "new.csv", "b,extra,c,a\n7,text,w,5\n")).unwrap();
    assert_eq!(new.columns, trained.columns);
    assert_eq!(new.floats(), [5.0, 0.0, 0.0, 7.0]);
    let error = read(&put(&folder, "less.csv", "b,c\n7,u\n")).unwrap_err().to_string();
    assert!(
        error.ends_with("less.csv: expected the model's 3 columns, found none called a among b, c"),
        "{error}"
    );
}

#[test]
fn a_drawn_part_has_its_share_of_every_class_and_is_the_same_each_time() {
    let labels: Vec<u8> = (0..1000).map(|row| u8::from(row >= 700) + u8::from(row >= 950)).collect();
    let places = stratified(Some(&labels), 1000, 100, 0);
    let of = |class: u8| places.iter().filter(|place| labels[**place] == class).count();
    assert_eq!([of(0), of(1), of(2)], [70, 25, 5]);
    assert_eq!(places, stratified(Some(&labels), 1000, 100, 0));
    assert_ne!(places, stratified(Some(&labels), 1000, 100, 1));
    for (count, held_out) in [(1, 1), (5, 5), (7, 3), (3, 0), (2, 9)] {
        let mut places = stratified(None, count, held_out, 3);
        places.dedup();
        assert_eq!(places.len(), held_out.min(count));
        assert!(places.iter().all(|place| *place < count));
    }
}
