//! What is refused before signing: fields that other implementations leave out of the canonical
//! form although the specification keeps them.
//!
//! Two of the official SDKs drop every empty text, list and object, wherever it stands. A signature
//! over a card with such a field does not verify there; worse, whoever strips a mutual TLS
//! requirement with an empty list is not noticed there. So a card that we sign has none.

use serde_json::Value;

use super::CardError;
use super::schema::{CARD, Field, Kind, Presence, find};
use crate::a2a::Struct;

/// Checks that all implementations agree on the canonical form of `card`.
///
/// # Errors
/// [`CardError::Ambiguous`] naming the first field they disagree on.
pub(super) fn check(card: &Value) -> Result<(), CardError> {
    let members = card
        .as_object()
        .ok_or_else(|| CardError::Shape("not an object".into()))?;
    message(members, CARD, &mut String::new())
}

fn ambiguous(path: &str, why: &'static str) -> CardError {
    CardError::Ambiguous {
        field: path.to_owned(),
        why,
    }
}

/// Runs `check` with `name` behind the path.
fn below(
    path: &mut String,
    name: &str,
    check: impl FnOnce(&mut String) -> Result<(), CardError>,
) -> Result<(), CardError> {
    let len = path.len();
    if !path.is_empty() && !name.starts_with('[') {
        path.push('.');
    }
    path.push_str(name);
    let checked = check(path);
    path.truncate(len);
    checked
}

fn message(members: &Struct, fields: &'static [Field], path: &mut String) -> Result<(), CardError> {
    for (name, value) in members {
        below(path, name, |path| match find(fields, name) {
            None => Err(ambiguous(path, "is no field of the protocol")),
            Some(field) => member(value, field, path),
        })?;
    }
    for field in fields.iter().filter(|f| f.presence == Presence::Required) {
        if !members.contains_key(field.name) {
            return below(path, field.name, |path| {
                Err(ambiguous(path, "is required and missing"))
            });
        }
    }
    Ok(())
}

fn member(value: &Value, field: &Field, path: &mut String) -> Result<(), CardError> {
    if is_empty(value) {
        // An implicit default counts as absent everywhere, so all agree to leave it out.
        let agreed = field.presence == Presence::Implicit;
        let why = match field.presence {
            Presence::Required => "is required and empty; some implementations leave it out",
            Presence::Explicit | Presence::Implicit => {
                "is set but empty; some implementations leave it out"
            }
        };
        return if agreed {
            Ok(())
        } else {
            Err(ambiguous(path, why))
        };
    }
    match (field.kind, value) {
        (Kind::Message(fields), value) => inner_message(value, fields, path),
        (Kind::Messages(fields), Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                let name = format!("[{at}]");
                below(path, &name, |path| inner_message(item, fields, path))?;
            }
            Ok(())
        }
        (Kind::MessageMap(fields), Value::Object(entries)) => {
            for (name, entry) in entries {
                below(path, name, |path| {
                    key(name, path)?;
                    inner_message(entry, fields, path)
                })?;
            }
            Ok(())
        }
        (Kind::Struct | Kind::Texts | Kind::TextMap, value) => free(value, path),
        _ => Ok(()),
    }
}

/// A message that is set: one that holds only defaults is dropped by some.
fn inner_message(
    value: &Value,
    fields: &'static [Field],
    path: &mut String,
) -> Result<(), CardError> {
    match value {
        Value::Object(members) if !only_defaults(members, fields) => message(members, fields, path),
        _ => Err(ambiguous(
            path,
            "is empty; some implementations leave it out",
        )),
    }
}

fn only_defaults(members: &Struct, fields: &'static [Field]) -> bool {
    members.iter().all(|(name, value)| {
        let implicit = find(fields, name).is_some_and(|f| f.presence == Presence::Implicit);
        implicit && is_empty(value)
    })
}

/// Values that are not fields: nothing in them may be empty.
fn free(value: &Value, path: &mut String) -> Result<(), CardError> {
    if is_empty(value) {
        return Err(ambiguous(
            path,
            "is empty; some implementations leave it out",
        ));
    }
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                below(path, &format!("[{at}]"), |path| free(item, path))?;
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                below(path, name, |path| {
                    key(name, path)?;
                    free(value, path)
                })?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// RFC 8785 §3.2.3 sorts by UTF-16, others by code point: they differ beyond U+FFFF only.
fn key(name: &str, path: &str) -> Result<(), CardError> {
    match name {
        "" => Err(ambiguous(path, "has an empty name")),
        name if name.chars().any(|c| c > '\u{ffff}') => Err(ambiguous(
            path,
            "has a name that implementations sort differently",
        )),
        _ => Ok(()),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
