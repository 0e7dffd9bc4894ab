//! Decoded pictures that are kept on disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use image::{ImageBuffer, Luma, Rgb, RgbImage};
use narrows::data::{Fit, Form, Parts, Reading, Watch, folder};
use tempfile::TempDir;

use super::{grey, png, put};

/// Twelve pictures in two classes, one of them damaged.
fn pictures() -> TempDir {
    let place = TempDir::new().unwrap();
    for number in 0..11 {
        put(place.path(), &format!("mine/{}/{number}.png", number % 2), &png(grey(number)));
    }
    put(place.path(), "mine/0/half.png", &png(grey(11))[..60]);
    place
}

/// What is read, without the remarks on the cache; those; and how many pictures were decoded.
fn cached(place: &Path, form: Form) -> (Parts, Vec<String>, usize) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let watch = Watch::new(move |read, of| telling.lock().unwrap().push((read, of)));
    let reading = Reading { pictures: form, cache: Some(place.join("kept")), watch, ..Reading::default() };
    let mut parts = folder::read_as(&place.join("mine"), &reading).unwrap();
    let all = std::mem::take(&mut parts.report.remarks);
    let (cache, others) = all.into_iter().partition(|remark| remark.contains("cache"));
    parts.report.remarks = others;
    let mut told = told.lock().unwrap().clone();
    told.sort_unstable();
    let expected: Vec<_> = (1..=told.len()).map(|read| (read, told.len())).collect();
    assert_eq!(told, expected, "each number once");
    (parts, cache, told.len())
}

fn caches(place: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(place.join("kept")).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_second_start_reads_the_same_from_the_cache_and_decodes_nothing() {
    let place = pictures();
    let place = place.path();
    for form in
        [Form::default(), Form { fit: Fit::Pad, size: Some([9, 4]), channels: Some(3), ..Form::default() }]
    {
        let plain = folder::read(&place.join("mine"), form).unwrap();
        let (first, said, decoded) = cached(place, form);
        assert_eq!((first, decoded), (plain.clone(), 12));
        let [file] = &caches(place)[..] else { panic!("{:?}", caches(place)) };
        assert_eq!(said, [format!("decoded pictures are kept in the cache {}", file.display())]);
        let (second, said, decoded) = cached(place, form);
        assert_eq!((second, decoded), (plain, 0));
        assert_eq!(said, [format!("11 pictures from the cache {}, not decoded again", file.display())]);
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn a_model_finds_the_pictures_in_the_form_that_they_had_by_themselves() {
    let place = pictures();
    let place = place.path();
    let model = |channels| Form { size: Some([3, 5]), channels: Some(channels), ..Form::default() };
    cached(place, Form::default());
    assert_eq!(cached(place, model(1)).2, 0);
    put(place, "mine/0/colour.png", &png(RgbImage::from_pixel(5, 3, Rgb([200, 100, 3]))));
    assert_eq!((cached(place, Form::default()).0.train.channels, cached(place, model(3)).2), (3, 0));
    // What was made grey on request is not what colour pictures are by themselves, nor the other way round.
    assert_eq!((cached(place, model(1)).2, cached(place, model(1)).2), (13, 0));
    assert_eq!((cached(place, Form::default()).0.train.channels, cached(place, Form::default()).2), (3, 0));
    fs::remove_file(place.join("mine/0/colour.png")).unwrap();
    cached(place, model(3));
    assert_eq!(cached(place, Form::default()).0.train.channels, 1);
}

#[test]
fn floats_of_16_bits_come_back_to_the_last_bit() {
    let place = pictures();
    let picture = ImageBuffer::<Luma<u16>, _>::from_fn(5, 3, |x, y| Luma([40_000 + (x * 5 + y) as u16]));
    put(place.path(), "mine/1/deep.png", &png(picture));
    let (first, _, decoded) = cached(place.path(), Form::default());
    assert!(first.train.values.bytes().is_none() && decoded > 0);
    let (second, _, decoded) = cached(place.path(), Form::default());
    assert_eq!((second, decoded), (first, 0));
}

#[test]
fn a_changed_added_removed_or_renamed_picture_or_another_form_makes_a_new_cache() {
    let place = pictures();
    let place = place.path();
    cached(place, Form::default());
    let decodes = |what: &str, expected: usize| {
        let (parts, said, decoded) = cached(place, Form::default());
        assert_eq!(decoded, expected, "{what}");
        assert!(said[0].ends_with(" is not used: files have changed since"), "{what}: {said:?}");
        assert_eq!(parts, folder::read(&place.join("mine"), Form::default()).unwrap(), "{what}");
        assert_eq!((cached(place, Form::default()).2, caches(place).len()), (0, 1), "{what}");
    };
    put(place, "mine/0/0.png", &png(grey(15)));
    // Of the same size, and perhaps in the same tick of the clock.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(9);
    fs::File::options().append(true).open(place.join("mine/0/0.png")).unwrap().set_modified(later).unwrap();
    decodes("changed", 12);
    put(place, "mine/0/new.png", &png(grey(14)));
    decodes("added", 13);
    fs::remove_file(place.join("mine/1/1.png")).unwrap();
    decodes("removed", 12);
    fs::rename(place.join("mine/1/3.png"), place.join("mine/1/4.png")).unwrap();
    decodes("renamed", 12);
    assert_eq!(cached(place, Form { fit: Fit::Stretch, ..Form::default() }).2, 12);
    assert_eq!(cached(place, Form { size: Some([4, 4]), ..Form::default() }).2, 12);
    assert_eq!((cached(place, Form::default()).2, caches(place).len()), (0, 3));
}

#[test]
fn a_damaged_or_foreign_cache_is_not_used_and_written_anew() {
    let place = pictures();
    let place = place.path();
    let (expected, ..) = cached(place, Form::default());
    let [file] = &caches(place)[..] else { panic!("{:?}", caches(place)) };
    let whole = fs::read(file).unwrap();
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let foreign = safetensors::serialize(
        [("pixels", safetensors::tensor::TensorView::new(safetensors::Dtype::U8, vec![1], &[1]).unwrap())],
        None,
    );
    for bytes in [
        Vec::new(),
        b"a text, and no pictures".to_vec(),
        vec![255; 64],
        foreign.unwrap(),
        whole[..whole.len() - 1].to_vec(),
        [&whole[..], &[0]].concat(),
        // In its length, its header, its pixels and its record.
        changed(0),
        changed(20),
        changed(header + 3),
        changed(whole.len() - 1),
    ] {
        fs::write(file, bytes).unwrap();
        let (parts, said, decoded) = cached(place, Form::default());
        assert_eq!((parts, decoded), (expected.clone(), 12));
        assert!(said[0].contains(" is not used: it is damaged, or not a cache of narrows ("), "{said:?}");
        assert_eq!(fs::read(file).unwrap(), whole, "written anew");
    }
}

#[test]
fn a_cache_among_the_data_is_refused_before_anything_is_made() {
    let place = pictures();
    let mine = place.path().join("mine");
    for inside in [mine.clone(), mine.join("kept"), mine.join("0/../kept/deeper")] {
        let reading = Reading { cache: Some(inside.clone()), ..Reading::default() };
        let said = folder::read_as(&mine, &reading).unwrap_err().to_string();
        let start = "cache: expected a folder outside the data, such as --cache ";
        assert!(said.starts_with(start) && said.ends_with(&format!("got {}", inside.display())), "{said}");
    }
    assert!(!mine.join("kept").exists());
    // A file where the folder should be.
    put(place.path(), "taken", b"");
    let reading = Reading { cache: Some(place.path().join("taken")), ..Reading::default() };
    let said = folder::read_as(&mine, &reading).unwrap_err().to_string();
    assert!(
        said.starts_with(&format!("{}: cannot create: ", place.path().join("taken").display())),
        "{said}"
    );
}
