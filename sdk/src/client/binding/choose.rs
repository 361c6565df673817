//! Which binding speaks a protocol.

#[cfg(feature = "grpc")]
use super::Grpc;
use super::{Binding, HttpJson, HttpJsonV03, JsonRpc, JsonRpcV03};
use crate::a2a::Version;
use crate::card::{Protocol, ProtocolBinding};

/// The binding that speaks `protocol`; none when nothing here does.
pub(in crate::client) fn speaker(protocol: Protocol) -> Option<&'static dyn Binding> {
    match (protocol.version, protocol.binding) {
        (Version::V1_0, ProtocolBinding::JsonRpc) => Some(&JsonRpc),
        (Version::V1_0, ProtocolBinding::HttpJson) => Some(&HttpJson),
        (Version::V0_3, ProtocolBinding::JsonRpc) => Some(&JsonRpcV03),
        (Version::V0_3, ProtocolBinding::HttpJson) => Some(&HttpJsonV03),
        #[cfg(feature = "grpc")]
        (Version::V1_0, ProtocolBinding::Grpc) => Some(&Grpc(Version::V1_0)),
        #[cfg(feature = "grpc")]
        (Version::V0_3, ProtocolBinding::Grpc) => Some(&Grpc(Version::V0_3)),
        #[cfg(not(feature = "grpc"))]
        (Version::V1_0 | Version::V0_3, ProtocolBinding::Grpc) => None,
    }
}
