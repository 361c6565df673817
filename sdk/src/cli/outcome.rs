//! What a command has to say, for people and for machines.

use std::fmt::Display;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::client::ClientError;
use crate::oauth::OAuthError;
use crate::tls::TlsError;

/// A command that was carried out.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) text: String,
    pub(super) json: Value,
    /// Whether it went as hoped: exit code 0, otherwise 1.
    pub(super) good: bool,
}

impl Outcome {
    pub(super) fn good(text: impl Into<String>, json: Value) -> Self {
        Self {
            text: text.into(),
            json,
            good: true,
        }
    }

    pub(super) fn bad(text: impl Into<String>, json: Value) -> Self {
        Self {
            good: false,
            ..Self::good(text, json)
        }
    }
}

/// A command that could not do what it was asked.
#[derive(Debug)]
pub(super) enum Stop {
    /// Somebody, or a check, said no: exit code 1.
    Refused { reason: &'static str, what: String },
    /// The request made no sense: exit code 2.
    Usage(String),
    /// A file, a peer or the network was not there: exit code 3.
    Failed { what: String, advice: &'static str },
}

impl Stop {
    pub(super) fn failed(what: impl Display, advice: &'static str) -> Self {
        Self::Failed {
            what: what.to_string(),
            advice,
        }
    }

    pub(super) fn usage(what: impl Display) -> Self {
        Self::Usage(what.to_string())
    }

    const fn code(&self) -> u8 {
        match self {
            Self::Refused { .. } => 1,
            Self::Usage(_) => 2,
            Self::Failed { .. } => 3,
        }
    }
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        let what = error.to_string();
        let reason = error.reason();
        match &error {
            ClientError::PeerUrl { .. } | ClientError::PeerId(_) => Self::Usage(what),
            ClientError::Tls(TlsError::Connect { .. } | TlsError::Timeout { .. }) => {
                Self::failed(what, "check the address, and that the agent is running")
            }
            ClientError::OAuth(OAuthError::Connection(_) | OAuthError::Deadline { .. }) => {
                Self::failed(
                    what,
                    "check that the authority is running; `countersign doctor` looks at it",
                )
            }
            ClientError::Workload(_) => Self::failed(
                what,
                "the certificate must be renewed; `countersign doctor` looks at it",
            ),
            ClientError::Deadline { .. } | ClientError::Truncated => {
                Self::failed(what, "try again; if it stays so, look at the agent's log")
            }
            _ => Self::Refused { reason, what },
        }
    }
}

/// Prints the result and gives the exit code.
pub(super) fn print(result: Result<Outcome, Stop>, as_json: bool) -> ExitCode {
    match result {
        Ok(outcome) => {
            if as_json {
                println!("{}", outcome.json);
            } else {
                println!("{}", harmless(outcome.text.trim_end()));
            }
            ExitCode::from(u8::from(!outcome.good))
        }
        Err(stop) => {
            let code = stop.code();
            let (text, value) = match stop {
                Stop::Refused { reason, what } => (
                    format!("refused: {what}"),
                    json!({ "ok": false, "reason": reason, "error": what }),
                ),
                Stop::Usage(what) => (what.clone(), json!({ "ok": false, "error": what })),
                Stop::Failed { what, advice } => (
                    format!("{what}\n{advice}"),
                    json!({ "ok": false, "error": what, "advice": advice }),
                ),
            };
            if as_json {
                println!("{value}");
            } else {
                eprintln!("{}", harmless(&text));
            }
            ExitCode::from(code)
        }
    }
}

/// The text without what would steer the terminal: peers have written parts of it.
fn harmless(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => c,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_says_does_not_steer_the_terminal() {
        for bad in ['\u{1b}', '\r', '\u{7}', '\u{9b}', '\u{202e}'] {
            assert_eq!(harmless(&format!("a{bad}b")), "a\u{fffd}b");
        }
        assert_eq!(harmless("✓ Łucja\n\tb"), "✓ Łucja\n\tb");
    }
}
