//! Why a library has another signature base than we have. Each rule is explained in
//! `DISAGREEMENTS.md`.

use crate::generate::Case;

/// A signature base, or why there is none.
pub(crate) type Answer = Result<String, String>;

/// One message and what was made of it.
pub(crate) struct Shown<'a> {
    pub(crate) case: &'a Case,
    pub(crate) ours: &'a Answer,
    pub(crate) theirs: &'a Answer,
}

/// A known difference.
pub(crate) struct Rule {
    pub(crate) library: &'static str,
    pub(crate) name: &'static str,
    pub(crate) explains: fn(&Shown<'_>) -> bool,
}

const PYTHON: &str = "python http-message-signatures";
const HMS: &str = "npm http-message-signatures";
const SIG: &str = "npm http-message-sig";

pub(crate) const RULES: &[Rule] = &[
    Rule {
        library: PYTHON,
        name: "unknown-parameter",
        explains: |shown| they_say(shown, "Unexpected signature metadata parameter"),
    },
    Rule {
        library: PYTHON,
        name: "target-uri-as-given",
        explains: target_uri_as_given,
    },
    Rule {
        library: HMS,
        name: "target-uri-as-given",
        explains: target_uri_as_given,
    },
    Rule {
        library: HMS,
        name: "upper-case-name",
        explains: |shown| they_take(shown, "component_refused", &["\"X-Upper\""]),
    },
    Rule {
        library: HMS,
        name: "signature-params",
        explains: |shown| they_take(shown, "component_refused", &["\"@signature-params\""]),
    },
    Rule {
        library: HMS,
        name: "unknown-component-parameter",
        explains: |shown| they_take(shown, "component_refused", &[";unknown"]),
    },
    Rule {
        library: HMS,
        name: "component-twice",
        explains: |shown| they_take(shown, "component_repeated", &["\""]),
    },
    Rule {
        library: HMS,
        name: "query-parameter-twice",
        explains: |shown| they_take(shown, "component_absent", &["\"@query-param\";name=\"x\""]),
    },
    Rule {
        library: HMS,
        name: "empty-query",
        explains: |shown| {
            differs_in(shown, "\"@request-target\"") && shown.case.message.target.ends_with('?')
        },
    },
    Rule {
        library: SIG,
        name: "target-uri-as-given",
        explains: target_uri_as_given,
    },
    Rule {
        library: SIG,
        name: "not-supported",
        explains: |shown| they_say(shown, "is not supported"),
    },
];

/// They refuse, and this stands in their reason.
fn they_say(shown: &Shown<'_>, what: &str) -> bool {
    shown.ours.is_ok()
        && shown
            .theirs
            .as_ref()
            .is_err_and(|reason| reason.contains(what))
}

/// They take what we refuse for `reason`, and one of these is covered.
fn they_take(shown: &Shown<'_>, reason: &str, covered: &[&str]) -> bool {
    let refused = shown
        .ours
        .as_ref()
        .is_err_and(|ours| ours.ends_with(reason));
    let named = covered.iter().any(|one| shown.case.member.contains(one));
    refused && named && shown.theirs.is_ok()
}

fn target_uri_as_given(shown: &Shown<'_>) -> bool {
    differs_in(shown, "\"@target-uri\"")
}

/// The bases differ in the lines of this component alone.
fn differs_in(shown: &Shown<'_>, component: &str) -> bool {
    let (Ok(ours), Ok(theirs)) = (shown.ours, shown.theirs) else {
        return false;
    };
    let differs = |(one, other): &(&str, &str)| one != other;
    let mut lines = ours.lines().zip(theirs.lines()).filter(differs);
    ours.lines().count() == theirs.lines().count()
        && lines.all(|(line, _)| line.starts_with(component))
}
