//! The text of a registry: one card's URL a line.

use std::collections::HashSet;
use std::fmt;

use crate::clock::UnixTime;
use crate::httpsig::{ServedDocument, WebUrl, WebUrlError};

/// The media type that a registry is served under.
const TEXT: &str = "text/plain; charset=utf-8";
/// The most bytes of a registry that are read.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// The most cards of a registry.
const MAX_ENTRIES: usize = 10_000;

/// Where a card is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum RegistryEntry {
    /// At this `https` URL, as written.
    Url(String),
    /// In this `data:` URL.
    Data(String),
}

impl RegistryEntry {
    /// The URL.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Url(url) | Self::Data(url) => url,
        }
    }
}

/// Cards of signature agents (draft-meunier-webbotauth-registry), at most 10,000.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Registry {
    entries: Vec<RegistryEntry>,
}

/// Why a text is no registry, or a URL no entry of one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RegistryError {
    /// Not UTF-8.
    #[error("the registry is not UTF-8")]
    NotText,
    /// More bytes than are read.
    #[error("the registry has {len} bytes, at most {max} are read")]
    TooLong {
        /// How many it has.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// More cards than are read.
    #[error("the registry has more than {max} cards")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// The URL of a card is none.
    #[error("a card's URL in a registry {rule}")]
    Url {
        /// The rule it breaks.
        rule: &'static str,
    },
}

impl RegistryError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotText => "registry.not_text",
            Self::TooLong { .. } => "registry.too_long",
            Self::TooMany { .. } => "registry.too_many",
            Self::Url { .. } => "registry.url",
        }
    }
}

/// What a line of a registry breaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RegistryRule {
    /// It is no `https` or `data` URL; it is left out.
    Url(&'static str),
    /// It is there twice; it is left out.
    Repeated,
    /// It is a `data:` URL, which some parsers refuse. It is taken.
    Data,
}

/// One line of a registry that differs from the draft, or from how it is read elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegistryWarning {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub rule: RegistryRule,
}

impl RegistryWarning {
    /// The fixed word for logs.
    pub const fn reason(&self) -> &'static str {
        match self.rule {
            RegistryRule::Url(_) => "registry.url",
            RegistryRule::Repeated => "registry.repeated",
            RegistryRule::Data => "registry.data",
        }
    }
}

impl fmt::Display for RegistryWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match self.rule {
            RegistryRule::Url(rule) => write!(f, "the URL {rule} (left out)"),
            RegistryRule::Repeated => f.write_str("is there before (left out)"),
            RegistryRule::Data => f.write_str("some readers take no data: URL"),
        }
    }
}

impl Registry {
    /// Reads a registry, and names the lines that are not as they should be.
    ///
    /// # Errors
    /// [`RegistryError`] when it is no text, or too large.
    pub fn read(body: &[u8]) -> Result<(Self, Vec<RegistryWarning>), RegistryError> {
        if body.len() > MAX_BYTES {
            return Err(RegistryError::TooLong {
                len: body.len(),
                max: MAX_BYTES,
            });
        }
        let text = std::str::from_utf8(body).map_err(|_| RegistryError::NotText)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (mut entries, mut warnings) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for (index, line) in text.lines().enumerate() {
            // A URL of a card has no fragment, so what follows is a comment wherever it begins.
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let mut warn = |rule| {
                let line = index + 1;
                warnings.push(RegistryWarning { line, rule });
            };
            match entry(line) {
                Err(rule) => warn(RegistryRule::Url(rule)),
                Ok(entry) if seen.contains(&entry) => warn(RegistryRule::Repeated),
                Ok(_) if entries.len() >= MAX_ENTRIES => {
                    return Err(RegistryError::TooMany { max: MAX_ENTRIES });
                }
                Ok(entry) => {
                    if matches!(entry, RegistryEntry::Data(_)) {
                        warn(RegistryRule::Data);
                    }
                    seen.insert(entry.clone());
                    entries.push(entry);
                }
            }
        }
        Ok((Self { entries }, warnings))
    }

    /// Adds the card at `url`.
    ///
    /// # Errors
    /// [`RegistryError::Url`] when it is no `https` or `data` URL, [`RegistryError::TooMany`] when
    /// there is no room.
    pub fn with(mut self, url: &str) -> Result<Self, RegistryError> {
        if self.entries.len() >= MAX_ENTRIES {
            return Err(RegistryError::TooMany { max: MAX_ENTRIES });
        }
        let entry = entry(url).map_err(|rule| RegistryError::Url { rule })?;
        if !self.entries.contains(&entry) {
            self.entries.push(entry);
        }
        Ok(self)
    }

    /// The cards, in the order of the text.
    pub fn entries(&self) -> &[RegistryEntry] {
        &self.entries
    }

    /// The text, one line for each card.
    pub fn to_text(&self) -> String {
        let lines = self.entries.iter().map(RegistryEntry::as_str);
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    /// The text as it is served, last changed at `modified`.
    pub fn to_served(&self, modified: UnixTime) -> ServedDocument {
        ServedDocument::new(self.to_text(), TEXT, modified).for_everybody()
    }
}

fn entry(text: &str) -> Result<RegistryEntry, &'static str> {
    if text
        .get(..5)
        .is_some_and(|s| s.eq_ignore_ascii_case("data:"))
    {
        let plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
        return match plain && text.contains(',') {
            true => Ok(RegistryEntry::Data(text.to_owned())),
            false => Err("is no data: URL"),
        };
    }
    let url: WebUrl = text.parse().map_err(|error: WebUrlError| error.rule)?;
    match url.is_https() {
        true => Ok(RegistryEntry::Url(text.to_owned())),
        false => Err("does not begin with https://"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_card_or_has_its_warning() {
        let text = "\u{feff}# agents\r\n\r\nhttps://a.example/card\r\n\
                    https://b.example/card # primary\n\
                    http://c.example/card\n\
                    https://a.example/card\n\
                    data:application/json,%7B%7D\n\
                    data:nothing\n\
                    https://d.example/ x\n\
                    https://user@d.example/\n\
                    card.example\n\
                    https://e.example/";
        let (registry, warnings) = Registry::read(text.as_bytes()).expect("a registry");
        let got: Vec<_> = registry
            .entries()
            .iter()
            .map(RegistryEntry::as_str)
            .collect();
        let want = [
            "https://a.example/card",
            "https://b.example/card",
            "data:application/json,%7B%7D",
            "https://e.example/",
        ];
        assert_eq!(got, want);
        let got: Vec<_> = warnings.iter().map(|w| (w.line, w.reason())).collect();
        let want = [
            (5, "registry.url"),
            (6, "registry.repeated"),
            (7, "registry.data"),
            (8, "registry.url"),
            (9, "registry.url"),
            (10, "registry.url"),
            (11, "registry.url"),
        ];
        assert_eq!(got, want);
        let (again, _) = Registry::read(registry.to_text().as_bytes()).expect("a registry");
        assert_eq!(again, registry);
    }

    #[test]
    fn a_registry_has_limits() {
        let reason = |body: &[u8]| Registry::read(body).map_or_else(|e| e.reason(), |_| "fine");
        let cards =
            |n: usize| -> String { (0..n).map(|i| format!("https://a.example/{i}\n")).collect() };
        assert_eq!(reason(cards(10_000).as_bytes()), "fine");
        assert_eq!(reason(cards(10_001).as_bytes()), "registry.too_many");
        assert_eq!(reason(&[0xff]), "registry.not_text");
        assert_eq!(reason(&vec![b'\n'; MAX_BYTES]), "fine");
        assert_eq!(reason(&vec![b'\n'; MAX_BYTES + 1]), "registry.too_long");
        let wrong = Registry::default().with("http://a.example/");
        assert_eq!(wrong.map_err(|e| e.reason()).err(), Some("registry.url"));
    }
}
