//! IDX, the format of MNIST: a big-endian magic number and extents, then bytes. Plain or gzipped.
//!
//! A header is not trusted. Memory is allocated for the bytes that arrive, not for those that the header claims, and at
//! most one byte more than claimed is read: neither a wrong header nor a gzip bomb can fill the memory.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::Dataset;
use super::origin::{Origin, open};
use crate::{Error, Result};

/// Unsigned bytes in three dimensions: `[count, height, width]`.
const IMAGES: u32 = 0x0000_0803;
/// Unsigned bytes in one dimension: `[count]`.
const LABELS: u32 = 0x0000_0801;
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The most bytes a file may claim to hold: 2 GiB, 45 times Fashion-MNIST.
const LIMIT: u64 = 1 << 31;

/// Reads a file of images `[count, height, width]` and, if given, its file of labels `[count]`.
///
/// Either may be gzipped: the first bytes decide, not the name.
///
/// # Errors
/// [`Error::Io`] if a file cannot be read; [`Error::File`] if it is not an IDX file of images (or labels), holds no
/// image, claims more than 2 GiB, is damaged, is shorter or longer than its header says, or if the number of labels
/// differs from the number of images.
pub fn read(name: &str, images: &Path, labels: Option<&Path>) -> Result<Dataset> {
    let opened = |path| Ok((open(path, "an IDX file")?.0, Origin::File(path)));
    let labels = labels.map(opened).transpose()?;
    decode(name, opened(images)?, labels)
}

/// Reads the content of such files.
///
/// # Errors
/// [`Error::Bytes`] where [`read`] has [`Error::File`].
pub fn from_bytes(name: &str, images: &[u8], labels: Option<&[u8]>) -> Result<Dataset> {
    let labels = labels.map(|labels| (labels, Origin::Bytes("IDX labels")));
    decode(name, (images, Origin::Bytes("IDX images")), labels)
}

/// [`read`] from streams.
pub(super) fn decode<R: Read>(
    name: &str,
    (images, origin): (R, Origin<'_>),
    labels: Option<(R, Origin<'_>)>,
) -> Result<Dataset> {
    let mut stream = Stream::new(images, origin)?;
    let [count, height, width] = stream.extents(IMAGES)?;
    let claim = format!("{count} images of {height}x{width}");
    let bytes = u64::from(count).checked_mul(u64::from(height)).and_then(|n| n.checked_mul(u64::from(width)));
    let bytes = match bytes {
        Some(0) => return Err(stream.wrong("at least one image of at least one pixel", claim)),
        Some(bytes) if bytes <= LIMIT => bytes,
        _ => {
            let found = format!("a header that claims {claim}");
            return Err(stream.wrong(format!("at most {LIMIT} bytes of pixels"), found));
        }
    };
    let pixels = stream.body(bytes, &format!("of pixels after the header ({claim})"))?;
    let labels = labels.map(|(labels, origin)| decode_labels(labels, origin, count)).transpose()?;
    Dataset::new(name, [height as usize, width as usize, 1], pixels, labels)
}

fn decode_labels(labels: impl Read, origin: Origin<'_>, images: u32) -> Result<Vec<u8>> {
    let mut stream = Stream::new(labels, origin)?;
    let [count] = stream.extents(LABELS)?;
    if count != images {
        return Err(stream.wrong(format!("{images} labels, one per image"), format!("{count} labels")));
    }
    stream.body(u64::from(count), "of labels after the header")
}

/// The file `stem` in `folder`, under the first of its usual spellings that exists.
///
/// # Errors
/// [`Error::File`] with all spellings if there is none.
pub(super) fn find(folder: &Path, stem: &str) -> Result<PathBuf> {
    let dotted = stem.replace("-idx", ".idx");
    let names = [stem.to_owned(), format!("{stem}.gz"), dotted.clone(), format!("{dotted}.gz")];
    for name in &names {
        let path = folder.join(name);
        match fs::metadata(&path) {
            Ok(found) if found.is_file() => return Ok(path),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("read", path)(error)),
        }
    }
    let expected = format!("one of the files {}", names.join(", "));
    Err(Error::File { path: folder.to_owned(), expected, found: "none of them".into() })
}

/// The content of an IDX file, unpacked if it is gzipped.
struct Stream<'a> {
    reader: Box<dyn Read + 'a>,
    origin: Origin<'a>,
}

impl<'a> Stream<'a> {
    fn new(mut source: impl Read + 'a, origin: Origin<'a>) -> Result<Self> {
        let mut start = Vec::new();
        let read = source.by_ref().take(GZIP.len() as u64).read_to_end(&mut start);
        read.map_err(|error| origin.unread(error))?;
        let packed = start == GZIP;
        let whole = io::Cursor::new(start).chain(source);
        let reader: Box<dyn Read + 'a> =
            if packed { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
        Ok(Self { reader, origin })
    }

    fn wrong(&self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        self.origin.wrong(expected, found)
    }

    /// Up to `most` bytes; `expected` is for the error if the file is damaged.
    fn up_to(&mut self, most: u64, expected: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.reader.by_ref().take(most).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            // The system's errors carry a number, or are of memory; the decoder's are neither.
            Err(error) if error.raw_os_error().is_some() || error.kind() == io::ErrorKind::OutOfMemory => {
                Err(self.origin.unread(error))
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self
                    .wrong(expected, format!("a gzip stream that ends early, after {} bytes", bytes.len())))
            }
            Err(error) => Err(self.wrong(expected, format!("a damaged gzip stream ({error})"))),
        }
    }

    /// Checks the magic and reads the extents that follow it.
    fn extents<const N: usize>(&mut self, magic: u32) -> Result<[u32; N]> {
        let length = 4 + 4 * N;
        let expected = format!("a header of {length} bytes");
        let header = self.up_to(length as u64, &expected)?;
        let (words, _) = header.as_chunks::<4>();
        let mut words = words.iter().map(|word| u32::from_be_bytes(*word));
        if let Some(found) = words.next().filter(|found| *found != magic) {
            let found = match found {
                IMAGES => format!("0x{found:08x}, a file of images"),
                LABELS => format!("0x{found:08x}, a file of labels"),
                _ => format!("0x{found:08x}"),
            };
            return Err(self.wrong(format!("the IDX magic 0x{magic:08x}"), found));
        }
        if header.len() < length {
            return Err(self.wrong(expected, format!("{} bytes", header.len())));
        }
        Ok(std::array::from_fn(|_| words.next().unwrap_or(0)))
    }

    /// Reads exactly `bytes` bytes up to the end of the file; `what` describes them in errors.
    fn body(&mut self, bytes: u64, what: &str) -> Result<Vec<u8>> {
        let expected = format!("{bytes} bytes {what}");
        // One more byte shows that the file is too long. At the end the decoder also compares its checksum.
        let mut body = self.up_to(bytes + 1, &expected)?;
        match (body.len() as u64).cmp(&bytes) {
            std::cmp::Ordering::Less => Err(self.wrong(expected, format!("{} bytes", body.len()))),
            std::cmp::Ordering::Greater => Err(self.wrong(expected, "more bytes after them")),
            std::cmp::Ordering::Equal => {
                body.shrink_to_fit();
                Ok(body)
            }
        }
    }
}
