//! The same messages shown to us and to a library: the same signature base, or a reason known.

use std::collections::BTreeMap;

use countersign::httpsig::signature_base;
use libtest_mimic::Failed;
use serde_json::{Value, json};

use crate::generate::{Case, Chance};
use crate::library::Library;
use crate::rules::{Answer, RULES, Rule, Shown};

const SEED: u64 = 9421;
const MESSAGES: usize = 10_000;

/// Where each rule is explained, for everybody to read.
const EXPLAINED: &str = include_str!("../../DISAGREEMENTS.md");

/// Shows `library`, whose name in the rules is `name`, every message.
pub(crate) fn agrees_or_says_why(library: &Library, name: &str) -> Result<(), Failed> {
    let mut chance = Chance::new(SEED);
    let cases: Vec<Case> = (0..MESSAGES).map(|_| Case::by(&mut chance)).collect();
    let asked = cases
        .iter()
        .map(|case| json!({"message": case.message.to_json()}));
    let theirs = library.ask("base", &asked.collect::<Vec<_>>())?;

    let rules: Vec<&Rule> = RULES.iter().filter(|rule| rule.library == name).collect();
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    let mut same_bases = 0;
    let mut unexplained = Vec::new();
    for (case, theirs) in cases.iter().zip(&theirs) {
        let ours = ours(case)?;
        let theirs = read(theirs);
        match (&ours, &theirs) {
            (Ok(one), Ok(other)) if one == other => same_bases += 1,
            (Err(_), Err(_)) => {}
            _ => {
                let shown = Shown {
                    case,
                    ours: &ours,
                    theirs: &theirs,
                };
                match rules.iter().find(|rule| (rule.explains)(&shown)) {
                    Some(rule) => *used.entry(rule.name).or_default() += 1,
                    None => unexplained.push(format!(
                        "{} {}\n  ours:   {ours:?}\n  theirs: {theirs:?}",
                        case.member,
                        case.message.to_json()
                    )),
                }
            }
        }
    }
    println!("{name}: {same_bases} of {MESSAGES} bases are the same; {used:?}");
    if !unexplained.is_empty() {
        unexplained.sort_unstable_by_key(String::len);
        let first: Vec<_> = unexplained.iter().take(12).cloned().collect();
        return Err(format!("{} unexplained:\n{}", unexplained.len(), first.join("\n")).into());
    }
    // Messages that nobody can sign prove little.
    if same_bases * 4 < MESSAGES {
        return Err(format!("only {same_bases} bases are the same").into());
    }
    for rule in rules {
        if !used.contains_key(rule.name) {
            return Err(format!("no message needs the rule {}", rule.name).into());
        }
        if !EXPLAINED.contains(&format!("| `{name}` | `{}` |", rule.name)) {
            return Err(format!("DISAGREEMENTS.md does not explain {}", rule.name).into());
        }
    }
    Ok(())
}

fn ours(case: &Case) -> Result<Answer, Failed> {
    let base = case
        .message
        .viewed(|message| signature_base(message, &case.member))?;
    Ok(base.map_err(|error| error.reason().to_owned()))
}

fn read(answer: &Value) -> Answer {
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    text("base").ok_or_else(|| text("error").unwrap_or_else(|| answer.to_string()))
}
