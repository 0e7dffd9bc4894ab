//! Decoded pictures on disk, so that a later start need not decode them again.
//!
//! A cache is one safetensors file: `pixels`, `[pictures, height, width, channels]` as U8 or F32, and `record`, the JSON
//! of a [`Record`]. It is valid for the same files in the same form alone.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rayon::prelude::*;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::decode::{Stack, counted};
use super::listing::Listing;
use crate::data::numbers::{Numbers, map};
use crate::data::picture::Decoded;
use crate::data::written::{beside, checksum, put};
use crate::data::{Alpha, Fit, Form, Values};
use crate::{Error, Result};

// Changes whenever the same files would decode to other pixels, or the record to other fields.
const VERSION: u32 = 1;
const PIXELS: &str = "pixels";
const RECORD: &str = "record";

/// What the pixels were made from.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Key {
    version: u32,
    size: [usize; 2],
    fit: Fit,
    alpha: Alpha,
    /// Name, bytes and nanoseconds from 1970 to its last change; none of a file that cannot be opened.
    files: Vec<(String, Option<(u64, u64)>)>,
}

#[derive(Serialize, Deserialize)]
struct Record<K = Key, D = Vec<Result<Decoded, String>>> {
    key: K,
    shape: [usize; 3],
    decoded: D,
    /// Of the pixels.
    checksum: u32,
}

/// The place of a listing's pictures in a folder of caches.
pub(super) struct Cache {
    // Without the channels, and the ending.
    stem: String,
    folder: PathBuf,
    key: Key,
    channels: Option<usize>,
    colours: usize,
}

impl Cache {
    /// In `caches`, which is made if it is not there, of the pictures in `folder`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a folder inside the data, [`Error::Io`] for one that cannot be made.
    pub(super) fn new(
        caches: &Path,
        folder: &Path,
        form: Form,
        size: [usize; 2],
        listing: &Listing,
    ) -> Result<Self> {
        let data = folder.canonicalize().map_err(Error::io("read", folder))?;
        check_outside(caches, &data)?;
        fs::create_dir_all(caches).map_err(Error::io("create", caches))?;
        let name = data.file_name().unwrap_or("pictures".as_ref()).to_string_lossy();
        let place = checksum(data.as_os_str().as_encoded_bytes());
        let Form { channels, fit, alpha, .. } = form;
        let [height, width] = size;
        let stem = format!("{name}-{place:08x}-{height}x{width}-{fit:?}-{alpha:?}").to_lowercase();
        let files = listing
            .files
            .par_iter()
            .map(|file| (format!("{:?}", file.path), state(&folder.join(&file.path))));
        let key = Key { version: VERSION, size, fit, alpha, files: files.collect() };
        Ok(Self { stem, folder: caches.to_owned(), key, channels, colours: alpha.channels() })
    }

    /// The pictures, if a file holds these; and a remark about where they come from, or why they do not.
    pub(super) fn read(&self) -> (Option<Stack>, Option<String>) {
        let [colour, grey] = [self.colours, self.colours - 2];
        let mut remark = None;
        for channels in self.channels.map_or_else(|| vec![colour, grey], |channels| vec![channels]) {
            let path = self.path(channels);
            let place = path.display();
            match self.read_file(&path) {
                // Of channels that nobody asked for, the pictures decide.
                Ok(stack) if self.channels.is_some() || stack.is_grey() == (channels == grey) => {
                    let count = counted(stack.decoded.iter().flatten().count());
                    return (Some(stack), Some(format!("{count} from the cache {place}, not decoded again")));
                }
                Err(Some(reason)) => remark = Some(format!("the cache {place} is not used: {reason}")),
                Ok(_) | Err(None) => {}
            }
        }
        (None, remark)
    }

    /// Writes the pictures, whole or not at all, and says so.
    pub(super) fn write(&self, stack: &Stack) -> String {
        let path = self.path(stack.shape[2]);
        match self.write_file(&path, stack) {
            Ok(()) => format!("decoded pictures are kept in the cache {}", path.display()),
            Err(error) => format!("decoded pictures are not kept: {error}"),
        }
    }

    fn path(&self, channels: usize) -> PathBuf {
        self.folder.join(format!("{}-{channels}.safetensors", self.stem))
    }

    // No reason where there is no file.
    fn read_file(&self, path: &Path) -> Result<Stack, Option<String>> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(None),
            file => file.map_err(|error| Some(error.to_string()))?,
        };
        let foreign = |error: io::Error| Some(format!("it is damaged, or not a cache of narrows ({error})"));
        let metadata = header(&mut file).map_err(foreign)?;
        let record: Record = record(&mut file, &metadata).map_err(foreign)?;
        if record.key != self.key {
            return Err(Some("files have changed since".to_owned()));
        }
        let pixels = pixels(&mut file, &metadata).map_err(foreign)?;
        let Record { shape, decoded, checksum, .. } = record;
        let count = decoded.iter().flatten().count();
        let whole = decoded.len() == self.key.files.len() && pixels.checksum() == checksum;
        let wanted = shape.iter().try_fold(count, |all, extent| all.checked_mul(*extent));
        if !whole || wanted != Some(pixels.len()) {
            return Err(foreign(invalid("other pixels than its record says")));
        }
        Ok(Stack { shape, pixels, decoded })
    }

    fn write_file(&self, path: &Path, stack: &Stack) -> Result<()> {
        let (dtype, width) = match &stack.pixels {
            Values::Bytes(_) => (Dtype::U8, 1),
            Values::Floats(_) => (Dtype::F32, 4),
        };
        let length = width * stack.pixels.len();
        let (key, decoded) = (&self.key, &stack.decoded);
        let record = Record { key, shape: stack.shape, decoded, checksum: stack.pixels.checksum() };
        let io = |error: io::Error| Error::io("write", path)(error);
        let record = serde_json::to_vec(&record).map_err(|error| io(error.into()))?;
        let count = decoded.iter().flatten().count();
        let end = length + record.len();
        let tensors = vec![
            (
                PIXELS.to_owned(),
                TensorInfo { dtype, shape: [&[count], &stack.shape[..]].concat(), data_offsets: (0, length) },
            ),
            (
                RECORD.to_owned(),
                TensorInfo { dtype: Dtype::U8, shape: vec![record.len()], data_offsets: (length, end) },
            ),
        ];
        let metadata = Metadata::new(None, tensors).map_err(|error| io(io::Error::other(error)))?;
        let mut header = serde_json::to_vec(&metadata).map_err(|error| io(error.into()))?;
        // The format wants what follows aligned.
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut file = beside(path)?;
        let write = |file: &mut NamedTempFile, part: &[u8]| file.write_all(part).map_err(io);
        write(&mut file, &(header.len() as u64).to_le_bytes())?;
        write(&mut file, &header)?;
        match &stack.pixels {
            Values::Bytes(bytes) => bytes.pieces().try_for_each(|piece| write(&mut file, piece))?,
            Values::Floats(floats) => {
                floats.pieces().try_for_each(|piece| write(&mut file, bytemuck::cast_slice(piece)))?;
            }
        }
        write(&mut file, &record)?;
        put(file, path)
    }
}

// A cache among the data would be a file of the data.
fn check_outside(caches: &Path, data: &Path) -> Result<()> {
    let absolute = std::path::absolute(caches).map_err(Error::io("find", caches))?;
    let around = absolute.ancestors().find_map(|around| around.canonicalize().ok());
    if around.is_none_or(|around| !around.starts_with(data)) {
        return Ok(());
    }
    let expected = format!("a folder outside the data, such as --cache {}-cache", data.display());
    Err(Error::setting("cache", expected, caches.display()))
}

// Opened, so that a file which could not be read makes a new cache when it can be.
fn state(path: &Path) -> Option<(u64, u64)> {
    let metadata = File::open(path).and_then(|file| file.metadata()).ok()?;
    let changed = metadata.modified().ok()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some((metadata.len(), changed.as_nanos() as u64))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn header(file: &mut File) -> io::Result<Metadata> {
    let (mut size, length) = ([0; 8], file.metadata()?.len());
    file.read_exact(&mut size)?;
    let size = u64::from_le_bytes(size);
    if size > length {
        return Err(invalid("no header of safetensors"));
    }
    let mut header = vec![0; size as usize];
    file.read_exact(&mut header)?;
    let metadata: Metadata = serde_json::from_slice(&header)?;
    let whole = (metadata.data_len() as u64).checked_add(size).and_then(|sum| sum.checked_add(8));
    if whole == Some(length) { Ok(metadata) } else { Err(invalid("cut off")) }
}

// Moves to a tensor.
fn tensor<'a>(file: &mut File, metadata: &'a Metadata, name: &str) -> io::Result<&'a TensorInfo> {
    let info = metadata.info(name).ok_or_else(|| invalid("other tensors"))?;
    let begin = file.metadata()?.len() - metadata.data_len() as u64;
    file.seek(SeekFrom::Start(begin + info.data_offsets.0 as u64))?;
    Ok(info)
}

fn record(file: &mut File, metadata: &Metadata) -> io::Result<Record> {
    let info = tensor(file, metadata, RECORD)?;
    let mut json = vec![0; info.data_offsets.1 - info.data_offsets.0];
    file.read_exact(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
}

// As they lie in the file, which is replaced as a whole: it may be larger than the memory.
fn pixels(file: &mut File, metadata: &Metadata) -> io::Result<Values> {
    let info = tensor(file, metadata, PIXELS)?;
    let begin = file.stream_position()? as usize;
    let bytes = begin..begin.saturating_add(info.data_offsets.1 - info.data_offsets.0);
    let map = map(file)?;
    let values = match info.dtype {
        Dtype::U8 => Numbers::mapped(&map, bytes).map(Values::Bytes),
        Dtype::F32 => Numbers::mapped(&map, bytes).map(Values::Floats),
        _ => None,
    };
    values.ok_or_else(|| invalid("pixels of another type"))
}
