//! `Signature-Agent`: where the signer's keys are published (Web Bot Auth).

use http::HeaderMap;
use sfv::{BareItem, Dictionary, Item, ListEntry, Parser};

use super::component::{ComponentId, ComponentName};
use super::error::SignatureError;
use super::fields::{NoValue, write_combined};
use super::input::{Input, MAX_FIELD, check_size};
use super::profile::Agent;

pub(super) const SIGNATURE_AGENT: &str = "signature-agent";

/// The longest URL of a key directory, in bytes.
const MAX_URL: usize = 2048;

/// The URL that the signature vouches for, as far as the profile asks for one.
pub(super) fn covered_agent(
    headers: &HeaderMap,
    input: &Input<'_>,
    rule: Agent,
) -> Result<Option<String>, SignatureError> {
    if rule == Agent::Any {
        return Ok(None);
    }
    let mut field = Vec::new();
    match write_combined(headers, SIGNATURE_AGENT, &mut field) {
        Ok(()) => {}
        Err(NoValue::Absent) if rule == Agent::Earlier => return Ok(None),
        Err(NoValue::Absent) => return Err(broken("the field is missing")),
        Err(_) => return Err(broken("the field is not ASCII")),
    }
    check_size("bytes of Signature-Agent", field.len(), MAX_FIELD)?;
    let mut components = input.components.iter().filter(|id| is_agent(id));
    let (Some(component), None) = (components.next(), components.next()) else {
        return Err(SignatureError::ComponentMissing {
            component: "\"signature-agent\" of this signature, once",
        });
    };
    let url = match component.key() {
        // Web Bot Auth: a signature's own member has the signature's label.
        Some(key) if rule == Agent::Earlier || key == input.label => member(&field, key)?,
        None if rule == Agent::Earlier => bare(&field)?,
        _ => {
            return Err(SignatureError::ComponentMissing {
                component: "\"signature-agent\";key=<label>",
            });
        }
    };
    check_url(&url)?;
    Ok(Some(url))
}

fn is_agent(id: &ComponentId<'_>) -> bool {
    matches!(id.name(), ComponentName::Field(name) if name == SIGNATURE_AGENT)
}

fn member(field: &[u8], key: &str) -> Result<String, SignatureError> {
    let dictionary: Dictionary = Parser::new(field)
        .parse()
        .map_err(|_| broken("the field is not a dictionary"))?;
    match dictionary.get(key) {
        Some(ListEntry::Item(item)) => text(&item.bare_item),
        Some(ListEntry::InnerList(_)) => Err(broken("the member is not a string")),
        None => Err(broken("there is no member under the label")),
    }
}

fn bare(field: &[u8]) -> Result<String, SignatureError> {
    let item: Item = Parser::new(field)
        .parse()
        .map_err(|_| broken("the field is not a string"))?;
    text(&item.bare_item)
}

fn text(item: &BareItem) -> Result<String, SignatureError> {
    match item {
        BareItem::String(text) => Ok(text.as_str().to_owned()),
        _ => Err(broken("the member is not a string")),
    }
}

/// An absolute https URL with a host, without user and fragment.
pub(super) fn check_url(url: &str) -> Result<(), SignatureError> {
    check_size("bytes of a key directory's URL", url.len(), MAX_URL)?;
    let rest = url
        .strip_prefix("https://")
        .ok_or_else(|| broken("the URL is not https"))?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let written = |byte: u8| matches!(byte, b'!'..=b'~') && !b"\"<>\\^`{|}".contains(&byte);
    if host.is_empty()
        || host.starts_with(':')
        || host.contains('@')
        || url.contains('#')
        || !url.bytes().all(written)
    {
        return Err(broken(
            "the URL has no host, or a user, a fragment or stray characters",
        ));
    }
    Ok(())
}

const fn broken(rule: &'static str) -> SignatureError {
    SignatureError::Agent { rule }
}
