//! Names of columns as a command has them.

use crate::data::shell_word;

/// The names in a list such as `age,"a, b"`: commas divide them, except within quotes.
pub fn names(list: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).trim(csv::Trim::All).from_reader(list.as_bytes());
    let names = reader.into_records().filter_map(Result::ok);
    names.flat_map(|record| record.iter().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The list of these names, as one word of a command.
pub fn word(names: &[&str]) -> String {
    let quoted = names.iter().map(|name| match name.contains([',', '"', '\n']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => (*name).to_owned(),
    });
    shell_word(&quoted.collect::<Vec<_>>().join(","))
}

/// The flag that leaves these columns out.
pub(super) fn drop_flag(names: &[&str]) -> String {
    format!("--drop {}", word(names))
}

/// The flag that takes this column as the label.
pub(super) fn label_flag(name: &str) -> String {
    format!("--label {}", shell_word(name))
}
