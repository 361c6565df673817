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
