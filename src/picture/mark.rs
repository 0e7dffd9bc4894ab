//! The mark of the PNGs that narrows writes, by which a folder of pictures leaves them out.

// PNG's signature and its chunk IHDR, which comes first.
const HEAD: usize = 8 + 25;
// A text chunk: the key, a zero, the text.
const TEXT: &[u8] = b"tEXtSoftware\0narrows";

fn chunk() -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(TEXT);
    let length = TEXT.len() as u32 - 4;
    [&length.to_be_bytes(), TEXT, &crc.sum().to_be_bytes()].concat()
}

/// A PNG with the mark.
pub(crate) fn marked(mut png: Vec<u8>) -> Vec<u8> {
    let at = HEAD.min(png.len());
    png.splice(at..at, chunk());
    png
}

/// Whether a file that begins with these bytes is a PNG with the mark. 64 bytes suffice.
pub(crate) fn is_marked(start: &[u8]) -> bool {
    start.starts_with(b"\x89PNG") && start.get(HEAD..).is_some_and(|rest| rest.starts_with(&chunk()))
}
