//! The messages of `sdk/proto`, as the generator writes them; `sdk/tests/generated.rs` compares.

/// A2A 1.0 (`lf.a2a.v1`).
#[expect(
    unreachable_pub,
    missing_debug_implementations,
    reason = "generated; some fields hold credentials, so no message can be shown"
)]
#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub(super) mod v1 {
    include!("generated/lf.a2a.v1.rs");
}

/// The error of a call and its details (`google.rpc`).
#[expect(unreachable_pub, reason = "generated")]
#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub(super) mod rpc {
    include!("generated/google.rpc.rs");
}

/// A2A 0.3 (`a2a.v1`).
#[expect(
    unreachable_pub,
    missing_debug_implementations,
    reason = "generated; some fields hold credentials, so no message can be shown"
)]
#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub(super) mod v03 {
    include!("generated/a2a.v1.rs");
}
