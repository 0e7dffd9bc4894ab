//! Writes to the terminal, a pipe or a file, without panics.

use std::io::{self, Write};
use std::path::Path;

use crate::data::LoadReport;
use crate::data::written::Growing;
use crate::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};

const STANDARD_OUTPUT: &str = "standard output";

/// Writes a line to standard output. Where its reader has left, as `head` does, nothing is written, and the work goes on:
/// its outcome is in the exit code.
pub(super) fn line(text: &str) -> Result<()> {
    match put(format!("{text}\n").as_bytes()) {
        Err(error) if is_closed_pipe(&error) => Ok(()),
        written => written,
    }
}

fn put(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(Error::io("write", STANDARD_OUTPUT))
}

/// Where a result goes: a file, or with `-` standard output.
pub(super) struct Place<'a> {
    path: &'a Path,
    ending: &'static str,
}

impl<'a> Place<'a> {
    /// Checks before slow work that `path`, of the flag `--out`, has one of the endings and is in a folder that exists, or is
    /// `-`. What goes to standard output is of the format that is given, or of the first.
    pub(super) fn new(path: &'a Path, format: Option<&str>, endings: &[&'static str]) -> Result<Self> {
        let streams = path == Path::new("-");
        let wanted =
            if streams { format.or(endings.first().copied()).map(str::to_owned) } else { named_ending(path) };
        let Some(ending) = endings.iter().find(|ending| wanted.as_deref() == Some(**ending)) else {
            return Err(unknown_ending("--out", path, endings));
        };
        if format.is_some() && !streams {
            let expected = "no such flag with --out FILE, whose ending is the format";
            return Err(Error::setting("--format", expected, ending));
        }
        if !streams {
            check_place("--out", path)?;
        }
        Ok(Self { path, ending })
    }

    /// [`Self::new`] for what goes to a file alone, under a flag of its own.
    pub(super) fn of_file(flag: &str, path: &'a Path, ending: &'static str) -> Result<Self> {
        if named_ending(path).as_deref() != Some(ending) {
            return Err(unknown_ending(flag, path, &[ending]));
        }
        check_place(flag, path)?;
        Ok(Self { path, ending })
    }

    /// The file, where it is one.
    pub(super) fn file(&self) -> Option<&'a Path> {
        (self.path != Path::new("-")).then_some(self.path)
    }

    pub(super) fn ending(&self) -> &'static str {
        self.ending
    }

    /// Writes the result, whole or not at all where it is a file, and says what it is: beside a file on standard output,
    /// else on standard error.
    pub(super) fn write(&self, bytes: &[u8], content: &str) -> Result<()> {
        let mut begun = self.begin()?;
        begun.add(bytes)?;
        begun.finish(content)
    }

    /// Begins a result that is written piece by piece.
    pub(super) fn begin(&self) -> Result<Begun<'a>> {
        let to: Box<dyn Write> = match self.file() {
            Some(path) => return Ok(Begun { path, to: To::File(Growing::new(path)?) }),
            None => standard_output().map_err(Error::io("write", STANDARD_OUTPUT))?,
        };
        Ok(Begun { path: Path::new(STANDARD_OUTPUT), to: To::Stream(to) })
    }
}

// Of a name in any case.
fn named_ending(path: &Path) -> Option<String> {
    path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase)
}

fn unknown_ending(flag: &str, path: &Path, endings: &[&'static str]) -> Error {
    Error::setting(flag, format!("a name ending in .{}", endings.join(" or .")), path.display())
}

fn check_place(flag: &str, path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(Error::setting(flag, "a file", format!("{}, which is a folder", path.display())));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        Some(folder) => Err(Error::setting(flag, "a file in a folder that exists", folder.display())),
        None => Ok(()),
    }
}

// The standard library's own handle calls a write done where the descriptor may not be written to.
#[cfg(unix)]
fn standard_output() -> io::Result<Box<dyn Write>> {
    use std::os::fd::AsFd;
    Ok(Box::new(std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?)))
}

#[cfg(not(unix))]
fn standard_output() -> io::Result<Box<dyn Write>> {
    Ok(Box::new(io::stdout()))
}

/// A result that is being written. A file that is not finished is gone with it.
pub(super) struct Begun<'a> {
    path: &'a Path,
    to: To,
}

enum To {
    File(Growing),
    Stream(Box<dyn Write>),
}

impl<'a> Begun<'a> {
    /// Adds a piece.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match &mut self.to {
            To::File(file) => file.write_all(bytes),
            To::Stream(stream) => stream.write_all(bytes),
        };
        written.map_err(Error::io("write", self.path))
    }

    /// Ends it, and says what it is.
    pub(super) fn finish(self, content: &str) -> Result<()> {
        let beside = matches!(self.to, To::File(_));
        let path = self.close()?;
        if beside {
            return wrote(path, content);
        }
        note(&format!("{STANDARD_OUTPUT}: {content}"));
        Ok(())
    }

    /// Ends it without a word, and gives its path.
    pub(super) fn close(self) -> Result<&'a Path> {
        match self.to {
            To::File(file) => file.finish()?,
            To::Stream(mut stream) => stream.flush().map_err(Error::io("write", self.path))?,
        }
        Ok(self.path)
    }
}

/// Reports a file that was written, and its content.
pub(super) fn wrote(path: &Path, content: &str) -> Result<()> {
    line(&format!("{}: {content}", path.display()))
}

/// Writes a line to standard error. A failure is ignored: there is no other place to report it.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A progress bar, not yet shown.
pub(super) fn hidden_bar(template: &str) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template(template);
    let style = style.map_err(|error| Error::setting("progress bar", "a template", error))?;
    Ok(ProgressBar::hidden().with_style(style))
}

/// Prints the notes about the loading of a data set on standard error.
pub(super) fn notes(report: &LoadReport) {
    let LoadReport { left_out, files, remarks, .. } = report;
    for remark in remarks {
        note(&format!("note: {remark}"));
    }
    if !left_out.is_empty() {
        note(&format!("note: {} of {files} files were left out:", left_out.len()));
    }
    for (file, reason) in left_out {
        note(&format!("  {}: {reason}", printable(file)));
    }
}

// A file's name may contain control characters, which could change the terminal.
fn printable(file: &Path) -> String {
    file.to_string_lossy().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Whether the error is that the reader of our standard output has closed the pipe, as `head` does.
pub(super) fn is_closed_pipe(error: &Error) -> bool {
    let closed = |source: &io::Error| source.kind() == io::ErrorKind::BrokenPipe;
    matches!(error, Error::Io { source, path, .. } if closed(source) && *path == Path::new(STANDARD_OUTPUT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_command_no_terminal() {
        assert_eq!(printable(Path::new("a\u{1b}[31m\n/é 1.png")), "a\u{fffd}[31m\u{fffd}/é 1.png");
    }
}
