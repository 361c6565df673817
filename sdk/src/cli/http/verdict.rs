//! What became of a signature, for people and for machines.

use serde_json::json;

use super::args::ProfileName;
use crate::cli::outcome::Outcome;
use crate::cli::plain::line;
use crate::clock::UnixTime;
use crate::httpsig::{self, SignatureClaims, SignatureError};

/// Verified, invalid or unverified, with the reason.
#[derive(Debug)]
pub(super) struct Verdict {
    word: &'static str,
    reason: Option<&'static str>,
    what: String,
    claims: Option<SignatureClaims>,
    attributed_to: Option<String>,
    covers_body: bool,
}

impl Verdict {
    pub(super) fn of(outcome: &httpsig::Outcome) -> Self {
        let (what, verified) = match outcome {
            httpsig::Outcome::Verified(verified) => (String::new(), Some(verified)),
            httpsig::Outcome::Invalid(refused) | httpsig::Outcome::Unverified(refused) => {
                (refused.error().to_string(), None)
            }
        };
        let attributed = verified.and_then(|one| one.attributed_to());
        Self {
            word: outcome.word(),
            reason: outcome.reason(),
            what,
            claims: outcome.claims(),
            attributed_to: attributed.map(str::to_owned),
            covers_body: verified.is_some_and(|one| one.covers_body()),
        }
    }

    /// Broken rules of the message itself, before any key was looked for.
    pub(super) fn broken(claims: Option<SignatureClaims>, error: SignatureError) -> Self {
        Self::of(&httpsig::Outcome::of(claims, Err(error)))
    }

    /// No key could be found, which says nothing about the message.
    pub(super) fn no_key(claims: SignatureClaims, reason: &'static str, what: String) -> Self {
        Self {
            word: "unverified",
            reason: Some(reason),
            what,
            claims: Some(claims),
            attributed_to: None,
            covers_body: false,
        }
    }

    /// The one JSON object, and the text.
    pub(super) fn tell(self, profile: ProfileName) -> Outcome {
        let good = self.reason.is_none();
        let text = self.text(profile);
        let claims = self.claims.unwrap_or_default();
        let label = Some(claims.label).filter(|label| !label.is_empty());
        let time = |time: Option<UnixTime>| time.map(UnixTime::secs);
        let mut value = json!({
            "ok": good, "outcome": self.word, "reason": self.reason, "profile": profile.as_str(),
            "label": label, "covered": claims.covered, "keyid": claims.keyid,
            "signature_agent": claims.signature_agent, "attributed_to": self.attributed_to,
            "created": time(claims.created), "expires": time(claims.expires), "tag": claims.tag,
        });
        if good {
            value["covers_body"] = self.covers_body.into();
        } else {
            value["error"] = self.what.into();
            value["advice"] = advice(self.word).into();
        }
        match good {
            true => Outcome::good(text, value),
            false => Outcome::bad(text, value),
        }
    }

    fn text(&self, profile: ProfileName) -> String {
        let mut text = match self.reason {
            None => format!("✓ verified under {}\n", profile.as_str()),
            Some(reason) => format!(
                "✗ {} under {}: {} ({reason})\n  what to do: {}\n",
                self.word,
                profile.as_str(),
                line(&self.what),
                advice(self.word),
            ),
        };
        let Some(claims) = &self.claims else {
            return text;
        };
        let time = |time: Option<UnixTime>| time.map(|time| time.to_string());
        let attributed = match (&self.attributed_to, self.reason) {
            (Some(url), _) => Some(url.clone()),
            (None, None) => Some("nobody: the key was given, not found there".to_owned()),
            (None, Some(_)) => None,
        };
        let agent = claims.signature_agent.clone();
        let attributed = attributed.filter(|_| agent.is_some());
        for (name, value) in [
            ("label", Some(claims.label.clone())),
            ("covered", Some(claims.covered.join(" "))),
            ("keyid", claims.keyid.clone()),
            ("agent", agent),
            ("signed by", attributed),
            ("created", time(claims.created)),
            ("expires", time(claims.expires)),
            ("tag", claims.tag.clone()),
        ] {
            if let Some(value) = value {
                text.push_str(&format!("{name:<10} {}\n", line(&value)));
            }
        }
        text
    }
}

fn advice(word: &str) -> &'static str {
    match word {
        "invalid" => {
            "do not believe the message; `countersign http base` prints what had to be signed, to \
             compare it with the signer's"
        }
        _ => {
            "nothing is known for or against the message: look at --profile and --label, and give \
             the signer's keys"
        }
    }
}
