//! What profiles are made of.

use std::borrow::Cow;

use http::HeaderName;

use super::component::ComponentId;
use super::params::ParamValue;
use super::revision::Revision;

/// A component that a signer of the profile covers.
#[derive(Clone, Debug)]
pub(super) enum Cover {
    Method,
    Authority,
    Path,
    Query,
    /// The field, when the request has it.
    Field(Cow<'static, str>),
    /// `Content-Digest`, when there is a body.
    Digest,
    /// The member of `Signature-Agent`.
    Agent,
    /// What the caller asked for.
    Other(ComponentId<'static>),
}

/// A parameter that a signer of the profile writes, in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SignerParam {
    /// `created`: the time of signing.
    Created,
    /// `expires`: the profile's life later.
    Expires,
    /// `keyid`: the JWK thumbprint of the key.
    Keyid,
    /// `alg`: the key's algorithm, by its name in the registry of RFC 9421 §6.2.
    Alg,
    /// `nonce`: what the caller gives, in base64.
    Nonce,
    /// `tag`: the profile's.
    Tag,
    /// `wimse-aud`: for whom the request is (draft-ietf-wimse-http-signature).
    Audience,
    /// Any other, always with the same value.
    Fixed(String, ParamValue),
}

/// What a verifier of the profile insists on.
#[derive(Clone, Debug)]
pub(super) struct Needs {
    pub(super) target: Target,
    /// `content-digest` when there is a body.
    pub(super) body: bool,
    /// Fields that are covered when the message has them.
    pub(super) fields: FieldSet,
    /// The form of `Signature-Agent`; `None` when it is not looked at.
    pub(super) agent: Option<Revision>,
    /// `created` and `expires`.
    pub(super) times: bool,
    pub(super) keyid: Keyid,
    pub(super) nonce: bool,
    pub(super) audience: Option<Audience>,
    /// More components that are covered always.
    pub(super) always: Vec<ComponentId<'static>>,
    /// More fields that are covered when the message has them.
    pub(super) present: Vec<HeaderName>,
    /// More parameters, with their values.
    pub(super) params: Vec<(String, ParamValue)>,
    /// What ties a response to its request.
    pub(super) request: RequestTie,
}

impl Needs {
    /// Nothing.
    pub(super) const fn none() -> Self {
        Self {
            target: Target::Any,
            body: false,
            fields: FieldSet::NONE,
            agent: None,
            times: false,
            keyid: Keyid::Any,
            nonce: false,
            audience: None,
            always: Vec::new(),
            present: Vec::new(),
            params: Vec::new(),
            request: RequestTie::None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Target {
    Any,
    /// `@authority` or `@target-uri`.
    Host,
    /// `@method`, and `@target-uri` or all of `@authority`, `@path` and `@query`.
    Whole,
    /// `@method` and `@request-target`: the request line.
    Line,
}

/// Whether `keyid` is there, and what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keyid {
    Any,
    /// It is there, and the thumbprint of the key.
    Thumbprint,
    /// Neither it nor `alg` may be there: the key comes with a token.
    Refused,
}

/// For whom a request is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Audience {
    /// The target's URI without its query.
    Target,
    /// One of these; a signer writes the first.
    Named(Vec<String>),
}

/// What ties a response to its request, beside components with `req`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RequestTie {
    None,
    /// The request's own signature is covered, when it has one.
    Signature,
    /// The nonce of the request's signature stands in `wimse-req-nonce`.
    Nonce,
}

/// A set of the fields that profiles know by name.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct FieldSet(u8);

impl FieldSet {
    pub(super) const NONE: Self = Self(0);
    pub(super) const CONTENT_TYPE: Self = Self(1);
    pub(super) const AUTHORIZATION: Self = Self(1 << 1);
    pub(super) const VERSION: Self = Self(1 << 2);
    pub(super) const EXTENSIONS: Self = Self(1 << 3);
    pub(super) const DIGEST: Self = Self(1 << 4);
    pub(super) const TXN_TOKEN: Self = Self(1 << 5);
    pub(super) const WORKLOAD_TOKEN: Self = Self(1 << 6);

    pub(super) const fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    pub(super) const fn has(self, field: Self) -> bool {
        self.0 & field.0 == field.0
    }
}
