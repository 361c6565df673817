//! Why the proofs of a request do not make one caller.

use super::Actor;
use crate::crypto::CertThumbprint;
use crate::id::SpiffeId;

/// Why a delegation was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DelegationError {
    /// An `act` is not a JSON object; a list of actors is not one either.
    #[error("the act claim at depth {depth} is not an object")]
    NotObject {
        /// How deep, the outermost being 1.
        depth: usize,
    },
    /// An `act` does not say who acts, or says it with something else than a text.
    #[error("the act claim at depth {depth} has no usable {member:?}")]
    Member {
        /// How deep, the outermost being 1.
        depth: usize,
        /// `sub` or `iss`.
        member: &'static str,
    },
    /// More actors than allowed.
    #[error("the act chain is deeper than {max} actors")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// An actor stands twice in the chain, with another one between.
    #[error("{actor} stands twice in the act chain")]
    Loop {
        /// Which.
        actor: Actor,
    },
    /// The peer stands in the chain, but not outermost: the issuer nests the wrong way round.
    #[error(
        "the act chain looks inverted: the peer {peer} stands at depth {depth}, outermost is \
         {outermost}"
    )]
    Inverted {
        /// The actor that the token calls the current one.
        outermost: Actor,
        /// Who is calling.
        peer: SpiffeId,
        /// Where the peer stands, the outermost being 1.
        depth: usize,
    },
    /// The current actor is not the peer.
    #[error("the token's current actor is {actor}, the peer is {peer}")]
    ActorNotPeer {
        /// The outermost actor.
        actor: Actor,
        /// Who is calling.
        peer: SpiffeId,
    },
    /// The token speaks for somebody else and does not say who acts.
    #[error("the token speaks for {subject:?} without naming an actor, the peer is {peer}")]
    Impersonation {
        /// The token's `sub`.
        subject: String,
        /// Who is calling.
        peer: SpiffeId,
    },
    /// The token was issued to another client than the agent that acts.
    #[error("the token was issued to {client_id:?}, the peer is {peer}")]
    ClientNotActor {
        /// The token's `client_id`.
        client_id: String,
        /// Who is calling.
        peer: SpiffeId,
    },
    /// The token was proved for another certificate than the request was.
    #[error("the token is bound to the certificate {token}, the request was signed for {request}")]
    ProofsDisagree {
        /// The certificate the token is bound to.
        token: CertThumbprint,
        /// The certificate of the signature's owner.
        request: CertThumbprint,
    },
}

impl DelegationError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotObject { .. } | Self::Member { .. } => "delegation.malformed",
            Self::TooDeep { .. } => "delegation.too_deep",
            Self::Loop { .. } => "delegation.loop",
            Self::Inverted { .. } => "delegation.inverted",
            Self::ActorNotPeer { .. } => "delegation.actor_not_peer",
            Self::Impersonation { .. } => "delegation.impersonation",
            Self::ClientNotActor { .. } => "delegation.client_not_actor",
            Self::ProofsDisagree { .. } => "delegation.proofs_disagree",
        }
    }
}
