//! Secrets that redact themselves and are wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// Text that must not be shown: a token, an enrolment code.
///
/// There is no `Display`, no `Serialize` and no `==`; the one way to the text is [`Secret::expose`].
///
/// ```
/// use countersign::secret::Secret;
/// assert_eq!(format!("{:?}", Secret::new("abc".to_owned())), "Secret([redacted])");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes `text` and wipes it when dropped.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that puts it on the wire or checks it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}
