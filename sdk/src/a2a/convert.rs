//! Short ways to say something.

use super::{Message, Part, Task};

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

/// A client's message of one text part.
impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::user(Part::text(text))
    }
}

/// A client's message of one text part.
impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::user(Part::text(text))
    }
}

impl Task {
    /// What a person would read of it: the text of its artifacts, then of its status.
    pub fn text(&self) -> String {
        let artifacts = self.artifacts.iter().flat_map(|artifact| &artifact.parts);
        let status = self
            .status
            .message
            .iter()
            .flat_map(|message| &message.parts);
        let texts: Vec<_> = artifacts.chain(status).filter_map(Part::as_text).collect();
        texts.join("\n")
    }
}
