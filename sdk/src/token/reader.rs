//! The grammar of challenges (RFC 9110 §11.2, §11.6.1), word by word.

use super::ChallengeError;

/// Reads a header from left to right.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn place(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn wrong(&self) -> ChallengeError {
        ChallengeError::Syntax { at: self.at }
    }

    pub(super) fn skip(&mut self, set: &[u8]) {
        while self.peek().is_some_and(|b| set.contains(&b)) {
            self.at += 1;
        }
    }

    fn run(&mut self, fits: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(&fits) {
            self.at += 1;
        }
        // Only ASCII bytes were stepped over, so both ends are on character borders.
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn token(&mut self) -> Result<&'a str, ChallengeError> {
        let word = self.run(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        if word.is_empty() {
            return Err(self.wrong());
        }
        Ok(word)
    }

    /// RFC 9110 §11.2: `=` may stand between spaces.
    pub(super) fn equals(&mut self) -> Result<(), ChallengeError> {
        self.skip(b" \t");
        if self.peek() != Some(b'=') {
            return Err(self.wrong());
        }
        self.at += 1;
        self.skip(b" \t");
        Ok(())
    }

    pub(super) fn has_equals(&self) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let next = rest.iter().find(|b| !b" \t".contains(b));
        next == Some(&b'=')
    }

    /// Whether something of the same challenge follows after a space.
    pub(super) fn after_space(&mut self) -> bool {
        let start = self.at;
        self.skip(b" ");
        self.at > start && self.peek().is_some_and(|b| b != b',')
    }

    /// RFC 9110 §11.2 token68, when that is what stands between a space and the element's end.
    pub(super) fn token68(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.skip(b" ");
        let begin = self.at;
        if begin > start {
            self.run(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b));
            let filled = self.at > begin;
            self.run(|b| b == b'=');
            let end = self.at;
            self.skip(b" \t");
            if filled && matches!(self.peek(), None | Some(b',')) {
                return self.text.get(begin..end);
            }
        }
        self.at = start;
        None
    }

    pub(super) fn value(&mut self) -> Result<String, ChallengeError> {
        if self.peek() != Some(b'"') {
            return self.token().map(str::to_owned);
        }
        self.at += 1;
        let mut value = String::new();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let escaped = self.peek().filter(|b| matches!(b, b'\t' | b' '..=b'~'));
                    value.push(char::from(escaped.ok_or_else(|| self.wrong())?));
                    self.at += 1;
                }
                Some(b @ (b'\t' | b' '..=b'~')) => {
                    value.push(char::from(b));
                    self.at += 1;
                }
                _ => return Err(self.wrong()),
            }
        }
    }

    pub(super) fn end_of_element(&mut self) -> Result<(), ChallengeError> {
        self.skip(b" \t");
        match self.peek() {
            None | Some(b',') => Ok(()),
            Some(_) => Err(self.wrong()),
        }
    }
}
