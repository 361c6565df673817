//! What is spoken on an interface: a binding of a version of the protocol (A2A §5, §3.6).

use std::fmt;

use crate::a2a::{AgentInterface, BINDING_GRPC, BINDING_HTTP_JSON, BINDING_JSONRPC, Version};

/// A binding that this crate speaks (A2A §5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ProtocolBinding {
    /// JSON-RPC 2.0 over HTTP.
    JsonRpc,
    /// HTTP with JSON bodies.
    HttpJson,
    /// gRPC over HTTP/2.
    Grpc,
}

impl ProtocolBinding {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::JsonRpc, Self::HttpJson, Self::Grpc];

    /// Its name in `protocolBinding`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JsonRpc => BINDING_JSONRPC,
            Self::HttpJson => BINDING_HTTP_JSON,
            Self::Grpc => BINDING_GRPC,
        }
    }
}

impl fmt::Display for ProtocolBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A binding of a version.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Protocol {
    /// The binding.
    pub binding: ProtocolBinding,
    /// The version.
    pub version: Version,
}

impl Protocol {
    /// This binding of version 1.0.
    pub const fn current(binding: ProtocolBinding) -> Self {
        Self {
            binding,
            version: Version::V1_0,
        }
    }

    /// Whether it is what `interface` names.
    pub(super) fn is_spoken_at(self, interface: &AgentInterface) -> bool {
        interface.protocol_binding == self.binding.as_str()
            && Version::read(&interface.protocol_version) == Some(self.version)
    }

    /// Where `interface` is, if a request can go there protected. gRPC's own form `host:port` names
    /// no scheme: it means TLS here, never plain text.
    pub(super) fn url(self, interface: &AgentInterface) -> Option<String> {
        let url = &interface.url;
        if url.starts_with("https://") {
            return Some(url.clone());
        }
        let bare = self.binding == ProtocolBinding::Grpc && !url.contains("://") && !url.is_empty();
        bare.then(|| format!("https://{url}"))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.binding, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_scheme_is_protected() {
        let at = |url: &str| AgentInterface {
            url: url.into(),
            ..AgentInterface::default()
        };
        let grpc = Protocol::current(ProtocolBinding::Grpc);
        let rest = Protocol::current(ProtocolBinding::HttpJson);
        let same = "https://a.example:443";
        assert_eq!(grpc.url(&at("a.example:443")).as_deref(), Some(same));
        assert_eq!(grpc.url(&at(same)).as_deref(), Some(same));
        assert_eq!(rest.url(&at(same)).as_deref(), Some(same));
        for (protocol, url) in [
            (grpc, "http://a.example"),
            (grpc, "unix://socket"),
            (grpc, ""),
            (rest, "http://a.example"),
            (rest, "a.example:443"),
        ] {
            assert_eq!(protocol.url(&at(url)), None, "{protocol} {url}");
        }
    }
}
