//! Commands that a reader can type again.

/// `text` as one word of a command: as it is, or in quotes where a shell would read it otherwise.
pub fn shell_word(text: &str) -> String {
    // What no command can hold, a NUL, no path has either.
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_read_otherwise_is_quoted() {
        for plain in ["runs/vae-001", "fashion-mnist", "0.5"] {
            assert_eq!(shell_word(plain), plain);
        }
        for odd in ["400,200", "my photos", "it's", "$HOME", "", "a;b"] {
            let word = shell_word(odd);
            assert_eq!(shlex::split(&word), Some(vec![odd.to_owned()]), "{word}");
        }
    }
}
