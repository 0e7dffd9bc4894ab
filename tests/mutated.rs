//! Readers on inputs that are almost right: each is read or refused, and none panics.
//!
//! The suite reads a few of each. `scripts/fuzz.sh READER COUNT SEED` reads as many as it is told, by `NARROWS_FUZZ`.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "common/mutator.rs"]
mod mutator;
mod tiny;

use std::fs;
use std::io::{Cursor, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use image::{DynamicImage, ImageFormat};
use mutator::Mutator;
use narrows::data::folder;
use narrows::data::{Alpha, ArrayForm, Fit, Form, Missing, TableForm, idx, npy, table};
use narrows::graph::Device;
use narrows::model::{Model, Registry};
use narrows::train::{Checkpoint, Config, Trainer};
use pollster::block_on;
use tempfile::TempDir;
use tiny::pixels;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

/// Readers, with what they read and how.
struct Reader {
    name: &'static str,
    seeds: fn() -> Vec<Vec<u8>>,
    /// Reads the input, or the file at the path where it was written; true where it was accepted.
    read: fn(&[u8], &Path, &mut Mutator) -> bool,
    /// The name of the file, where there is one.
    file: Option<&'static str>,
}

const READERS: [Reader; 7] = [
    Reader { name: "idx", seeds: idx_files, read: read_idx, file: None },
    Reader { name: "npy", seeds: arrays, read: read_npy, file: None },
    Reader { name: "npz", seeds: archives, read: read_npz, file: Some("x.npz") },
    Reader { name: "csv", seeds: tables, read: read_csv, file: Some("x.csv") },
    Reader { name: "picture", seeds: pictures, read: read_picture, file: Some("x.png") },
    Reader { name: "checkpoint", seeds: checkpoints, read: read_checkpoint, file: None },
    Reader { name: "toml", seeds: configurations, read: read_toml, file: None },
];

#[test]
fn no_reader_panics_on_an_input_that_is_almost_right() {
    let asked = std::env::var("NARROWS_FUZZ").ok();
    let asked: Option<Vec<&str>> = asked.as_ref().map(|asked| asked.split_whitespace().collect());
    let (only, count, seed) = match asked.as_deref() {
        None => (None, 150, 0),
        Some([reader, count, seed]) => (Some(*reader), count.parse().unwrap(), seed.parse().unwrap()),
        Some(other) => panic!("NARROWS_FUZZ: expected READER COUNT SEED, got {other:?}"),
    };
    note_panics();
    let mut found = Vec::new();
    for reader in READERS.iter().filter(|reader| only.is_none_or(|only| only == reader.name)) {
        found.extend(reader.try_all(seed, count, only.is_some()));
    }
    assert!(found.is_empty(), "{} panics:\n{}", found.len(), found.join("\n"));
}

// Whether a reader is at work, and the place and message of the last panic in one.
static READING: AtomicBool = AtomicBool::new(false);
static LAST: Mutex<String> = Mutex::new(String::new());

// What a decoder's panic is caught from is no panic of the reader, except where our own code is at fault.
fn note_panics() {
    let usual = take_hook();
    set_hook(Box::new(move |panic| {
        if !READING.load(Ordering::Relaxed) {
            return usual(panic);
        }
        *LAST.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = panic.to_string().replace('\n', " ");
    }));
}

impl Reader {
    // The panics, each with the seed of its input.
    fn try_all(&self, first: u64, count: u64, told: bool) -> Vec<String> {
        let (seeds, place) = ((self.seeds)(), scratch());
        let path = place.path().join(self.file.unwrap_or_default());
        let (mut found, mut accepted, mut caught) = (Vec::new(), 0_u64, 0_u64);
        let (mut slowest, began) = ((Duration::ZERO, 0), Instant::now());
        for seed in first..first + count {
            let mut mutator = Mutator::new(seed);
            let input = mutator.mutated(&seeds);
            if self.file.is_some() {
                fs::write(&path, &input).unwrap();
            }
            let start = Instant::now();
            READING.store(true, Ordering::Relaxed);
            let read = catch_unwind(AssertUnwindSafe(|| (self.read)(&input, &path, &mut mutator)));
            READING.store(false, Ordering::Relaxed);
            slowest = slowest.max((start.elapsed(), seed));
            accepted += u64::from(*read.as_ref().unwrap_or(&false));
            let said = std::mem::take(&mut *LAST.lock().unwrap());
            let ours = read.is_err() || said.contains("src/data/");
            caught += u64::from(!ours && !said.is_empty());
            if ours {
                found.push(format!("{} 1 {seed}: {said}", self.name));
                fs::write(std::env::temp_dir().join(format!("narrows-{}-{seed}", self.name)), &input)
                    .unwrap();
            } else if told && !said.is_empty() {
                println!("{} 1 {seed}, caught: {said}", self.name);
            }
            if told && (seed - first + 1).is_multiple_of(50_000) {
                println!("{} inputs, {}", seed - first + 1, peak());
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{}: {count} inputs in {seconds:.0} s ({:.0} a second), {accepted} accepted, {} panics, {caught} caught in \
             decoders, slowest {:.2} s (seed {}), {}",
            self.name,
            count as f64 / seconds,
            found.len(),
            slowest.0.as_secs_f64(),
            slowest.1,
            peak(),
        );
        found
    }
}

// In memory, where the system has such a folder.
fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap()
}

fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown");
    format!("most memory {}", peak.trim())
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn idx_files() -> Vec<Vec<u8>> {
    let header = [0x0803, 3, 7, 5].map(u32::to_be_bytes).concat();
    let images = [header, pixels(3)].concat();
    let labels = [[0x0801_u32, 3].map(u32::to_be_bytes).concat(), vec![1, 2, 3]].concat();
    vec![gzipped(&images), gzipped(&labels), images, labels]
}

fn read_idx(input: &[u8], _: &Path, _: &mut Mutator) -> bool {
    let header = [0x0803, 3, 7, 5].map(u32::to_be_bytes).concat();
    let images = [header, pixels(3)].concat();
    let labelled = idx::from_bytes("x", &images, Some(input)).is_ok();
    idx::from_bytes("x", input, None).is_ok() || labelled
}

fn array(descr: &str, order: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    let header = format!("{header:<117}\n");
    [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), values]
        .concat()
}

fn arrays() -> Vec<Vec<u8>> {
    let bytes: Vec<u8> = (0..96).map(|at| if at % 8 == 7 { 0x3f } else { at }).collect();
    let of = |descr: &str, order: &str, shape: &str| array(descr, order, shape, &bytes);
    vec![
        of("|u1", "False", "(4, 6, 4)"),
        of("<f4", "True", "(3, 4, 2)"),
        of(">f8", "False", "(3, 4)"),
        of("<f2", "False", "(2, 3, 4, 2)"),
        of("|b1", "True", "(2, 3, 4, 4)"),
        of(">i2", "False", "(12, 4)"),
        of("<u8", "False", "(3, 4)"),
        of("<i4", "False", "(24,)"),
        of("<U2", "False", "(12,)"),
        of("|S3", "False", "(32,)"),
    ]
}

fn read_npy(input: &[u8], _: &Path, _: &mut Mutator) -> bool {
    let images = array("|u1", "False", "(24, 1, 2)", &[7; 48]);
    let labelled = npy::from_bytes("x", &images, Some(input)).is_ok();
    npy::from_bytes("x", input, None).is_ok() || labelled
}

fn archives() -> Vec<Vec<u8>> {
    let arrays = arrays();
    let archive = |names: [&str; 3], method| {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in names.iter().zip([&arrays[0], &arrays[2], &arrays[7]]) {
            let options = SimpleFileOptions::default().compression_method(method);
            writer.start_file(format!("{name}.npy"), options).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    let parts = ["x_train", "x_test", "y_train"];
    vec![
        archive(parts, CompressionMethod::Stored),
        archive(parts, CompressionMethod::Deflated),
        archive(["images", "other", "labels"], CompressionMethod::Deflated),
    ]
}

fn read_npz(_: &[u8], path: &Path, _: &mut Mutator) -> bool {
    npy::read_parts(path, &ArrayForm::default()).is_ok()
}

fn tables() -> Vec<Vec<u8>> {
    let texts = [
        "a,b,c\n1,2,x\n3,4,y\n5,6,x\n",
        "a;b\n1,5;2,5\n-3;4e3\n;7\n",
        ",p,q\n0,1.5,true\n1,NA,false\n",
        "1\t2\n3\t4\n",
        "\"a\nb\",\"c,d\"\r\n\"1\",\"2\"\r\n",
    ];
    texts.map(|text| text.as_bytes().to_vec()).into()
}

fn read_csv(_: &[u8], path: &Path, mutator: &mut Mutator) -> bool {
    let form = TableForm {
        header: *mutator.of(&[None, Some(true), Some(false)]),
        categories: *mutator.of(&[true, false]),
        missing: *mutator.of(&[Missing::Refuse, Missing::Mean, Missing::Drop]),
        separator: *mutator.of(&[None, Some(';'), Some('"'), Some('\n'), Some('1')]),
        ..TableForm::default()
    };
    table::read("x", path, &form, &[]).is_ok()
}

fn pictures() -> Vec<Vec<u8>> {
    let picture =
        image::RgbaImage::from_fn(9, 7, |x, y| [20 * x as u8, 30 * y as u8, 128, (x * y * 4) as u8].into());
    let picture = DynamicImage::from(picture);
    let of = |picture: &DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let (rgb, deep) = (picture.to_rgb8().into(), DynamicImage::from(picture.to_rgb16()));
    let grey = picture.to_luma8().into();
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Pnm, Tiff, WebP};
    let all = [(&picture, Png), (&rgb, Jpeg), (&picture, Gif), (&picture, WebP), (&rgb, Bmp)];
    let more = [(&rgb, Tiff), (&rgb, Pnm), (&deep, Png), (&deep, Tiff), (&grey, Jpeg), (&grey, Png)];
    all.into_iter().chain(more).map(|(picture, format)| of(picture, format)).collect()
}

fn read_picture(_: &[u8], path: &Path, mutator: &mut Mutator) -> bool {
    let size = *mutator.of(&[None, Some([5, 3]), Some([1, 40])]);
    let alpha = *mutator.of(&[Alpha::White, Alpha::Keep]);
    let fit = *mutator.of(&[Fit::Crop, Fit::Pad, Fit::Stretch]);
    folder::read(path, Form { size, alpha, fit, channels: None }).is_ok()
}

fn checkpoints() -> Vec<Vec<u8>> {
    let of = |config: &Config| {
        let trainer = block_on(Trainer::new(&Device::Cpu, config, &tiny::split())).unwrap();
        block_on(trainer.checkpoint()).unwrap().to_bytes().unwrap()
    };
    vec![of(&tiny::config("vae")), of(&tiny::normalized())]
}

fn read_checkpoint(input: &[u8], _: &Path, _: &mut Mutator) -> bool {
    let read = Checkpoint::from_bytes(input);
    read.and_then(|checkpoint| checkpoint.model()).and_then(|model| model.decoding(1)).is_ok()
}

fn configurations() -> Vec<Vec<u8>> {
    let registry = Registry::built_in();
    let texts = registry.presets().map(|(_, preset)| Config::preset(preset.name).unwrap().to_toml().unwrap());
    texts.map(String::into_bytes).collect()
}

fn read_toml(input: &[u8], _: &Path, _: &mut Mutator) -> bool {
    let text = String::from_utf8_lossy(input);
    let config = Config::from_toml(&Registry::built_in(), &text, "vae", "x.toml");
    let checked = config.and_then(|config| config.check().map(|()| config));
    let model = checked.and_then(|config| Model::new(&config.model, [28, 28, 1].try_into()?));
    model.and_then(|model| model.decoding(1)).is_ok()
}

/// Sizes at the ends of what their fields can hold, and every input that once made a reader panic.
#[test]
fn inputs_that_tempt_arithmetic_are_read_or_refused() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/mutated");
    let place = scratch();
    let mut mutator = Mutator::new(0);
    for file in tiny::listing(&folder) {
        let input = fs::read(folder.join(&file)).unwrap();
        let reader = READERS.iter().find(|reader| file.starts_with(reader.name));
        let reader = reader.unwrap_or_else(|| panic!("{file}: expected a name that begins with a reader's"));
        let path = place.path().join(reader.file.unwrap_or("x"));
        fs::write(&path, &input).unwrap();
        let read = catch_unwind(AssertUnwindSafe(|| (reader.read)(&input, &path, &mut mutator)));
        assert!(read.is_ok(), "{file}");
    }
}
