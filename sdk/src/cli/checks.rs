//! What `countersign doctor` found.

use serde_json::{Value, json};

use super::outcome::Outcome;
use super::plain::line;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Good,
    /// Works today, but should be mended.
    Warn,
    Bad,
    /// Not looked at: something it needs is bad.
    Skipped,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Skipped => "skipped",
        }
    }

    const fn mark(self) -> char {
        match self {
            Self::Good => '✓',
            Self::Warn => '!',
            Self::Bad => '✗',
            Self::Skipped => '–',
        }
    }
}

#[derive(Debug)]
struct Check {
    name: String,
    state: State,
    found: String,
    advice: Option<String>,
}

/// The findings, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, name: &str, state: State, found: String, advice: Option<String>) {
        self.0.push(Check {
            name: name.to_owned(),
            state,
            found,
            advice,
        });
    }

    pub(super) fn good(&mut self, name: &str, found: impl Into<String>) {
        self.add(name, State::Good, found.into(), None);
    }

    pub(super) fn warn(&mut self, name: &str, found: impl Into<String>, advice: impl Into<String>) {
        self.add(name, State::Warn, found.into(), Some(advice.into()));
    }

    pub(super) fn bad(&mut self, name: &str, found: impl Into<String>, advice: impl Into<String>) {
        self.add(name, State::Bad, found.into(), Some(advice.into()));
    }

    pub(super) fn skip(&mut self, name: &str, why: &str) {
        self.add(name, State::Skipped, format!("not looked at: {why}"), None);
    }

    pub(super) fn finish(self) -> Outcome {
        let bad: Vec<_> = self.0.iter().filter(|c| c.state == State::Bad).collect();
        let mut text = String::new();
        for check in &self.0 {
            text += &format!(
                "{} {:<16} {}\n",
                check.state.mark(),
                line(&check.name),
                line(&check.found)
            );
            if let Some(advice) = &check.advice {
                text += &format!("  what to do:      {advice}\n");
            }
        }
        let checks = self.0.iter().map(|check| {
            json!({
                "check": check.name, "state": check.state.word(), "found": check.found,
                "advice": check.advice,
            })
        });
        let mut value = json!({ "ok": bad.is_empty(), "checks": checks.collect::<Vec<Value>>() });
        if let Some(first) = bad.first() {
            value["reason"] = "doctor.bad".into();
            value["error"] = format!("{}: {}", first.name, first.found).into();
            value["advice"] = first.advice.clone().into();
        }
        Outcome {
            text,
            json: value,
            good: bad.is_empty(),
        }
    }
}
