//! Why a call did not bring an answer.

use crate::a2a::{A2aError, Operation};
use crate::card::{CardError, Unsatisfiable};
use crate::httpsig::SignatureError;
use crate::id::IdError;
use crate::oauth::OAuthError;
use crate::tls::TlsError;
use crate::token::{Challenge, ScopeError, Scopes};
use crate::workload::WorkloadError;

/// Why a call did not bring an answer. Each names the step of the outbound pipeline that refused.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The peer's address is not an `https` URL without user information, query or fragment.
    #[error(
        "the peer's address {url:?} is not a plain https URL; it is https://host:port, without path or user"
    )]
    PeerUrl {
        /// What was given.
        url: String,
    },
    /// The peer's name is not a SPIFFE ID.
    #[error("the peer's name: {0}")]
    PeerId(#[from] IdError),
    /// Our own certificate is missing or expired.
    #[error("our own certificate: {0}")]
    Workload(#[from] WorkloadError),
    /// The connection could not be had or proved the wrong peer.
    #[error("the connection: {0}")]
    Tls(#[from] TlsError),
    /// The Agent Card was refused (steps 1 and 2).
    #[error("the Agent Card: {0}")]
    Card(#[from] CardError),
    /// The peer did not serve its card.
    #[error("the peer answered {status} when asked for its Agent Card")]
    NoCard {
        /// The HTTP status.
        status: u16,
    },
    /// None of the card's alternatives can be met (step 3).
    #[error("the Agent Card's demands: {0}")]
    Unsatisfiable(#[from] Unsatisfiable),
    /// The card asks for a token of an issuer that this client does not know.
    #[error("the card names the issuer {named}, this client knows {known}")]
    Issuer {
        /// Whom the card names.
        named: String,
        /// Whom this client knows.
        known: String,
    },
    /// The card has no skill of this name.
    #[error("the agent's card has no skill {skill:?}")]
    NoSkill {
        /// What was asked for.
        skill: String,
    },
    /// The card sends calls to another origin than the one that served it.
    #[error("the card's interface {interface} is not on {origin}")]
    ForeignInterface {
        /// Where the card points.
        interface: String,
        /// Who served it.
        origin: String,
    },
    /// The card names a scope that is none (RFC 6749 §3.3).
    #[error("the card's scopes: {0}")]
    Scope(#[from] ScopeError),
    /// The token could not be had (step 4).
    #[error("the token: {0}")]
    OAuth(#[from] OAuthError),
    /// The request could not be signed (step 6).
    #[error("the signature: {0}")]
    Signature(#[from] SignatureError),
    /// The peer refused the call.
    #[error(
        "the peer refused the call: {status}{}; its audit log says why",
        challenge.as_ref().map(|c| format!(" ({c})")).unwrap_or_default()
    )]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The challenge of `WWW-Authenticate`, if there was one.
        challenge: Option<Challenge>,
    },
    /// The peer refused the call: the token is good, but it grants too little (RFC 6750 §3.1). Ask
    /// for `needed` as well, if that is wanted: [`Call::scopes`](super::Call::scopes).
    #[error("the peer refused the call: it needs the scopes {needed:?}")]
    InsufficientScope {
        /// The HTTP status.
        status: u16,
        /// What the call needs; empty when the peer does not say.
        needed: Scopes,
        /// The challenge of `WWW-Authenticate`.
        challenge: Challenge,
    },
    /// The peer takes no call right now: HTTP 429 or 503.
    #[error("the peer is busy: {status}{}", retry_after.map(|after| format!(", try again after {after:?}")).unwrap_or_default())]
    Busy {
        /// The HTTP status.
        status: u16,
        /// When to try again, if the peer said so.
        retry_after: Option<std::time::Duration>,
    },
    /// The chosen binding or version of the protocol has no such operation.
    #[error("{operation} cannot be said in {binding}")]
    NotInBinding {
        /// What was asked for.
        operation: Operation,
        /// The binding and its version.
        binding: &'static str,
    },
    /// It was not said which task the call is about.
    #[error("it was not said which task waits for it; `in_task` does")]
    NoTask,
    /// No call is being served here: [`scope`](super::scope()) is around none of it.
    #[error("no call is being served here; was the work spawned without its scope?")]
    NoCurrentCall,
    /// The call within which this one was made was taken back.
    #[error("the call this one belongs to was canceled")]
    Cancelled,
    /// The agent answered with an error of the protocol (A2A §9.5).
    #[error("the agent answered: {0}")]
    Agent(#[from] A2aError),
    /// The answer is not what the protocol allows.
    #[error("the answer is not of the protocol: {what}")]
    Answer {
        /// Which rule it breaks.
        what: String,
    },
    /// The answer is larger than allowed.
    #[error("the answer has over {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// A list does not come to an end: the agent names page after page.
    #[error("the agent's list has over {max} {what}")]
    Endless {
        /// The limit.
        max: usize,
        /// Of what.
        what: &'static str,
    },
    /// The connection broke before the answer was whole.
    #[error("the connection broke before the answer was whole")]
    Truncated,
    /// An event stream was silent for too long, without even a keep-alive.
    #[error("the event stream was silent for {after:?}")]
    Idle {
        /// How long it may be silent.
        after: std::time::Duration,
    },
    /// A key or password that the card asks for could not be sent.
    #[error("the credential for the scheme {scheme:?} {what}")]
    Credential {
        /// The scheme's name in the card.
        scheme: String,
        /// Why.
        what: &'static str,
    },
    /// An interceptor wanted to set a header that is none, or not its own to set.
    #[error("the header {name:?} cannot be set by an interceptor")]
    Header {
        /// Its name.
        name: String,
    },
    /// An interceptor stopped the call.
    #[error("an interceptor stopped the call: {what}")]
    Intercepted {
        /// Why.
        what: String,
    },
    /// No answer within the deadline.
    #[error("no answer within {after:?}")]
    Deadline {
        /// The deadline.
        after: std::time::Duration,
    },
}

impl ClientError {
    /// The fixed word for logs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::PeerUrl { .. } => "client.peer_url",
            Self::PeerId(error) => error.reason(),
            Self::Workload(error) => error.reason(),
            Self::Tls(error) => error.reason(),
            Self::Card(error) => error.reason(),
            Self::NoCard { .. } => "client.no_card",
            Self::Unsatisfiable(error) => error.reason(),
            Self::Issuer { .. } => "client.issuer",
            Self::NoSkill { .. } => "client.no_skill",
            Self::ForeignInterface { .. } => "client.foreign_interface",
            Self::Scope(_) => "client.scope",
            Self::OAuth(error) => error.reason(),
            Self::Signature(error) => error.reason(),
            Self::Refused { .. } => "client.refused",
            Self::InsufficientScope { .. } => "client.insufficient_scope",
            Self::Busy { .. } => "client.busy",
            Self::NotInBinding { .. } => "client.not_in_binding",
            Self::NoTask => "client.no_task",
            Self::NoCurrentCall => "client.no_current_call",
            Self::Cancelled => "client.cancelled",
            Self::Agent(_) => "client.agent_error",
            Self::Answer { .. } => "client.answer",
            Self::TooLong { .. } => "client.answer_too_long",
            Self::Endless { .. } => "client.endless",
            Self::Truncated => "client.truncated",
            Self::Idle { .. } => "client.stream_idle",
            Self::Credential { .. } => "client.credential",
            Self::Header { .. } => "client.header",
            Self::Intercepted { .. } => "client.intercepted",
            Self::Deadline { .. } => "client.deadline",
        }
    }
}
