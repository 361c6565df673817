//! Everything the authority can refuse, with the word for the log and the code for the client.

use http::StatusCode;

use crate::clock::UnixTime;
use crate::id::SpiffeId;

/// Why the authority refused a request.
///
/// The client learns [`Refusal::error`] and nothing else; [`Refusal::reason`] and the text, with
/// both values of the broken rule, go into the audit log.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The body is over the limit.
    #[error("the body is longer than {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// The body is not of the media type that the endpoint reads.
    #[error("the body is not {wanted}")]
    MediaType {
        /// What the endpoint reads.
        wanted: &'static str,
    },
    /// The body cannot be read.
    #[error("the body is malformed: {why}")]
    Malformed {
        /// The rule that it breaks.
        why: &'static str,
    },
    /// A parameter stands in the form twice (RFC 6749 §3.2).
    #[error("the parameter {name:?} is repeated")]
    Repeated {
        /// Its name.
        name: String,
    },
    /// A parameter is missing.
    #[error("the parameter {name:?} is missing")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// Not one of the two grants.
    #[error("the grant type {grant_type:?} is not supported")]
    GrantType {
        /// What was asked for.
        grant_type: String,
    },

    /// The connection has no client certificate (RFC 8705 §2.1).
    #[error("the client showed no certificate")]
    NoCertificate,
    /// The certificate is of no agent of this authority, or of one that was shut out.
    #[error("{peer} is no agent of this authority")]
    UnknownClient {
        /// Whose certificate it is.
        peer: SpiffeId,
    },
    /// `client_id` is not the SPIFFE ID of the certificate.
    #[error("client_id is {client_id:?}, the certificate is of {peer}")]
    NotPeer {
        /// The parameter.
        client_id: String,
        /// Whose certificate it is.
        peer: SpiffeId,
    },
    /// Another way of authentication is tried beside the certificate (RFC 6749 §2.3).
    #[error("the client also authenticates by {method}")]
    Method {
        /// The header or parameter.
        method: &'static str,
    },

    /// The resource is missing, repeated or not an absolute URI without fragment (RFC 8707 §2).
    #[error("exactly one absolute URI without fragment is needed as resource, not {resource:?}")]
    TargetMalformed {
        /// What was sent.
        resource: String,
    },
    /// The resource is no agent of this authority.
    #[error("{resource:?} is no agent of this authority")]
    TargetUnknown {
        /// What was sent.
        resource: String,
    },
    /// The scope is not a list of scope tokens (RFC 6749 §3.3).
    #[error("the scope {scope:?} is malformed")]
    ScopeMalformed {
        /// What was sent.
        scope: String,
    },
    /// An agent asked for itself for more than it is allowed.
    #[error("asked for {asked:?}, the agent is allowed {allowed:?}")]
    ScopeExceedsClient {
        /// The requested scope.
        asked: String,
        /// What the agent is allowed.
        allowed: String,
    },

    /// `subject_token_type` or `requested_token_type` is not that of access tokens.
    #[error("{parameter} is {value:?}; only access tokens are exchanged")]
    TokenType {
        /// Which parameter.
        parameter: &'static str,
        /// Its value.
        value: String,
    },
    /// The subject token is malformed, not ours, or expired.
    #[error("the subject token is not acceptable: {why}")]
    SubjectInvalid {
        /// The reason word of the broken rule.
        why: &'static str,
    },
    /// The requester is not in the subject token's audience.
    #[error("the subject token is for {audience:?}, but {requester} asks")]
    NotAudience {
        /// The subject token's audience.
        audience: String,
        /// Who asks.
        requester: SpiffeId,
    },
    /// The subject token says who may act, and it is not the requester (RFC 8693 §4.4).
    #[error("the subject token lets {allowed} act, {requester} asks")]
    MayAct {
        /// The `may_act` claim.
        allowed: String,
        /// Who asks.
        requester: SpiffeId,
    },
    /// The subject token speaks for somebody without saying who acts.
    #[error("the subject token of {subject:?} names no actor")]
    Impersonation {
        /// Its subject.
        subject: String,
    },
    /// The chain in the subject token is malformed.
    #[error("the act chain of the subject token is malformed: {why}")]
    Chain {
        /// The reason word of the broken rule.
        why: &'static str,
    },
    /// The chain would become longer than is issued.
    #[error("the chain would be {depth} actors long, {max} are issued")]
    Depth {
        /// Its length with the requester.
        depth: usize,
        /// The limit.
        max: usize,
    },
    /// The requester has acted in this chain before.
    #[error("{requester} already stands in the chain")]
    Loop {
        /// Who asks.
        requester: SpiffeId,
    },
    /// The actor token is malformed, not ours, expired, delegated, or of another agent.
    #[error("the actor token is not acceptable: {why}")]
    ActorToken {
        /// The rule that it breaks.
        why: &'static str,
    },
    /// Asked for more than the subject token has.
    #[error("asked for {asked:?}, the subject token has {granted:?}")]
    ScopeExceedsSubject {
        /// The requested scope.
        asked: String,
        /// What the subject token has.
        granted: String,
    },
    /// Asked for more than the requester is allowed.
    #[error("asked for {asked:?}, {requester} is allowed {allowed:?}")]
    ScopeExceedsAgent {
        /// The requested scope.
        asked: String,
        /// Who asks.
        requester: SpiffeId,
        /// What it is allowed.
        allowed: String,
    },

    /// The agent may not log users in.
    #[error("{agent} may not log users in")]
    LoginAgent {
        /// Who asks.
        agent: SpiffeId,
    },
    /// There is no such user.
    #[error("there is no user {user:?}")]
    UnknownUser {
        /// The name.
        user: String,
    },
    /// Asked for more than the user has.
    #[error("asked for {asked:?}, {user} is granted {granted:?}")]
    ScopeExceedsUser {
        /// The requested scope.
        asked: String,
        /// Who would log in.
        user: String,
        /// What the user has.
        granted: String,
    },

    /// The enrolment code is wrong, used up or expired.
    #[error("the enrolment code is not valid")]
    EnrolmentCode,
    /// Neither an enrolment code nor a certificate to renew.
    #[error("neither an enrolment code nor a certificate of this authority was shown")]
    NoEnrolment,
    /// Code and certificate are of different agents.
    #[error("the code is for {code}, the certificate is of {peer}")]
    TwoAgents {
        /// The agent of the code.
        code: SpiffeId,
        /// The agent of the certificate.
        peer: SpiffeId,
    },
    /// The proof of possession does not hold.
    #[error("the proof of possession does not hold: {why}")]
    Proof {
        /// The rule that it breaks.
        why: &'static str,
    },
    /// A renewal names the key of the certificate that it renews.
    #[error("the key of the old certificate cannot be used again")]
    KeyReused,

    /// The authority could not sign or record; nothing was issued.
    #[error("the authority failed at {now}: {what}")]
    Internal {
        /// What failed.
        what: &'static str,
        /// When.
        now: UnixTime,
    },
}

impl Refusal {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "request.too_long",
            Self::MediaType { .. } => "request.media_type",
            Self::Malformed { .. } => "request.malformed",
            Self::Repeated { .. } => "request.repeated_parameter",
            Self::Missing { .. } => "request.missing_parameter",
            Self::GrantType { .. } => "request.grant_type",
            Self::NoCertificate => "client.certificate",
            Self::UnknownClient { .. } => "client.unknown",
            Self::NotPeer { .. } => "client.not_peer",
            Self::Method { .. } => "client.method",
            Self::TargetMalformed { .. } => "target.malformed",
            Self::TargetUnknown { .. } => "target.unknown",
            Self::ScopeMalformed { .. } => "request.scope",
            Self::ScopeExceedsClient { .. } => "grant.scope_exceeds_agent",
            Self::TokenType { .. } => "exchange.token_type",
            Self::SubjectInvalid { .. } => "exchange.subject_invalid",
            Self::NotAudience { .. } => "exchange.not_audience",
            Self::MayAct { .. } => "exchange.may_act",
            Self::Impersonation { .. } => "exchange.impersonation",
            Self::Chain { .. } => "exchange.chain",
            Self::Depth { .. } => "exchange.depth",
            Self::Loop { .. } => "exchange.loop",
            Self::ActorToken { .. } => "exchange.actor_token",
            Self::ScopeExceedsSubject { .. } => "exchange.scope_exceeds_subject",
            Self::ScopeExceedsAgent { .. } => "exchange.scope_exceeds_agent",
            Self::LoginAgent { .. } => "login.agent",
            Self::UnknownUser { .. } => "login.unknown_user",
            Self::ScopeExceedsUser { .. } => "login.scope_exceeds_user",
            Self::EnrolmentCode => "authority.enrolment_code",
            Self::NoEnrolment => "authority.no_enrolment",
            Self::TwoAgents { .. } => "authority.two_agents",
            Self::Proof { .. } => "authority.proof",
            Self::KeyReused => "authority.key_reused",
            Self::Internal { .. } => "authority.internal",
        }
    }

    /// The `error` that the client is told (RFC 6749 §5.2, RFC 8693 §2.2.2, RFC 8707 §2).
    pub const fn error(&self) -> &'static str {
        match self {
            Self::GrantType { .. } => "unsupported_grant_type",
            Self::NoCertificate
            | Self::UnknownClient { .. }
            | Self::NotPeer { .. }
            | Self::Method { .. } => "invalid_client",
            Self::TargetMalformed { .. } | Self::TargetUnknown { .. } => "invalid_target",
            Self::ScopeMalformed { .. }
            | Self::ScopeExceedsClient { .. }
            | Self::ScopeExceedsSubject { .. }
            | Self::ScopeExceedsAgent { .. }
            | Self::ScopeExceedsUser { .. } => "invalid_scope",
            Self::LoginAgent { .. } => "unauthorized_client",
            Self::UnknownUser { .. } => "invalid_grant",
            Self::EnrolmentCode | Self::NoEnrolment | Self::TwoAgents { .. } => "access_denied",
            Self::Internal { .. } => "server_error",
            // RFC 8693 §2.2.2: a subject or actor token that is not acceptable is invalid_request.
            Self::TooLong { .. }
            | Self::MediaType { .. }
            | Self::Malformed { .. }
            | Self::Repeated { .. }
            | Self::Missing { .. }
            | Self::TokenType { .. }
            | Self::SubjectInvalid { .. }
            | Self::NotAudience { .. }
            | Self::MayAct { .. }
            | Self::Impersonation { .. }
            | Self::Chain { .. }
            | Self::Depth { .. }
            | Self::Loop { .. }
            | Self::ActorToken { .. }
            | Self::Proof { .. }
            | Self::KeyReused => "invalid_request",
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            _ => match self.error() {
                "invalid_client" => StatusCode::UNAUTHORIZED,
                "access_denied" => StatusCode::FORBIDDEN,
                _ => StatusCode::BAD_REQUEST,
            },
        }
    }
}
