//! The revisions of Web Bot Auth, and what a verifier may let pass.

/// A revision of Web Bot Auth. A signer writes exactly this one; a verifier takes this one, and
/// what its [`Tolerance`]s name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Revision {
    /// draft-ietf-webbotauth-httpsig-protocol-01: `Signature-Agent` is a dictionary whose member
    /// under the signature's label is the URL of a JWK Set, without parameters.
    Ietf01,
    /// draft-meunier-webbotauth-httpsig-protocol-02: the member has a `type`; without one it names
    /// an origin, which has its keys at the well-known place.
    Meunier02,
    /// Before 2025-10: `Signature-Agent` is one string for the whole message.
    Legacy,
}

/// What a verifier lets pass although its profile says otherwise. Signers never make use of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Tolerance {
    /// `Signature-Agent` is a bare string, as in [`Revision::Legacy`].
    BareSignatureAgent,
    /// The covered member of `Signature-Agent` is not named like the signature's label.
    ForeignMember,
    /// The member has parameters; `type` says what it is, as in [`Revision::Meunier02`].
    AgentParameters,
    /// There is no `Signature-Agent`: the signer is known by the thumbprint of its key only.
    NoSignatureAgent,
    /// The signature lives longer than the profile allows.
    LongLife,
}

/// Some tolerances.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Tolerances(u8);

impl Tolerances {
    pub(super) fn add(&mut self, tolerance: Tolerance) {
        self.0 |= bit(tolerance);
    }

    pub(super) fn has(self, tolerance: Tolerance) -> bool {
        self.0 & bit(tolerance) != 0
    }
}

const fn bit(tolerance: Tolerance) -> u8 {
    match tolerance {
        Tolerance::BareSignatureAgent => 1,
        Tolerance::ForeignMember => 1 << 1,
        Tolerance::AgentParameters => 1 << 2,
        Tolerance::NoSignatureAgent => 1 << 3,
        Tolerance::LongLife => 1 << 4,
    }
}
