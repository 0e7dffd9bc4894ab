//! Labels, names and places of rows: what is missing, what repeats, and what stays when rows go.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use image::GrayImage;
use narrows::data::{self, Dataset, DrawnParts, LoadReport, Missing, Reading, Source, Split, TableForm};
use tempfile::TempDir;

fn put(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

fn form(missing: Missing) -> TableForm {
    TableForm { label: Some("kind".into()), id: Some("id".into()), missing, ..TableForm::default() }
}

fn whole(path: &Path, form: &TableForm) -> narrows::Result<(Dataset, LoadReport)> {
    let reading = Reading { table: form.clone(), ..Reading::default() };
    data::load_whole(Source::Table, Some(path), &reading)
}

fn split(path: &Path, form: &TableForm, drawn: Option<DrawnParts>) -> narrows::Result<Split> {
    let reading = Reading { table: form.clone(), drawn, ..Reading::default() };
    data::load_as(Source::Table, Some(path), None, &reading)
}

fn said<T: std::fmt::Debug>(outcome: narrows::Result<T>) -> String {
    outcome.unwrap_err().to_string()
}

#[test]
fn a_row_without_a_label_is_refused_by_line_and_column_or_dropped_and_a_column_without_any_gives_none() {
    let place = TempDir::new().unwrap();
    let path = put(&place, "x.csv", "id,x,kind\np,1,none\nq,2,\nr,3,NaN\ns,4,NA\n");
    let refused = said(whole(&path, &form(Missing::Refuse)));
    assert!(
        refused.ends_with(
            "x.csv: expected a label in each row, found none in line 3, column kind; fill it in, leave such rows out with \
             --missing drop, or the labels out, without --label"
        ),
        "{refused}"
    );
    // A mean is no label.
    assert_eq!(said(whole(&path, &form(Missing::Mean))), refused);
    let (data, report) = whole(&path, &form(Missing::Drop)).unwrap();
    assert_eq!(
        (data.classes, data.labels, data.ids),
        (vec!["NA".into(), "none".into()], Some(vec![1, 0]), vec!["p".into(), "s".into()])
    );
    assert_eq!(report.remarks, [format!("2 of 4 rows of {} lack values and are left out", path.display())]);

    let path = put(&place, "empty.csv", "id,x,kind\np,1,\nq,2,nan\n");
    for missing in [Missing::Refuse, Missing::Drop] {
        let (data, report) = whole(&path, &form(missing)).unwrap();
        assert_eq!((data.len(), data.labels, data.classes), (2, None, Vec::new()));
        let remark = format!("there are no labels: the column kind of {} is empty", path.display());
        assert_eq!(report.remarks, [remark]);
    }
    // For a trained model there is another way out.
    let columns = whole(&path, &form(Missing::Refuse)).unwrap().0.columns;
    let path = put(&place, "new.csv", "x,kind\n1,\n2,a\n");
    let refused = said(data::table::read("new", &path, &form(Missing::Refuse), &columns));
    assert!(refused.ends_with("line 2, column kind; fill it in, leave such rows out with --missing drop, or the column out of the file"), "{refused}");
}

#[test]
fn an_empty_text_among_the_labels_of_an_array_is_named_by_its_place() {
    let array = |descr: &str, shape: &str, values: &[u8]| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        let header = format!("{header:<117}\n");
        [b"\x93NUMPY\x01\x00\x76\x00".as_slice(), header.as_bytes(), values].concat()
    };
    let place = TempDir::new().unwrap();
    let path = put(&place, "x.npy", array("|u1", "(3, 2)", &[9; 6]));
    for (descr, labels) in [("<U1", &b"a\0\0\0\0\0\0\0b\0\0\0"[..]), ("|S1", b"a\0b")] {
        put(&place, "y.npy", array(descr, "(3,)", labels));
        let (data, report) = data::load_whole(Source::Npy, Some(&path), &Reading::default()).unwrap();
        assert_eq!(data.labels, None);
        let remark = &report.remarks[0];
        assert!(remark.starts_with("labels are left out: "), "{remark}");
        assert!(remark.ends_with("expected a text for each label, found an empty one at [1]"), "{remark}");
    }
}

#[test]
fn rows_that_are_left_keep_their_places_in_the_file() {
    let place = TempDir::new().unwrap();
    let path = put(&place, "x.csv", "id,x,y,kind\na,,1,u\nb,2,2,v\nc,3,,u\nd,4,4,v\ne,5,5,\nf,6,6,u\n");
    let (data, _) = whole(&path, &form(Missing::Drop)).unwrap();
    assert_eq!((&*data.places, data.floats()), (&[1, 3, 5][..], vec![2.0, 2.0, 4.0, 4.0, 6.0, 6.0]));
    // All are left: nothing to tell.
    let path = put(&place, "y.csv", "id,x,kind\na,1,u\nb,2,v\n");
    assert_eq!(whole(&path, &form(Missing::Drop)).unwrap().0.places, [0_usize; 0]);
    // Those of parts are in the file of each.
    let place = TempDir::new().unwrap();
    put(&place, "train.csv", "id,x,kind\na,1,u\nb,,u\nc,3,v\n");
    put(&place, "test.csv", "id,x,kind\nd,4,u\ne,5,v\n");
    let (data, _) = whole(place.path(), &form(Missing::Drop)).unwrap();
    assert_eq!((&*data.places, data.floats()), (&[0, 2, 0, 1][..], vec![1.0, 3.0, 4.0, 5.0]));
}

#[test]
fn names_that_repeat_are_told_of() {
    let place = TempDir::new().unwrap();
    let path = put(&place, "x.csv", "id,x,kind\na,1,u\nb,2,v\na,3,u\na,4,v\n");
    let (data, report) = whole(&path, &form(Missing::Refuse)).unwrap();
    assert_eq!(data.ids.len(), 4);
    assert_eq!(report.remarks, ["ids are not unique: 2 of 4 repeat in id"]);
}

#[test]
fn a_class_called_none_is_one_of_codes_too() {
    let place = TempDir::new().unwrap();
    let read = |text: &str| data::read_codes(&put(&place, "codes.csv", text), 1).unwrap();
    let codes = read("z0,class\n1,none\n2,NA\n");
    assert_eq!((codes.labels, codes.classes), (Some(vec![1, 0]), vec!["NA".into(), "none".into()]));
    assert_eq!(read("z0,class\n1,none\n2,\n").labels, None);
}

fn rows(range: impl Iterator<Item = usize>, id: impl Fn(usize) -> String) -> String {
    let lines = range.map(|row| format!("{},{row},{}\n", id(row), ["u", "v"][row % 2]));
    "id,x,kind\n".to_owned() + &lines.collect::<String>()
}

#[test]
fn parts_that_were_drawn_are_known_by_the_names_of_rows_where_rows_have_names_of_their_own() {
    let place = TempDir::new().unwrap();
    let name = |row: usize| format!("p-{row}");
    let path = put(&place, "x.csv", rows(0..30, name));
    let plain = form(Missing::Refuse);
    let before = split(&path, &plain, None).unwrap();
    let csv = DrawnParts::of(&before).unwrap().to_csv().unwrap();
    let text = String::from_utf8(csv.clone()).unwrap();
    assert!(text.starts_with("item,part,id\n") && text.contains("\n7,train,p-7\n"), "{text}");
    let drawn = DrawnParts::from_csv(&csv).unwrap();
    assert_eq!(drawn, DrawnParts::of(&before).unwrap());
    // In another order each row is in the part it was in.
    put(&place, "x.csv", rows((0..30).rev(), name));
    let after = split(&path, &plain, Some(drawn.clone())).unwrap();
    for (before, after) in
        [(&before.train, &after.train), (&before.validation, &after.validation), (&before.test, &after.test)]
    {
        let sorted = |set: &Dataset| {
            let mut ids = set.ids.clone();
            ids.sort();
            ids
        };
        assert_eq!(sorted(before), sorted(after));
    }
    put(&place, "x.csv", rows(1..30, name));
    let gone = said(split(&path, &plain, Some(drawn.clone())));
    assert!(gone.ends_with("got 29 of 30, without p-0"), "{gone}");
    // Of another column of names, or of none, nothing is known but the rows.
    for (id, named) in [(Some("x"), 0..30), (None, 0..30)] {
        let other = TableForm { id: id.map(str::to_owned), ..plain.clone() };
        put(&place, "x.csv", rows(named, name).replace("p-", ""));
        assert_eq!(split(&path, &other, Some(drawn.clone())).unwrap().test.places, before.test.places);
    }
    // Names that repeat name no row.
    put(&place, "x.csv", rows(0..30, |row| name(row % 9)));
    let csv = DrawnParts::of(&split(&path, &plain, None).unwrap()).unwrap().to_csv().unwrap();
    assert!(csv.starts_with(b"item,part\n"));
}

#[test]
fn a_list_of_parts_that_counted_the_rows_left_by_missing_drop_is_still_read() {
    let place = TempDir::new().unwrap();
    let text = rows(0..20, |row| row.to_string()).replace(",3,v", ",,v");
    let path = put(&place, "x.csv", text);
    let form = TableForm { id: None, drop: vec!["id".into()], ..form(Missing::Drop) };
    let list = |rows: &[usize]| {
        let line =
            |(at, row): (usize, &usize)| format!("{row},{}\n", ["train", "test"][usize::from(at == 5)]);
        let text: String = rows.iter().enumerate().map(line).collect();
        DrawnParts::from_csv(format!("item,part\n{text}").as_bytes()).unwrap()
    };
    let test = |rows: &[usize]| split(&path, &form, Some(list(rows))).unwrap().test.floats();
    // The sixth of those that are left, either way.
    let now: Vec<usize> = (0..20).filter(|row| *row != 3).collect();
    assert_eq!([test(&(0..19).collect::<Vec<_>>()), test(&now)], [[6.0], [6.0]]);
}

#[test]
fn one_folder_is_a_class_where_its_name_is_known() {
    let picture = |number: u8| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let grey = GrayImage::from_pixel(3, 2, [number].into());
        grey.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    let read = |place: &TempDir, classes: &[&str]| {
        let classes = classes.iter().map(|class| (*class).to_owned()).collect();
        let reading = Reading { classes, ..Reading::default() };
        data::load_whole(Source::Folder, Some(place.path()), &reading).unwrap()
    };
    let place = TempDir::new().unwrap();
    for number in 0..3 {
        put(&place, &format!("new/Seven/{number}.png"), picture(number));
    }
    assert_eq!(read(&place, &[]).0.labels, None);
    assert_eq!(read(&place, &["six", "eight"]).0.labels, None);
    let (data, report) = read(&place, &["six", "seven"]);
    assert_eq!((data.labels, data.classes), (Some(vec![0, 0, 0]), vec!["seven".to_owned()]));
    assert!(report.remarks.is_empty(), "{:?}", report.remarks);
    // Several folders are classes whatever is known; one picture beside them is of none.
    put(&place, "new/new/9.png", picture(9));
    assert_eq!(read(&place, &["six", "seven"]).0.classes, ["Seven", "new"]);
    put(&place, "new/8.png", picture(8));
    let (data, report) = read(&place, &["six", "seven"]);
    assert_eq!(data.labels, None);
    assert_eq!(report.remarks, ["there are no labels: 1 pictures are in no class folder, 4 are in one"]);
}
