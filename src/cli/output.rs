//! Writes to the terminal, a pipe or a file, without panics.

use std::io::{self, Write};
use std::path::Path;

use crate::data::LoadReport;
use crate::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};

/// Writes a line to standard output.
pub(super) fn line(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    let written =
        out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    written.map_err(Error::io("write", "standard output"))
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

/// Whether the error is that the reader of our output has closed the pipe, as `head` does.
pub(super) fn is_closed_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
}

/// Checks before slow work that `path` has one of the endings and is in a folder that exists.
pub(super) fn check_place(path: &Path, endings: &[&str]) -> Result<()> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if !endings.contains(&ending) {
        let expected = format!("a name ending in .{}", endings.join(" or ."));
        return Err(Error::setting("--out", expected, path.display()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        Some(folder) => Err(Error::setting("--out", "a file in a folder that exists", folder.display())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_command_no_terminal() {
        assert_eq!(printable(Path::new("a\u{1b}[31m\n/é 1.png")), "a\u{fffd}[31m\u{fffd}/é 1.png");
    }
}
