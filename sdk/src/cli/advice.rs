//! What to do about what went wrong on the way to a peer.

use super::outcome::{Kind, Stop};
use crate::card::CardError;
use crate::client::ClientError;
use crate::oauth::OAuthError;
use crate::tls::TlsError;
use crate::workload::WorkloadError;

const RENEW: &str = "put a fresh cert.pem, key.pem and bundle.pem into the identity folder; \
     `countersign doctor` looks at each";
const AGAIN: &str = "try again; if it stays so, look at the log of whoever answers there";

/// What is wrong with a connection, and what to do.
pub(super) const fn tls(error: &TlsError) -> (Kind, &'static str) {
    match error {
        TlsError::Connect { .. } => (
            Kind::Failed,
            "check the address, and that somebody listens there",
        ),
        TlsError::Timeout { .. } | TlsError::Http { .. } => (Kind::Failed, AGAIN),
        TlsError::NoHttp2 { .. } => (
            Kind::Failed,
            "let the agent speak HTTP/2 there, or call it by another binding",
        ),
        TlsError::OwnExpired(_) => (Kind::Failed, RENEW),
        TlsError::Url { .. } => (
            Kind::Usage,
            "give https://host:port, without user, path, query or fragment",
        ),
        TlsError::PeerNotExpected { .. } => (
            Kind::Refused,
            "nothing was sent: correct the address, or who is expected there (--peer, [peers] or \
             `authority` in countersign.toml)",
        ),
        TlsError::PeerUntrusted { .. } | TlsError::NotTrusted { .. } => (
            Kind::Refused,
            "nothing was sent: take bundle.pem from the authority that runs now (a development \
             authority has a new root at each start), and compare the clocks",
        ),
        TlsError::PeerRejectedUs { .. } => (
            Kind::Refused,
            "take cert.pem and key.pem from the authority that the peer trusts, and compare the \
             clocks: `countersign doctor`",
        ),
        TlsError::PeerExpired { .. } => (
            Kind::Refused,
            "the peer's certificate ended: look at its log for why it is not renewed",
        ),
        TlsError::Handshake { .. } => (
            Kind::Refused,
            "check the address: an agent speaks TLS 1.3 there",
        ),
    }
}

/// What is wrong with the authority, and what to do.
pub(super) fn oauth(error: &OAuthError) -> (Kind, &'static str) {
    match error {
        OAuthError::Connection(error) => match tls(error) {
            (Kind::Failed, _) => (
                Kind::Failed,
                "start the authority, or correct `issuer` in countersign.toml",
            ),
            other => other,
        },
        OAuthError::Deadline { .. } | OAuthError::Body { .. } => (Kind::Failed, AGAIN),
        OAuthError::Status { status } if status.is_server_error() => (Kind::Failed, AGAIN),
        OAuthError::NoIdentity(_) => (Kind::Failed, RENEW),
        OAuthError::Issuer { .. } | OAuthError::Address { .. } => (
            Kind::Refused,
            "write `issuer` in countersign.toml as the authority writes it",
        ),
        OAuthError::Metadata { .. } => (
            Kind::Refused,
            "the authority lacks what is needed: --user works with a development authority only",
        ),
        OAuthError::Refused { .. } => (
            Kind::Refused,
            "ask for fewer scopes (--scope), or for a user who granted them and an agent that may \
             have them; the authority's log says which rule refused",
        ),
        OAuthError::Expired { .. } => (
            Kind::Refused,
            "compare this machine's clock with the authority's: `countersign doctor`",
        ),
        OAuthError::Keys
        | OAuthError::Status { .. }
        | OAuthError::Answer { .. }
        | OAuthError::BindingLost { .. }
        | OAuthError::ChainLost { .. }
        | OAuthError::Claim { .. }
        | OAuthError::ScopeWidened { .. }
        | OAuthError::Outlives { .. } => (
            Kind::Refused,
            "nothing was sent: the authority's answer breaks a rule, which its operator must mend",
        ),
    }
}

fn refusal(status: u16) -> &'static str {
    match status {
        401 => "the agent's audit log says which rule of the token was broken; compare the clocks",
        403 => {
            "its policy lets this caller do this not, or not for itself: try --user, --skill or \
             --scope; the agent's audit log names the rule"
        }
        429 => "wait a little and try again",
        500.. => AGAIN,
        _ => "the agent's audit log says why",
    }
}

/// What is wrong with a call, and what to do.
pub(super) fn client(error: &ClientError) -> (Kind, &'static str) {
    match error {
        ClientError::PeerUrl { .. } => (
            Kind::Usage,
            "give https://host:port, without user, path, query or fragment",
        ),
        ClientError::PeerId(_) => (
            Kind::Usage,
            "give the agent's SPIFFE ID: spiffe://domain/path",
        ),
        ClientError::Tls(error) => tls(error),
        ClientError::OAuth(error) => oauth(error),
        ClientError::Workload(_) => (Kind::Failed, RENEW),
        ClientError::Deadline { .. } | ClientError::Truncated | ClientError::Idle { .. } => {
            (Kind::Failed, AGAIN)
        }
        ClientError::Refused { status, .. } if *status >= 500 => (Kind::Failed, AGAIN),
        ClientError::Refused { status, .. } => (Kind::Refused, refusal(*status)),
        ClientError::Busy { .. } => (Kind::Failed, AGAIN),
        ClientError::InsufficientScope { .. } => (
            Kind::Refused,
            "ask for the scopes it names as well: --scope, and --user when a person must grant them",
        ),
        ClientError::NotInBinding { .. } => (
            Kind::Refused,
            "the agent's interface cannot do this; `countersign card show` lists the others",
        ),
        ClientError::Credential { .. }
        | ClientError::Header { .. }
        | ClientError::Intercepted { .. } => (
            Kind::Refused,
            "the application that uses this client must be mended",
        ),
        ClientError::NoCurrentCall | ClientError::NoTask | ClientError::Cancelled => {
            (Kind::Failed, AGAIN)
        }
        ClientError::NoCard { status } if *status >= 500 => (Kind::Failed, AGAIN),
        ClientError::NoCard { .. } => (
            Kind::Refused,
            "check the address: an agent serves /.well-known/agent-card.json there",
        ),
        ClientError::Card(error) => (Kind::Refused, card(error)),
        ClientError::NoSkill { .. } => (Kind::Refused, "`countersign card show` lists its skills"),
        ClientError::Issuer { .. } => (
            Kind::Refused,
            "use an identity of the authority that the agent trusts",
        ),
        ClientError::Unsatisfiable(_) => (
            Kind::Refused,
            "`countersign card show` prints what it demands",
        ),
        ClientError::TooLong { .. } => (Kind::Refused, "ask for less"),
        ClientError::Agent(_) => (
            Kind::Refused,
            "the agent took the call and could not answer it; its log says why",
        ),
        ClientError::ForeignInterface { .. }
        | ClientError::Scope(_)
        | ClientError::Signature(_)
        | ClientError::Answer { .. }
        | ClientError::Endless { .. } => (Kind::Refused, "its operator must mend the agent"),
    }
}

fn card(error: &CardError) -> &'static str {
    match error.reason() {
        "card.not_peers" => {
            "do not trust it: somebody serves the card of another agent; ask the agent's operator"
        }
        _ => "do not trust it: the card must be signed by the agent that serves it",
    }
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        let (kind, advice) = client(&error);
        let stop = Self::new(kind, error.reason(), &error, advice);
        match error {
            ClientError::Refused { status, challenge } => {
                let challenge = challenge.map(|challenge| challenge.to_string());
                stop.with("status", status).with("challenge", challenge)
            }
            ClientError::InsufficientScope {
                status, challenge, ..
            } => stop
                .with("status", status)
                .with("challenge", challenge.to_string()),
            ClientError::Busy { status, .. } | ClientError::NoCard { status } => {
                stop.with("status", status)
            }
            _ => stop,
        }
    }
}

impl From<WorkloadError> for Stop {
    fn from(error: WorkloadError) -> Self {
        Self::failed(error.reason(), &error, RENEW)
    }
}
