//! Names and numbers of the protocol that stand outside its messages.

use super::{A2aError, ErrorKind};

/// The version spoken here, as `Major.Minor`.
pub const VERSION: &str = "1.0";
/// Header (and query parameter) that carries the version (A2A §3.6).
pub const VERSION_HEADER: &str = "a2a-version";
/// Header that lists extension URIs (A2A §3.2.6).
pub const EXTENSIONS_HEADER: &str = "a2a-extensions";
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

/// Checks the version a request asks for.
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
    // A2A §3.6.2: absent or empty means 0.3, and 0.3 is not spoken here.
    let asked = match asked.map(|text| text.trim_matches([' ', '\t'])) {
        None | Some("") => "0.3",
        Some(text) => text,
    };
    if asked == VERSION {
        return Ok(());
    }
    let shown: String = asked.chars().take(16).collect();
    let message = format!("A2A version {shown:?} is not supported, {VERSION} is");
    Err(A2aError::new(ErrorKind::VersionNotSupported, message)
        .with_metadata("supportedVersions", VERSION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_1_0_is_accepted() {
        for good in ["1.0", " 1.0 "] {
            assert!(check_version(Some(good)).is_ok(), "{good}");
        }
        let bad = ["", "0.3", "1", "1.1", "1.0.1", "1.00", "2.0", "1.0, 1.0"];
        for bad in bad.map(Some).into_iter().chain([None]) {
            let error = check_version(bad).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::VersionNotSupported, "{bad:?}");
        }
    }
}
