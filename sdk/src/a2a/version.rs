//! Names and numbers of the protocol that stand outside its messages.

use std::fmt;

use super::{A2aError, ErrorKind};

/// The version spoken here, as `Major.Minor`.
pub const VERSION: &str = "1.0";
/// Header, query parameter and gRPC metadata key that carries the version (A2A §3.6).
pub const VERSION_HEADER: &str = "a2a-version";
/// Header and gRPC metadata key that lists extension URIs (A2A §3.2.6).
pub const EXTENSIONS_HEADER: &str = "a2a-extensions";
/// The same as peers of version 0.3 name it.
pub const LEGACY_EXTENSIONS_HEADER: &str = "x-a2a-extensions";
/// Where a server publishes its card (A2A §8.2).
pub const AGENT_CARD_PATH: &str = "/.well-known/agent-card.json";
/// `protocolBinding` of JSON-RPC.
pub const BINDING_JSONRPC: &str = "JSONRPC";
/// `protocolBinding` of gRPC.
pub const BINDING_GRPC: &str = "GRPC";
/// `protocolBinding` of HTTP+JSON.
pub const BINDING_HTTP_JSON: &str = "HTTP+JSON";
/// Media type of JSON-RPC bodies.
pub const JSON: &str = "application/json";
/// Media type of HTTP+JSON bodies (A2A §14.1.1).
pub const A2A_JSON: &str = "application/a2a+json";
/// Media type of streams.
pub const EVENT_STREAM: &str = "text/event-stream";

/// A version of the protocol that is spoken here, newest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Version {
    /// 0.3, which a request means that names none.
    V0_3,
    /// 1.0.
    V1_0,
}

impl Version {
    /// `Major.Minor`, as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V0_3 => "0.3",
            Self::V1_0 => VERSION,
        }
    }

    /// Reads a version that a card or a request names; `None` for one that is not spoken here.
    ///
    /// A2A §3.6: a patch number should not be sent and must not be considered, so `1.0.1` is `1.0`.
    ///
    /// ```
    /// use countersign::a2a::Version;
    /// assert_eq!(Version::read("1.0.1"), Some(Version::V1_0));
    /// assert_eq!(Version::read("1.1"), None);
    /// ```
    pub fn read(text: &str) -> Option<Self> {
        let is = |version: &str| match text.strip_prefix(version) {
            Some("") => true,
            Some(rest) => rest.strip_prefix('.').is_some_and(is_number),
            None => false,
        };
        [Self::V0_3, Self::V1_0]
            .into_iter()
            .find(|v| is(v.as_str()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_number(text: &str) -> bool {
    (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// The versions that a server takes: 1.0, and 0.3 when it is switched on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Versions {
    /// Whether 0.3 is taken too, and with it every request that names no version. Off by default.
    pub v0_3: bool,
}

impl Versions {
    /// The version of a request that asks for `asked`; absent or empty means 0.3 (A2A §3.6.2).
    ///
    /// # Errors
    /// `VersionNotSupported`, with the versions that are.
    ///
    /// ```
    /// use countersign::a2a::{Version, Versions};
    /// let versions = Versions { v0_3: true };
    /// assert_eq!(versions.choose(None), Ok(Version::V0_3));
    /// assert_eq!(versions.choose(Some("1.0")), Ok(Version::V1_0));
    /// assert!(Versions::default().choose(None).is_err());
    /// ```
    pub fn choose(self, asked: Option<&str>) -> Result<Version, A2aError> {
        let asked = match asked.map(|text| text.trim_matches([' ', '\t'])) {
            None | Some("") => Version::V0_3.as_str(),
            Some(text) => text,
        };
        match Version::read(asked) {
            Some(Version::V1_0) => Ok(Version::V1_0),
            Some(Version::V0_3) if self.v0_3 => Ok(Version::V0_3),
            Some(Version::V0_3) | None => Err(self.refuse(asked)),
        }
    }

    fn refuse(self, asked: &str) -> A2aError {
        let supported = if self.v0_3 { "0.3, 1.0" } else { VERSION };
        let shown: String = asked.chars().take(16).collect();
        let message = format!("A2A version {shown:?} is not supported, {supported} is");
        A2aError::new(ErrorKind::VersionNotSupported, message)
            .with_metadata("supportedVersions", supported)
    }
}

/// Checks the version a request asks for of a server that speaks 1.0 only.
///
/// # Errors
/// `VersionNotSupported` for everything but `1.0`; an absent or empty version means 0.3.
///
/// ```
/// use countersign::a2a::check_version;
/// assert!(check_version(Some("1.0")).is_ok());
/// assert!(check_version(None).is_err());
/// ```
pub fn check_version(asked: Option<&str>) -> Result<(), A2aError> {
    Versions::default().choose(asked).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_1_0_is_accepted() {
        for good in ["1.0", " 1.0 ", "1.0.1", "1.0.0"] {
            assert!(check_version(Some(good)).is_ok(), "{good}");
        }
        let bad = [
            "", "0.3", "1", "1.", "1.1", "1.0.", "1.0.x", "1.0.1.2", "1.0-rc", "1.00", "01.0",
            "2.0", "1.0, 1.0", "v1.0",
        ];
        for bad in bad.map(Some).into_iter().chain([None]) {
            let error = check_version(bad).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::VersionNotSupported, "{bad:?}");
            assert_eq!(error.metadata()["supportedVersions"], "1.0");
        }
    }

    #[test]
    fn no_version_means_0_3_which_is_taken_when_it_is_switched_on() {
        let both = Versions { v0_3: true };
        for text in [None, Some(""), Some("0.3"), Some("0.3.0")] {
            assert_eq!(both.choose(text), Ok(Version::V0_3), "{text:?}");
            assert!(Versions::default().choose(text).is_err(), "{text:?}");
        }
        assert_eq!(both.choose(Some("1.0")), Ok(Version::V1_0));
        let error = both.choose(Some("0.4")).expect_err("refused");
        assert_eq!(error.metadata()["supportedVersions"], "0.3, 1.0");
    }

    #[test]
    fn what_a_refusal_shows_of_the_request_is_short() {
        let long = "9".repeat(10_000);
        let error = check_version(Some(&long)).expect_err("refused");
        assert!(error.message().len() < 100, "{}", error.message());
    }
}
