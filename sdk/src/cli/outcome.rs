//! What a command has to say, for people and for machines.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::plain;

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

/// Whose fault it is that a command was not done; the value is the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Somebody, or a check, said no.
    Refused = 1,
    /// The request made no sense.
    Usage = 2,
    /// A file, a peer or the network was not there.
    Failed = 3,
}

/// A command that could not do what it was asked: what broke, and what to do.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) kind: Kind,
    pub(super) reason: &'static str,
    pub(super) what: String,
    pub(super) advice: &'static str,
    /// What else a program should know.
    pub(super) more: Map<String, Value>,
}

impl Stop {
    pub(super) fn new(
        kind: Kind,
        reason: &'static str,
        what: impl Display,
        advice: &'static str,
    ) -> Self {
        Self {
            kind,
            reason,
            what: what.to_string(),
            advice,
            more: Map::new(),
        }
    }

    pub(super) fn refused(reason: &'static str, what: impl Display, advice: &'static str) -> Self {
        Self::new(Kind::Refused, reason, what, advice)
    }

    pub(super) fn usage(what: impl Display, advice: &'static str) -> Self {
        Self::new(Kind::Usage, "cli.usage", what, advice)
    }

    pub(super) fn failed(reason: &'static str, what: impl Display, advice: &'static str) -> Self {
        Self::new(Kind::Failed, reason, what, advice)
    }

    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    fn json(self) -> Value {
        let mut value = json!({
            "ok": false, "reason": self.reason, "error": self.what, "advice": self.advice,
        });
        if let Some(members) = value.as_object_mut() {
            members.extend(self.more);
        }
        value
    }
}

/// Writes a line; a reader that went away wants no more, which is no failure of ours.
pub(super) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Prints the result and gives the exit code.
pub(super) fn print(result: Result<Outcome, Stop>, as_json: bool) -> ExitCode {
    match result {
        Ok(outcome) => {
            let text = outcome.text.trim_end();
            if as_json {
                // Null was said before, by a command that goes on after it.
                if !outcome.json.is_null() {
                    say(&outcome.json.to_string());
                }
            } else if !text.is_empty() {
                say(&plain::lines(text));
            }
            ExitCode::from(u8::from(!outcome.good))
        }
        Err(stop) => {
            let code = ExitCode::from(stop.kind as u8);
            if as_json {
                say(&stop.json().to_string());
            } else {
                let text = format!("✗ {}\n  what to do: {}", stop.what, stop.advice);
                let _ = writeln!(std::io::stderr(), "{}", plain::lines(&text));
            }
            code
        }
    }
}
