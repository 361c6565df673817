//! Text of others, made fit for a terminal.

/// `text` on one line: nothing in it can look like a line of our own or steer the terminal.
pub(super) fn line(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// `text` with its lines kept and everything else that steers a terminal replaced.
pub(super) fn lines(text: &str) -> String {
    let keep = |c| if c == '\n' { c } else { visible(c) };
    text.replace("\r\n", "\n").chars().map(keep).collect()
}

fn visible(c: char) -> char {
    // Separators of lines, marks and overrides of direction, the byte order mark.
    let misleading = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    );
    match c {
        '\t' => ' ',
        c if misleading || c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// Whether an argument may be a secret that was put where others can see it.
pub(super) fn may_be_secret(argument: &str) -> bool {
    // A JWS begins with `{"` in base64url; PEM and `Authorization` say what they are.
    let marks = ["eyJ", "PRIVATE KEY", "Bearer "];
    marks.iter().any(|mark| argument.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_steer_the_terminal() {
        assert_eq!(line("a\tb\n\u{1b}[31m✓"), "a b\u{fffd}\u{fffd}[31m✓");
        assert_eq!(lines("a\r\nb\rc\u{202e}d"), "a\nb\u{fffd}c\u{fffd}d");
        assert_eq!(lines("Grüße, 世界 🚆"), "Grüße, 世界 🚆");
    }

    #[test]
    fn tokens_and_keys_are_taken_for_secrets() {
        for secret in [
            "eyJhbGciOiJFZERTQSJ9.e30.AA",
            "--token=eyJhbGciOi",
            "Bearer x",
        ] {
            assert!(may_be_secret(secret), "{secret}");
        }
        assert!(!may_be_secret("https://127.0.0.1:4433"));
    }
}
