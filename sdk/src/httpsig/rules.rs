//! What profiles are made of.

use super::component::ComponentId;

/// A component that a signer of the profile covers.
#[derive(Clone, Debug)]
pub(super) enum Cover {
    Method,
    Authority,
    Path,
    Query,
    /// The field, when the request has it.
    Field(&'static str),
    /// `Content-Digest`, when there is a body.
    Digest,
    /// The member of `Signature-Agent`.
    Agent,
    /// What the caller asked for.
    Other(ComponentId<'static>),
}

/// What a verifier of the profile insists on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    pub(super) target: Target,
    /// `content-digest` when there is a body.
    pub(super) body: bool,
    /// `authorization`, `content-type`, `a2a-version` and `a2a-extensions` when the request has them.
    pub(super) fields: bool,
    pub(super) agent: Agent,
    /// `created` and `expires`.
    pub(super) times: bool,
    /// `keyid`, which is the thumbprint of the key.
    pub(super) keyid: bool,
    pub(super) nonce: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Target {
    Any,
    /// `@authority` or `@target-uri`.
    Host,
    /// `@method`, and `@target-uri` or all of `@authority`, `@path` and `@query`.
    Whole,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Agent {
    /// Not looked at.
    Any,
    /// As earlier drafts of Web Bot Auth have it: none, a bare string, or any member.
    Earlier,
    /// The member under the signature's label.
    Label,
}

/// Thumbprints of the keys of RFC 9421 B.1.4 (Ed25519) and B.1.3 (P-256).
pub(super) const TEST_KEYS: [[u8; 32]; 2] = [
    [
        0xa6, 0x8a, 0xa4, 0x2c, 0x68, 0xb2, 0x9a, 0x1f, 0xd6, 0xd2, 0xe3, 0xfa, 0x3d, 0x91, 0x70,
        0xf9, 0xdb, 0xde, 0xcf, 0x74, 0x09, 0x4f, 0x94, 0xa8, 0x96, 0xa5, 0xc1, 0x09, 0x6d, 0xfc,
        0xaf, 0x45,
    ],
    [
        0xc9, 0xd4, 0x17, 0x32, 0xdb, 0xdb, 0xb0, 0xeb, 0x19, 0xc8, 0x58, 0xab, 0xf9, 0x8e, 0xc0,
        0xf2, 0xde, 0xdf, 0x28, 0x43, 0x35, 0x81, 0xb2, 0x8f, 0xbf, 0x21, 0x64, 0x76, 0x9b, 0xb8,
        0x7e, 0xf2,
    ],
];
