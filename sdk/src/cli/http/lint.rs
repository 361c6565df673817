//! What is wrong with a document, by name.

use serde_json::{Value, json};

use crate::cli::outcome::Outcome;
use crate::cli::plain::line;

/// One warning.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) reason: &'static str,
    pub(super) text: String,
    /// Whether it is taken all the same.
    pub(super) taken: bool,
}

/// What was found, with `about`: exit code 1 when something of the document is not taken.
pub(super) fn tell(what: &str, about: Vec<(&'static str, Value)>, found: &[Finding]) -> Outcome {
    let good = found.iter().all(|finding| finding.taken);
    let warnings: Vec<_> = found
        .iter()
        .map(|one| json!({ "reason": one.reason, "text": one.text, "taken": one.taken }))
        .collect();
    let mut value = json!({ "ok": good, "warnings": warnings });
    for (name, member) in about {
        value[name] = member;
    }
    let mut text = match (good, found) {
        (true, []) => format!("✓ {what}\n"),
        (true, _) => format!("✓ {what}, with warnings\n"),
        (false, _) => format!("✗ {what}, but not all of it is taken\n"),
    };
    for one in found {
        let sign = if one.taken { '!' } else { '✗' };
        text.push_str(&format!("{sign} {} ({})\n", line(&one.text), one.reason));
    }
    if good {
        return Outcome::good(text, value);
    }
    value["reason"] = "http.lint".into();
    value["error"] = "not all of the document is taken".into();
    value["advice"] = "each of `warnings` names what is wrong".into();
    Outcome::bad(text, value)
}
